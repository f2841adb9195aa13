"""Rows as CSV that a spreadsheet opens without running anything, as a spreadsheet, and as JSON.

Rows are read and written one at a time, so that memory does not grow with their number.
"""

import csv
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from io import StringIO, TextIOWrapper
from itertools import chain
from typing import IO, TextIO

from django.http import HttpResponse
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

Value = str | float | bool | None

# A spreadsheet takes a cell that begins so for a formula; the last four are = + - @ at full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def without_formula(value: object) -> str:
    # The value as text, behind an apostrophe where a spreadsheet would run it.
    text = str(value)
    begins = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text


def write_csv(output: TextIO, header: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(output)
    writer.writerows([without_formula(value) for value in row] for row in chain((header,), rows))


def csv_text(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    output = StringIO()
    write_csv(output, header, rows)
    return output.getvalue()


def csv_download(
    name: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    return HttpResponse(
        csv_text(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
        },
    )


def value_as_text(value: Value) -> str:
    # As JSON writes it, but without quotes; what is not known is empty.
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def write_table(
    file: IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    with_mark: bool = False,
) -> None:
    # CSV in UTF-8; `with_mark` puts the byte order mark first by which some programs know it.
    if with_mark:
        file.write(BOM_UTF8)
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(text, header, ([value_as_text(value) for value in row] for row in rows))
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


def write_spreadsheet(
    file: IO[bytes],
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    on: date,
    frozen_columns: int = 1,
) -> None:
    """The same bytes for the same rows: the day they tell of stands for the moment of writing.

    Text stays text, whatever it begins with: nothing becomes a formula or a link.
    """
    # In constant memory cells must be written in order, row by row.
    workbook = Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    workbook.set_properties({"created": datetime.combine(on, time.min)})
    sheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, frozen_columns)
    sheet.set_column(0, len(header) - 1, 16)
    bold = workbook.add_format({"bold": True})
    for column, title in enumerate(header):
        sheet.write_string(0, column, title, bold)
    number = 0
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write_cell(sheet, number, column, value)
    sheet.autofilter(0, 0, number, len(header) - 1)
    workbook.close()


def _write_cell(sheet: Worksheet, row: int, column: int, value: Value) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
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
