"""Where a person may be: the clocks that may be theirs, and whose law may protect them."""

from __future__ import annotations

from typing import NamedTuple


class Whereabouts(NamedTuple):
    """All of it counts at once: every zone must allow an attempt, and every law."""

    zones: tuple[str, ...]
    """IANA zones, one of which is the person's; none when nothing is known"""
    jurisdictions: tuple[str, ...] = ()
    """countries and parts of them, such as `US` and `US-TX`"""
    own_zones: tuple[str, ...] = ()
    """where `zones` is a clock that the campaign follows for everybody: those of the person, on which the law counts"""

    @property
    def every_zone(self) -> tuple[str, ...]:
        """All zones whose days and hours count for the person."""
        return tuple(dict.fromkeys((*self.zones, *self.own_zones)))
