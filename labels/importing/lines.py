"""Reading a register file: each CSV line becomes checked values, or findings that say what to do.

Pure: no ORM, no clock, no settings. Holds one line of the file at a time.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TextIO

from rapidfuzz import fuzz, process

from clusters.dates import PartialDate
from clusters.names import invisible_characters, normal_name
from clusters.tables.reader import (
    ENCODING,
    ENCODING_ERRORS,
    CsvFile,
    Finding,
    TableRefused,
    shown,
    without_placeholder,
)

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
# A file may have them beside the others.
OPTIONAL_COLUMNS = ("kind", "certificate", "evidence", "confidence")
EVERY_COLUMN = (*COLUMNS, *OPTIONAL_COLUMNS)

FORMULA_STARTS = ("=", "+", "@")
REGION_CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.IGNORECASE | re.ASCII)
# Codes that the European Union's own tables use beside ISO 3166-1.
NEAR_COUNTRIES = {"UK": "GB", "EL": "GR"}
ITALIAN_LEVELS = {"bronzo": "bronze", "argento": "silver", "oro": "gold"}
KINDS = ("first", "renewal")
# How sure a source is, in the words of the file and in those of the register.
SEEN = "seen"
CONFIDENCES = {
    "high": SEEN,
    "medium": "reported",
    "low": "doubtful",
    SEEN: SEEN,
    "reported": "reported",
    "doubtful": "doubtful",
}


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A line without mistakes; what is not given is empty.

    `portfolio`, `level`, `kind` and `confidence` are codes.
    """

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
    kind: str = ""
    certificate: str = ""
    evidence: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """What the register knows: a line that says something else is wrong.

    `portfolios` leads from every name, as one would write it, to the code, `countries` from
    every code and every name in lower case; `longest` from a column to the number of characters
    that fit.
    """

    countries: Mapping[str, str]
    region_codes: frozenset[str]
    portfolios: Mapping[str, str]
    levels: tuple[str, ...]
    longest: Mapping[str, int]

    @cached_property
    def portfolios_by_normal_name(self) -> dict[str, str]:
        return {normal_name(name): code for name, code in self.portfolios.items()}

    def nearest_portfolios(self, text: str) -> list[str]:
        near = process.extract(
            text, list(self.portfolios), scorer=fuzz.ratio, processor=normal_name, limit=3
        )
        return [name for name, _likeness, _place in near]


def open_register(path: Path) -> TextIO:
    # Not any line end: a carriage return inside a line is told as a mistake.
    return path.open(encoding=ENCODING, errors=ENCODING_ERRORS, newline="\n")


class RegisterFile:
    """A CSV file of labels. Raises TableRefused where the header is missing or wrong."""

    def __init__(self, text: TextIO) -> None:
        self.file = CsvFile(text, is_record_a_line=True)
        self.columns = self.file.read_header(COLUMNS)
        line = self.file.lines.number
        missing = [name for name in COLUMNS if name not in self.columns]
        unknown = "the column is not known and not read."
        if missing:
            message = f"columns are missing: {', '.join(missing)}. Add them; values may be empty."
            raise TableRefused(Finding(line, "", message))
        self.notices = [
            Finding(line, name, unknown)
            for name in self.columns
            if name and name not in EVERY_COLUMN
        ]

    def read(self, vocabulary: Vocabulary) -> Iterator[RegisterLine | Finding]:
        # In the order of the file: a line that is right, or every finding of a bad one.
        for row in self.file.rows():
            if isinstance(row, Finding):
                yield row
            else:
                values = {
                    column: without_placeholder(value).strip(" ")
                    for column, value in zip(self.columns, row.values, strict=True)
                }
                yield from Checker(row.line, values, vocabulary).result()


class Checker:
    """Reads the values of one line and collects what is wrong with them."""

    def __init__(self, number: int, values: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self.number = number
        self.values = values
        self.vocabulary = vocabulary
        self.findings: list[Finding] = []

    def result(self) -> list[Finding] | list[RegisterLine]:
        country = self.country()
        line = RegisterLine(
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
            kind=self.choice("kind", dict(zip(KINDS, KINDS, strict=True))),
            certificate=self.text("certificate"),
            evidence=self.text("evidence"),
            confidence=self.choice("confidence", CONFIDENCES),
        )
        if line.confidence == SEEN and not line.source:
            self.wrong("confidence", "no source is named that was seen. Name it under “source”.")
        if line.awarded_on and line.valid_until:
            self.check_order(line.awarded_on, line.valid_until)
        return sorted(self.findings, key=lambda finding: EVERY_COLUMN.index(finding.column)) or [
            line
        ]

    def wrong(self, column: str, message: str) -> None:
        self.findings.append(Finding(self.number, column, message))

    def text(self, column: str) -> str:
        # The value in composed characters with single spaces; otherwise as it is written.
        raw = self.values.get(column, "")
        text = " ".join(unicodedata.normalize("NFC", raw).split())
        longest = self.vocabulary.longest.get(column)
        if invisible := next(invisible_characters(raw), None):
            place, name = invisible
            self.wrong(column, f"character {place} is the invisible {name}. Remove it.")
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
        # The code, empty where it is wrong.
        text = self.required("country_code")
        code = self.vocabulary.countries.get(text.casefold(), "")
        if text and not code:
            near = NEAR_COUNTRIES.get(text.upper(), "two letters, as IT")
            self.wrong("country_code", f"“{shown(text)}” is no ISO 3166 country. Write {near}.")
        return code

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
        code = self.vocabulary.portfolios_by_normal_name.get(normal_name(text), "")
        if text and not code:
            near = ", ".join(f"“{name}”" for name in self.vocabulary.nearest_portfolios(text))
            self.wrong("sector", f"“{shown(text)}” is no portfolio. The nearest are {near}.")
        return code

    def level(self) -> str:
        text = self.required("label_level")
        code = ITALIAN_LEVELS.get(text.casefold(), text.casefold())
        if text and code not in self.vocabulary.levels:
            levels = ", ".join(level.capitalize() for level in self.vocabulary.levels)
            self.wrong("label_level", f"“{shown(text)}” is no level. Write one of {levels}.")
        return code

    def choice(self, column: str, codes: Mapping[str, str]) -> str:
        text = self.text(column)
        if text and text.casefold() not in codes:
            self.wrong(column, f"“{shown(text)}” is none of {', '.join(codes)}. Write one of them.")
        return codes.get(text.casefold(), "")

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
            ("clusters", "organisations", "regions", "labels", "managements", "sources"), 0
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
