"""Tables as CSV that a spreadsheet opens without running anything."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import chain
from typing import TextIO

from django.http import HttpResponse

# A spreadsheet takes a cell that begins so for a formula; the last four are = + - @ at full width.
BEGIN_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inert(value: object) -> str:
    """The value as text, behind an apostrophe where a spreadsheet would run it."""
    text = str(value)
    begins = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(BEGIN_A_FORMULA)
    return f"'{text}" if begins else text


def write_csv(output: TextIO, header: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    """A row at a time, however many there are."""
    writer = csv.writer(output)
    writer.writerows([inert(value) for value in row] for row in chain((header,), rows))


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
