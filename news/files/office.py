"""Word, Excel, PowerPoint and OpenDocument files: packages whose every member is looked at."""

import html
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from news.files.refusals import (
    BROKEN,
    EMBEDDED,
    ENCRYPTED,
    LOADS,
    MACROS,
    TOO_LARGE_INSIDE,
    UNKNOWN,
    DocumentRefused,
)

MAX_MEMBERS = 2_000
MAX_UNPACKED = 60 * 1024 * 1024
# Charts of Word and PowerPoint hold their figures as a spreadsheet, and that holds no other.
MAX_DEPTH = 2
CONTENT_TYPES = "[content_types].xml"
MAIN_PARTS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
MEDIA_TYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
OFFICE = (*MAIN_PARTS, *MEDIA_TYPES.values())

BAD_NAME = re.compile(r"^/|\\|:|[\x00-\x1f\x7f]|(?:^|/)\.\.?(?:/|$)")
PROGRAMS = re.compile(r"vbaproject|vbadata|/activex/|/macrosheets/|/customui/|^basic/|^scripts/")
PROGRAM_TYPES = re.compile(r"macroenabled|vbaproject|activex|ms-office\.vba")
EMBEDDED_PART = re.compile(r"(?:^|/)embeddings/(?P<name>.+)")
RELATIONSHIP = re.compile(r"<(?:[\w.-]+:)?relationship\b[^>]*>")
EXTERNAL = re.compile(r"targetmode\s*=\s*[\"']external[\"']")
LINK = re.compile(r"type\s*=\s*[\"'][^\"']*/hyperlink[\"']")
SCRIPT_IN_TEXT = re.compile(rb"<script:|<draw:(?:plugin|applet|floating-frame)\b")
LOADED_BY_TEXT = re.compile(
    rb"<draw:(?:image|object|object-ole)\b[^>]*xlink:href\s*=\s*[\"'](?:[a-z][a-z0-9+.-]*:|//|[^\"']*&#)",
    re.IGNORECASE,
)
# A later reader would look for other files, or grow texts out of texts.
DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass
class Budget:
    """How many bytes may still be unpacked, of the file and of what is inside it."""

    left: int = MAX_UNPACKED

    def spend(self, number: int) -> None:
        self.left -= number
        if self.left < 0:
            raise DocumentRefused(TOO_LARGE_INSIDE)


def check_office(content: bytes) -> str:
    """The kind of the package; raises DocumentRefused. Nothing is written to the disk."""
    return check_package(content, Budget(), depth=1)


def check_package(content: bytes, budget: Budget, *, depth: int) -> str:
    # Nothing before it, nothing behind it: such a file is two files at once.
    if not content.startswith(b"PK\x03\x04"):
        raise DocumentRefused(UNKNOWN)
    if content[-22:-18] != b"PK\x05\x06":
        raise DocumentRefused(BROKEN)
    try:
        with ZipFile(BytesIO(content)) as package:
            return check_members(package, budget, depth)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DocumentRefused(BROKEN) from error
    except (ValueError, OverflowError, OSError) as error:
        raise DocumentRefused(BROKEN) from error


def check_members(package: ZipFile, budget: Budget, depth: int) -> str:
    members = package.infolist()
    if min((member.header_offset for member in members), default=1) != 0:
        raise DocumentRefused(BROKEN)
    if len(members) > MAX_MEMBERS:
        raise DocumentRefused(TOO_LARGE_INSIDE)
    names = [member.filename.lower() for member in members]
    if len({*names}) != len(names) or any(map(BAD_NAME.search, names)):
        raise DocumentRefused(BROKEN)
    for member in members:
        if member.flag_bits & 1:
            raise DocumentRefused(ENCRYPTED)
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise DocumentRefused(BROKEN)
        budget.spend(member.file_size)
    kind = kind_of_package(package, members)
    for name, data in contents(package, members):
        check_member(kind, name, data, budget, depth)
    return kind


def contents(package: ZipFile, members: list[ZipInfo]) -> Iterator[tuple[str, bytes]]:
    # One at a time; its checksum is compared, and no more is unpacked than it said.
    for member in members:
        yield member.filename.lower(), package.read(member)


def kind_of_package(package: ZipFile, members: list[ZipInfo]) -> str:
    first = members[0]
    if first.filename == "mimetype":
        if first.compress_type != ZIP_STORED:
            raise DocumentRefused(BROKEN)
        kind = MEDIA_TYPES.get(package.read(first))
        if kind is None:
            raise DocumentRefused(UNKNOWN)
        return kind
    for member in members:
        if member.filename.lower() == CONTENT_TYPES:
            types = text_of(package.read(member))
            if PROGRAM_TYPES.search(types):
                raise DocumentRefused(MACROS)
            found = [kind for kind, part in MAIN_PARTS.items() if f'"{part}"' in types]
            if len(found) == 1:
                return found[0]
    raise DocumentRefused(UNKNOWN)


def check_member(kind: str, name: str, data: bytes, budget: Budget, depth: int) -> None:
    if PROGRAMS.search(name):
        raise DocumentRefused(MACROS)
    if embedded := EMBEDDED_PART.search(name):
        if depth >= MAX_DEPTH or not embedded["name"].endswith(tuple(MAIN_PARTS)):
            raise DocumentRefused(EMBEDDED)
        check_package(data, budget, depth=depth + 1)
    if not name.endswith((".xml", ".rels")):
        return
    if DECLARATIONS.search(data) or b"\x00" in data:
        raise DocumentRefused(BROKEN)
    if name.endswith(".rels"):
        check_relationships(text_of(data))
    elif kind not in MAIN_PARTS:
        check_open_document(name, data)


def check_relationships(text: str) -> None:
    # What a reader follows by a click is theirs to decide; nothing else leads out of the file.
    for relationship in RELATIONSHIP.findall(text):
        if EXTERNAL.search(relationship) and not LINK.search(relationship):
            raise DocumentRefused(LOADS)


def check_open_document(name: str, data: bytes) -> None:
    if name == "meta-inf/manifest.xml" and b"encryption-data" in data:
        raise DocumentRefused(ENCRYPTED)
    if SCRIPT_IN_TEXT.search(data):
        raise DocumentRefused(MACROS)
    if LOADED_BY_TEXT.search(data):
        raise DocumentRefused(LOADS)


def text_of(data: bytes) -> str:
    # As its reader would have it: letters may be written as numbers.
    try:
        return html.unescape(data.decode()).lower()
    except UnicodeDecodeError as error:
        raise DocumentRefused(BROKEN) from error
