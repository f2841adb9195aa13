"""Reading tables that somebody gives: the one reader of CSV, and what makes a table of records.

What is wrong is told in words, with the line and what to do (`Finding`). No ORM.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from typing import TextIO

from django.utils.translation import gettext as _

from clusters.formats.writers import without_formula

MAX_ROWS = 1_000
MAX_COLUMNS = 60
MAX_VALUE_LENGTH = 20_000
MAX_LINE_LENGTH = 100_000

# The first that stands in the first line counts: names of columns hold none of them.
DELIMITERS = ";\t,|"
# A bad byte becomes half of a surrogate pair, which is found in the value where it stands.
ENCODING, ENCODING_ERRORS = "utf-8-sig", "surrogateescape"
BAD_BYTE = re.compile("[\ud800-\udfff]")
# These, and control characters but tabs and ends of lines.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
OTHER_FILES = {
    b"PK\x03\x04": "xlsx",
    b"\xd0\xcf\x11\xe0": "xls",
    b"%PDF": "pdf",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
PAGE = re.compile(r"\s*<(?:!doctype|html|table|\?xml)", re.IGNORECASE)
# The first line by which some spreadsheets say what stands between values.
SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
# What spreadsheets, in English, Italian and German, and people write where there is no value.
PLACEHOLDERS = frozenset(
    {
        *("#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"),
        *("#n/d", "#rif!", "#valore!", "#nome?", "#nullo!", "#nv", "#bezug!", "#wert!"),
        *("n/a", "n/d", "n.a.", "n.d.", "null", "nil", "-", "--", "–", "—", "."),
    }
)
LINES_LOOKED_AT = 10
MAX_LINES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong and what to do.

    `line` is 0 where it is the whole file, `column` is empty where it is the whole line.
    """

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        if not self.line:
            return self.message
        place = {"line": self.line, "column": self.column, "message": self.message}
        if not self.column:
            return _("Line %(line)d: %(message)s") % place
        return _("Line %(line)d, %(column)s: %(message)s") % place


