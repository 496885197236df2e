"""Rules over the providers that `outreach.yaml` declares: every template, every block beside the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from runner.files.faults import Fault
from runner.files.keys import did_you_mean
from runner.files.masking import is_secret
from runner.files.nodes import KeyPath
from runner.model.http_api import FindRequest, HttpApi, OptionRule
from runner.model.http_fields import UNDECIDABLE, base_url_problem
from runner.model.project import PROVIDER_NAMES, Project
from runner.rules.faults import TemplateWrong
from runner.rules.request_templates import RequestText, compile_text

ORDER_NAMES = ("phone", "from", "agent", "campaign", "channel", "variables", "options", "reference")
"""what the templates of `call` and `text` may name; those of `text` have `message` too"""
SENT_NAMES = ("id", "reference", "phone", "agent", "campaign", "channel")
"""what the templates of `poll` and `cancel` may name"""
FIND_NAMES = ("reference", "phone", "agent", "campaign", "channel", "page")
"""what the templates of `find` may name"""

_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PATH_CONSTANT = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@%?-]*")
_SHORTEST_KEY = 8
"""a shorter value of a header such as X-Key-Version is no key"""
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declaration with its templates compiled, those that could be."""

    name: str
    api: HttpApi
    texts: Mapping[KeyPath, RequestText]
    """the texts with braces by key path"""
    whole: bool
    """no part of it was left out because it is wrong"""

    def at(self, *path: str | int) -> KeyPath:
        """Give the key path of a part."""
        return ("providers", self.name, *path)

    def names_below(self, *path: str | int) -> frozenset[str]:
        """Give every dotted name that the texts of a block read."""
        start = self.at(*path)
        return frozenset().union(*(text.names for at, text in self.texts.items() if at[: len(start)] == start))


def check_declared(project: Project, left_out: Collection[KeyPath] = ()) -> list[Fault]:
    """Give everything that is wrong with the declared providers and with the accounts at them.

    `left_out` are the paths of what was wrong already: rules over what is missing say nothing there.
    """
    unread = {str(path[1]) for path in left_out if path[:1] == ("providers",) and len(path) > 1}
    faults = [*_account_faults(project, [*PROVIDER_NAMES, *project.providers, *sorted(unread)])]
    for name, api in project.providers.items():
        texts, wrong = _compiled(("providers", name), api)
        whole = not any(path[:2] == ("providers", name) for path in left_out) and not wrong
        declared = Declared(name=name, api=api, texts=texts, whole=whole)
        faults += [*wrong, *(fault for check in CHECKS for fault in check(declared))]
    return [fault for fault in faults if not any(fault.path[: len(path)] == path for path in left_out)]


def own_name(this: Declared) -> Iterator[Fault]:
    """Require a name that agents can write before their slash and that no built-in provider has."""
    if this.name in PROVIDER_NAMES:
        message = f"`{this.name}` is built in"
        yield Fault(path=this.at(), code="C30", message=message, help=f"write: my-{this.name}:", at="key")
    elif not _PROVIDER_NAME.fullmatch(this.name):
        advice = "use small letters, digits and `-`, a letter first"
        yield Fault(path=this.at(), code="C30", message=f"`{this.name}` cannot name a provider", help=advice, at="key")


def known_names(this: Declared) -> Iterator[Fault]:
    """Require names in braces that are known where they stand, and options that are declared."""
    for path, text in this.texts.items():
        known = _names_at(path)
        for name in sorted(text.names):
            root, _, item = name.partition(".")
            option = item.partition(".")[0]
            if root not in known:
                advice = did_you_mean(root, known) or f"what can stand here: {', '.join(known) or 'nothing in braces'}"
                yield Fault(path=path, code="V01", message=f"`{root}` is not known here", help=advice)
            elif root == "options" and option and option not in this.api.options:
                advice = did_you_mean(option, this.api.options) or f"add: options: {{{option}: {{type: text}}}}"
                yield Fault(path=path, code="V01", message=f"`{option}` is not among the `options`", help=advice)
            elif item and root not in {"options", "variables"}:
                yield Fault(
                    path=path, code="V01", message=f"`{name}` is not known here", help=f"write {{{{ {root} }}}}"
                )


def whole_references(this: Declared) -> Iterator[Fault]:
    """Require `{{ reference }}` as it is wherever a request is planned: the key is put in when it is sent."""
    for path, text in this.texts.items():
        changed = any("reference" in slot.names and not slot.is_name for slot in text.slots)
        if path[2] in {"call", "text"} and changed:
            message = "`reference` cannot be changed: the key is known only when the request leaves"
            yield Fault(path=path, code="C30", message=message, help="write: {{ reference }}")


def right_paths(this: Declared) -> Iterator[Fault]:
    """Require paths below the base URL, without blanks and fragments."""
    for path, text in this.texts.items():
        if path[3:] != ("path",) and path[2:] != ("check",):
            continue
        first = text.pieces[0]
        if not isinstance(first, str) or not first.startswith("/") or first.startswith("//"):
            yield Fault(path=path, code="C30", message="a path starts with one slash", help="write: path: /calls")
        elif not all(_PATH_CONSTANT.fullmatch(one) for one in text.constants) or "/../" in f"{text.source}/":
            message = f"`{text.source}` cannot stand in a URL"
            yield Fault(path=path, code="C30", message=message, help='write: path: "/calls/{{ id }}"')


