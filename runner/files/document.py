"""A YAML file into nodes with places, bounded and free of YAML's traps; every fault in a sentence."""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from runner.errors import Diagnostic, Severity, Span
from runner.files.masking import is_secret, mask_columns, mask_line
from runner.files.nodes import KeyPath, Node, Plain, position_in
from runner.files.yaml_events import MAX_NODES, MarkedYAMLError, Parse, UnquotedTemplate, YamlFault, parse_events
from runner.files.yaml_faults import plain_fault

__all__ = ["MAX_BYTES", "MAX_LINE", "Document", "KeyPath", "Node", "Plain", "position_in", "read_document"]

MAX_BYTES = 1024 * 1024
MAX_LINE = 32 * 1024
MAX_LINES = 100_000
MAX_REPAIRS = 20
MAX_REREAD = 8 * 1024
MAX_VALUES_REREAD = 1_400
"""a file with lines to repair is read again after each: at most so often, and so many characters and values in all"""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_TEMPLATE_VALUE = re.compile(r"^\s*(?:- +)*(?:[^\s\"'#{\[][^\"'{\[#]*?:\s+)?(?=\{\{|\{%)")
_COMMENT = re.compile(r"(?<!\s)\s+#.*$")
_CSV_HELP = "put people into a CSV file: contacts: contacts/people.csv"
_LONGEST_ADVICE = 400
_LONGEST_SENTENCE = 480
_STAND_INS = {ord(char): 0xE000 + ord(char) for char in "{}[],:#\"'%&*!|>@`-?\\"}
"""characters that YAML reads, and those that stand in for them inside an unquoted template"""
_BACK = {stand_in: char for char, stand_in in _STAND_INS.items()}


@dataclass(frozen=True, kw_only=True)
class Document:
    """One YAML file, read once."""

    file: str
    """its path as the user named it"""
    sha256: str
    """of its bytes"""
    lines: tuple[str, ...]
    root: Node | None
    """None when the file cannot be read at all"""
    problems: tuple[Diagnostic, ...]
    """what is wrong with the YAML; with a root, checking can go on to find more"""

    def diagnostic(
        self, code: str, message: str, help: str, span: Span, path: KeyPath = (), *, severity: Severity = Severity.ERROR
    ) -> Diagnostic:
        """Build the diagnostic for a place in this file: the line shown, secrets masked."""
        return Diagnostic(
            code=code,
            message=_shortened(mask_line(message, unread=self.root is None)),
            help=_shortened(mask_line(help, unread=self.root is None)),
            file=self.file,
            span=span,
            path=".".join(str(part) for part in path),
            source=self.shown_line(span.line),
            severity=severity,
        )

    def shown_line(self, number: int) -> str:
        """Give a line (from 1), secrets masked; empty when there is none."""
        if not 1 <= number <= len(self.lines):
            return ""
        line = self.lines[number - 1]
        for span in reversed(self._secrets.get(number, ())):
            line = mask_columns(line, span.column - 1, span.end_column - 1)
        return mask_line(line, unread=self.root is None)

    @cached_property
    def _secrets(self) -> dict[int, list[Span]]:
        """The places of secret values by line, as the nodes know them."""
        found: dict[int, list[Span]] = {}
        for value in _secret_scalars(self.root):
            for number in range(value.span.line, value.span.end_line + 1):
                line = self.lines[number - 1]
                start = value.span.column if number == value.span.line else 1 + len(line) - len(line.lstrip())
                end = value.span.end_column if number == value.span.end_line else len(line) + 1
                found.setdefault(number, []).append(Span(number, start, number, max(start, end)))
        return found


