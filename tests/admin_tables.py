"""Tables that a browser sends to the import of the admin, and what it answers."""

from collections.abc import Sequence
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
    return client.post(address, {"file": SimpleUploadedFile("table", data)})


def confirm(client: Client, address: str, preview: Any) -> Any:
    return client.post(address, {"token": preview.context["token"]})


def findings(response: Any) -> list[tuple[int, str, str]]:
    return [(error.line, error.column, error.message) for error in response.context["errors"]]


def differences(response: Any) -> list[tuple[int, str, str, str]]:
    return [
        (outcome.line, one.column, one.old, one.new)
        for outcome in response.context["shown"]
        for one in outcome.differences
    ]
