"""Tests of runner.web."""
