"""A provider declared in `outreach.yaml`: how its HTTP API is asked, and where its answers say what.

Templates are only read here as text; `runner.rules.request_templates` knows what stands in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.model.fields import FilePart, wrong
from runner.model.http_fields import AnswerPath, BaseUrl, HeaderName, OptionName, SchemeWord, Status, Words
from runner.model.outcome import Outcome

OptionValue = str | int | float | bool
"""what an option of a declared provider may be"""

Ruling = Literal[
    "rejected",
    "throttled",
    "pause",
    "in_doubt",
    "busy",
    "declined",
    "invalid_number",
    "failed",
    "opted_out",
    "cancelled",
]
"""what a status of the provider proves: not dialled, in one of four ways, or nothing"""


def _read_auth(value: Any) -> Any:
    return {"header": value} if isinstance(value, str) else value


def _read_signature(value: Any) -> Any:
    return {"scheme": value} if isinstance(value, str) else value


class Auth(FilePart):
    """How a request carries the account's key."""

    header: HeaderName = "Authorization"
    """The header that holds the key."""
    scheme: SchemeWord | None = None
    """The word before the key; `Bearer` in `Authorization` and none in any other header when absent."""

    def headers(self, credential: str) -> dict[str, str]:
        """Give the header that carries a credential."""
        usual = "Bearer" if self.header.lower() == "authorization" else ""
        word = usual if self.scheme is None else self.scheme
        return {self.header: f"{word} {credential}".strip()}


class PlacingRequest(FilePart):
    """The request that places a call or sends a text, and where its answer names it."""

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    """The method."""
    path: str
    """Where it goes, below `base_url`; may hold `{{ }}`."""
    body: dict[str, Any] = {}
    """What is sent as JSON; a text may hold `{{ }}`, and a key whose `{{ }}` gives nothing is left out."""
    id: AnswerPath
    """Where the answer names the call or text, such as `data.call.id`."""
    remaining: AnswerPath | None = None
    """Where the answer says how many calls the account has left; at 0 the campaign is paused."""


class Details(FilePart):
    """Where an answer or a webhook tells how a call or text went."""

    outcome: AnswerPath
    """The word for how it stands, which `outcomes` and `live` explain."""
    tag: AnswerPath | None = None
    """The business result that the agent set."""
    summary: AnswerPath | None = None
    """What was said, in short."""
    sentiment: AnswerPath | None = None
    """How the person felt."""
    duration: AnswerPath | None = None
    """How many seconds it took."""
    recording: AnswerPath | None = None
    """The address of the recording."""
    transcript: AnswerPath | None = None
    """What was said: a text, or a list of turns with `role` and `text`."""
    structured: AnswerPath | None = None
    """What the agent was asked to find out: a map."""
    hangup_cause: AnswerPath | None = None
    """Why a call that was picked up ended."""
    opt_out: AnswerPath | None = None
    """Where it says true when the person asked not to be contacted."""
    ended_at: AnswerPath | None = None
    """When it ended: ISO 8601 with an offset, or unix seconds."""


class PollRequest(Details):
    """The request that asks how a call or text ended."""

    path: str
    """Where it goes; `{{ id }}` is what the placing answer named, `{{ channel }}` is `call` or `text`."""


class FindRequest(FilePart):
    """The request that looks for a call or text whose answer was lost; without it such a person is held."""

    method: Literal["GET", "POST"] = "GET"
    """The method."""
    path: str
    """Where it goes; it or the body must name `{{ reference }}`, or go through all pages with `{{ page }}`."""
    body: dict[str, Any] = {}
    """What a POST sends as JSON; may hold `{{ }}`."""
    items: AnswerPath | None = None
    """Where the answer has its list; the answer itself is the list when absent."""
    id: AnswerPath
    """Where an item has its id."""
    reference: AnswerPath | None = None
    """Where an item shows the attempt's key; without it, items are told apart by number and time."""
    phone: AnswerPath | None = None
    """Where an item has the person's number."""
    created_at: AnswerPath | None = None
    """Where an item says when it was made: ISO 8601 with an offset, or unix seconds."""
    more: AnswerPath | None = None
    """Where the answer says that there is another page; with `{{ page }}` and without it, until a page is empty."""


class CancelRequest(FilePart):
    """The request that calls off a call or text."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The method."""
    path: str
    """Where it goes; may name `{{ id }}`."""


class InboundShape(FilePart):
    """Where a webhook has a text that a person sent."""

    from_: AnswerPath = Field(alias="from")
    """The person's number; a webhook without it is about something else."""
    body: AnswerPath
    """The words."""
    to: AnswerPath | None = None
    """The number that they were sent to."""
    id: AnswerPath | None = None
    """The id of the text."""
    at: AnswerPath | None = None
    """When it was sent: ISO 8601 with an offset, or unix seconds."""


class Signature(FilePart):
    """How a webhook is signed, with the account's `webhook_secret`."""

    scheme: Literal["none", "standard", "hmac-sha256", "hmac-sha1", "hmac-sha512"] = "hmac-sha256"
    """`none`, `standard` (the Standard Webhooks headers), or an HMAC such as `hmac-sha256` in a header of the provider's own."""
    header: HeaderName | None = None
    """The header with the signature; for an HMAC."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    prefix: str = ""
    """What stands before the signature, such as `sha256=`."""
    over: Literal["body", "timestamp.body"] = "body"
    """What is signed: the body, or the time, a dot and the body."""
    timestamp: HeaderName | None = None
    """The header with the time in unix seconds; more than five minutes off is refused."""


class WebhookShape(Details):
    """Where a webhook says what; unsigned ones are proved by a token in their address."""

    id: AnswerPath | None = None
    """Where it has the id of the call or text."""
    reference: AnswerPath | None = None
    """Where it shows the attempt's key."""
    signature: Annotated[Signature, BeforeValidator(_read_signature)] = Signature(scheme="none")
    """How it is signed."""


