"""Certificates are opened with pikepdf (qpdf) and rendered and read with PDFium, as viewers do."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager, suppress
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Barrier, BoundedSemaphore, Event, Thread
from typing import Any
from unittest.mock import patch

import pikepdf
import pypdfium2
import pytest
import time_machine
import zxingcpp
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from jwcrypto.common import JWException
from PIL import Image
from pytest_django import Settings

from clusters.formats import documents as making
from clusters.formats.documents import MOST_AT_ONCE, MOST_MADE, library, turn
from clusters.http.limits import allow
from labels.models import IssuingBody, Label
from labels.proofs import certificates
from labels.proofs.certificates import Certificate, certificate, make
from labels.proofs.status import label_with_place
from tests.factories import (
    change_label,
    make_cluster,
    make_label,
    make_organisation,
    make_suspension,
    make_undated_label,
    update_label,
    update_labels,
    update_rules,
)
from tests.labels.proofs.test_credentials import address_of as credential_address
from tests.labels.proofs.test_credentials import status_of, token_at, verified
from tests.labels.test_certainty import NO_END

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(library() is None, reason="there is no pango on this machine"),
]


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2015-09-08T12:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty store, and nobody has asked yet."""
    settings.CERTIFICATES_ROOT = tmp_path / "certificates"
    cache.clear()
    return Path(settings.CERTIFICATES_ROOT)


def biopmed(**fields: Any) -> Label:
    return make_label(cluster=make_cluster(name="bioPmed", slug="biopmed"), **fields)


def of_the_day(label: Label) -> Label:
    found = label_with_place(Label.objects.for_pages(date(2015, 9, 8)), label.public_id)
    assert found is not None
    return found


def address_of(label: Label, language: str = "en") -> str:
    return f"/labels/{label.public_id}/certificate.{language}.pdf"


def certificate_of(client: Client, label: Label, language: str = "en") -> bytes:
    response = client.get(address_of(label, language))
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/pdf"
    return response.content


def opened(document: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(document))


def text_of(document: bytes) -> str:
    """The text that a viewer selects, on one line; every page."""
    pages = pypdfium2.PdfDocument(document)
    return " ".join(
        " ".join(page.get_textpage().get_text_bounded() for page in pages).replace("￾", "").split()
    )


def without_spaces(text: str) -> str:
    """A long word is broken at the end of its line."""
    return text.replace(" ", "")


def said(client: Client, label: Label, language: str = "en") -> str:
    return text_of(certificate_of(client, label, language))


def attachments_of(document: bytes) -> dict[str, bytes]:
    with opened(document) as pdf:
        return {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}


def picture_of(document: bytes) -> Image.Image:
    page = pypdfium2.PdfDocument(document)[0]
    picture: Image.Image = page.render(scale=200 / 72).to_pil()
    return picture


def drawn(pdf: pikepdf.Pdf) -> list[tuple[Any, str]]:
    """What the page draws, in order: operands and operator."""
    return [
        (instruction.operands, str(instruction.operator))
        for instruction in pikepdf.parse_content_stream(pdf.pages[0])
    ]


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def usual(module_rows: None) -> Label:
    return make_label(cluster=make_cluster(name="bioPmed"), certificate_number="G-1")


@pytest.fixture(scope="module")
def documents(usual: Label) -> dict[str, bytes]:
    """Of a valid Gold, by language; to set one takes as long as a hundred pages."""
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        return {language: certificate_of(Client(), usual, language) for language in ("en", "it")}


# What it says


