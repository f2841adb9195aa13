"""Reading the one sheet of an XLSX as a table, after a look at what the file claims to hold."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from clusters.tables.reader import Finding, ParsedLine, Table, TableRefused, column_names, table_of

MEBIBYTE = 1024 * 1024
MAX_PARTS = 100
MAX_UNPACKED = 16 * MEBIBYTE
# openpyxl holds an element for each tag of a part and each attribute: up to 400 bytes. A full table
# has 360,000 tags, opened and closed, and 180,000 attributes.
MAX_TAGS = 500_000
MAX_ATTRIBUTES = 300_000
LAST_LINE = 20_000  # empty lines between
LAST_COLUMN = 702  # ZZ
# The bit by which ZIP marks a part that is encrypted.
ENCRYPTED = 0x1


def read_spreadsheet_table(content: bytes) -> Table:
    check_archive(content)
    try:
        # With their styles: how a day is shown tells its precision.
        workbook = load_workbook(BytesIO(content), read_only=True, keep_links=False)
        records = list(sheet_records(workbook))
    except TableRefused:
        raise
    except Exception as error:  # whatever a parser makes of a file that is none
        raise unreadable() from error
    columns = column_names(records[0] if records else ParsedLine(1, []))
    return table_of(columns, (as_wide_as(columns, record) for record in records[1:]))


def check_archive(content: bytes) -> None:
    # Raise TableRefused where unpacking or parsing it would take too much of the machine.
    try:
        with ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            if any(part.flag_bits & ENCRYPTED for part in parts):
                raise refused(_("The file is locked by a password. Save it without one."))
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise refused(_("Unpacked, the file is larger than a table may be."))
            tags = attributes = 0
            for part in parts:
                # zipfile reads no more than the directory says.
                data = archive.read(part)
                tags += data.count(b"<")
                attributes += data.count(b"=")
                # UTF-16 writes a NUL beside each letter.
                if b"<!DOCTYPE" in data.replace(b"\0", b""):
                    raise unreadable()
            if tags > MAX_TAGS or attributes > MAX_ATTRIBUTES:
                raise refused(_("The file holds more cells than a table may have."))
    except (BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise unreadable() from error


def sheet_records(workbook: Any) -> Iterator[ParsedLine]:
    if len(workbook.worksheets) != 1:
        message = _("The workbook has %(number)d sheets. Keep the one with the table.")
        raise refused(message % {"number": len(workbook.worksheets)})
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # what the file says of its size is not believed
    size = 0
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        if line > LAST_LINE or len(cells) > LAST_COLUMN:
            message = _(
                "The sheet goes down to line %(line)d or farther, and to column %(column)d. Delete"
                " what stands far from the table."
            )
            raise refused(message % {"line": line, "column": len(cells)})
        values = [cell_text(cell) for cell in cells]
        # A long text that many cells share is stored once.
        size += sum(map(len, values))
        if size > MAX_UNPACKED:
            raise refused(_("Unpacked, the file is larger than a table may be."))
        while values and not values[-1]:
            values.pop()
        if values:
            yield ParsedLine(line, values)


def as_wide_as(columns: Sequence[str], record: ParsedLine) -> ParsedLine | Finding:
    missing = len(columns) - len(record.values)
    if missing < 0:
        message = _("the line has a value beyond the last column of the header. Remove it.")
        return Finding(record.line, "", message)
    return ParsedLine(record.line, record.values + [""] * missing)


def cell_text(cell: Any) -> str:
    if cell.value is None:
        return ""
    if cell.data_type == "f":
        message = _("Cell %(cell)s holds a formula. Put its result there instead.")
        raise refused(message % {"cell": cell.coordinate})
    if cell.data_type == "e":
        message = _("Cell %(cell)s holds an error of the spreadsheet. Correct it.")
        raise refused(message % {"cell": cell.coordinate})
    return value_text(cell.value, cell.number_format)


def value_text(value: object, number_format: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, ".15g")
    if isinstance(value, datetime):
        is_day = value.time() == time()
        return day_text(value.date(), number_format) if is_day else value.isoformat()
    if isinstance(value, date):
        return day_text(value, number_format)
    return str(value).strip()


def day_text(day: date, number_format: str) -> str:
    # A spreadsheet makes a day of “2015-07” and shows its month: no more was meant.
    shown = number_format.lower()
    if "d" in shown:
        return day.isoformat()
    return day.isoformat()[:7] if "m" in shown else day.isoformat()[:4]


def refused(message: str) -> TableRefused:
    return TableRefused(Finding(0, "", message))


def unreadable() -> TableRefused:
    return refused(_("The file cannot be read as a table. Save it as XLSX, or as CSV in UTF-8."))
