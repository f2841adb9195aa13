"""Tables between their preview and their import: kept for an hour, under a name that is signed.

The files lie outside what is served. Only who uploaded a table can import it, once, and what is
imported is to the byte what was previewed.
"""

import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core import signing

LIFETIME = timedelta(hours=1)
SALT = "clusters.tables.uploads"


@dataclass(frozen=True)
class Upload:
    """`seen`: for each line, what the preview showed of it."""

    content: bytes
    seen: list[str]


def directory() -> Path:
    path = Path(settings.IMPORTS_ROOT)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def keep(upload: Upload, bearer: str, *, now: datetime) -> str:
    """The signed name, which only its bearer may use; what is too old is removed on the way."""
    remove_left_over(now)
    kept = {"content": b64encode(upload.content).decode(), "seen": upload.seen}
    text = json.dumps(kept).encode()
    name = secrets.token_hex(16)
    path = directory() / name
    path.touch(mode=0o600)
    path.write_bytes(text)
    digest = sha256(text).hexdigest()
    return signing.dumps([name, digest, bearer], salt=SALT)


def remove_left_over(now: datetime) -> None:
    """Tables that nobody imported in time."""
    oldest = (now - LIFETIME).timestamp()
    for path in directory().iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def take(token: str, bearer: str) -> Upload | None:
    """Once: of two who ask at the same moment one gets it.

    None for a name that is forged, too old, another bearer's, or was used.
    """
    try:
        name, digest, owner = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    if owner != bearer:
        return None
    path = directory() / name
    try:
        text = path.read_bytes()
        path.unlink()
    except FileNotFoundError:
        return None
    if sha256(text).hexdigest() != digest:
        return None
    kept = json.loads(text)
    return Upload(b64decode(kept["content"]), kept["seen"])
