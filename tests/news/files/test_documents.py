"""Hostile documents: none is stored, and each is refused in words that say what to do."""

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from pikepdf import Array, Dictionary, Name

from news.files import office, pdf
from news.files.documents import DOCUMENTS, MAX_BYTES, accept_document, check_document
from news.files.refusals import (
    ACTIONS,
    BROKEN,
    EMBEDDED,
    ENCRYPTED,
    LOADS,
    MACROS,
    TOO_LARGE_INSIDE,
    UNKNOWN,
)
from tests.uploads import (
    MAIN,
    TYPES,
    document_upload,
    office_bytes,
    open_document_bytes,
    pdf_bytes,
    picture_bytes,
    zip_bytes,
)

MEBIBYTE = 2**20
SUFFIXES = ("docx", "xlsx", "pptx")


def verdict(content: bytes) -> str:
    """What the person reads; the kind of a document that is taken."""
    try:
        file = accept_document(document_upload(content=content))
    except ValidationError as error:
        return error.messages[0]
    assert file.name
    return file.name.rpartition(".")[2]


# What is taken


GOOD = {
    "pdf": pdf_bytes(),
    **{suffix: office_bytes(suffix) for suffix in SUFFIXES},
    **{suffix: open_document_bytes(suffix) for suffix in ("odt", "ods", "odp")},
}


@pytest.mark.parametrize("suffix", GOOD)
def test_document_is_taken_as_what_it_is(suffix: str) -> None:
    assert verdict(GOOD[suffix]) == suffix


def test_every_kind_has_its_document() -> None:
    assert GOOD.keys() == DOCUMENTS.keys()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a.exe", "a\r\nb.html", "CON", "x" * 300])
def test_name_is_forgotten(name: str) -> None:
    file = accept_document(document_upload(name))

    assert file.name
    assert len(file.name) == 36
    assert file.name.endswith(".pdf")
    assert file.read() == pdf_bytes() or file.size > 500


def with_link(document: pikepdf.Pdf) -> None:
    uri = Dictionary(S=Name.URI, URI="https://example.org/")
    document.pages[0].Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=uri)]
    )
    document.Root.OpenAction = Array([document.pages[0].obj, Name.Fit])


