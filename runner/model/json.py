"""What a JSON document may hold, as types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""one JSON value"""
JsonObject = Mapping[str, Json]
"""one JSON object"""
