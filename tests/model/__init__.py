"""Tests of runner.model."""
