"""Tests of runner.wiring."""
