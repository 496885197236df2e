"""Rules about when a campaign may start anything: windows of its steps, calendars of holidays."""

from __future__ import annotations

from collections.abc import Iterator

from runner.files.checks import Check, Checkable
from runner.files.faults import Fault
from runner.files.keys import did_you_mean
from runner.model.durations import format_clock_time
from runner.rules.policy import windows_of
from runner.rules.public_holidays import is_calendar, parts_of

_PLAIN = "mon-fri 10:00-18:00"


def check_windows(this: Checkable) -> list[Fault]:
    """Give what keeps a step from ever starting, and holidays that nobody could heed."""
    return [fault for check in WINDOW_CHECKS for fault in check(this)]


def step_windows_open(this: Checkable) -> Iterator[Fault]:
    """Require a step's own windows to be some, and each to be open for a while."""
    for at, step in enumerate(this.written.steps):
        if step.windows is None:
            continue
        path = ("steps", at, "windows")
        if not step.windows:
            message = "there is no window, so this step could never start"
            yield Fault(path=path, code="C21", message=message, help=f"write: windows: {_PLAIN}", at="key")
        for index, window in enumerate(step.windows):
            if window.from_ == window.to:
                message = f"this window closes when it opens, at {format_clock_time(window.to)}"
                advice = "write: 00:00-24:00 for the whole day"
                yield Fault(path=(*path, index), code="C21", message=message, help=advice)


def a_window_for_each_channel(this: Checkable) -> Iterator[Fault]:
    """Require a window for the channel of each step, where windows are for one channel alone."""
    for at, step in enumerate(this.canonical.steps):
        windows = this.canonical.windows if step.windows is None else step.windows
        if windows and not windows_of(this.canonical, step):
            path = ("windows",) if step.windows is None else ("steps", at, "windows")
            message = f"no window is for a {step.channel}, so the step `{step.label}` could never start"
            yield Fault(path=path, code="C21", message=message, help=f"add: {_PLAIN}", at="key")


def known_holidays(this: Checkable) -> Iterator[Fault]:
    """Require calendars of holidays that the tables have."""
    for at, calendar in enumerate(this.written.holidays):
        if calendar == "contact" or is_calendar(calendar):
            continue
        country = calendar.partition("-")[0]
        message = f"no calendar of public holidays is known for `{calendar}`"
        if not is_calendar(country):
            yield Fault(path=("holidays", at), code="C36", message=message, help="write a country: holidays: US")
            continue
        near = did_you_mean(calendar, [f"{country}-{part}" for part in parts_of(country)])
        advice = near or f"write the whole country: holidays: {country}"
        yield Fault(path=("holidays", at), code="C36", message=message, help=advice)


WINDOW_CHECKS: tuple[Check, ...] = (step_windows_open, a_window_for_each_channel, known_holidays)
"""every rule about windows beyond those that `checks` has for all campaigns"""
