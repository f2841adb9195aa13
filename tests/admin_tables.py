"""Tables that a browser sends to the import of the admin, and what it answers."""

import re
from collections.abc import Sequence
from html import unescape
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from clusters.models import Account


def client_of(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def workbook(*rows: Sequence[Any], **cells: Any) -> bytes:
    """An XLSX of one sheet; `cells` by their coordinates, as `C5=…`."""
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    for coordinate, value in cells.items():
        sheet[coordinate] = value
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def upload(client: Client, address: str, content: bytes | str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("table", data)
    return client.post(address, {"import_file": file, "format": "0", "resource": "0"}, follow=True)


def confirm(client: Client, address: str, preview: Any) -> Any:
    """Answers with the page that one is led to."""
    form = preview.context["confirm_form"].initial
    return client.post(address.replace("/import/", "/process_import/"), form, follow=True)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def findings(response: Any) -> list[tuple[int, str, str]]:
    """Line, column and message of what a preview found wrong."""
    return [
        (row.number, "" if column == "__all__" else column, message)
        for row in response.context["result"].invalid_rows
        for column, messages in row.error_dict.items()
        for message in messages
    ]


def differences(response: Any) -> list[tuple[int, str, str, str]]:
    """Line, column, old and new value of what a preview shows."""
    result = response.context["result"]
    return [
        (row.line, column, marked("del", str(cell)), marked("ins", str(cell)))
        for row in result.rows
        for column, cell in zip(result.diff_headers, row.diff, strict=True)
        if marked("del", str(cell)) or marked("ins", str(cell))
    ]


def marked(tag: str, cell: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", cell, re.DOTALL)
    return unescape(found[1]) if found else ""
