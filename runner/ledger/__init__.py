"""The ledger: revisions, contacts, attempts, events, suppressions, in one SQLite file."""