class TableRefused(Exception):
    """The table cannot be read; says why in the language of the person who gave it."""

    def __init__(self, *findings: Finding, is_too_large: bool = False) -> None:
        super().__init__(*findings)
        self.findings, self.is_too_large = findings, is_too_large

    def __str__(self) -> str:
        return " ".join(map(str, self.findings))

    @property
    def line(self) -> int:
        return self.findings[0].line


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A record that is not empty, and the line of the file on which it begins."""

    line: int
    values: list[str]


class CsvFile:
    """Records of a CSV file, decoded as `ENCODING` says; holds one of them at a time.

    Where a record is a line, a quote that is never closed spoils its own line only.
    """

    def __init__(
        self, text: TextIO, *, delimiters: str = DELIMITERS, is_record_a_line: bool = False
    ) -> None:
        self.lines = Lines(text)
        self.is_record_a_line = is_record_a_line
        self.delimiters, self.delimiter = delimiters, ""
        self.columns: tuple[str, ...] = ()

    def records(self) -> Iterator[ParsedLine | Finding]:
        """In the order of the file; what follows a finding counts only where records are lines.

        Raises TableRefused where the file is of another kind.
        """
        while True:
            line = self.lines.number + 1
            try:
                first = next(self.lines, None)
                if first is None:
                    return
                if not first.strip():
                    continue
                if line == 1 and (said := SEPARATOR.fullmatch(first.lstrip("\ufeff"))):
                    self.delimiter = said[1]
                    continue
                self.delimiter = self.delimiter or self.find_delimiter(first)
                source = [first] if self.is_record_a_line else chain([first], self.lines)
                # Strict: a quote inside a value is a mistake, not a letter.
                values = next(csv.reader(source, delimiter=self.delimiter, strict=True))
            except csv.Error as error:
                yield Finding(line, "", explain_disorder(error))
                continue
            if any(value.strip() for value in values):
                yield self.find_bad_characters(line, values) or ParsedLine(line, values)

    def find_delimiter(self, first: str) -> str:
        raw = first.encode(errors="surrogateescape")
        kind = next((kind for start, kind in OTHER_FILES.items() if raw.startswith(start)), "")
        if not kind and PAGE.match(first):
            kind = "html"
        if kind:
            raise TableRefused(Finding(self.lines.number, "", explain_other_file(kind)))
        unquoted = re.sub(r'"[^"]*"', "", first)
        return next((each for each in self.delimiters if each in unquoted), ",")

    def find_bad_characters(self, line: int, values: Sequence[str]) -> Finding | None:
        for place, value in enumerate(values):
            if UNREADABLE.search(value):
                column = self.columns[place] if place < len(self.columns) else ""
                return Finding(line, column, explain_characters(value))
        return None

    def read_header(self, known: Collection[str] = ()) -> tuple[str, ...]:
        """The names of the columns in lower case, empty where one has none.

        Raises TableRefused where there is none, a name twice, or none of the `known` ones.
        """
        header = next(self.records(), ParsedLine(1, []))
        if isinstance(header, Finding):
            raise TableRefused(header)
        self.columns = column_names(header)
        if known and not set(known) & set(self.columns):
            raise TableRefused(self.explain_header(header, known))
        return self.columns

    def explain_header(self, header: ParsedLine, known: Collection[str]) -> Finding:
        # A title above the names of the columns, or a table of something else.
        for record in islice(self.records(), LINES_LOOKED_AT):
            if isinstance(record, ParsedLine):
                names = {value.strip().casefold() for value in record.values}
                if len(names & set(known)) > 1:
                    message = _("the names of the columns stand here. Remove the lines above.")
                    return Finding(record.line, "", message)
        message = _(
            "this is a table of something else: it has none of the columns %(columns)s. Begin it "
            "with their names."
        )
        return Finding(header.line, "", message % {"columns": ", ".join(known)})

    def rows(self) -> Iterator[ParsedLine | Finding]:
        for record in self.records():
            if isinstance(record, ParsedLine):
                self.fit(record.values)
            if isinstance(record, ParsedLine) and len(record.values) != len(self.columns):
                yield Finding(record.line, "", self.explain_width(record))
            else:
                yield record

    def fit(self, values: list[str]) -> None:
        # A line may end before the columns that have no name. One that is longer than the header
        # is in disorder, though its last value be empty: a delimiter may stand inside a value.
        if not any(self.columns[len(values) :]):
            values += [""] * (len(self.columns) - len(values))

    def explain_width(self, record: ParsedLine) -> str:
        return _(
            "the line has %(values)d values, the header %(columns)d. Put a value that contains"
            " “%(delimiter)s” between double quotes."
        ) % {
            "values": len(record.values),
            "columns": len(self.columns),
            "delimiter": self.delimiter,
        }


class LineTooLongError(csv.Error):
    pass


class Lines:
    """The lines of a text, with the number of the latest; one that is too long is passed over."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.number = text, 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        # Never more of a line in memory, however long it is.
        line = self.text.readline(MAX_LINE_LENGTH)
        if not line:
            raise StopIteration
        self.number += 1
        if is_cut(line):
            while is_cut(self.text.readline(MAX_LINE_LENGTH)):
                pass
            raise LineTooLongError
        return line


def is_cut(line: str) -> bool:
    return len(line) == MAX_LINE_LENGTH and not line.endswith(("\r", "\n"))


def column_names(header: ParsedLine) -> tuple[str, ...]:
    names = tuple(name.strip().casefold() for name in header.values)
    if not any(names):
        message = _("The file is empty. Begin it with the names of the columns.")
        raise TableRefused(Finding(0, "", message))
    repeated = [name for name, number in Counter(names).items() if name and number > 1]
    if repeated:
        message = _("the column is there more than once. Keep one.")
        raise TableRefused(*(Finding(header.line, shown(name), message) for name in repeated))
    return names


def explain_disorder(error: csv.Error) -> str:
    if isinstance(error, LineTooLongError):
        return _("the line is longer than %(max)d characters. Shorten or remove it.") % {
            "max": MAX_LINE_LENGTH
        }
    if "new-line" in str(error):
        return _("a carriage return stands inside the line. End each line with LF or CR LF.")
    return _(
        "a double quote is not closed, or stands inside a value. Put the value between double"
        " quotes, and write each quote inside it twice."
    )


def explain_characters(value: str) -> str:
    if BAD_BYTE.search(value):
        return _(
            "“%(value)s” is not encoded in UTF-8. In your spreadsheet choose “Save as”, then"
            " “CSV UTF-8”, and take the new file."
        ) % {"value": shown(BAD_BYTE.sub("\ufffd", value))}
    return _(
        "this holds the character %(code)s, which is no text. Write it again, or save the file as"
        " “CSV UTF-8”."
    ) % {"code": f"U+{ord(UNREADABLE.findall(value)[0]):04X}"}


