"""A plugin of pytest that sums up tests by the fault that they show: `-p tests.faults.counting --faults-to FILE`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--faults-to", type=Path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Carry the marks of a test to its report, which may cross to another process."""
    report = yield
    report.user_properties = [("fault", mark.args[0]) for mark in item.iter_markers("fault")]
    return report


class _Counts:
    """Counts what passed and what did not, by fault."""

    def __init__(self, to: Path) -> None:
        self._to = to
        self._passed: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        faults = {str(value) for name, value in report.user_properties if name == "fault"}
        for fault in faults:
            if report.when == "call" and report.passed:
                self._passed[fault] += 1
            elif not report.passed:  # a test that was skipped shows nothing
                self._failed[fault] += 1

    def pytest_sessionfinish(self) -> None:
        found = {"passed": dict(self._passed), "failed": dict(self._failed)}
        self._to.write_text(json.dumps(found, indent=2, sort_keys=True), "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Count in the process that gathers all reports."""
    to = config.getoption("--faults-to")
    if to is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Counts(to))
