"""Rehearsals: the real engine against the sandbox in virtual time, one process, one thread, no socket."""
