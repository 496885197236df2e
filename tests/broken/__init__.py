"""Broken campaign files and the texts that they must give."""
