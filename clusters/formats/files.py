"""Records as files that are sent: CSV, a spreadsheet, JSON; and files written as a whole."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from django.http import FileResponse

from clusters.formats.facts import Facts, Record, header_of, rows_of
from clusters.formats.writers import write_json, write_spreadsheet, write_table
from clusters.http.responses import SPREADSHEET, file_response


def csv_file(
    facts: Facts, records: Iterable[Record], *, name: str, with_mark: bool = False
) -> FileResponse:
    rows = rows_of(facts, records)
    return file_response(
        lambda file: write_table(file, header_of(facts), rows, with_mark=with_mark),
        name=f"{name}.csv",
        content_type="text/csv; charset=utf-8",
        is_download=True,
    )


def spreadsheet_file(
    facts: Facts, records: Iterable[Record], *, name: str, sheet: str, on: date
) -> FileResponse:
    rows = rows_of(facts, records)
    return file_response(
        lambda file: write_spreadsheet(file, sheet, header_of(facts), rows, on=on),
        name=f"{name}.xlsx",
        content_type=SPREADSHEET,
        is_download=True,
    )


def json_file(
    head: Mapping[str, object], key: str, items: Iterable[object], *, name: str
) -> FileResponse:
    suffix = name.rpartition(".")[2]
    return file_response(
        lambda file: write_json(file, head, key, items),
        name=name,
        content_type="application/ld+json" if suffix == "jsonld" else "application/json",
    )


@contextmanager
def replaced_as_a_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` once it is whole, whoever else writes it.

    Where anything fails, what was there before stays.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            yield draft.file
            draft.flush()
            # Else a crash could leave the name with an empty file behind it.
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise
