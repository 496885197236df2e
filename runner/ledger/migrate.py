"""Bring a ledger's schema to this version's: forward only, each step and its record in one transaction."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from importlib import resources

from runner.errors import LedgerTooNew
from runner.ledger import chain
from runner.ledger.copies import keep_before_migration
from runner.ports.crash_points import CrashPoint, reached

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Give all steps, oldest first."""
    found = []
    for file in resources.files("runner.ledger").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return tuple(sorted(found, key=lambda one: one.version))


def schema_version(connection: sqlite3.Connection) -> int:
    """Give the version of a ledger's schema; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection) -> None:
    """Raise LedgerTooNew when a newer version of the tool wrote the ledger."""
    version, newest = schema_version(connection), migrations()[-1].version
    if version > newest:
        raise LedgerTooNew(
            f"this ledger has schema {version}, and this version of outreach knows {newest}",
            help="install the version that wrote it, or a newer one",
        )


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether an older version of the tool wrote the ledger."""
    return schema_version(connection) < migrations()[-1].version


def migrate(connection: sqlite3.Connection) -> int:
    """Apply the steps that are missing; give how many. Safe to run from two processes at once.

    A ledger that holds campaigns is copied to a file beside it before: `<file>.schema-<version>`.
    """
    check_version(connection)
    chain.install(connection)
    if is_older(connection):
        keep_before_migration(connection, schema_version(connection))
    applied = 0
    for step in migrations():
        connection.execute("BEGIN IMMEDIATE")
        try:
            if schema_version(connection) < step.version:
                for statement in _statements(step.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {step.version}")
                applied += 1
                reached(CrashPoint.IN_MIGRATION)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # after some errors SQLite has rolled back by itself
                connection.execute("ROLLBACK")
            raise
    return applied


def _statements(sql: str) -> list[str]:
    """Split a script; `executescript` would commit the transaction that it runs in."""
    statements, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return [one for one in statements if one.strip()]
