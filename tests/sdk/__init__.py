"""Tests that drive the sandbox with what a provider publishes itself."""
