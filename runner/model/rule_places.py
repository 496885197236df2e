"""Where the rules of a campaign stand in its files, by key path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RulePlaces:
    """Places such as `campaigns/april.yaml:12:3` by dotted key path of the canonical campaign, steps by name.

    A path that does not stand in any file, because a default counts, is absent.
    """

    by_path: Mapping[str, str] = field(default_factory=dict)

    def of(self, source: str) -> str:
        """Give the place of a key path, or of its nearest part that stands in a file; empty for what is in none."""
        parts = source.split(".")
        for length in range(len(parts), 0, -1):
            found = self.by_path.get(".".join(parts[:length]))
            if found is not None:
                return found
        return ""
