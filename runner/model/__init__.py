"""Frozen values that travel between the layers; no input, no output, no clock."""