class OptionRule(FilePart):
    """One option that agents and steps may set."""

    type: Literal["text", "integer", "number", "boolean"] = "text"
    """What it is: text, a whole number, a number, or true and false."""
    description: str = ""
    """A sentence for those who set it."""
    minimum: float | None = None
    """The least number, or the fewest characters of a text."""
    maximum: float | None = None
    """The greatest number, or the most characters of a text."""
    one_of: Words = ()
    """The only values that are right."""
    default: str | None = None
    """What is sent when nobody sets it; nothing when absent."""

    def read(self, value: Any) -> OptionValue:
        """Read a value as a file has it; raise a sentence with a line to paste when it does not fit."""
        read = self._typed(value)
        if self.one_of and _shown(read) not in self.one_of:
            raise wrong(f"`{_shown(read)}` is not one of its values", f"one of: {', '.join(self.one_of)}", "C06")
        size = float(len(read)) if isinstance(read, str) else float(read)
        unit = " characters" if isinstance(read, str) else ""
        if self.minimum is not None and size < self.minimum:
            raise wrong(f"`{_shown(read)}` is too small", f"write at least {self.minimum:g}{unit}", "C06")
        if self.maximum is not None and size > self.maximum:
            raise wrong(f"`{_shown(read)}` is too large", f"write at most {self.maximum:g}{unit}", "C06")
        return read

    def value_schema(self) -> dict[str, Any]:
        """Give the JSON schema of its values."""
        bounds: Mapping[str, float | None]
        if self.type == "text":
            bounds = {"minLength": self.minimum, "maxLength": self.maximum}
        else:
            bounds = {"minimum": self.minimum, "maximum": self.maximum}
        said = {key: int(bound) if bound == int(bound) else bound for key, bound in bounds.items() if bound is not None}
        if self.one_of:
            return {"enum": list(self.one_of)}
        return {"type": "string" if self.type == "text" else self.type, **said}

    def _typed(self, value: Any) -> OptionValue:
        text = _shown(value).strip()
        match self.type:
            case "text":
                return _shown(value)
            case "boolean" if text in {"true", "false"}:
                return text == "true"
            case "integer" if re.fullmatch(r"[+-]?\d{1,15}", text, re.ASCII):
                return int(text)
            case "number" if re.fullmatch(r"[+-]?(\d{1,15})?\.?\d{1,15}", text, re.ASCII):
                return float(text) if "." in text else int(text)
        kind, line = {
            "boolean": ("neither true nor false", "write: true, or false"),
            "integer": ("not a whole number", "write digits only: 3"),
            "number": ("not a number", "write a number: 0.5"),
        }[self.type]
        raise wrong(f"`{text}` is {kind}", line, "C06")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class HttpApi(FilePart):
    """A provider without code: its HTTP API in words."""

    base_url: BaseUrl
    """Where the API answers: https, or http on this machine."""
    auth: Annotated[Auth, BeforeValidator(_read_auth)] = Auth()
    """Where the account's key stands: a header, or `{header: ..., scheme: ...}`."""
    headers: dict[HeaderName, str] = {}
    """What every request carries besides; a value may hold `{{ reference }}` and nothing else in braces."""
    idempotency_header: HeaderName = "Idempotency-Key"
    """The header that carries the attempt's key with every request; `none` for no such header."""
    call: PlacingRequest | None = None
    """How a call is placed; without it the provider places none."""
    text: PlacingRequest | None = None
    """How a text is sent; without it the provider sends none."""
    needs_from: bool = False
    """Whether every request must name the number that people see."""
    outcomes: dict[str, Outcome] = {}
    """The provider's words for how a call or text ended, and what each means here."""
    live: Words = ()
    """The provider's words for a call or text that goes on."""
    poll: PollRequest | None = None
    """How it is asked how a call or text ended; without it only webhooks tell."""
    find: FindRequest | None = None
    """How a request whose answer was lost is found again; without it the person is held."""
    cancel: CancelRequest | None = None
    """How a call or text is called off; without it what was accepted runs its course."""
    webhook: WebhookShape | None = None
    """What its webhooks about calls and texts look like; without it they are refused."""
    inbound: InboundShape | None = None
    """What a webhook about a person's own text looks like; `from`, `to` and `body` at its top when absent."""
    check: str | None = None
    """A path that costs nothing to read, with which the key can be tried without calling anybody."""
    errors: Annotated[
        dict[Status, Ruling],
        WithJsonSchema(
            {
                "type": "object",
                "propertyNames": {"pattern": "^[45][0-9][0-9]$"},
                "additionalProperties": {"enum": list(get_args(Ruling))},
            }
        ),
    ] = {}
    """What a status proves where it is not the usual: rejected, throttled, pause, in_doubt or an outcome."""
    error_message: AnswerPath | None = None
    """Where an answer of an error says why; only shown to people."""
    options: dict[OptionName, OptionRule] = {}
    """What agents and steps may set, checked; a template has it as `{{ options.name }}`."""

    @property
    def placing(self) -> dict[Literal["call", "text"], PlacingRequest]:
        """Give the requests that place, by channel."""
        both: dict[Literal["call", "text"], PlacingRequest | None] = {"call": self.call, "text": self.text}
        return {channel: one for channel, one in both.items() if one is not None}

    @property
    def key_header(self) -> str:
        """The header that carries the attempt's key; empty when there is none."""
        return "" if self.idempotency_header.lower() == "none" else self.idempotency_header