def test_certificate_says_what_the_register_holds(client: Client) -> None:
    label = biopmed(
        awarded_by=IssuingBody.objects.get(code="esca"),
        certificate_number="G-2015/57",
        managing_organisation=make_organisation(name="Bioindustry Park"),
        score="86.5",
        source="https://example.org/list",
    )

    text = said(client, label)

    facts = [
        "Cluster Register Extract of the register",
        "Gold label of bioPmed “Proven for Cluster Excellence”",
        f"State on 8 September 2015: valid Valid until 31 July 2017. {NO_END}",
        "Holder bioPmed, Italy",
        "Managing organisation at the time Bioindustry Park",
        "Certificate number G-2015/57",
        f"Number in this register {label.public_id}",
        "Assessed July 2015",
        "Valid from July 2015",
        "Valid until 31 July 2017 computed",
        "Renewable until 31 July 2018 computed",
        "Awarded by European Secretariat for Cluster Analysis (ESCA)",
        "Published score 86.5 %",
        "Source https://example.org/list",
        "Days marked “computed” follow from the rule of 1 November 2010.",
        "It is not the official certificate: only the awarding body issues that.",
        f"http://testserver/en/labels/{label.public_id}/",
        "http://testserver/en/verify/",
        "Attached to this file is credential.jwt, signed by the register.",
    ]
    assert [fact for fact in facts if fact not in text] == []


def test_certificate_in_italian_keeps_the_official_wording(
    usual: Label, documents: dict[str, bytes]
) -> None:
    text = text_of(documents["it"])

    assert "“Proven for Cluster Excellence”" in text
    assert "31 luglio 2017" in text
    assert "8 settembre 2015" in text
    assert f"http://testserver/it/labels/{usual.public_id}/" in text


def test_certificate_leaves_out_what_is_not_known_or_not_public(client: Client) -> None:
    hidden = make_organisation(name="Hidden Manager", is_published=False)

    text = said(client, biopmed(managing_organisation=hidden))

    assert "Managing organisation at the time not recorded" in text
    assert "Awarded by not recorded" in text
    assert "Source not recorded" in text
    assert not re.search("Hidden|Certificate number|Published score|None", text)


@pytest.mark.parametrize(("is_confirmed", "told"), [(True, False), (False, True)])
def test_certificate_says_that_a_rule_is_inferred(
    client: Client, is_confirmed: bool, told: bool
) -> None:
    update_rules(is_confirmed=is_confirmed)

    assert ("no source confirms this rule" in said(client, biopmed())) is told


def revoke(label: Label) -> None:
    label.revoked_on, label.revocation_reason = date(2015, 9, 1), "The audit failed."
    change_label(label)


def suspend(label: Label) -> None:
    make_suspension(label, starts_on=date(2015, 9, 8), reason="Under review.")


def transfer(label: Label) -> None:
    update_label(label, transferred_on=date(2015, 9, 1))


@pytest.mark.parametrize(
    ("change", "day", "told"),
    [
        (transfer, "2015-09-08", "Transferred on 1 September 2015."),
        (revoke, "2015-09-08", "Revoked on 1 September 2015: The audit failed."),
        (suspend, "2015-09-08", "Suspended since 8 September 2015: Under review."),
        (
            None,
            "2015-06-30",
            "Not valid yet: it begins on 1 July 2015 at the earliest. "
            "Known by the month July 2015 only.",
        ),
        (None, "2017-08-01", "Expired on 31 July 2017; may still be renewed until 31 July 2018."),
        (None, "2018-08-01", f"Expired on 31 July 2017. {NO_END}"),
    ],
)
def test_certificate_of_what_does_not_hold_says_so_at_the_top(
    client: Client,
    today: time_machine.Traveller,
    change: Callable[[Label], None] | None,
    day: str,
    told: str,
) -> None:
    label = biopmed()
    if change:
        change(label)
    today.move_to(f"{day}T12:00Z")

    document = certificate_of(client, label)

    text = text_of(document)
    assert f": NOT VALID {told}" in text
    assert ("Renewable until" in text) is (change not in (revoke, transfer))
    assert is_framed_in_red(document)


def test_certificate_of_a_valid_label_has_no_red(documents: dict[str, bytes]) -> None:
    assert not is_framed_in_red(documents["en"])


def is_framed_in_red(document: bytes) -> bool:
    colours = {colour for _count, colour in picture_of(document).getcolors(1 << 24) or []}
    return (0x9C, 0x1B, 0x1B) in colours


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        pytest.param("2017-07-31T21:59:59Z", "31 July 2017: valid", id="last second in Rome"),
        pytest.param("2017-07-31T22:00:00Z", "1 August 2017: NOT VALID", id="first of the next"),
    ],
)
def test_certificate_is_of_the_day_in_the_portals_zone(
    client: Client, today: time_machine.Traveller, moment: str, told: str
) -> None:
    label = biopmed()
    today.move_to(moment)

    assert f"State on {told}" in said(client, label)


