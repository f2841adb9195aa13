"""Rows as CSV that a spreadsheet opens without running anything, as a spreadsheet, and as JSON.

Rows are read and written one at a time, so that memory does not grow with their number.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import StringIO, TextIOWrapper
from itertools import chain
from typing import IO, Any, TextIO

from django.http import HttpResponse
from django.utils.translation import get_language
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

Value = str | float | bool | date | None

# A spreadsheet takes a cell that begins so for a formula; the last four are = + - @ at full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


# A number is no formula, whatever its sign.
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?", re.ASCII)


def without_formula(value: object) -> str:
    # The value as text, behind an apostrophe where a spreadsheet would run it.
    text = str(value)
    if NUMBER.fullmatch(text):
        return text
    begins = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text


@dataclass(frozen=True)
class CsvStyle:
    """Programs want plain UTF-8 with commas. A spreadsheet knows UTF-8 by its mark only, and one
    that writes decimals with a comma wants semicolons.
    """

    mark: str = ""
    delimiter: str = ","
    decimal_point: str = "."


FOR_PROGRAMS = CsvStyle()
FOR_SPREADSHEETS = {"en": CsvStyle("\ufeff"), "it": CsvStyle("\ufeff", ";", ",")}


def style_for_spreadsheets() -> CsvStyle:
    # Those that speak the active language.
    return FOR_SPREADSHEETS[get_language() or "en"]


def write_csv(
    output: TextIO,
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    style: CsvStyle = FOR_PROGRAMS,
) -> None:
    output.write(style.mark)
    writer = csv.writer(output, delimiter=style.delimiter)
    writer.writerows([without_formula(value) for value in row] for row in chain((header,), rows))


def csv_text(
    header: Sequence[object], rows: Iterable[Sequence[object]], style: CsvStyle = FOR_PROGRAMS
) -> str:
    output = StringIO()
    write_csv(output, header, rows, style)
    return output.getvalue()


def csv_download(
    name: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    # For somebody signed in.
    return HttpResponse(
        csv_text(header, rows, style_for_spreadsheets()),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
        },
    )


def value_as_text(value: Value, style: CsvStyle = FOR_PROGRAMS) -> str:
    # As JSON writes it, but without quotes; what is not known is empty.
    if value is None:
        return ""
    if isinstance(value, str | date):
        return str(value)
    text = json.dumps(value)
    return text.replace(".", style.decimal_point) if isinstance(value, float) else text


def write_table(
    file: IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    style: CsvStyle = FOR_PROGRAMS,
) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(text, header, ([value_as_text(value, style) for value in row] for row in rows), style)
    # Else the file would be closed with the text around it.
    text.detach()


def write_json(
    file: IO[bytes], head: Mapping[str, object], name: str, items: Iterable[object]
) -> None:
    # Each item on a line of its own, so that two versions of a file can be compared.
    start = json.dumps(head, ensure_ascii=False)[:-1]
    file.write(f"{start}{', ' if head else ''}{json.dumps(name)}: [".encode())
    for number, item in enumerate(items):
        line = json.dumps(item, ensure_ascii=False)
        file.write(f"{',' if number else ''}\n{line}".encode())
    file.write(b"\n]}\n")


# In letters; the title has a button beside it.
MIN_WIDTH, MAX_WIDTH = 8, 60
BUTTON_WIDTH = 3
# No spreadsheet knows an earlier day.
FIRST_DAY = date(1900, 3, 1)


def write_spreadsheet(
    file: IO[bytes],
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    on: date,
    frozen_columns: int = 1,
    about: tuple[str, Sequence[Sequence[Value]]] | None = None,
) -> None:
    """The same bytes for the same rows: the day they tell of stands for the moment of writing.

    Text stays text, whatever it begins with: nothing becomes a formula or a link. `about` is a
    second sheet, its name and its rows.
    """
    # In constant memory cells must be written in order, row by row.
    workbook = Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    workbook.set_properties({"created": datetime.combine(on, time.min)})
    bold = workbook.add_format({"bold": True})
    as_day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    sheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, frozen_columns)
    for column, title in enumerate(header):
        sheet.write_string(0, column, title, bold)
    titles = [len(title) + BUTTON_WIDTH for title in header]
    number = _write_rows(sheet, rows, as_day, first=1, widths=titles)
    sheet.autofilter(0, 0, number - 1, len(header) - 1)
    if about is not None:
        _write_rows(workbook.add_worksheet(about[0]), about[1], as_day, first=0, widths=[0, 0])
    workbook.close()


def _write_rows(
    sheet: Worksheet, rows: Iterable[Sequence[Value]], as_day: Any, *, first: int, widths: list[int]
) -> int:
    # Return the number of the row behind the last; columns become as wide as what is in them.
    number = first
    for row in rows:
        for column, value in enumerate(row):
            _write_cell(sheet, number, column, value, as_day)
            widths[column] = max(widths[column], len(value_as_text(value)))
        number += 1
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(max(width + 1, MIN_WIDTH), MAX_WIDTH))
    return number


def _write_cell(sheet: Worksheet, row: int, column: int, value: Value, as_day: Any) -> None:
    if isinstance(value, date) and value >= FIRST_DAY:
        sheet.write_datetime(row, column, value, as_day)
    elif isinstance(value, str | date):
        sheet.write_string(row, column, str(value))
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


def value_at(data: object, path: Sequence[str]) -> Value:
    """What stands at a place of nested dictionaries; None where one on the way is None.

    Of a list the texts of all its items, with a vertical bar between them.
    """
    if isinstance(data, list):
        return " | ".join(value_as_text(value_at(item, path)) for item in data) or None
    if data is None or not path:
        assert data is None or isinstance(data, str | float | bool | int)
        return data
    assert isinstance(data, Mapping)
    return value_at(data[path[0]], path[1:])
