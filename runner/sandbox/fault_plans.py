"""Plans of faults as people write them: JSON of a request, or a YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from runner.errors import UsageWrong
from runner.sandbox.faults import Fault, FaultKind, RetryAfter
from runner.sandbox.settings import PROVIDERS
from runner.sandbox.wire import is_text_map, is_whole

_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Faults, and the seed that chooses whom those with a share strike."""

    faults: tuple[Fault, ...]
    seed: int | None = None
    """None takes the sandbox's own"""


def read_plan(document: object) -> FaultPlan:
    """Read a list of faults, or an object with ``seed`` and ``faults``; raise UsageWrong with what to write instead."""
    seed: object = None
    items = document
    if isinstance(document, Mapping) and "faults" in document:
        for key in document:
            if key not in ("seed", "faults"):
                raise UsageWrong(f"a plan of faults has no `{key}`", help="write seed, faults")
        seed, items = document.get("seed"), document["faults"]
    if not isinstance(items, list):
        raise UsageWrong("a plan of faults is a list", help='write [{"kind": "drop_after"}]')
    if seed is not None and not is_whole(seed, 0):
        raise UsageWrong(f"`{seed}` is no seed", help="write a whole number, such as seed: 7")
    return FaultPlan(faults=tuple(map(read_fault, items)), seed=seed if isinstance(seed, int) else None)


def read_plan_file(path: Path) -> FaultPlan:
    """Read a plan from a YAML file; raise UsageWrong when it cannot be read or is none."""
    from ruamel.yaml import YAML  # noqa: PLC0415  only a sandbox with a file of faults pays for it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415  as above

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageWrong(f"cannot read `{path}`: {error.strerror}", help="name a file that exists") from error
    except (YAMLError, UnicodeDecodeError) as error:
        where = str(error).strip().splitlines()
        raise UsageWrong(
            f"`{path}` is no YAML: {where[0] if where else ''}", help="write - kind: drop_after"
        ) from error
    return read_plan(document)


def read_fault(item: object) -> Fault:
    """Read one fault; raise UsageWrong with what to write instead.

    Without ``times`` it strikes once, or without end when it has a ``share``.
    """
    if not isinstance(item, Mapping):
        raise UsageWrong("a fault is an object", help='write {"kind": "drop_after"}')
    for key in item:
        if key not in Fault.__dataclass_fields__:
            raise UsageWrong(f"a fault has no `{key}`", help=f"write one of {', '.join(Fault.__dataclass_fields__)}")
    kind = _kind(item.get("kind"))
    return Fault(
        kind=kind,
        provider=_provider(kind, item.get("provider", "")),
        path=_path(item.get("path")),
        status=_status(kind, item.get("status")),
        body=item.get("body"),
        headers=_headers(item.get("headers", {})),
        effect=item.get("effect") is True,
        times=_times(item),
        share=read_share(item.get("share", 1.0)),
        seconds=_seconds(item.get("seconds")),
        retry_after=_retry_after(item.get("retry_after")),
    )


def read_share(value: object) -> float:
    """Read a share, 0 to 1; raise UsageWrong when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageWrong(f"`{value}` is no share", help="write 0 to 1, such as 0.05")
    return float(value)


def _kind(value: object) -> FaultKind:
    kinds: tuple[FaultKind, ...] = get_args(FaultKind)
    for kind in kinds:
        if kind == value:
            return kind
    raise UsageWrong(f"there is no fault `{value}`", help=f"write one of {', '.join(kinds)}")


def _provider(kind: FaultKind, value: object) -> str:
    if value != "" and value not in PROVIDERS:
        raise UsageWrong(f"there is no provider `{value}`", help=f"write one of {', '.join(PROVIDERS)}")
    if kind == "refuse" and value:
        raise UsageWrong("a connection is refused before it says to whom it goes", help="leave provider out")
    if kind == "wrong_generation" and value in {"revmo", "movoice"}:
        raise UsageWrong(f"`{value}` has one generation alone", help="write revox or revring")
    return str(value)


def _path(value: object) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(str(value))
    except re.error as error:
        raise UsageWrong(
            f"`{value}` is no pattern for a path: {error}", help="write a part of it, such as /call"
        ) from None


def _status(kind: FaultKind, value: object) -> int | None:
    if value is None:
        return None
    if kind == "redirect" and value not in _REDIRECTS:
        raise UsageWrong(f"`{value}` redirects nobody", help=f"write one of {', '.join(map(str, _REDIRECTS))}")
    return _whole("status", value, 200, 599)


def _whole(name: str, value: object, smallest: int, largest: int) -> int:
    if not is_whole(value, smallest, largest) or not isinstance(value, int):
        raise UsageWrong(f"`{value}` is no {name} of a fault", help=f"write {smallest} to {largest}")
    return value


def _headers(value: object) -> Mapping[str, str]:
    if not is_text_map(value) or not isinstance(value, dict):
        raise UsageWrong("a fault's headers are an object of strings", help='write {"Retry-After": "2"}')
    return value


def _times(item: Mapping[str, Any]) -> int | None:
    if "times" in item and item["times"] is not None:
        return _whole("times", item["times"], 1, 1_000_000)
    return None if "share" in item or "times" in item else 1


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_SECONDS:
        raise UsageWrong(f"`{value}` are no seconds of a fault", help="write 0 to 86400, such as 2.5")
    return float(value)


def _retry_after(value: object) -> RetryAfter | None:
    if value is None:
        return None
    forms: tuple[RetryAfter, ...] = get_args(RetryAfter)
    for form in forms:
        if form == value:
            return form
    raise UsageWrong(f"there is no retry_after `{value}`", help=f"write one of {', '.join(forms)}")