def explain_other_file(kind: str) -> str:
    if kind == "html":
        return _(
            "this is a web page, not a CSV file. Where it offers a download, take that; or copy "
            "the table into a spreadsheet and save it as “CSV UTF-8”."
        )
    if kind == "utf-16":
        return _(
            "the file is encoded in UTF-16. In your spreadsheet choose “Save as”, then “CSV"
            " UTF-8”, and take the new file."
        )
    return _(
        "this is no CSV file but a document or a spreadsheet. Open it, choose “Save as”, then"
        " “CSV UTF-8”, and take the new file."
    )


def without_placeholder(value: str) -> str:
    return "" if value.strip().casefold() in PLACEHOLDERS else value


def grouped_findings(findings: Iterable[Finding]) -> list[str]:
    # The same mistake once, with the first lines on which it stands and how many more there are.
    lines: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        lines[finding.column, finding.message].append(finding)
    return [str(same[0]) if len(same) == 1 else explain_repetition(same) for same in lines.values()]


def explain_repetition(same: Sequence[Finding]) -> str:
    first, *_others = same
    named = ", ".join(str(one.line) for one in same[:MAX_LINES_NAMED])
    more = len(same) - MAX_LINES_NAMED
    place = _("Lines %(lines)s and %(more)d more") if more > 0 else _("Lines %(lines)s")
    column = f", {first.column}" if first.column else ""
    return f"{place % {'lines': named, 'more': more}}{column}: {first.message}"


def shown(text: str) -> str:
    # What a message quotes of a value.
    return text if len(text) <= 60 else f"{text[:59]}…"


# Tables with a header, within limits


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: list[ParsedLine]


def decode_csv(content: bytes) -> StringIO:
    return StringIO(content.decode(ENCODING, ENCODING_ERRORS), newline="")


def read_csv_table(content: bytes) -> Table:
    file = CsvFile(decode_csv(content))
    return table_of(file.read_header(), map(without_apostrophes, file.rows()))


def without_apostrophes(row: ParsedLine | Finding) -> ParsedLine | Finding:
    # Take off those that keep a spreadsheet from running a value, as an export puts them on.
    if isinstance(row, Finding):
        return row
    values = [value.strip() for value in row.values]
    formula = next((value for value in values if value.startswith(("=", "\uff1d"))), "")
    if formula:
        message = _("“%(value)s” looks like a formula. Write its result instead.")
        return Finding(row.line, "", message % {"value": shown(formula)})
    return ParsedLine(
        row.line,
        [
            value[1:] if value[:1] == "'" and without_formula(value[1:]) == value else value
            for value in values
        ],
    )


def table_of(columns: tuple[str, ...], rows: Iterable[ParsedLine | Finding]) -> Table:
    # Texts without spaces around them; raises TableRefused at the first that is wrong.
    if len(columns) > MAX_COLUMNS:
        message = _("The table has more than %(max)d columns.") % {"max": MAX_COLUMNS}
        raise TableRefused(Finding(0, "", message))
    table = Table(columns, [])
    for row in rows:
        if isinstance(row, Finding):
            raise TableRefused(row)
        if len(table.rows) == MAX_ROWS:
            message = _("The table has more than %(max)d lines. Split it.") % {"max": MAX_ROWS}
            raise TableRefused(Finding(0, "", message))
        table.rows.append(ParsedLine(row.line, cleaned_values(row, columns)))
    if not table.rows:
        raise TableRefused(Finding(0, "", _("The table has no line under its header.")))
    return without_empty_columns(table)


def without_empty_columns(table: Table) -> Table:
    # Without the columns that have neither a name nor a value.
    for place, name in enumerate(table.columns):
        if not name and any(row.values[place] for row in table.rows):
            message = _("Column %(number)d has no name. Name it, or remove it.")
            raise TableRefused(Finding(0, "", message % {"number": place + 1}))
    named = [place for place, name in enumerate(table.columns) if name]
    return Table(
        tuple(table.columns[place] for place in named),
        [ParsedLine(row.line, [row.values[place] for place in named]) for row in table.rows],
    )


def cleaned_values(row: ParsedLine, columns: Sequence[str]) -> list[str]:
    values = [
        unicodedata.normalize("NFC", without_placeholder(value).strip()) for value in row.values
    ]
    for column, value in zip(columns, values, strict=True):
        if len(value) > MAX_VALUE_LENGTH:
            message = _("the value is longer than %(max)d characters.") % {"max": MAX_VALUE_LENGTH}
            raise TableRefused(Finding(row.line, column, message))
    return values
