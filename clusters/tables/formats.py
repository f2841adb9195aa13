"""Tables as django-import-export takes them in and gives them out."""

from io import BytesIO
from typing import Any

from django.utils import timezone
from import_export.formats import base_formats
from tablib import Dataset

from clusters.formats.writers import csv_text, style_for_spreadsheets, write_spreadsheet
from clusters.tables.reader import read_csv_table
from clusters.tables.spreadsheet import read_spreadsheet_table

# The column in which each row of a dataset has its line of the file; no table can have it.
LINE = "(line)"


class TableFormat(base_formats.XLSX):  # type: ignore[misc]  # it comes without types
    """CSV or XLSX, which is told apart by how the file begins."""

    def get_title(self) -> str:
        return "CSV, XLSX"

    def create_dataset(self, content: bytes) -> Dataset:
        read = read_spreadsheet_table if content.startswith(b"PK\x03\x04") else read_csv_table
        table = read(content)
        rows = [(*row.values, row.line) for row in table.rows]
        return Dataset(*rows, headers=[*table.columns, LINE])


class CsvFormat(base_formats.CSV):  # type: ignore[misc]
    CONTENT_TYPE = "text/csv; charset=utf-8"

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        return csv_text(dataset.headers, dataset, style_for_spreadsheets()).encode()


class XlsxFormat(base_formats.XLSX):  # type: ignore[misc]
    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        file = BytesIO()
        name = dataset.title[:31]  # no more fits on the tab of a sheet
        write_spreadsheet(file, name, dataset.headers, dataset, on=timezone.localdate())
        return file.getvalue()
