"""The kinds of value in a provider's declaration: addresses, headers, paths into answers, statuses, each with its reader."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from runner.model.fields import wrong

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""hosts that need no TLS, because nothing leaves the machine"""
UNDECIDABLE = frozenset({408, *range(500, 600)})
"""statuses of a server that failed or of a machine on the way, neither of which knows whether anybody was dialled"""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_ANSWER_PATH = re.compile(r"[^\s.{}/]+(\.[^\s.{}/]+)*")
_SCHEME_WORD = re.compile(r"[A-Za-z0-9-]{1,32}")
_OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_MAX_STATUS, _MIN_STATUS = 599, 400


def base_url_problem(text: str) -> tuple[str, str] | None:
    """Say what is wrong with the base URL of a declared provider, and what to write instead; None when nothing is."""
    try:
        url, _port = urlsplit(text), urlsplit(text).port
    except ValueError:
        return f"`{text}` is not a URL", "write: base_url: https://api.acme.example/v2"
    if url.scheme not in {"https", "http"} or not url.hostname or not text.isprintable() or " " in text:
        return f"`{text}` is not a URL", "write: base_url: https://api.acme.example/v2"
    if url.username is not None or url.query or url.fragment:
        return "a base URL ends with its path", f"write: base_url: {url.scheme}://{url.hostname}{url.path}"
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        return "the key would travel unprotected", f"write: base_url: https{text.removeprefix('http')}"
    return None


def key_variable(provider: str, what: str = "API_KEY") -> str:
    """Name the usual environment variable of a provider: `acme-voice` is `ACME_VOICE_API_KEY`."""
    return f"{provider.upper().replace('-', '_')}_{what}"


def _base_url(text: str) -> str:
    problem = base_url_problem(text)
    if problem is not None:
        raise wrong(*problem)
    return text.rstrip("/")


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise wrong(f"`{text}` is not the name of a header", "write: X-Acme-Key")
    return text


def _answer_path(text: str) -> str:
    if not _ANSWER_PATH.fullmatch(text):
        raise wrong(f"`{text}` is not a path into an answer", "write the keys with dots between: data.calls.0.id")
    return text


def _scheme_word(text: str) -> str:
    if not _SCHEME_WORD.fullmatch(text):
        raise wrong(f"`{text}` is not one word before the key", "write: scheme: Bearer")
    return text


def _option_name(text: str) -> str:
    if not _OPTION_NAME.fullmatch(text):
        raise wrong(f"`{text}` is not the name of an option", "use letters, digits and `_`, a letter first")
    return text


def _status(value: Any) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdecimal() or not _MIN_STATUS <= int(text) <= _MAX_STATUS:
        raise wrong(f"`{text}` is not a status of an error", "write one from 400 to 599: 409")
    return int(text)


def _read_words(value: Any) -> Any:
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
HeaderName = Annotated[str, AfterValidator(_header)]
AnswerPath = Annotated[str, AfterValidator(_answer_path)]
SchemeWord = Annotated[str, AfterValidator(_scheme_word)]
OptionName = Annotated[str, AfterValidator(_option_name)]
Status = Annotated[int, BeforeValidator(_status)]
Words = Annotated[tuple[str, ...], BeforeValidator(_read_words)]