def test_certificate_of_an_undated_label_says_that_days_are_unknown(client: Client) -> None:
    label = make_undated_label()

    document = certificate_of(client, label)

    text = text_of(document)
    assert "State on 8 September 2015: CANNOT BE TOLD" in text
    assert "Valid from unknown Valid until unknown" in text
    assert "credential.jwt" not in text
    assert attachments_of(document) == {}


@pytest.mark.parametrize("assessed_on", ["2015", "2013", "2015-09"])
def test_certificate_of_a_label_that_may_be_valid_says_neither_yes_nor_no(
    client: Client, assessed_on: str
) -> None:
    document = certificate_of(client, biopmed(assessed_on=assessed_on))

    text = text_of(document)
    assert "State on 8 September 2015: CANNOT BE TOLD May be valid: it " in text
    assert "NOT VALID" not in text
    assert f"{NO_END} Known by the " in text


# For everybody: PDF/UA


@pytest.mark.parametrize("language", ["en", "it"])
def test_certificate_is_a_tagged_page_of_a4_with_language_and_title(
    documents: dict[str, bytes], language: str
) -> None:
    pdf = opened(documents[language])

    root: Any = pdf.Root
    assert pdf.check_pdf_syntax() == []
    assert root.MarkInfo.Marked
    assert str(root.Lang) == language
    assert root.ViewerPreferences.DisplayDocTitle
    assert "bioPmed" in str(pdf.docinfo["/Title"])
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == str(pdf.docinfo["/Title"])
    (page,) = pdf.pages
    assert page.obj.Tabs == pikepdf.Name.S
    assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]


def elements(part: Any) -> Iterator[Any]:
    """Each element of the structure below, in reading order."""
    for kid in part.get("/K", []):
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def structure(pdf: pikepdf.Pdf) -> list[Any]:
    tree: Any = pdf.Root.StructTreeRoot
    return list(elements(tree))


def test_certificate_has_headings_in_order_and_a_table_with_headers(
    documents: dict[str, bytes],
) -> None:
    pdf = opened(documents["en"])
    found = structure(pdf)
    tags = [str(element.S) for element in found]

    assert [tag for tag in tags if re.fullmatch("/H[1-6]", tag)] == ["/H1", "/H2", "/H2"]
    assert tags.count("/Table") == 1
    assert {str(element.A.Scope) for element in found if element.S == "/TH"} == {"/Row"}
    assert tags.count("/TH") == tags.count("/TD") == tags.count("/TR") > 5


def test_certificate_has_words_for_each_picture_and_link(documents: dict[str, bytes]) -> None:
    pdf = opened(documents["en"])
    found = structure(pdf)
    annotations: Any = pdf.pages[0].obj.Annots

    pictures = [str(element.get("/Alt", "")) for element in found if element.S == "/Figure"]

    assert pictures == [
        "Gold label: bioPmed, valid until about July 2017",
        "QR code with the address of the label",
    ]
    assert sum(element.S == "/Link" for element in found) == len(annotations) == 2
    assert [str(link.Contents) for link in annotations] == [str(link.A.URI) for link in annotations]


def test_certificate_marks_the_english_wording(documents: dict[str, bytes]) -> None:
    pdf = opened(documents["it"])

    assert [str(e.Lang) for e in structure(pdf) if e.S == "/BlockQuote"] == ["en"]


def test_certificate_marks_every_content_as_text_or_as_decoration(
    documents: dict[str, bytes],
) -> None:
    """No text is shown outside a tag; every tag of the page stands in the structure."""
    pdf = opened(documents["en"])
    marks, open_tags = set(), []

    for operands, operator in drawn(pdf):
        if operator in ("BDC", "BMC"):
            open_tags.append(str(operands[0]))
            if operator == "BDC":
                marks.add(int(operands[1].MCID))
        elif operator == "EMC":
            open_tags.pop()
        elif operator in ("Tj", "TJ", "f", "S", "B", "sh", "Do"):
            assert open_tags

    in_tree = {int(kid) for element in structure(pdf) for kid in element.K if isinstance(kid, int)}
    assert marks == in_tree


