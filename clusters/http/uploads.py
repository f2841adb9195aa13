"""Uploaded files as answers that nothing in them can turn into a page."""

from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
# What a browser shows; everything else is saved. Not every system knows these types.
PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
}


def uploaded_file(path: str, saved_as: str = "") -> HttpResponseBase:
    """Raises Http404 where there is no such file."""
    try:
        file = default_storage.open(path)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404 from error
    picture = PICTURES.get(PurePosixPath(path).suffix.lower())
    response = FileResponse(
        file, as_attachment=picture is None, filename=saved_as, content_type=picture
    )
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    return response
