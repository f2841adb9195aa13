"""Reading a register file: each CSV line becomes checked values, or findings that say what to do.

Pure: no ORM, no clock, no settings. Holds one line of the file at a time.
"""

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

from clusters.dates import PartialDate

COLUMNS = (
    "cluster",
    "country_code",
    "region",
    "managing_organisation",
    "sector",
    "label_level",
    "awarded_on_or_year",
    "valid_until",
    "source",
)
LONGEST_LINE = 100_000
UTF8_MARK = b"\xef\xbb\xbf"

# Control characters, line separators and marks that turn the direction of writing.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
FORMULA_STARTS = ("=", "+", "@")
REGION_CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.IGNORECASE | re.ASCII)
# Codes that the European Union's own tables use beside ISO 3166-1.
NEAR_COUNTRIES = {"UK": "GB", "EL": "GR"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell about a line; `column` is empty where it is about the whole line."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without mistakes. `portfolio` and `level` are codes; what is not given is empty."""

    number: int
    cluster: str
    country: str
    region: str
    organisation: str
    portfolio: str
    level: str
    awarded_on: PartialDate | None
    valid_until: PartialDate | None
    source: str


@dataclass(frozen=True)
class Vocabulary:
    """What the register knows: a line that says something else is wrong.

    `portfolios` leads from every name, as one would write it, to the code; `longest` from a
    column to the number of characters that fit.
    """

    countries: frozenset[str]
    region_codes: frozenset[str]
    portfolios: Mapping[str, str]
    levels: tuple[str, ...]
    longest: Mapping[str, int]
    folded_portfolios: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        folded = {name.casefold(): code for name, code in self.portfolios.items()}
        object.__setattr__(self, "folded_portfolios", folded)

    def nearest_portfolios(self, text: str) -> list[str]:
        names = {name.casefold(): name for name in self.portfolios}
        near = difflib.get_close_matches(text.casefold(), names, n=3, cutoff=0)
        return [names[name] for name in near]


class UnreadableFileError(Exception):
    """The header cannot be used, so that no line can be read."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = findings


class RegisterFile:
    """A CSV file of labels: UTF-8 with or without a mark, commas or semicolons.

    Each record is one line of the file, so that a quote that is never closed spoils its own line
    only. Raises UnreadableFileError where the header is missing or wrong.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.raw_lines = physical_lines(file)
        number, raw = next(
            ((number, raw) for number, raw in self.raw_lines if raw is None or raw.strip()),
            (1, b""),
        )
        header = decoded_header(number, raw)
        # The names of the columns hold neither, so the header alone tells.
        self.delimiter = ";" if header.count(";") > header.count(",") else ","
        self.columns = header_columns(number, header, self.delimiter)
        self.header_line = number

    @property
    def unused_columns(self) -> list[str]:
        return [column for column in self.columns if column and column not in COLUMNS]

    def read(self, vocabulary: Vocabulary) -> Iterator[Line | Finding]:
        """In the order of the file: a line that is right, or every finding of a bad one."""
        for number, raw in self.raw_lines:
            try:
                values = self.values(number, raw)
            except UnreadableLineError as error:
                yield error.finding
                continue
            if any(values.values()):
                yield from Checker(number, values, vocabulary).result()

    def values(self, number: int, raw: bytes | None) -> dict[str, str]:
        if raw is None:
            message = f"the line is longer than {LONGEST_LINE:,} bytes. Shorten or remove it."
            raise UnreadableLineError(number, message)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise UnreadableLineError(
                number, not_utf8(error), self.column_of_byte(raw, error.start)
            ) from error
        fields = [value.strip(" ") for value in self.split(number, text)]
        if not any(fields):
            return {}
        if len(fields) != len(self.columns):
            message = (
                f"the line has {len(fields)} values, the header {len(self.columns)}. "
                f"Put a value that contains “{self.delimiter}” between double quotes."
            )
            raise UnreadableLineError(number, message)
        return dict(zip(self.columns, fields, strict=True))

    def split(self, number: int, text: str) -> list[str]:
        try:
            return split_record(text, self.delimiter)
        except csv.Error as error:
            raise UnreadableLineError(number, csv_problem(error)) from error

    def column_of_byte(self, raw: bytes, position: int) -> str:
        """The column that a byte lies in, or nothing where the line is in disorder."""
        try:
            before = split_record(raw[:position].decode() + "\n", self.delimiter, strict=False)
        except csv.Error:
            return ""
        return self.columns[len(before) - 1] if 0 < len(before) <= len(self.columns) else ""


class UnreadableLineError(Exception):
    def __init__(self, number: int, message: str, column: str = "") -> None:
        super().__init__(message)
        self.finding = Finding(number, column, message)


def physical_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Number and content of each line; None stands for one that is too long to be held."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        is_whole = raw.endswith(b"\n") or len(raw) < LONGEST_LINE
        while raw and not (raw.endswith(b"\n") or len(raw) < LONGEST_LINE):
            raw = file.readline(LONGEST_LINE)
        yield number, (raw.removeprefix(UTF8_MARK) if number == 1 else raw) if is_whole else None


def split_record(text: str, delimiter: str, *, strict: bool = True) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=strict), [])


def decoded_header(number: int, raw: bytes | None) -> str:
    if raw is None:
        raise UnreadableFileError(
            Finding(number, "", f"the header is longer than {LONGEST_LINE:,} bytes. Is it a CSV?")
        )
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(Finding(number, "", not_utf8(error))) from error
    if not text.strip():
        raise UnreadableFileError(
            Finding(number, "", f"the file is empty. Begin it with the header {','.join(COLUMNS)}")
        )
    return text