def test_certificate_brings_its_fonts(documents: dict[str, bytes]) -> None:
    pdf = opened(documents["en"])

    described = [thing for thing in pdf.objects if is_font_descriptor(thing)]

    assert described
    assert all("/FontFile2" in font or "/FontFile3" in font for font in described)


def is_font_descriptor(thing: Any) -> bool:
    return isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor"


# Names as they come


SHOWN = "Città dell’Élan Ørsted Žižkov, Кластер Инноваций, Συνεργατικός Σχηματισμός"
FROM_RIGHT_TO_LEFT = "אשכול חדשנות تجمع"  # a viewer selects it in an order of its own


def test_certificate_shows_a_glyph_for_each_letter(client: Client) -> None:
    """A font without the letter would show its first glyph, a box."""
    cluster = make_cluster(name=f"{SHOWN} {FROM_RIGHT_TO_LEFT}")
    document = certificate_of(client, make_label(cluster=cluster))

    glyphs = [
        octets[at : at + 2]
        for operands, operator in drawn(opened(document))
        if operator == "TJ"
        for octets in (bytes(part) for part in operands[0] if isinstance(part, pikepdf.String))
        for at in range(0, len(octets), 2)
    ]

    assert len(glyphs) > 300
    assert b"\0\0" not in glyphs
    assert f"Gold label of {SHOWN}" in text_of(document)


def test_certificate_keeps_hostile_names_as_text(client: Client, folder: Path) -> None:
    name = '<img src="file:///etc/passwd"><b>&amp;{{ label }}</b>'
    hostile = make_label(
        cluster=make_cluster(name=name),
        managing_organisation=make_organisation(name='<a href="javascript:alert(1)">x</a>'),
        certificate_number="<script>1</script>",
        source='</table><link rel="attachment" href="file:///etc/hostname">',
    )

    document = certificate_of(client, hostile)

    text = without_spaces(text_of(document))
    assert f"Goldlabelof{without_spaces(name)}" in text
    assert without_spaces('<a href="javascript:alert(1)">x</a>') in text
    assert "<script>1</script>" in text
    assert list(attachments_of(document)) == ["credential.jwt"]
    pdf = opened(document)
    annotations: Any = pdf.pages[0].obj.Annots
    assert all(str(link.A.URI).startswith("http://testserver/") for link in annotations)


def test_certificate_does_not_turn_the_direction_of_what_follows(client: Client) -> None:
    name = "evil\N{RIGHT-TO-LEFT OVERRIDE}dlog"

    assert "Gold label of evildlog" in said(client, make_label(cluster=make_cluster(name=name)))


def test_certificate_with_long_names_keeps_all_of_them_and_its_code(client: Client) -> None:
    name = "Donaudampfschifffahrt" * 9
    label = make_label(
        cluster=make_cluster(name=name),
        managing_organisation=make_organisation(name=name),
        source=f"https://example.org/{'a' * 400}",
        certificate_number="9" * 60,
    )

    document = certificate_of(client, label)

    assert without_spaces(text_of(document)).count(without_spaces(name)) >= 3
    pages = pypdfium2.PdfDocument(document)
    codes = [found for page in pages for found in codes_on(page.render(scale=200 / 72).to_pil())]
    assert codes == [f"http://testserver/en/labels/{label.public_id}/"]


def codes_on(picture: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture)]


# The code and the credential


@pytest.mark.parametrize("language", ["en", "it"])
def test_code_on_the_certificate_is_the_address_of_the_label(
    usual: Label, documents: dict[str, bytes], language: str
) -> None:
    codes = codes_on(picture_of(documents[language]))

    assert codes == [f"http://testserver/{language}/labels/{usual.public_id}/"]


def attached(document: bytes) -> str:
    (credential,) = attachments_of(document).values()
    return credential.decode()


@pytest.mark.parametrize("language", ["en", "it"])
def test_certificate_carries_the_credential_that_its_address_sends(
    client: Client, usual: Label, documents: dict[str, bytes], language: str
) -> None:
    token = attached(documents[language])

    assert token == token_at(client, credential_address(usual))
    assert verified(client, token)["credentialSubject"]["licenseNumber"] == "G-1"


