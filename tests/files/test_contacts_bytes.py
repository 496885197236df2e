"""Whatever bytes a contact file holds, every row is accounted for, and memory stays small."""

from __future__ import annotations

import csv
import gc
import io
import tempfile
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import IO, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner.errors import FilesWrong
from runner.files.contacts import read_contacts
from runner.files.csv_rows import CsvRow, CsvRows, TornRow, delimiter_of, open_text
from runner.model.campaign import ContactSource

GOOD = (
    'phone;name;note\r\n+12025550143;Zoë;"a\r\nb"\r\n+447700900123;"O""Neill";\r\n\r\n'
    "+33 6 39 98 12 34;Bo;x\r\n0161 496 0000;y;z\r\n+12025550143;again;\r\n"
).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The good file with some bytes changed, put in, cut out or repeated."""
    content = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        piece = draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b"\r", b"\n", b"\0", b";", b"\xff", b'";"']))
        )
        until = at if draw(st.booleans()) else min(len(content), at + draw(st.integers(0, 20)))
        content[at:until] = piece
    return bytes(content)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(), st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-16-le", "gb18030", "shift_jis"]))
@example(b'phone\n"', "utf-8")
@example(b"\xff\xfe", "utf-8")
@example(b"\xff\xfep\x00", "utf-16")
@pytest.mark.fault("F36")
def test_no_bytes_are_lost_and_none_crash(content: bytes, encoding: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        path.write_bytes(content)
        source = ContactSource(file="people.csv", encoding=encoding)
        try:
            rows = list(read_contacts(source, Path(folder)))
        except FilesWrong as wrong:
            assert wrong.diagnostics
            return
        lines = [row.row for row in rows]
        assert lines == sorted(set(lines))
        assert len(rows) == _rows_of(content, encoding) - 1


def _rows_of(content: bytes, encoding: str) -> int:
    """Count the rows in which something stands, the header included."""
    return sum(1 for _ in CsvRows(open_text(io.BufferedReader(io.BytesIO(content)), encoding), None))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='a",\n\r; \0\udcff', max_size=60))
@pytest.mark.fault("F36")
def test_every_line_is_in_exactly_one_row(text: str) -> None:
    rows = CsvRows(io.StringIO(text, newline=""), ",")
    found = list(rows)

    spans = [(row.line, row.line + max(len(_lines(row.text)), 1)) for row in found]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    said = "".join(row.text for row in found)
    left_out = Counter(text) - Counter(said)
    assert set(left_out) <= set('", \n\r')
    assert not Counter(said) - Counter(text)


def _lines(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


@given(
    st.lists(
        st.lists(st.text(alphabet='ab",;\n x', min_size=1, max_size=8), min_size=2, max_size=2), min_size=1, max_size=8
    )
)
def test_what_a_csv_writer_wrote_is_read_back(table: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(table)
    file.seek(0)

    read = [row.cells for row in CsvRows(file, ",") if isinstance(row, CsvRow)]

    assert read == [[cell.strip() for cell in row] for row in table if any(cell.strip() for cell in row)]


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b;c,d", ","), ("a;b", ";"), ("a\tb", "\t"), ("a|b", "|"), ("phone", ","), ('"a,b,c";d', ";"), ("", ",")],
)
def test_the_delimiter_is_the_commonest(line: str, delimiter: str) -> None:
    assert delimiter_of(line) == delimiter


def test_rows_torn_again_and_again_cost_no_more_than_their_lines() -> None:
    """Each line opens a quote that the next lines do not close: the worst that a file can do."""
    text = io.StringIO("x\n" + 'a",b,"c\n' * 3000, newline="")
    started = perf_counter()

    found = list(CsvRows(text, ","))

    assert sum(isinstance(row, TornRow) for row in found) == 3000
    assert perf_counter() - started < 10


class _Stream(io.RawIOBase):
    """A contact file of any length that exists nowhere."""

    def __init__(self, rows: int) -> None:
        self._rows = iter(range(rows))
        self._left = b"phone,name,amount,city,note\n"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast("bytearray", buffer))
        while len(self._left) < len(target):
            number = next(self._rows, None)
            if number is None:
                break
            area, line = divmod(number, 8_000_000)
            self._left += (
                f"+1{(202, 212, 312)[area]}{2_000_000 + line},Anna Lee,12.50,Springfield,prefers mornings\n".encode()
            )
        piece, self._left = self._left[: len(target)], self._left[len(target) :]
        target[: len(piece)] = piece
        return len(piece)


@pytest.mark.slow
@pytest.mark.fault("F36")
def test_two_hundred_thousand_rows_take_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 200_000
    (tmp_path / "people.csv").touch()

    def opened(_path: Path, **_how: object) -> IO[bytes]:
        return io.BufferedReader(_Stream(rows))

    source = ContactSource(file="people.csv")
    monkeypatch.setattr("runner.files.contact_table.open_regular", opened)
    # numbers are read elsewhere; tracing each of their allocations would take minutes
    monkeypatch.setattr("runner.files.contacts.read_number", lambda text, _country: _Number(text))
    gc.collect()
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_contacts(source, tmp_path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == rows
    assert peak < 60 * 1024 * 1024


class _Number:
    region, kind = "US", "mobile"

    def __init__(self, e164: str) -> None:
        self.e164 = e164
