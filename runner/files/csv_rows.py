"""CSV text into rows that know their line; what is torn is given back alone, and reading goes on behind it."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

MOST_CELL = 64 * 1024
"""characters in one cell"""
MOST_LINE = 1024 * 1024
"""characters in one line, what is behind them is not kept; and in a row before it counts as torn"""
MOST_LINES = 1000
"""lines that one quoted cell may span before its opening quote counts as torn"""

BAD_BYTE = "\udcff"
"""stands in decoded text where bytes could not be read; no file can hold it itself"""

_LONG_CELL = f"a cell in this row is longer than {MOST_CELL} characters"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_DELIMITERS = (",", ";", "\t", "|")


class CsvRow(NamedTuple):
    """One row as it stands in the file, cells stripped of white space around them."""

    line: int
    cells: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class TornRow:
    """A line that is no row, and why."""

    line: int
    text: str
    reason: str
    cells: tuple[str, ...] = ()
    """the row's cells where they could be told apart"""
    bad_byte: bool = False


def mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Stand in for bytes that the encoding cannot read, so that one bad byte costs one row."""
    return BAD_BYTE, getattr(error, "end", 0)


codecs.register_error("outreach.mark", mark_bad_bytes)


def open_text(binary: io.BufferedReader, encoding: str) -> IO[str]:
    """Decode a file that has just been opened; its byte order mark, if it has one, wins over ``encoding``.

    Raises LookupError for an encoding that does not exist. Line ends stay as they are.
    """
    return io.TextIOWrapper(binary, encoding=marked_encoding(binary) or encoding, errors="outreach.mark", newline="")


def read_line(text: IO[str]) -> str:
    """Read one line, its first 1,048,577 characters; what is behind them is dropped. Empty at the end of the text."""
    line = text.readline(MOST_LINE + 1)
    rest = line if len(line) > MOST_LINE else ""
    while rest and rest[-1] not in "\r\n":
        rest = text.readline(MOST_LINE)
    return line


def marked_encoding(binary: io.BufferedReader) -> str:
    """Give the encoding that the byte order mark at the start of a file tells; empty without one. Reads nothing."""
    start = binary.peek(4)
    return next((name for bom, name in _BOMS if start.startswith(bom)), "")


def delimiter_of(line: str) -> str:
    """Find what separates the cells of a header line: the commonest of `,` `;` tab `|` outside quotes."""
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


class CsvRows:
    """Iterates over the rows of decoded CSV text, the header included, blank lines left out.

    Each item is a CsvRow or a TornRow. At most one row and its lines are in memory. A quote that
    is never closed costs its own line only: the lines behind it are read again as rows.
    """

    def __init__(self, text: IO[str], delimiter: str | None) -> None:
        self._lines = _Lines(text)
        self.delimiter = delimiter or self._find_delimiter()
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)

    def __iter__(self) -> Iterator[CsvRow | TornRow]:
        """Give each row once."""
        lines, reader = self._lines, self._reader
        while True:
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._torn(str(error))
                continue
            taken = lines.taken
            text = taken[0] if len(taken) == 1 else "".join(taken)
            cells = [cell.strip().replace("\r\n", "\n") for cell in cells]
            if not any(cells):
                continue
            reason = _unreadable(text, cells)
            start = lines.line - len(taken) + 1
            yield TornRow(start, text, reason, tuple(cells), BAD_BYTE in text) if reason else CsvRow(start, cells, text)

    def _find_delimiter(self) -> str:
        """Look at the first line with something in it; a spreadsheet's `sep=;` line is obeyed and left out."""
        try:
            first = next((line for line in self._lines if line.strip()), "")
        except csv.Error:
            first = self._lines.taken[-1]
        if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
            return first.strip()[-1]
        if first:
            self._lines.give_back(1)
        return delimiter_of(first)

    def _torn(self, error: str) -> TornRow:
        """Give the first line of a row that could not be read, and put the lines behind it back."""
        lines = self._lines
        text, spanned = lines.taken[0], len(lines.taken)
        lines.give_back(spanned - 1)
        if len(text) > MOST_LINE:
            return TornRow(lines.line, text, f"this row is longer than {MOST_LINE} characters")
        if "field larger" in error and spanned == 1:
            return TornRow(lines.line, text, _LONG_CELL)
        if "unexpected end" in error or spanned > 1:
            return TornRow(lines.line, text, "a quote opens in this row and does not close")
        return TornRow(lines.line, text, "there is text behind a closing quote in this row")


def column_of(text: str, index: int, delimiter: str) -> int:
    """Give the character column, in its own line, at which a row's cell starts; 1 when it cannot be told."""
    cell, quoted, column = 0, False, 1
    if index == 0:
        return 1 + len(text) - len(text.lstrip(" "))
    for position, one in enumerate(text):
        column = 1 if one == "\n" else column + 1
        if one == '"':
            quoted = not quoted
        elif one == delimiter and not quoted:
            cell += 1
            if cell == index:
                rest = text[position + 1 :]
                return column + len(rest) - len(rest.lstrip(" "))
    return 1


def _unreadable(text: str, cells: list[str]) -> str:
    """Say what makes a row unusable before any column is looked at; empty when nothing does."""
    if BAD_BYTE in text:
        return "a byte in this row is not in the file's encoding"
    if "\0" in text:
        return "there is a NUL character in this row"
    if len(text) > MOST_CELL and any(len(cell) > MOST_CELL for cell in cells):
        return _LONG_CELL
    return ""


class _Lines:
    """The lines of a text, counted, with those of the row in progress kept so that they can be read again."""

    def __init__(self, text: IO[str]) -> None:
        self.line = 0
        """lines handed out so far"""
        self.taken: list[str] = []
        self._size = 0
        self._text = text
        self._again: deque[str] = deque()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        # ends the row in progress, not the file: the reader then says that its quote is open
        if len(self.taken) >= MOST_LINES or self._size > MOST_LINE:
            raise StopIteration
        line = self._again.popleft() if self._again else read_line(self._text)
        if not line:
            raise StopIteration
        self.line += 1
        self.taken.append(line)
        self._size += len(line)
        if len(line) > MOST_LINE:
            raise csv.Error("field larger than a line may be")
        return line

    def begin_row(self) -> None:
        """Forget the lines of the row before."""
        self.taken.clear()
        self._size = 0

    def give_back(self, count: int) -> None:
        """Hand the last ``count`` lines out again."""
        for _ in range(count):
            self._again.appendleft(self.taken.pop())
            self.line -= 1
