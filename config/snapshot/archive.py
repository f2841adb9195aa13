"""An archive of very many files in bounded memory, the same bytes for the same files."""

import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import RawIOBase
from sqlite3 import connect
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.directory.index import folded
from clusters.formats import records as twins
from clusters.formats.records import Twin
from clusters.formats.writers import value_at, write_json, write_table
from config.snapshot import records
from config.snapshot.pages import Both, facts_of, texts_of, title_of
from config.snapshot.records import Columns
from labels.formats import records as export

# The earliest that the format knows: a file has no time of its own.
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_BY_ALL = 0o100644 << 16
UNIX = 3
CHECKSUMS = "SHA256SUMS"


class Archive:
    """Files are written one after another; at the end comes a list of their checksums."""

    def __init__(self, file: IO[bytes]) -> None:
        self.checksums = TemporaryFile()  # noqa: SIM115
        self.zip = ZipFile(file, "w", ZIP_DEFLATED)
        # What ZipFile keeps of each file in memory, for the directory at the end, it need not.
        self.zip.filelist = EntriesOnDisk()
        self.zip.NameToInfo = Forgetful()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.checksums.seek(0)
            with self.zip.open(entry(CHECKSUMS), "w") as output:
                output.writelines(self.checksums)
        self.zip.close()
        self.zip.filelist.close()  # type: ignore[attr-defined]
        self.checksums.close()

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        with self.zip.open(entry(name), "w", force_zip64=True) as output:
            hashing = Hashing(output)
            yield hashing  # type: ignore[misc]
        self.checksums.write(f"{hashing.digest.hexdigest()}  {name}\n".encode())

    def write(self, name: str, content: bytes | str) -> None:
        octets = content.encode() if isinstance(content, str) else content
        with self.zip.open(entry(name), "w") as output:
            output.write(octets)
        self.checksums.write(f"{hashlib.sha256(octets).hexdigest()}  {name}\n".encode())


def entry(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.create_system = UNIX
    info.external_attr = READABLE_BY_ALL
    return info


class Hashing(RawIOBase):
    """Passes on what is written, and counts it in."""

    def __init__(self, output: IO[bytes]) -> None:
        self.output = output
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self.output.write(content)


class EntriesOnDisk(list[ZipInfo]):
    """A list that only grows, and is read from its beginning."""

    def __init__(self) -> None:
        self.file = TemporaryFile()  # noqa: SIM115
        self.number = 0

    def append(self, info: ZipInfo) -> None:
        pickle.dump(info, self.file)
        self.number += 1

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[ZipInfo]:
        self.file.seek(0)
        for _number in range(self.number):
            yield pickle.load(self.file)  # noqa: S301  # written above

    def close(self) -> None:
        self.file.close()


class Forgetful(dict[str, ZipInfo]):
    """No name comes twice: none has to be looked for."""

    def __setitem__(self, name: str, info: ZipInfo) -> None:
        pass


PAGES_ON_A_LIST = 1000


LICENCE = "https://creativecommons.org/licenses/by/4.0/"


# As they stand in `templates/snapshot/`; the other templates are of pages.
PLAIN_FILES = ("README.txt", "LICENCE.txt", "style.css")


@dataclass(frozen=True)
class Kind:
    """A kind of record: its folder, its title, all its records, the columns of its table."""

    name: str
    title: Both
    records: Iterable[Twin]
    columns: Columns


def kinds(day: date, moment: datetime) -> list[Kind]:
    def kind(name: str, title: Promise, found: Iterable[Twin], columns: Columns) -> Kind:
        return Kind(name, Both.of(title), found, columns)

    return [
        kind("clusters", _("Clusters"), records.cluster_records(day), twins.COLUMNS),
        kind(
            "organisations",
            _("Organisations"),
            records.organisation_records(),
            records.ORGANISATION_COLUMNS,
        ),
        kind("programmes", _("Programmes"), records.programme_records(), records.PROGRAMME_COLUMNS),
        kind("labels", _("Labels"), records.label_records(day), export.COLUMNS),
        kind(
            "announcements",
            _("Announcements"),
            records.announcement_records(moment),
            records.ANNOUNCEMENT_COLUMNS,
        ),
        kind("portfolios", _("Portfolios"), records.portfolio_records(), records.PORTFOLIO_COLUMNS),
        kind("regions", _("Regions"), records.region_records(), records.REGION_COLUMNS),
        kind("levels", _("Levels"), records.level_records(), records.LEVEL_COLUMNS),
    ]


def write_snapshot(file: IO[bytes], *, day: date, moment: datetime) -> dict[str, int]:
    """How many records of each kind were written.

    States are those of the day, announcements those published by the moment.
    """
    context = {"day": day, "site": settings.SITE_URL, "licence": LICENCE}
    with translation.override("en"), Archive(file) as archive:
        for name in PLAIN_FILES:
            archive.write(name, rendered(name, context))
        written = [(kind, write_kind(archive, kind, context)) for kind in kinds(day, moment)]
        archive.write("index.html", rendered("index.html", {**context, "kinds": written}))
    return {kind.name: number for kind, number in written}


def write_kind(archive: Archive, kind: Kind, context: Mapping[str, Any]) -> int:
    with TemporaryFile() as lines:
        number = 0
        for record in kind.records:
            lines.write(json.dumps(record).encode() + b"\n")
            number += 1
        head = {"on": context["day"].isoformat(), "site": context["site"], "count": number}
        with archive.opened(f"data/{kind.name}.json") as output:
            write_json(output, head, kind.name, read(lines))
        with archive.opened(f"data/{kind.name}.csv") as output:
            rows = (
                [value_at(record, path) for path in kind.columns.values()] for record in read(lines)
            )
            write_table(output, list(kind.columns), rows)
        write_pages(archive, kind, read(lines), number, context)
    return number


def read(lines: IO[bytes]) -> Iterator[Twin]:
    lines.seek(0)
    return map(json.loads, lines)


def write_pages(
    archive: Archive, kind: Kind, found: Iterable[Twin], number: int, context: Mapping[str, Any]
) -> None:
    """A page of each record, and lists by title that lead to them."""
    last = max((number - 1) // PAGES_ON_A_LIST, 0)
    with closing(connect("")) as titles:  # A database on the disk, for this once.
        titles.execute("CREATE TABLE page (folded TEXT, title TEXT, address TEXT)")
        for record in found:
            title, address = title_of(kind.name, record), f"{record['id']}.html"
            facts = {"facts": list(facts_of(kind.name, record)), "texts": texts_of(record)}
            page = rendered("record.html", {**context, "kind": kind, "title": title, **facts})
            archive.write(f"{kind.name}/{address}", page)
            titles.execute("INSERT INTO page VALUES (?, ?, ?)", (folded(title), title, address))
        rows = titles.execute("SELECT title, address FROM page ORDER BY folded, address")
        for place in range(last + 1):
            listed = rows.fetchmany(PAGES_ON_A_LIST)
            around = {
                "previous": list_address(place - 1) if place else "",
                "next": list_address(place + 1) if place < last else "",
            }
            page = rendered("list.html", {**context, "kind": kind, "listed": listed, **around})
            archive.write(f"{kind.name}/{list_address(place)}", page)


def list_address(place: int) -> str:
    return f"index-{place + 1}.html" if place else "index.html"


def rendered(template: str, context: Mapping[str, Any]) -> str:
    return get_template(f"snapshot/{template}").render(dict(context))
