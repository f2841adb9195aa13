"""What an attachment may be: told by its content, never by its name or the browser's word."""

import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from news.files.office import OFFICE, check_office
from news.files.pdf import check_pdf
from news.files.refusals import DocumentRefused

MAX_BYTES = 10 * 1024 * 1024
OPEN_XML = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"


@dataclass(frozen=True)
class DocumentKind:
    media_type: str
    name: Promise


DOCUMENTS = {
    "pdf": DocumentKind("application/pdf", _("PDF")),
    "docx": DocumentKind(f"{OPEN_XML}.wordprocessingml.document", _("Word document")),
    "xlsx": DocumentKind(f"{OPEN_XML}.spreadsheetml.sheet", _("Excel spreadsheet")),
    "pptx": DocumentKind(f"{OPEN_XML}.presentationml.presentation", _("PowerPoint presentation")),
    "odt": DocumentKind(f"{OPEN_DOCUMENT}.text", _("OpenDocument text")),
    "ods": DocumentKind(f"{OPEN_DOCUMENT}.spreadsheet", _("OpenDocument spreadsheet")),
    "odp": DocumentKind(f"{OPEN_DOCUMENT}.presentation", _("OpenDocument presentation")),
}
# Of a row that was written past the forms.
OTHER = DocumentKind("application/octet-stream", _("file"))
assert DOCUMENTS.keys() == {"pdf", *OFFICE}


def kind_of_name(name: str) -> str:
    # Of a stored file, which was named by what it holds.
    return PurePosixPath(name).suffix.removeprefix(".")


def accept_document(upload: "File[Any]") -> "ContentFile[bytes]":
    """The same bytes under a random name that ends in their kind. Raises ValidationError."""
    if upload.size > MAX_BYTES:
        raise ValidationError(
            _("The file has %(size)s; at most %(maximum)s are accepted."),
            code="too_large",
            params={"size": filesizeformat(upload.size), "maximum": filesizeformat(MAX_BYTES)},
        )
    content = upload.read()
    try:
        suffix = check_document(content)
    except DocumentRefused as refusal:
        raise ValidationError(str(refusal.message), code="document") from refusal
    return ContentFile(content, name=f"{secrets.token_hex(16)}.{suffix}")


def check_document(content: bytes) -> str:
    """The kind of the document; raises DocumentRefused."""
    if content.startswith(b"%PDF-"):
        check_pdf(content)
        return "pdf"
    return check_office(content)
