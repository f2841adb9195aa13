"""The register as a table, a spreadsheet and JSON: a row for each label, as its JSON twin says it.

Pure: no ORM, no clock, no settings. Rows are read and written one at a time, so that memory does
not grow with the register. Every column is explained on the page about data.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from io import TextIOWrapper
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from clusters.export import write_csv

Twin = Mapping[str, object]
Value = str | float | bool | None

# Each column and where its value stands in a label's JSON twin.
COLUMNS = {
    "id": ("id",),
    "url": ("url",),
    "on": ("on",),
    "state": ("state",),
    "level": ("level",),
    "official_wording": ("official_wording",),
    "cluster_id": ("cluster", "id"),
    "cluster": ("cluster", "name"),
    "cluster_url": ("cluster", "url"),
    "country": ("cluster", "country"),
    "portfolio": ("cluster", "portfolio"),
    "managing_organisation": ("managing_organisation",),
    "kind": ("kind",),
    "assessed_on": ("assessed_on",),
    "awarded_on": ("awarded_on",),
    "announced_on": ("announced_on",),
    "valid_until": ("valid_until",),
    "starts_on": ("starts_on",),
    "ends_on": ("ends_on",),
    "renewable_until": ("renewable_until",),
    "extended_until": ("extended_until",),
    "transferred_on": ("transferred_on",),
    "transferred_to": ("transferred_to",),
    "transferred_from": ("transferred_from",),
    "start_is_computed": ("start_is_computed",),
    "end_is_computed": ("end_is_computed",),
    "rule_of": ("rule_of",),
    "awarded_by": ("awarded_by",),
    "score": ("score",),
    "certificate_number": ("certificate_number",),
    "source": ("source",),
}


def row_of(twin: Twin) -> list[Value]:
    return [value_at(twin, path) for path in COLUMNS.values()]


def value_at(twin: Twin, path: tuple[str, ...]) -> Value:
    value: object = twin
    for name in path:
        assert isinstance(value, Mapping)
        value = value[name]
    assert value is None or isinstance(value, str | float | bool)
    return value


def as_text(value: Value) -> str:
    """As JSON writes it, but without quotes; what is not known is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def write_table(file: IO[bytes], twins: Iterable[Twin]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(text, list(COLUMNS), ([as_text(value) for value in row_of(twin)] for twin in twins))
    text.detach()


def write_json(file: IO[bytes], twins: Iterable[Twin], *, on: date, page: str) -> None:
    """One label on each line."""
    head = json.dumps({"on": on.isoformat(), "page": page}, ensure_ascii=False)
    file.write(f'{head[:-1]}, "labels": ['.encode())
    for number, twin in enumerate(twins):
        line = json.dumps(twin, ensure_ascii=False)
        file.write(f"{',' if number else ''}\n{line}".encode())
    file.write(b"\n]}\n")


def write_spreadsheet(file: IO[bytes], twins: Iterable[Twin], *, on: date) -> None:
    """The same bytes for the same rows: the day of the register stands for the moment of writing.

    Text stays text, whatever it begins with: nothing becomes a formula or a link.
    """
    workbook = Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    workbook.set_properties({"created": datetime.combine(on, time.min)})
    sheet = workbook.add_worksheet("labels")
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(COLUMNS) - 1, 16)
    bold = workbook.add_format({"bold": True})
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, bold)
    row = 0
    for row, twin in enumerate(twins, start=1):
        for column, value in enumerate(row_of(twin)):
            write_cell(sheet, row, column, value)
    sheet.autofilter(0, 0, row, len(COLUMNS) - 1)
    workbook.close()


def write_cell(sheet: Worksheet, row: int, column: int, value: Value) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)
