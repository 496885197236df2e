"""Tests of runner.ledger."""
