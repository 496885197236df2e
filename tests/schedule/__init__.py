"""Tests of runner.schedule."""
