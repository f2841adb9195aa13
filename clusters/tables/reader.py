"""Reading a table that somebody uploads, CSV or XLSX, within limits.

What is refused is told in words (`TableRefused`). No ORM. Values are texts without spaces around.
"""

import csv
import json
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from clusters.formats.writers import BEGIN_A_FORMULA

MEBIBYTE = 1024 * 1024
MOST_BYTES = 4 * MEBIBYTE
MOST_ROWS = 1_000
LAST_LINE = 20_000  # empty lines between
MOST_COLUMNS = 60
MOST_CHARACTERS = 20_000
MOST_MEMBERS = 100
MOST_UNPACKED = 64 * MEBIBYTE
MOST_RATIO = 100
MOST_MEMORY = 256  # mebibytes
MOST_SECONDS = 10
LONGEST_WAIT = 30

DELIMITERS = ",;\t|"
BEGIN_A_TYPED_FORMULA = ("=", "\uff1d")
PACKED, ENCRYPTED = b"PK\x03\x04", 0x1
READER = Path(__file__).with_name("spreadsheet_reader.py")


class TableRefused(Exception):
    """In words, for the person who uploaded the table."""


@dataclass(frozen=True)
class Line:
    """A row of the table with its number in the file."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    lines: list[Line]


def read_table(content: bytes) -> Table:
    """What begins as a zip archive is read as XLSX, anything else as CSV."""
    if len(content) > MOST_BYTES:
        raise TableRefused(
            _("The file is larger than %(most)d MiB. Split it.") % {"most": MOST_BYTES // MEBIBYTE}
        )
    records = spreadsheet(content) if content.startswith(PACKED) else comma_separated(content)
    _line, header = next(records, (1, []))
    columns = checked_columns(header)
    lines = [Line(number, values_of(number, row, columns)) for number, row in records]
    if not lines:
        raise TableRefused(_("The table has no line under its header."))
    return Table(columns, lines)


def checked_columns(header: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(name.strip().casefold() for name in header)
    if not any(columns):
        raise TableRefused(_("The file is empty. Begin it with the names of the columns."))
    if len(columns) > MOST_COLUMNS:
        raise TableRefused(_("The table has more than %(most)d columns.") % {"most": MOST_COLUMNS})
    if "" in columns:
        raise TableRefused(
            _("Column %(number)d has no name. Name it, or remove it.")
            % {"number": columns.index("") + 1}
        )
    repeated = [name for name, number in Counter(columns).items() if number > 1]
    if repeated:
        raise TableRefused(
            _("These columns are there more than once: %(columns)s. Keep one of each.")
            % {"columns": ", ".join(shown(name) for name in repeated)}
        )
    return columns


def values_of(number: int, row: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    if len(row) > len(columns):
        raise TableRefused(
            _("Line %(line)d has %(values)d values, the header %(columns)d names.")
            % {"line": number, "values": len(row), "columns": len(columns)}
        )
    cells = [*row, *[""] * (len(columns) - len(row))]
    return dict(zip(columns, cells, strict=True))


def shown(text: str) -> str:
    """What a message quotes of a value."""
    return text if len(text) <= 60 else f"{text[:59]}…"


# CSV


def comma_separated(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = decoded(content)
    header = next((line for line in text.splitlines() if line.strip()), "")
    # Not guessed from the values, which may hold any of them.
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number, width, found = 1, 0, 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise TableRefused(
                _(
                    "The quotes from line %(line)d on are wrong. Close each double quote, and "
                    "write one inside a value twice."
                )
                % {"line": number}
            ) from error
        if row is None:
            return
        values = [typed(number, value.strip()) for value in row]
        if any(values):
            width = width or len(values)
            found += 1
            check_size(number, found, values)
            if len(values) != width:
                raise TableRefused(
                    _("Line %(line)d has %(values)d values, the header %(columns)d names.")
                    % {"line": number, "values": len(values), "columns": width}
                )
            yield number, values
        number = reader.line_num + 1


def decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableRefused(
            _("Line %(line)d is not UTF-8. Save the file in the encoding UTF-8.") % {"line": line}
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TableRefused(
            _("Line %(line)d holds a NUL character. Is the file a CSV?") % {"line": line}
        )
    return unicodedata.normalize("NFC", text)


def typed(number: int, value: str) -> str:
    """The value without the apostrophe that keeps a spreadsheet from running it."""
    if value.startswith("'") and value[1:].lstrip().startswith(BEGIN_A_FORMULA):
        return value[1:]
    if value.startswith(BEGIN_A_TYPED_FORMULA):
        raise TableRefused(
            _("Line %(line)d: “%(value)s” looks like a formula. Write its result instead.")
            % {"line": number, "value": shown(value)}
        )
    return value


def check_size(number: int, found: int, values: Sequence[str]) -> None:
    if found > MOST_ROWS + 1:
        raise TableRefused(too_many_rows())
    if len(values) > MOST_COLUMNS:
        raise TableRefused(_("The table has more than %(most)d columns.") % {"most": MOST_COLUMNS})
    if max(len(value) for value in values) > MOST_CHARACTERS:
        raise TableRefused(
            _("Line %(line)d holds a value with more than %(most)d characters.")
            % {"line": number, "most": MOST_CHARACTERS}
        )


def too_many_rows() -> str:
    return _("The table has more than %(most)d lines. Split it.") % {"most": MOST_ROWS}


# XLSX


def spreadsheet(content: bytes) -> Iterator[tuple[int, list[str]]]:
    check_archive(content)
    said = ask_reader(content)
    if "refused" in said:
        raise TableRefused(refusal(said["refused"], said["with"]))
    for number, values in said["rows"]:
        yield number, [unicodedata.normalize("NFC", value) for value in values]


def check_archive(content: bytes) -> None:
    """By its directory alone, before anything is unpacked."""
    try:
        members = ZipFile(BytesIO(content)).infolist()
    except (BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise TableRefused(unreadable()) from error
    names = {member.filename for member in members}
    if len(members) > MOST_MEMBERS or len(names) != len(members):
        raise TableRefused(_("The file holds too many parts to be a table."))
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise TableRefused(unreadable())
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise TableRefused(_("The file is locked by a password. Save it without one."))
    if is_bomb(content, members):
        raise TableRefused(
            _("Unpacked, the file would be larger than a table of this size may be.")
        )


def is_bomb(content: bytes, members: Sequence[ZipInfo]) -> bool:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    return (
        unpacked > MOST_UNPACKED
        or unpacked > MOST_RATIO * len(content)
        or packed > len(content)  # parts that lie over each other
    )


def ask_reader(content: bytes) -> dict[str, Any]:
    """The answer of the child process; whatever ends it otherwise is one, too."""
    limits = {
        "rows": MOST_ROWS + 1,
        "last_line": LAST_LINE,
        "columns": MOST_COLUMNS,
        "characters": MOST_CHARACTERS,
        "memory": MOST_MEMORY,
        "seconds": MOST_SECONDS,
    }
    # No shell, nothing of the environment, and no module but Python's own and the installed ones.
    command = [sys.executable, "-I", str(READER), json.dumps(limits)]
    try:
        done = subprocess.run(  # noqa: S603
            command, input=content, capture_output=True, timeout=LONGEST_WAIT, env={}, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return {"refused": "memory", "with": {}}
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def unreadable() -> str:
    return _("The file cannot be read as a table. Save it as XLSX, or as CSV in UTF-8.")


def refusal(code: str, told: dict[str, Any]) -> str:
    words = {
        "sheets": _("The workbook has %(number)d sheets. Keep the one with the table."),
        "rows": too_many_rows(),
        "columns": _("Line %(line)d holds a value in column %(column)d, far from the others."),
        "formula": _("Cell %(cell)s holds a formula. Put its result there instead."),
        "error": _("Cell %(cell)s holds an error of the spreadsheet. Correct it."),
        "characters": _("The value in cell %(cell)s is too long."),
        "memory": _("Reading the file takes too much of the machine. Is it a plain table?"),
        "unreadable": unreadable(),
    }
    return words[code] % told if told else words[code]