def read_document(data: bytes, file: str) -> Document:
    """Read a YAML file's bytes into a Document; what is wrong stands in its problems, nothing is raised.

    Scalars stay the text that stands in the file whatever they look like; an empty value is None.
    Size and line length are checked before the parser sees the text, depth while it scans.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        text = _decode(data)
    except YamlFault as fault:
        return _refused(data, file, sha256, fault)
    with _collector_paused():
        parse, faults, source = _parse_repaired(text)
    root = _restored(parse.root) if source != text and parse.root else parse.root
    if root is None and not faults:
        faults.append(YamlFault("Y11", "this file is empty", "write: campaign: my-campaign", 0, 0))
    elif root is not None and root.kind != "mapping" and not faults:
        faults.append(
            YamlFault("Y11", "the top level of this file must be a map", "write: campaign: my-campaign", 0, 1)
        )
    if root is not None and root.kind != "mapping":
        root = None
    bare = Document(file=file, sha256=sha256, lines=tuple(text.split("\n")), root=root, problems=())
    problems = tuple(_diagnostic(bare, text, fault) for fault in sorted(faults, key=lambda fault: fault.start))
    return Document(file=file, sha256=sha256, lines=bare.lines, root=root, problems=problems)


def _shortened(sentence: str) -> str:
    """Leave out the middle of a sentence that quotes a value of thousands of characters."""
    if len(sentence) <= _LONGEST_SENTENCE:
        return sentence
    half = _LONGEST_SENTENCE // 2
    return f"{sentence[:half]} … {sentence[-half:]}"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing tree again and again: a third of the time of large files."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _decode(data: bytes) -> str:
    """Give the text with line feeds for line ends; raise YamlFault (places in the text so far) for what is refused unread."""
    if len(data) > MAX_BYTES:
        raise YamlFault("Y09", f"this file is larger than {MAX_BYTES // 1024 // 1024} MiB", _CSV_HELP, 0, 0)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = len(_with_line_feeds(data[: error.start].decode("utf-8-sig")))
        shown = f"0x{data[error.start]:02X}"
        raise YamlFault("Y10", f"the byte `{shown}` is not UTF-8", "save the file as UTF-8", start, start + 1) from None
    text = _with_line_feeds(text)
    if text.count("\n") > MAX_LINES:
        raise YamlFault("Y09", f"this file has more than {MAX_LINES:,} lines", _CSV_HELP, 0, 0)
    if _values_at_least(text) > MAX_NODES:
        raise YamlFault("Y09", f"more than {MAX_NODES:,} values stand in this file", _CSV_HELP, 0, 0)
    at = 0
    for line in text.split("\n"):
        if len(line) > MAX_LINE:
            raise YamlFault("Y09", f"this line is longer than {MAX_LINE // 1024} KiB", _CSV_HELP, at, at + 1)
        at += len(line) + 1
    control = _CONTROL.search(text)
    if control:
        shown = f"U+{ord(control[0]):04X}"
        raise YamlFault(
            "Y10", f"the control character `{shown}` stands here", "remove it", control.start(), control.end()
        )
    return text


def _values_at_least(text: str) -> int:
    """Count by its marks how many values a text has, before the parser takes a second to find too many.

    Two for each key and one for each item; a comma that parts two keys stands for none. What looks
    like marks inside of texts counts too: nobody writes fifty thousand of them, and a file of many has less repaired.
    """
    pairs = text.count(": ") + text.count(":\n")
    return 2 * pairs + max(0, text.count(",") - pairs) + text.count("- ")


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refused(data: bytes, file: str, sha256: str, fault: YamlFault) -> Document:
    # a place stands in what was read so far; of a file that is too large the first line is enough
    shown = data if len(data) <= MAX_BYTES else data[:MAX_LINE]
    text = _with_line_feeds(shown.decode("utf-8-sig", errors="replace"))
    lines = tuple(text.split("\n"))
    bare = Document(file=file, sha256=sha256, lines=lines, root=None, problems=())
    return Document(file=file, sha256=sha256, lines=lines, root=None, problems=(_diagnostic(bare, text, fault),))


def _parse_repaired(text: str) -> tuple[Parse, list[YamlFault], str]:
    """Parse; after a fault that has an obvious repair, repair the text in place and parse again.

    A repair keeps every character's place, so faults found later point into the file as it is.
    """
    source, found = text, list[YamlFault]()
    rereads = min(MAX_REREAD // (len(text) + 1), MAX_VALUES_REREAD // (_values_at_least(text) + 1))
    for _ in range(min(MAX_REPAIRS, 1 + rereads)):
        try:
            parse = parse_events(source)
        except UnquotedTemplate as unquoted:
            fault, repaired = _quote(text, source, unquoted.start)
        except YamlFault as refused:
            fault, repaired = refused, _blank_line(source, refused.start) if refused.code == "Y05" else ""
        except MarkedYAMLError as error:
            fault, repaired = _repair(text, source, plain_fault(error, source))
        else:
            return parse, found + parse.faults, source
        found.append(fault)
        if not repaired:
            break
        source = repaired
    return Parse(), found, source


def _repair(text: str, source: str, fault: YamlFault) -> tuple[YamlFault, str]:
    """Repair a line that fails because of an unquoted template; give the fault as it is otherwise."""
    start = source.rfind("\n", 0, fault.start) + 1
    match = _TEMPLATE_VALUE.match(source[start:].split("\n", 1)[0])
    return _quote(text, source, start + match.end()) if match else (fault, "")


def _quote(text: str, source: str, start: int) -> tuple[YamlFault, str]:
    """Say that a template needs quotes, and put stand-ins in place of the characters that YAML would read."""
    line_start = source.rfind("\n", 0, start) + 1
    rest = source[start:].split("\n", 1)[0]
    before = source[line_start:start]
    closing = rest.find("}}") if rest.startswith("{{") else rest.find("%}")
    if closing < 0:
        return YamlFault("Y02", "this template needs quotes", "put the whole value in quotes", start, start + 2), ""
    in_flow = before.count("{") + before.count("[") > before.count("}") + before.count("]")
    last = max(rest.rfind("}}"), rest.rfind("%}")) + 2
    length = closing + 2 if in_flow else last + len(_COMMENT.sub("", rest[last:]).rstrip())
    value = text[start : start + length]
    quote = "'" if '"' in value else '"'
    written = value.replace("'", "''") if quote == "'" else value
    after = rest[length:].rstrip() if in_flow else ""
    advice = " ".join(["write:", *before.split(), f"{quote}{written}{quote}{after}"])
    if length > _LONGEST_ADVICE:
        advice = "put the whole value in quotes"
    fault = YamlFault("Y02", "this template needs quotes", advice, start, start + length)
    return fault, source[:start] + value.translate(_STAND_INS) + source[start + length :]


def _blank_line(source: str, start: int) -> str:
    end = source.find("\n", start)
    end = len(source) if end < 0 else end
    return source[:start] + " " * (end - start) + source[end:]


def _restored(node: Node) -> Node:
    """Give the node with the stand-ins read back into the characters of the file."""
    return Node(
        kind=node.kind,
        span=node.span,
        value=node.value.translate(_BACK) if node.value else node.value,
        keys=tuple(_restored(key) for key in node.keys),
        children=tuple(_restored(child) for child in node.children),
        style=node.style,
        raw=node.raw.translate(_BACK),
    )


def _diagnostic(document: Document, text: str, fault: YamlFault) -> Diagnostic:
    line = text.count("\n", 0, fault.start) + 1
    column = fault.start - (text.rfind("\n", 0, fault.start) + 1) + 1
    end = min(fault.end, fault.start + len(text[fault.start :].split("\n", 1)[0]))
    span = Span(line, column, line, column + max(1, end - fault.start))
    return document.diagnostic(fault.code, fault.message, fault.help, span)


def _secret_scalars(root: Node | None) -> list[Node]:
    found: list[Node] = []
    waiting = [root] if root else []
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children)
        if node.kind == "mapping":
            found.extend(
                child for key, child in node.items() if child.kind == "scalar" and is_secret(key, child.value or "")
            )
    return sorted(found, key=lambda node: (node.span.line, node.span.column))
