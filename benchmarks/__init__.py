"""Measurements; `python -m benchmarks` runs them all and prints figures and ratios. They are no tests."""