def test_changed_text_differs_from_the_attached_credential(client: Client) -> None:
    """Somebody writes another name into the page and leaves what is attached as it is."""
    label = biopmed()
    with translation.override("en"):
        honest = certificate(of_the_day(label), date(2015, 9, 8))
    parts = {**vars(honest), "page": honest.page.replace("bioPmed", "Forger"), "number": "FORGED"}

    forged = make(Certificate(**parts))

    claims = verified(client, attached(forged))
    names = [entry["identityHash"] for entry in claims["credentialSubject"]["identifier"]]
    assert "Gold label of Forger" in text_of(forged)
    assert names == ["bioPmed", label.cluster.public_id]


def test_changed_credential_fails_its_check(client: Client, documents: dict[str, bytes]) -> None:
    token = attached(documents["en"])
    header, claims, signature = token.split(".")

    with pytest.raises(JWException):
        verified(client, ".".join([header, claims[:-8] + "AAAAAAAA", signature]))


def test_certificate_without_a_key_comes_without_credential(
    client: Client, settings: Settings
) -> None:
    settings.SIGNING_KEYS = ""

    document = certificate_of(client, biopmed())

    assert "credential.jwt" not in text_of(document)
    assert attachments_of(document) == {}


# Made once and stored


def test_certificate_is_made_once_a_day_and_language(client: Client, folder: Path) -> None:
    label = biopmed()

    first = certificate_of(client, label)
    written = [path.stat().st_mtime_ns for path in sorted(folder.rglob("*.pdf"))]
    again = certificate_of(client, label)

    assert again == first
    assert written == [path.stat().st_mtime_ns for path in sorted(folder.rglob("*.pdf"))]
    assert len(written) == 1
    certificate_of(client, label, "it")
    assert len(made(folder)) == 2


def test_stored_certificate_is_what_is_sent(client: Client, folder: Path) -> None:
    label = biopmed()
    certificate_of(client, label)
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    path.write_bytes(b"%PDF as it was stored")

    assert certificate_of(client, label) == b"%PDF as it was stored"


def test_certificate_is_made_anew_when_the_label_changes(client: Client, folder: Path) -> None:
    label = biopmed()
    certificate_of(client, label)

    revoke(label)

    assert "NOT VALID" in said(client, label)
    assert len(made(folder)) == 2


def test_certificate_is_made_anew_when_the_label_is_corrected(client: Client, folder: Path) -> None:
    """The old one's attached credential counts as revoked, the new one's does not; nor is the
    old one sent again when the label is corrected back.
    """
    label = biopmed(certificate_number="G-1")
    old = certificate_of(client, label)
    for number in ("G-2", "G-1"):
        update_labels(certificate_number=number)
        new = certificate_of(client, label)
        assert f"Certificate number {number}" in text_of(new)

    assert len(made(folder)) == 3
    states = [status_of(client, verified(client, attached(pdf))) for pdf in (old, new)]
    assert [state["revocation"] for state in states] == [1, 0]


def test_certificate_is_made_anew_the_next_day(
    client: Client, folder: Path, today: time_machine.Traveller
) -> None:
    label = biopmed()
    certificate_of(client, label)
    today.move_to("2015-09-09T12:00Z")

    assert "State on 9 September 2015: valid" in said(client, label)
    assert sorted(path.name for path in folder.iterdir()) == ["2015-09-08", "2015-09-09"]


def test_certificate_says_the_same_in_another_process(client: Client, tmp_path: Path) -> None:
    label = biopmed()
    with translation.override("it"):
        wanted = certificate(of_the_day(label), date(2015, 9, 8))
    here = make(wanted)
    program = f"""
import datetime, django, sys
django.setup()
from django.utils import translation
from labels.proofs.certificates import Certificate, write_pdf
with translation.override("it"):
    sys.stdout.buffer.write(write_pdf(Certificate(**{vars(wanted)!r})))
"""

    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )

    assert text_of(there.stdout) == text_of(here)


WORKERS_THREADS = 4  # as docs/operations.md starts a worker


