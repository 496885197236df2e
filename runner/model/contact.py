"""A person to reach, and a row that could not become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.model.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person as one row of the contacts gives them."""

    key: str
    """what names the person for good: the key column, else the phone number"""
    phone: str
    """E.164"""
    row: int
    """the line of the file on which the row starts, from 1; the item's line for inline contacts"""
    values: Mapping[str, Json]
    """the row by column, as written; an empty cell is absent"""
    timezone: str | None = None
    """IANA name from the zone column; None when there is none"""
    jurisdictions: tuple[str, ...] = ()
    """whose law the row says counts too, such as `US-TX`"""
    region: str = ""
    """the country of the number, by two letters; empty where nobody looked"""
    number_type: str = ""
    """what the number is: mobile, fixed_line, voip, ...; empty where nobody looked"""
    suppressed_by: str = ""
    """the do-not-contact file that names this number, `path:line`; empty when none does"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueFault:
    """Why a value could not be made for a person from the cells of a row."""

    code: str
    """stable, such as ``V10``"""
    help: str = ""
    """what to write instead in the campaign; may be empty"""
    column: str = ""
    """the column whose cell is at fault; empty when none is alone"""
    size: int = 0
    """how many characters came out where they are too many, else 0"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that names nobody who could be reached, and why."""

    row: int
    """the line of the file on which the row starts, from 1"""
    column: str
    """the name of the column that is wrong; empty when the whole row is"""
    reason: str
    """a lower-case sentence with the value in backticks"""
    code: str = "P01"
    """groups equal causes: P01 shape, P02 no country, P03 not a number, P04 spreadsheet, P05 zone, P06 encoding, P07 place, P08 number nobody calls, P09 number of an earlier row"""
    cells: tuple[str, ...] = ()
    """the row as read, for the reject file"""
    cell_column: int = 1
    """the character column of the cell in its line, from 1"""
    fault: ValueFault | None = None
    """of a row that was read and whose values cannot be made: the reason then starts with the value's place"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRow:
    """A row whose number stands in an earlier row; the first one counts."""

    row: int
    phone: str
    first_row: int
