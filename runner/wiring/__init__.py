"""Builds all objects from files and options; the only room that names concrete classes."""
