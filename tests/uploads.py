"""Files as somebody uploads them, made when a test needs them."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

TYPES = "[Content_Types].xml"
OPEN_XML = "application/vnd.openxmlformats-officedocument"
MAIN = {
    "docx": ("word/document.xml", f"{OPEN_XML}.wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", f"{OPEN_XML}.spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", f"{OPEN_XML}.presentationml.presentation.main+xml"),
}
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
ODF = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
Members = Mapping[str, "str | bytes"]


def picture_bytes(
    file_format: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any
) -> bytes:
    file = BytesIO()
    Image.new(mode, size).save(file, file_format, **options)
    return file.getvalue()


def picture_upload(name: str = "a.png", size: tuple[int, int] = (60, 40)) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture_bytes(size=size))


def pdf_bytes(change: Callable[[pikepdf.Pdf], object] | None = None, **options: Any) -> bytes:
    """A PDF of one empty page; `change` is given it before it is written."""
    file, document = BytesIO(), pikepdf.new()
    document.add_blank_page()
    if change:
        change(document)
    document.save(file, **options)
    return file.getvalue()


def zip_bytes(members: Members, *, stored: tuple[str, ...] = ()) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content, ZIP_STORED if name in stored else ZIP_DEFLATED)
    return file.getvalue()


def office_bytes(suffix: str = "docx", more: Members | None = None) -> bytes:
    """A Word, Excel or PowerPoint file with these members, too, or in place of its own."""
    part, media_type = MAIN[suffix]
    types = f'<Types><Override PartName="/{part}" ContentType="{media_type}"/></Types>'
    members: Members = {TYPES: types, "_rels/.rels": "<Relationships/>", part: "<a/>"}
    return zip_bytes({**members, **(more or {})})


def open_document_bytes(suffix: str = "odt", more: Members | None = None) -> bytes:
    members: Members = {
        "mimetype": f"{OPEN_DOCUMENT}.{ODF[suffix]}",
        "content.xml": "<office:document-content/>",
        "META-INF/manifest.xml": "<manifest:manifest/>",
    }
    return zip_bytes({**members, **(more or {})}, stored=("mimetype",))


def document_upload(name: str = "programme.pdf", content: bytes | None = None) -> Any:
    return SimpleUploadedFile(name, pdf_bytes() if content is None else content)
