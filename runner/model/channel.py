"""The two ways to reach a person."""

from __future__ import annotations

from typing import Literal

Channel = Literal["call", "text"]
"""a phone call or a text message"""