def right_headers(this: Declared) -> Iterator[Fault]:
    """Refuse headers that are set elsewhere, that hold a key, or that would end before they should."""
    taken = {this.api.auth.header.lower(): "auth", this.api.key_header.lower(): "idempotency_header"}
    if this.api.key_header.lower() == this.api.auth.header.lower():
        message = f"`{this.api.key_header}` is the header of `auth`"
        yield Fault(path=this.at("idempotency_header"), code="C30", message=message, help="name another header")
    for name, text in this.api.headers.items():
        path = this.at("headers", name)
        if name.lower() in taken:
            message = f"`{name}` is the header of `{taken[name.lower()]}`"
            yield Fault(path=path, code="C30", message=message, help="remove it here", at="key")
        elif name.lower() in _OURS:
            yield Fault(path=path, code="C30", message=f"`{name}` is set by the transport", help="remove it", at="key")
        elif _looks_like_a_key(name, text):
            advice = f"write: auth: {name}   (the key itself stands in the account's `credential`)"
            yield Fault(path=path, code="S01", message="this looks like the key itself", help=advice)
        elif not text.isascii() or not text.isprintable() or text != text.strip():
            message = f"the value of `{name}` cannot stand in a header"
            yield Fault(path=path, code="C30", message=message, help="write one line of plain characters", at="key")


def something_to_place(this: Declared) -> Iterator[Fault]:
    """Require a way to reach people."""
    if this.whole and not this.api.placing:
        message = f"`{this.name}` neither calls nor texts"
        yield Fault(path=this.at(), code="C30", message=message, help="add: call: {path: /calls, id: id}", at="key")


def explained_words(this: Declared) -> Iterator[Fault]:
    """Require outcomes where they are read, and no word that means both an end and no end."""
    reads = [key for key, block in (("poll", this.api.poll), ("webhook", this.api.webhook)) if block is not None]
    if this.whole and reads and not this.api.outcomes:
        message = f"`{reads[0]}` reads an outcome, and no word of it is explained"
        yield Fault(
            path=this.at(reads[0]), code="C30", message=message, help="add: outcomes: {done: answered}", at="key"
        )
    ends = {one.casefold() for one in this.api.outcomes}
    for word in this.api.live:
        if word.casefold() in ends:
            message = f"`{word}` is among the `outcomes` too"
            yield Fault(path=this.at("live"), code="C30", message=message, help="keep it in one of them")


def provable_absence(this: Declared) -> Iterator[Fault]:
    """Require a look-up that sees every request: what it misses would be sent a second time."""
    find = this.api.find
    if find is None or not this.whole:
        return
    names = this.names_below("find")
    if not names & {"reference", "page"}:
        message = "this look-up sees one page, so it proves nothing about what is not on it"
        advice = 'name {{ reference }} or {{ page }}: path: "/calls?reference={{ reference }}"'
        yield Fault(path=this.at("find", "path"), code="C31", message=message, help=advice)
    if find.more is not None and "page" not in names:
        message = "`more` pages cannot be asked for without {{ page }}"
        yield Fault(
            path=this.at("find", "more"), code="C31", message=message, help='write: path: "/calls?page={{ page }}"'
        )
    yield from _told_apart(this, find, names)


def _told_apart(this: Declared, find: FindRequest, names: frozenset[str]) -> Iterator[Fault]:
    """Require that the request can be told apart from others in the list."""
    if find.reference is None and (find.phone is None or find.created_at is None):
        message = "nothing tells the items of the list apart"
        advice = "add: reference: metadata.reference   (or both phone and created_at)"
        yield Fault(path=this.at("find"), code="C31", message=message, help=advice, at="key")
    if find.reference is None and "reference" not in names:
        return
    named = "idempotency_header" in this.api.model_fields_set and this.api.key_header
    header = "reference" in this.names_below("headers")
    for channel in this.api.placing:
        if not named and not header and "reference" not in this.names_below(channel):
            message = f"`find` looks for a reference that `{channel}` does not carry"
            advice = (
                'add to its body: reference: "{{ reference }}"   (or name the idempotency_header that the list shows)'
            )
            yield Fault(path=this.at(channel), code="C31", message=message, help=advice, at="key")


def right_webhook(this: Declared) -> Iterator[Fault]:
    """Require that a webhook names its attempt, and that its signature can be found."""
    shape = this.api.webhook
    if shape is None or not this.whole:
        return
    if shape.id is None and shape.reference is None:
        advice = "add: id: call.id   (or reference: call.metadata.reference)"
        yield Fault(
            path=this.at("webhook"), code="C30", message="a webhook must name its call or text", help=advice, at="key"
        )
    rule = shape.signature
    if rule.scheme.startswith("hmac-") and rule.header is None:
        message = "`signature` does not say which header holds it"
        advice = "add: header: X-Acme-Signature"
        yield Fault(path=this.at("webhook", "signature"), code="C30", message=message, help=advice, at="key")
    if (rule.over == "timestamp.body") is not (rule.timestamp is not None):
        message = "`timestamp` and `over: timestamp.body` belong together"
        advice = "write: over: timestamp.body, timestamp: X-Acme-Timestamp"
        yield Fault(path=this.at("webhook", "signature"), code="C30", message=message, help=advice, at="key")


