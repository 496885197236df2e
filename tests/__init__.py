"""Tests of outreach-runner; each folder mirrors a package."""