@contextmanager
def asked_for_at_once(
    number: int, pages: list[str], seconds: float
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Certificates asked of a worker's threads, and then pages; no certificate gets ready yet.

    The answers, None where there is none after so many seconds.
    """
    labels = [make_label() for _ in range(number)]
    may_end = Event()

    def write_slowly(_wanted: Certificate) -> bytes:
        may_end.wait(120)
        return b"%PDF"

    def answer(path: str) -> Any:
        try:
            return Client().get(path)
        finally:
            connections.close_all()

    with (
        patch.object(certificates, "write_pdf", write_slowly),
        ThreadPoolExecutor(WORKERS_THREADS) as threads,
    ):
        try:
            papers = [threads.submit(answer, address_of(label)) for label in labels]
            others = [threads.submit(answer, path) for path in pages]
            wait(others, timeout=seconds)
            # Those that are refused answer, too, however busy the machine is.
            with suppress(TimeoutError):
                list(islice(as_completed(papers, timeout=seconds), number - MOST_AT_ONCE))
            yield [done(paper) for paper in papers], [done(other) for other in others]
        finally:
            may_end.set()


def done(future: "Future[Any]") -> Any:
    return future.result() if future.done() else None


@pytest.mark.django_db(transaction=True)
def test_other_pages_answer_while_many_certificates_are_asked_for() -> None:
    pages = ["/healthz", "/labels/status/revocation.jwt", "/en/verify/"]

    with asked_for_at_once(8, pages, seconds=60) as (papers, others):
        assert [other and other.status_code for other in others] == [200, 200, 200]
        refused = [paper for paper in papers if paper is not None]

    assert len(refused) == 8 - MOST_AT_ONCE
    assert {(paper.status_code, paper["Retry-After"]) for paper in refused} == {(503, "5")}
    assert {paper.content.decode() for paper in refused} == {
        "Too many documents are being made at this moment. Ask again in a few seconds.\n"
    }


@pytest.mark.django_db(transaction=True)
def test_threads_that_all_wait_for_certificates_would_be_found_out() -> None:
    """The control: without a bound nobody is answered."""
    with (
        patch.object(making, "turns", BoundedSemaphore(8)),
        asked_for_at_once(8, ["/healthz"], seconds=3) as (papers, others),
    ):
        assert papers + others == [None] * 9


@pytest.mark.django_db(transaction=True)
def test_turn_is_given_back_when_a_certificate_fails(client: Client) -> None:
    label = make_label()
    client.raise_request_exception = False
    with patch.object(certificates, "write_pdf", side_effect=RuntimeError):
        answers = [client.get(address_of(label)).status_code for _ in range(MOST_AT_ONCE + 1)]

    assert answers == [500] * (MOST_AT_ONCE + 1)
    assert client.get(address_of(label)).status_code == 200


def test_verification_on_paper_takes_its_turn_too(client: Client) -> None:
    """The answer itself stands on the page that comes in its place."""
    label = biopmed()
    address = f"/en/verify/?q={label.public_id}&format=pdf"

    with patch.object(making, "turns", BoundedSemaphore(1)), turn():
        response = client.get(address)

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "Too many documents are being made at this moment." in response.content.decode()
    assert label.get_absolute_url() in response.content.decode()
    assert client.get(address)["Content-Type"] == "application/pdf"


def test_certificate_asked_for_by_many_at_once_is_made_once(folder: Path) -> None:
    """By as many as a worker takes on; who comes then is refused."""
    wanted = Certificate("BCDFGHJK", "en", date(2015, 9, 8), "<html lang=en><p>x", "", "")
    together = Barrier(MOST_AT_ONCE)
    found: list[tuple[bytes, int]] = []

    def ask() -> None:
        together.wait()
        document = make(wanted)
        found.append((document, wanted.path.stat().st_ino))

    threads = [Thread(target=ask) for _ in range(MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == MOST_AT_ONCE
    assert len(set(found)) == 1
    assert made(folder) == [wanted.path.name]


def test_certificate_that_cannot_be_stored_is_sent_all_the_same(
    client: Client, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings.CERTIFICATES_ROOT = tmp_path / "file"

    assert said(client, biopmed()).startswith("Cluster Register")
    assert "A document could not be stored." in caplog.text


# The address


@pytest.mark.parametrize("method", ["get", "head"])
def test_address_says_who_may_keep_it_and_how_long(client: Client, method: str) -> None:
    label = biopmed()

    response = getattr(client, method)(address_of(label, "it"))

    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=300"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Content-Disposition"] == (
        f'inline; filename="{label.public_id}-2015-09-08-it.pdf"'
    )
    assert int(response["Content-Length"]) > 10_000


def test_address_is_not_kept_beyond_midnight(client: Client, today: time_machine.Traveller) -> None:
    label = biopmed()
    today.move_to("2015-09-08T21:59:00Z")

    assert client.get(address_of(label))["Cache-Control"] == "public, max-age=60"


def test_address_answers_who_has_it_with_304(client: Client) -> None:
    label = biopmed()
    etag = client.get(address_of(label))["ETag"]

    response = client.get(address_of(label), headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response["Access-Control-Allow-Origin"] == "*"


def test_address_leads_on_from_another_case(client: Client) -> None:
    label = biopmed()

    response = client.get(address_of(label, "it").replace(label.public_id, label.public_id.lower()))

    assert response.status_code == 301
    assert response["Location"] == address_of(label, "it")


def test_unknown_and_unpublished_labels_are_told_alike(client: Client, folder: Path) -> None:
    draft = biopmed(is_published=False)
    of_hidden = make_label(cluster=make_cluster(is_published=False))

    answers = [
        client.get(f"/labels/{number}/certificate.en.pdf")
        for number in (draft.public_id, of_hidden.public_id, "ZZZZZZZZ")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {answer.content for answer in answers} == {b"there is no label with this number\n"}
    assert made(folder) == []


@pytest.mark.parametrize("language", ["de", "en-gb", "pdf"])
def test_unknown_languages_are_not_found(client: Client, language: str) -> None:
    response = client.get(address_of(biopmed(), language))

    assert response.status_code == 404
    assert response.content == b"certificates are in: en, it\n"


def test_address_is_only_read(client: Client) -> None:
    assert client.post(address_of(biopmed())).status_code == 405


def test_certificates_made_for_one_network_are_limited(client: Client, folder: Path) -> None:
    """What is stored already is sent all the same, and other networks have their own count."""
    label, kept = biopmed(), make_label()
    certificate_of(client, kept)
    for _ in range(MOST_MADE - 1):
        assert allow("document", "127.0.0.1", most=MOST_MADE, seconds=60)

    response = client.get(address_of(label, "it"))

    assert response.status_code == 429
    assert response["Retry-After"] == "60"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert client.get(address_of(kept)).status_code == 200
    elsewhere = client.get(address_of(label, "it"), REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200
    assert client.get(address_of(label, "it")).status_code == 200


def test_certificate_takes_the_same_queries_whatever_the_cluster_holds(client: Client) -> None:
    label = biopmed()
    certificate_of(client, label)  # stored from now on
    with CaptureQueriesContext(connection) as alone:
        certificate_of(client, label)
    make_label(cluster=label.cluster, level="silver", assessed_on="2013-05")
    make_label(cluster=label.cluster, level="bronze", assessed_on="2011-05")
    make_suspension(label, starts_on=date(2015, 8, 1), ends_on=date(2015, 8, 9))

    with CaptureQueriesContext(connection) as among_others:
        certificate_of(client, label)

    assert len(alone) == len(among_others) == 2


def test_label_page_leads_to_the_certificate_in_each_language(client: Client) -> None:
    label = biopmed()

    page = client.get(f"/it/labels/{label.public_id}/").content.decode()

    assert [
        address for address in (address_of(label), address_of(label, "it")) if address in page
    ] == [address_of(label), address_of(label, "it")]


# Where the system's part is missing


def test_without_pango_the_print_view_answers(tmp_path: Path) -> None:
    """Really without: the loader finds what is no library under its name."""
    (tmp_path / "libpango-1.0.so.0").write_text("no library")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "tests/labels/without_pango.py"],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "TEST_RUN"))},
            "LD_LIBRARY_PATH": str(tmp_path),
            "TEST_DATABASE_URL": "",
        },
        capture_output=True,
        text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