def possible_rulings(this: Declared) -> Iterator[Fault]:
    """Refuse to take for a proof what a server that failed, or a machine on the way, says."""
    for status, ruling in this.api.errors.items():
        if status in UNDECIDABLE and ruling != "in_doubt":
            message = f"`{status}` may come after somebody was dialled"
            yield Fault(path=this.at("errors", str(status)), code="C31", message=message, help="remove it", at="key")


def right_options(this: Declared) -> Iterator[Fault]:
    """Require options that a template uses, and defaults that fit."""
    used = this.names_below("call") | this.names_below("text")
    for name, rule in this.api.options.items():
        if this.whole and "options" not in used and not _uses(used, name):
            message = f"no template uses the option `{name}`"
            advice = f'add to a body: {name}: "{{{{ options.{name} }}}}"'
            yield Fault(path=this.at("options", name), code="C30", message=message, help=advice, at="key")
        yield from _default_fault(this.at("options", name, "default"), rule)


CHECKS: tuple[Callable[[Declared], Iterator[Fault]], ...] = (
    own_name,
    known_names,
    whole_references,
    right_paths,
    right_headers,
    something_to_place,
    explained_words,
    provable_absence,
    right_webhook,
    possible_rulings,
    right_options,
)
"""every rule over one declaration"""


def _account_faults(project: Project, known: Collection[str]) -> Iterator[Fault]:
    """Require accounts of providers that there are, reached safely."""
    for name, entry in project.accounts.items():
        if entry.provider not in known:
            near, names = did_you_mean(entry.provider, known), ", ".join(dict.fromkeys(known))
            advice = f"{near}   (one of: {names})" if near else f"one of: {names}"
            message = f"`{entry.provider}` is not a value of `provider`"
            yield Fault(path=("accounts", name, "provider"), code="C04", message=message, help=advice)
        if entry.provider not in project.providers:
            continue
        problem = base_url_problem(entry.base_url) if entry.base_url else None
        if problem is not None:
            yield Fault(path=("accounts", name, "base_url"), code="C10", message=problem[0], help=problem[1])
        if entry.generation:
            message = f"`{entry.provider}` has no generations"
            yield Fault(path=("accounts", name, "generation"), code="C30", message=message, help="remove it", at="key")


def _compiled(start: KeyPath, api: HttpApi) -> tuple[dict[KeyPath, RequestText], list[Fault]]:
    """Compile every text that may hold braces; give those that could be, and the faults of the others."""
    texts: dict[KeyPath, RequestText] = {}
    faults: list[Fault] = []
    for path, source in _sources(start, api):
        try:
            texts[path] = compile_text(source)
        except TemplateWrong as error:
            faults.append(Fault(path=path, code=error.code, message=error.message, help=error.help))
    return texts, faults


def _sources(start: KeyPath, api: HttpApi) -> Iterator[tuple[KeyPath, str]]:
    for name, text in api.headers.items():
        yield (*start, "headers", name), text
    for key, placing in api.placing.items():
        yield (*start, key, "path"), placing.path
        yield from _leaves((*start, key, "body"), placing.body)
    if api.poll is not None:
        yield (*start, "poll", "path"), api.poll.path
    if api.cancel is not None:
        yield (*start, "cancel", "path"), api.cancel.path
    if api.check is not None:
        yield (*start, "check"), api.check
    if api.find is not None:
        yield (*start, "find", "path"), api.find.path
        yield from _leaves((*start, "find", "body"), api.find.body)


def _leaves(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves((*path, key), one)
    elif isinstance(value, (list, tuple)):
        for at, one in enumerate(value):
            yield from _leaves((*path, at), one)
    elif value is not None:
        yield path, str(value)


def _names_at(path: KeyPath) -> tuple[str, ...]:
    match path[2]:
        case "call":
            return ORDER_NAMES
        case "text":
            return (*ORDER_NAMES, "message")
        case "poll" | "cancel":
            return SENT_NAMES
        case "find":
            return FIND_NAMES
        case "check":
            return ()
        case _:
            return ("reference",)


def _looks_like_a_key(name: str, value: str) -> bool:
    if name.lower() in {"authorization", "cookie"}:
        return True
    return is_secret(name, value) and len(value) >= _SHORTEST_KEY


def _uses(names: frozenset[str], option: str) -> bool:
    return any(name == f"options.{option}" or name.startswith(f"options.{option}.") for name in names)


def _default_fault(path: KeyPath, rule: OptionRule) -> Iterator[Fault]:
    if rule.default is None:
        return
    try:
        rule.read(rule.default)
    except PydanticCustomError as error:
        context = error.context or {}
        yield Fault(path=path, code="C30", message=str(context.get("message", "")), help=str(context.get("help", "")))