HARMLESS = {
    "pdf with a link and a first page": pdf_bytes(with_link),
    "pdf with object streams": pdf_bytes(
        with_link, object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "word with a link": office_bytes(
        more={
            "word/_rels/document.xml.rels": '<Relationships><Relationship Id="1" Type='
            '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" '
            'Target="https://example.org/" TargetMode="External"/></Relationships>'
        }
    ),
    "slides with a chart": office_bytes(
        "pptx", {"ppt/embeddings/Microsoft_Excel_Sheet1.xlsx": office_bytes("xlsx")}
    ),
    "text with a picture": open_document_bytes(
        more={
            "content.xml": '<draw:image xlink:href="Pictures/1.png"/>',
            "Pictures/1.png": picture_bytes(),
        }
    ),
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_harmless_document_is_taken(content: bytes) -> None:
    assert verdict(content) in DOCUMENTS


# Portable documents


def root(**entries: Any) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        for key, value in entries.items():
            document.Root[f"/{key}"] = value

    return pdf_bytes(change)


def action(**entries: Any) -> bytes:
    return root(OpenAction=Dictionary(**entries))


def mark(**entries: Any) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        mark = Dictionary(Type=Name.Annot, Rect=[0, 0, 9, 9], **entries)
        document.pages[0].Annots = Array([document.make_indirect(mark)])

    return pdf_bytes(change)


def attach(document: pikepdf.Pdf) -> None:
    document.attachments["evil.exe"] = b"MZ"


def hide(content: bytes) -> bytes:
    """Letters of names may be written as numbers; the file is as long as before."""
    hidden = content.replace(b"/JavaScript", b"/J#61vaScrip#74").replace(b"/JS", b"/#4aS")
    return hidden.replace(b" " * 6, b"")


SCRIPT = Dictionary(S=Name.JavaScript, JS="app.alert(1)" + " " * 6)
PDF: dict[str, tuple[bytes, Any]] = {
    "script on opening": (root(OpenAction=SCRIPT), MACROS),
    "script with a hidden name": (hide(root(OpenAction=SCRIPT)), MACROS),
    "script among the names": (
        root(Names=Dictionary(JavaScript=Dictionary(Names=Array(["a", SCRIPT])))),
        MACROS,
    ),
    "script of the document": (root(AA=Dictionary(WC=SCRIPT)), MACROS),
    "script of a mark": (mark(Subtype=Name.Link, A=SCRIPT), MACROS),
    "script of a field": (
        root(AcroForm=Dictionary(Fields=Array([Dictionary(AA=Dictionary(K=SCRIPT))]))),
        MACROS,
    ),
    "script after another action": (
        action(S=Name.URI, URI="https://example.org", Next=Array([SCRIPT])),
        MACROS,
    ),
    "script in a stream of objects": (
        pdf_bytes(
            lambda document: document.Root.__setattr__("OpenAction", SCRIPT),
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        ),
        MACROS,
    ),
    "script that nothing leads to": (
        pdf_bytes(
            lambda document: document.Root.__setattr__(
                "PieceInfo", document.make_indirect(Dictionary(Private=Array([SCRIPT])))
            )
        ),
        MACROS,
    ),
    "form with programs (xfa)": (root(AcroForm=Dictionary(XFA="<xdp/>")), MACROS),
    "attached file": (pdf_bytes(attach), EMBEDDED),
    "attached file of a mark": (mark(Subtype=Name.FileAttachment), EMBEDDED),
    "file specification with a file": (
        root(AF=Array([Dictionary(Type=Name.Filespec, EF=Dictionary())])),
        EMBEDDED,
    ),
    "way into an attached file": (action(S=Name.GoToE), EMBEDDED),
    "program is started": (action(S=Name.Launch, F="calc.exe"), ACTIONS),
    "program is started by a mark": (
        mark(Subtype=Name.Link, A=Dictionary(S=Name.Launch, F="calc.exe")),
        ACTIONS,
    ),
    "form is sent": (action(S=Name.SubmitForm, F="https://example.org"), ACTIONS),
    "data are taken in": (action(S=Name.ImportData, F="a.fdf"), ACTIONS),
    "film": (mark(Subtype=Name.Movie), ACTIONS),
    "sound": (mark(Subtype=Name.Sound), ACTIONS),
    "screen": (mark(Subtype=Name.Screen), ACTIONS),
    "rich media": (mark(Subtype=Name.RichMedia), ACTIONS),
    "three dimensions": (mark(Subtype=Name("/3D")), ACTIONS),
    "rendition": (action(S=Name.Rendition), ACTIONS),
    "password to open": (pdf_bytes(encryption=pikepdf.Encryption(owner="a", user="b")), ENCRYPTED),
    "password to change": (pdf_bytes(encryption=pikepdf.Encryption(owner="a", user="")), ENCRYPTED),
    "old encryption": (
        pdf_bytes(
            encryption=pikepdf.Encryption(owner="a", user="", R=3, aes=False, metadata=False)
        ),
        ENCRYPTED,
    ),
    "page behind its end": (pdf_bytes() + b"<script>alert(1)</script>", BROKEN),
    "archive behind its end": (pdf_bytes() + office_bytes(), BROKEN),
    "cut off": (pdf_bytes()[:-100], BROKEN),
    "cut off, with an end": (pdf_bytes()[:-100] + b"%%EOF", BROKEN),
    "nothing but its name": (b"%PDF-1.7\n%%EOF", BROKEN),
    "without its table": (pdf_bytes().replace(b"xref", b"xxxx"), BROKEN),
    "page before its start": (b"<html>" + pdf_bytes(), UNKNOWN),
    "nested too deeply": (
        pdf_bytes().replace(
            b"/Type /Catalog", b"/A " + b"[" * 600 + b"]" * 600 + b" /Type /Catalog"
        ),
        BROKEN,
    ),
}


@pytest.mark.parametrize(("content", "refusal"), PDF.values(), ids=PDF)
def test_hostile_pdf_is_refused_in_words(content: bytes, refusal: Any) -> None:
    assert verdict(content) == refusal


def bomb() -> bytes:
    """A table of objects, packed twice: a few kilobytes become 128 mebibytes."""
    packing = zlib.compressobj(9)
    parts = [packing.compress(bytes(MEBIBYTE)) for _ in range(128)]
    packed = zlib.compress(b"".join(parts) + packing.flush(), 9)
    head = b"%PDF-1.7\n"
    table = (
        b"<< /Type /XRef /Size 9 /W [1 2 1] /Root 2 0 R /Filter [/FlateDecode /FlateDecode]"
        b" /Length %d >>" % len(packed)
    )
    body = b"1 0 obj\n" + table + b"\nstream\n" + packed + b"\nendstream\nendobj\n"
    return head + body + b"startxref\n%d\n%%%%EOF\n" % len(head)


def test_bomb_is_opened_elsewhere_and_refused() -> None:
    content = bomb()
    assert len(content) < MEBIBYTE

    assert verdict(content) in {str(TOO_LARGE_INSIDE), str(BROKEN)}


@pytest.mark.parametrize(
    ("program", "refusal"),
    [
        pytest.param("import time; time.sleep(9)", TOO_LARGE_INSIDE, id="takes too long"),
        pytest.param("import os; os.abort()", TOO_LARGE_INSIDE, id="is killed"),
        pytest.param("print('nonsense')", BROKEN, id="says something else"),
        pytest.param("", BROKEN, id="says nothing"),
    ],
)
def test_reader_that_fails_takes_no_document(
    program: str, refusal: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = tmp_path / "reader.py"
    reader.write_text(program)
    monkeypatch.setattr(pdf, "READER", reader)
    monkeypatch.setattr(pdf, "SECONDS", 1)

    assert verdict(pdf_bytes()) == refusal


# Word, Excel, PowerPoint


RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def leading(kind: str, mode: str = 'TargetMode="External"') -> dict[str, str]:
    row = f'<Relationship Id="1" Type="{RELATIONSHIPS}/{kind}" Target="http://x.example/" {mode}/>'
    return {"word/_rels/settings.xml.rels": f"<Relationships>{row}</Relationships>"}


def macro_types(suffix: str, media_type: str) -> dict[str, str]:
    part = MAIN[suffix][0]
    return {TYPES: f'<Types><Override PartName="/{part}" ContentType="{media_type}"/></Types>'}


ENABLED = {
    "docx": "application/vnd.ms-word.document.macroEnabled.main+xml",
    "xlsx": "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    "pptx": "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
}


def raw_zip(*members: tuple[ZipInfo, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as package:
        for info, content in members:
            package.writestr(info, content)
    return file.getvalue()


def encrypted_member() -> bytes:
    content = bytearray(office_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        while start >= 0:
            content[start + place] |= 1
            start = content.find(signature, start + 4)
    return bytes(content)


def other_packing() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_BZIP2) as package:
        package.writestr(TYPES, "<Types/>")
    return file.getvalue()


def twice() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name in (TYPES, TYPES.lower()):
            package.writestr(name, f'<Types ContentType="{MAIN["docx"][1]}"/>')
    return file.getvalue()


def spoilt() -> bytes:
    content = bytearray(office_bytes(more={"word/media/a.bin": b"A" * 5000}))
    place = content.find(b"word/media/a.bin") + len("word/media/a.bin") + 4
    content[place] ^= 0xFF
    return bytes(content)


def false_size() -> bytes:
    """A member that says it is small."""
    content = bytearray(office_bytes(more={"word/media/a.bin": bytes(MEBIBYTE)}))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    return bytes(content)


OFFICE: dict[str, tuple[bytes, Any]] = {
    **{
        f"{suffix} with macros": (office_bytes(suffix, macro_types(suffix, media_type)), MACROS)
        for suffix, media_type in ENABLED.items()
    },
    "macros with a hidden type": (
        office_bytes(more=macro_types("docx", ENABLED["docx"].replace("m", "&#109;"))),
        MACROS,
    ),
    "program without a type": (office_bytes(more={"word/vbaProject.bin": "x"}), MACROS),
    "program by another name of its letters": (
        office_bytes(more={"word/VBAPROJECT.BIN": "x"}),
        MACROS,
    ),
    "control that runs": (office_bytes(more={"word/activeX/activeX1.bin": "x"}), MACROS),
    "macros of old sheets": (office_bytes("xlsx", {"xl/macrosheets/sheet1.xml": "<a/>"}), MACROS),
    "buttons of its own": (office_bytes(more={"x/customUI/customUI.xml": "<a/>"}), MACROS),
    "template with macros": (
        office_bytes(
            more=macro_types(
                "docx", "application/vnd.ms-word.template.macroEnabledTemplate.main+xml"
            )
        ),
        MACROS,
    ),
    "template from elsewhere": (office_bytes(more=leading("attachedTemplate")), LOADS),
    "template, hidden": (
        office_bytes(more=leading("attachedTemplate", "TargetMode='&#69;xternal'")),
        LOADS,
    ),
    "object from elsewhere": (office_bytes(more=leading("oleObject")), LOADS),
    "picture from elsewhere": (office_bytes(more=leading("image")), LOADS),
    "frame from elsewhere": (office_bytes(more=leading("frame")), LOADS),
    "sheet from elsewhere": (office_bytes(more=leading("externalLinkPath")), LOADS),
    "object": (office_bytes(more={"word/embeddings/oleObject1.bin": "x"}), EMBEDDED),
    "program": (office_bytes(more={"word/embeddings/evil.exe": "MZ"}), EMBEDDED),
    "sheet with macros inside": (
        office_bytes(
            more={
                "word/embeddings/a.xlsx": office_bytes("xlsx", macro_types("xlsx", ENABLED["xlsx"]))
            }
        ),
        MACROS,
    ),
    "sheet in a sheet inside": (
        office_bytes(
            more={
                "word/embeddings/a.xlsx": office_bytes(
                    "xlsx", {"xl/embeddings/b.xlsx": office_bytes("xlsx")}
                )
            }
        ),
        EMBEDDED,
    ),
    "program that calls itself a sheet": (
        office_bytes(more={"word/embeddings/a.xlsx": "MZ"}),
        UNKNOWN,
    ),
    "entities": (
        office_bytes(more={"word/styles.xml": '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'}),
        BROKEN,
    ),
    "other letters": (
        office_bytes(more={"word/styles.xml": "<!DOCTYPE a>".encode("utf-16")}),
        BROKEN,
    ),
    "relations in other letters": (
        office_bytes(more={"word/_rels/a.rels": b"\xff<Relationships/>"}),
        BROKEN,
    ),
    "path up": (office_bytes(more={"../../etc/passwd": "x"}), BROKEN),
    "path up inside": (office_bytes(more={"word/../../x": "x"}), BROKEN),
    "path from the root": (office_bytes(more={"/etc/passwd": "x"}), BROKEN),
    "path of Windows": (office_bytes(more={"word\\..\\x": "x"}), BROKEN),
    "drive": (office_bytes(more={"C:x": "x"}), BROKEN),
    "line break in a name": (office_bytes(more={"word/a\nb": "x"}), BROKEN),
    "two of a name": (twice(), BROKEN),
    "password": (encrypted_member(), ENCRYPTED),
    "other packing": (other_packing(), BROKEN),
    "bad checksum": (spoilt(), BROKEN),
    "false size": (false_size(), BROKEN),
    "bomb": (office_bytes(more={"word/a.xml": b" " * (61 * MEBIBYTE)}), TOO_LARGE_INSIDE),
    "bomb inside": (
        office_bytes(
            more={
                "word/a.xml": b" " * (35 * MEBIBYTE),
                "word/embeddings/a.xlsx": office_bytes(
                    "xlsx", {"xl/a.xml": b" " * (35 * MEBIBYTE)}
                ),
            }
        ),
        TOO_LARGE_INSIDE,
    ),
    "thousands of members": (
        office_bytes(more={f"word/{number}": "" for number in range(2_001)}),
        TOO_LARGE_INSIDE,
    ),
    "no members": (zip_bytes({}), UNKNOWN),
    "two kinds at once": (
        zip_bytes({TYPES: f'<a b="{MAIN["docx"][1]}" c="{MAIN["xlsx"][1]}"/>'}),
        UNKNOWN,
    ),
    "plain archive": (zip_bytes({"a.txt": "x"}), UNKNOWN),
    "program of Java": (zip_bytes({"META-INF/MANIFEST.MF": "x", "A.class": "x"}), UNKNOWN),
    "book": (zip_bytes({"mimetype": "application/epub+zip"}, stored=("mimetype",)), UNKNOWN),
    "page before it": (b"<script>" + office_bytes(), UNKNOWN),
    "page behind it": (office_bytes() + b"<script>alert(1)</script>", BROKEN),
    "archive before it": (zip_bytes({"a": "b"})[:-22] + office_bytes(), BROKEN),
    "cut off": (office_bytes()[:-30], BROKEN),
    "head alone": (b"PK\x03\x04", BROKEN),
}


@pytest.mark.parametrize(("content", "refusal"), OFFICE.values(), ids=OFFICE)
def test_hostile_office_file_is_refused_in_words(content: bytes, refusal: Any) -> None:
    assert verdict(content) == refusal


ODF: dict[str, tuple[bytes, Any]] = {
    "macros": (open_document_bytes(more={"Basic/script-lc.xml": "<a/>"}), MACROS),
    "programs": (open_document_bytes(more={"Scripts/python/a.py": "x"}), MACROS),
    "event": (
        open_document_bytes(more={"content.xml": '<script:event-listener xlink:href="x"/>'}),
        MACROS,
    ),
    "applet": (open_document_bytes(more={"content.xml": "<draw:applet />"}), MACROS),
    "plug-in": (open_document_bytes(more={"styles.xml": "<draw:plugin />"}), MACROS),
    "frame": (open_document_bytes(more={"content.xml": "<draw:floating-frame />"}), MACROS),
    "picture from elsewhere": (
        open_document_bytes(more={"content.xml": '<draw:image xlink:href="http://x.example/a"/>'}),
        LOADS,
    ),
    "picture from elsewhere, hidden": (
        open_document_bytes(more={"content.xml": '<draw:image xlink:href="h&#116;tp://x"/>'}),
        LOADS,
    ),
    "picture from a share": (
        open_document_bytes(more={"content.xml": '<draw:image xlink:href="//x.example/a"/>'}),
        LOADS,
    ),
    "object from a file": (
        open_document_bytes(more={"content.xml": "<draw:object xlink:href='file:///etc/passwd'/>"}),
        LOADS,
    ),
    "password": (
        open_document_bytes(more={"META-INF/manifest.xml": "<manifest:encryption-data/>"}),
        ENCRYPTED,
    ),
    "entities": (open_document_bytes(more={"content.xml": "<!DOCTYPE a>"}), BROKEN),
    "packed type": (zip_bytes({"mimetype": "application/vnd.oasis.opendocument.text"}), BROKEN),
    "template": (
        zip_bytes(
            {"mimetype": "application/vnd.oasis.opendocument.text-template"}, stored=("mimetype",)
        ),
        UNKNOWN,
    ),
}


@pytest.mark.parametrize(("content", "refusal"), ODF.values(), ids=ODF)
def test_hostile_open_document_is_refused_in_words(content: bytes, refusal: Any) -> None:
    assert verdict(content) == refusal


# Anything else


OTHERS: dict[str, bytes] = {
    "nothing": b"",
    "page": b"<!doctype html><script>alert(1)</script>",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "program of Windows": b"MZ\x90\x00" + bytes(60),
    "program of Linux": b"\x7fELF" + bytes(60),
    "script": b"#!/bin/sh\nrm -rf /\n",
    "old Word file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "rich text": b"{\\rtf1 {\\object}}",
    "picture": picture_bytes(),
    "text": b"PDF",
    "other archive": b"Rar!\x1a\x07\x00",
    "packed text": zlib.compress(b"a"),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_anything_else_is_refused_in_words(content: bytes) -> None:
    assert verdict(content) == str(UNKNOWN)


def test_large_file_is_refused_unread() -> None:
    with pytest.raises(ValidationError, match="at most 10") as caught:
        accept_document(document_upload(content=b"%PDF-" + bytes(MAX_BYTES)))

    assert caught.value.code == "too_large"


@pytest.mark.parametrize("broken", [BrokenPipeError, ValueError, OverflowError, RuntimeError])
def test_archive_on_which_the_library_stumbles_is_refused(
    broken: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_arguments: Any) -> Callable[..., Any]:
        raise broken

    monkeypatch.setattr(office, "check_members", stumble)

    assert verdict(office_bytes()) == str(BROKEN)


def test_every_part_of_an_honest_file_is_read() -> None:
    assert check_document(office_bytes("xlsx", {"xl/worksheets/sheet1.xml": "<a/>"})) == "xlsx"
