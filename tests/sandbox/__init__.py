"""Tests of the sandbox: real sockets, real requests."""
