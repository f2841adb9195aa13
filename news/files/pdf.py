"""PDF files, read by a program of its own, which has little memory and little time."""

import subprocess
import sys
from pathlib import Path

from news.files.refusals import (
    ACTIONS,
    BROKEN,
    EMBEDDED,
    ENCRYPTED,
    MACROS,
    TOO_LARGE_INSIDE,
    DocumentRefused,
)

READER = Path(__file__).with_name("pdf_reader.py")
SECONDS = 20
# By what the reader says of the file.
REFUSALS = {
    "script": MACROS,
    "file": EMBEDDED,
    "action": ACTIONS,
    "encrypted": ENCRYPTED,
    "broken": BROKEN,
    "large": TOO_LARGE_INSIDE,
}


def check_pdf(content: bytes) -> None:
    """Raises DocumentRefused."""
    # What follows its end would be another file.
    if not content.rstrip(b"\x00\t\n\r ").endswith(b"%%EOF"):
        raise DocumentRefused(BROKEN)
    try:
        reader = subprocess.run(  # noqa: S603  # what it is given is read, and is no part of it
            [sys.executable, "-I", str(READER)],
            input=content,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentRefused(TOO_LARGE_INSIDE) from error
    verdict = reader.stdout.decode(errors="replace").strip()
    if reader.returncode != 0:
        # Killed at a limit, or before it could say anything.
        verdict = "large"
    if verdict != "fine":
        raise DocumentRefused(REFUSALS.get(verdict, BROKEN))