def header_columns(number: int, header: str, delimiter: str) -> tuple[str, ...]:
    try:
        columns = tuple(name.strip().casefold() for name in split_record(header, delimiter))
    except csv.Error as error:
        raise UnreadableFileError(Finding(number, "", csv_problem(error))) from error
    findings = [
        Finding(number, column, "the column is missing. Add it; its values may be empty.")
        if column not in columns
        else Finding(number, column, "the column is there more than once. Keep one.")
        for column in COLUMNS
        if columns.count(column) != 1
    ]
    if findings:
        raise UnreadableFileError(*findings)
    return columns


def not_utf8(error: UnicodeDecodeError) -> str:
    byte = error.object[error.start]
    return (
        f"byte {error.start + 1} of the line (0x{byte:02X}) is not UTF-8. "
        "Save the file in the encoding UTF-8."
    )


def csv_problem(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a double quote is not closed on this line. Close it; a value is never two lines."
    if "new-line" in str(error):
        return "a carriage return stands inside the line. End each line with LF or CR LF."
    return f"the quotes are wrong ({error}). Write a quote inside a quoted value twice."


class Checker:
    """Reads the values of one line and collects what is wrong with them."""

    def __init__(self, number: int, values: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self.number = number
        self.values = values
        self.vocabulary = vocabulary
        self.findings: list[Finding] = []

    def result(self) -> list[Finding] | list[Line]:
        country = self.country()
        line = Line(
            number=self.number,
            cluster=self.required("cluster"),
            country=country,
            region=self.region(country),
            organisation=self.text("managing_organisation"),
            portfolio=self.portfolio(),
            level=self.level(),
            awarded_on=self.date("awarded_on_or_year"),
            valid_until=self.date("valid_until"),
            source=self.text("source"),
        )
        if line.awarded_on and line.valid_until:
            self.check_order(line.awarded_on, line.valid_until)
        return sorted(self.findings, key=lambda finding: COLUMNS.index(finding.column)) or [line]

    def wrong(self, column: str, message: str) -> None:
        self.findings.append(Finding(self.number, column, message))

    def text(self, column: str) -> str:
        """The value in composed characters with single spaces; otherwise as it is written."""
        raw = self.values[column]
        text = " ".join(unicodedata.normalize("NFC", raw).split())
        longest = self.vocabulary.longest.get(column)
        if invisible := INVISIBLE.search(raw):
            self.wrong(
                column,
                f"character {invisible.start() + 1} is the invisible U+{ord(invisible[0]):04X}. "
                "Remove it.",
            )
        elif "\ufffd" in text:
            self.wrong(
                column, "a character was lost (U+FFFD) in an earlier conversion. Restore it."
            )
        elif text.startswith(FORMULA_STARTS):
            self.wrong(column, f"“{shown(text)}” looks like a formula. Remove the leading sign.")
        elif longest is not None and len(text) > longest:
            self.wrong(column, f"the value has {len(text)} characters; at most {longest} fit.")
        return text

    def required(self, column: str) -> str:
        text = self.text(column)
        if not text:
            self.wrong(column, "the value is missing. Fill it in.")
        return text

    def country(self) -> str:
        """The code, empty where it is wrong."""
        text = self.required("country_code")
        code = text.upper()
        if code in self.vocabulary.countries:
            return code
        if text:
            near = NEAR_COUNTRIES.get(code, "two letters, as IT")
            self.wrong("country_code", f"“{shown(text)}” is no ISO 3166 country. Write {near}.")
        return ""

    def region(self, country: str) -> str:
        region = self.text("region")
        if REGION_CODE.fullmatch(region):
            region = region.upper()
            if region not in self.vocabulary.region_codes:
                self.wrong("region", f"no region has the code {region}. Write its name instead.")
            elif country and not region.startswith(f"{country}-"):
                self.wrong("region", f"{region} lies in another country than {country}.")
        return region

    def portfolio(self) -> str:
        text = self.text("sector")
        code = self.vocabulary.folded_portfolios.get(text.casefold(), "")
        if text and not code:
            near = ", ".join(f"“{name}”" for name in self.vocabulary.nearest_portfolios(text))
            self.wrong("sector", f"“{shown(text)}” is no portfolio. The nearest are {near}.")
        return code

    def level(self) -> str:
        text = self.required("label_level")
        if text and text.casefold() not in self.vocabulary.levels:
            levels = ", ".join(level.capitalize() for level in self.vocabulary.levels)
            self.wrong("label_level", f"“{shown(text)}” is no level. Write one of {levels}.")
        return text.casefold()

    def date(self, column: str) -> PartialDate | None:
        text = self.values[column]
        try:
            return PartialDate.parse(text) if text else None
        except ValueError as error:
            self.wrong(column, f"{error}. Correct it, or leave it empty if it is not known.")
            return None

    def check_order(self, start: PartialDate, end: PartialDate) -> None:
        if end.last_day < start.first_day:
            self.wrong(
                "valid_until", f"the end {end} lies before the start {start}. Correct one of them."
            )


def shown(text: str) -> str:
    """What a message quotes of a value."""
    return text if len(text) <= 60 else f"{text[:59]}…"


class Outcome(Enum):
    """What became of an import."""

    WRITTEN = "written"
    DRY_RUN = "dry run"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass
class Report:
    """What an import did or, in a dry run, would do; of a refused one only the findings."""

    outcome: Outcome = Outcome.UNREADABLE
    created: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("clusters", "organisations", "regions", "labels", "managements"), 0
        )
    )
    unchanged: int = 0
    repeated: int = 0
    notices: list[Finding] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)

    @property
    def bad_lines(self) -> int:
        return len({finding.line for finding in self.errors})

    def refused(self) -> "Report":
        return Report(outcome=Outcome.REFUSED, notices=self.notices, errors=self.errors)
