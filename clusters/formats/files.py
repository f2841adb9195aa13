"""Records as files that are sent: CSV, a spreadsheet, JSON; and files written as a whole."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from clusters.formats.facts import Facts, Record, header_of, rows_of
from clusters.formats.titles import TITLES
from clusters.formats.writers import (
    FOR_PROGRAMS,
    CsvStyle,
    Value,
    csv_text,
    style_for_spreadsheets,
    write_json,
    write_spreadsheet,
    write_table,
)
from clusters.http.responses import SPREADSHEET, file_response

# What `for` asks of a CSV file, as the downloads of every page do.
SPREADSHEETS = "spreadsheet"
# The parameters of every CSV file, and their values; without them English and for programs.
CSV_PARAMETERS: Mapping[str, Any] = {
    "lang": dict(settings.LANGUAGES),
    "for": ("programs", SPREADSHEETS),
}
CSV_TYPE = "text/csv; charset=utf-8"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"

DAY = re.compile(r"\d{4}-\d\d-\d\d")
# By a rule of the house every date is named as one.
NAMES_OF_DAYS = re.compile(r"on|rule_of|.*_(on|from|until)")

# The words of codes in the active language, by the name of the column.
Words = Mapping[str, Mapping[Any, Any]]


def csv_style(request: HttpRequest) -> CsvStyle:
    # In the active language.
    return style_for_spreadsheets() if request.GET.get("for") == SPREADSHEETS else FOR_PROGRAMS


def csv_file(
    facts: Facts, records: Iterable[Record], *, name: str, style: CsvStyle
) -> FileResponse:
    rows = rows_of(facts, records)
    return file_response(
        lambda file: write_table(file, header_of(facts), rows, style),
        name=f"{name}.csv",
        content_type=CSV_TYPE,
        is_download=True,
    )


def csv_answer(
    request: HttpRequest, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> HttpResponse:
    # A short one, in the style that was asked for.
    return HttpResponse(
        csv_text(header, rows, csv_style(request)),
        content_type=CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def spreadsheet_file(
    facts: Facts,
    records: Iterable[Record],
    *,
    name: str,
    sheet: str,
    on: date,
    words: Words,
    about: Sequence[Sequence[Value]],
) -> FileResponse:
    columns = header_of(facts)
    rows = rows_to_read(columns, rows_of(facts, records), words)
    return file_response(
        lambda file: write_spreadsheet(
            file, sheet, titles_of(columns), rows, on=on, about=(_("About this file"), about)
        ),
        name=f"{name}.xlsx",
        content_type=SPREADSHEET,
        is_download=True,
    )


def titles_of(columns: Sequence[str]) -> list[str]:
    return [str(TITLES[name]) for name in columns]


def rows_to_read(
    columns: Sequence[str], rows: Iterable[Sequence[Value]], words: Words
) -> Iterator[list[Value]]:
    """Rows with words in the place of codes, and days that a spreadsheet counts with."""
    readers = [(words.get(name, {}), bool(NAMES_OF_DAYS.fullmatch(name))) for name in columns]
    for row in rows:
        yield [
            value_to_read(value, names, is_day)
            for value, (names, is_day) in zip(row, readers, strict=True)
        ]


def value_to_read(value: Value, names: Mapping[Any, Any], is_day: bool) -> Value:
    if not isinstance(value, str):
        return value
    if is_day and DAY.fullmatch(value):
        return date.fromisoformat(value)
    if not names:
        return value
    # Of a list each; what has no word stays as it is.
    return " | ".join(str(names.get(code, code)) for code in value.split(" | "))


def about_list(page: str, day: date, asked: str) -> list[list[Value]]:
    # What the second sheet says; `asked` is the filter in words.
    return [
        [_("Source"), f"{_('Cluster Register')}, {settings.SITE_URL}"],
        [_("Page"), page],
        [_("Day"), day],
        [_("Licence"), f"CC BY 4.0, {LICENCE}"],
        [_("Filter"), asked or _("none: the whole list")],
    ]


def json_file(
    head: Mapping[str, object], key: str, items: Iterable[object], *, name: str
) -> FileResponse:
    suffix = name.rpartition(".")[2]
    return file_response(
        lambda file: write_json(file, head, key, items),
        name=name,
        content_type="application/ld+json" if suffix == "jsonld" else "application/json",
    )


@contextmanager
def replaced_as_a_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` once it is whole, whoever else writes it.

    Where anything fails, what was there before stays.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            yield draft.file
            draft.flush()
            # Else a crash could leave the name with an empty file behind it.
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise
