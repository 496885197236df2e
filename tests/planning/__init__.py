"""Tests of runner.planning."""
