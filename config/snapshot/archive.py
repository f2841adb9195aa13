"""The whole register in one archive: JSON and CSV of every kind of record, the same to the byte."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import file_digest
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from clusters.formats.facts import Record, header_of, rows_of
from clusters.formats.files import LICENCE
from clusters.formats.writers import write_json, write_table
from config.snapshot.records import SnapshotKind, snapshot_kinds

# The earliest that the format knows: a file has no time of its own.
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_BY_ALL = 0o100644 << 16
UNIX = 3


def write_snapshot(file: IO[bytes], *, day: date, moment: datetime) -> dict[str, int]:
    """Return how many records of each kind were written. `file` must be readable, too.

    States are those of the day, announcements those published by the moment.
    """
    context = {"day": day, "site": settings.SITE_URL, "licence": LICENCE}
    head = {"on": day.isoformat(), "site": settings.SITE_URL}
    with translation.override("en"), ZipFile(file, "w") as archive:
        for name in ("README.txt", "LICENCE.txt"):
            archive.writestr(_zip_entry(name), render_to_string(f"snapshot/{name}", context))
        kinds = snapshot_kinds(day, moment)
        written = {kind.name: _write_kind(archive, kind, head) for kind in kinds}
        archive.writestr(_zip_entry("SHA256SUMS"), _checksums(archive))
    return written


def _write_kind(archive: ZipFile, kind: SnapshotKind, head: dict[str, object]) -> int:
    # JSON begins with their number, and CSV tells them once more: they wait on the disk.
    with TemporaryFile() as lines:
        number = 0
        for record in kind.records:
            lines.write(json.dumps(record).encode() + b"\n")
            number += 1
        # zip64: the size is not known before, and zipfile would stop at 2 GiB.
        with archive.open(_zip_entry(f"data/{kind.name}.json"), "w", force_zip64=True) as output:
            write_json(output, {**head, "count": number}, kind.name, _records_in(lines))
        with archive.open(_zip_entry(f"data/{kind.name}.csv"), "w", force_zip64=True) as output:
            write_table(output, header_of(kind.facts), rows_of(kind.facts, _records_in(lines)))
    return number


def _records_in(lines: IO[bytes]) -> Iterator[Record]:
    lines.seek(0)
    return map(json.loads, lines)


def _zip_entry(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    # Else it is that of the machine, and the bytes differ.
    info.create_system = UNIX
    info.external_attr = READABLE_BY_ALL
    return info


def _checksums(archive: ZipFile) -> str:
    lines = []
    for name in archive.namelist():
        with archive.open(name) as file:
            lines.append(f"{file_digest(file, 'sha256').hexdigest()}  {name}\n")  # type: ignore[arg-type]
    return "".join(lines)
