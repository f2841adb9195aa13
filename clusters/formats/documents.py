"""Documents that are made once for what they say and then kept, as PDF/UA or as pictures.

They lie in a folder for each day, so that those of the past go as a whole (`purge`).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from PIL import ImageFile

from clusters.formats.files import replaced_as_a_whole
from clusters.http.limits import allow, network_address, network_of
from clusters.http.responses import cacheable, conditional, error_response

logger = logging.getLogger(__name__)
# A document takes a processor half a second; the library does not promise to be safe in threads.
one_at_a_time = Lock()
# One is made and one waits, in each worker: its other threads are for all other pages.
MOST_AT_ONCE = 2
SECONDS_TO_RETRY = 5
turns = BoundedSemaphore(MOST_AT_ONCE)
MINUTE = 60
MOST_MADE = 30


class TooManyAtOnce(Exception):
    """As many documents are being made as a worker takes on."""

    def __str__(self) -> str:
        return _("Too many documents are being made at this moment. Ask again in a few seconds.")


@contextmanager
def turn() -> Iterator[None]:
    """The library for this thread alone. Raises TooManyAtOnce where others wait for it already."""
    if not turns.acquire(blocking=False):
        raise TooManyAtOnce
    try:
        with one_at_a_time:
            yield
    finally:
        turns.release()


def path_of(day: date, name: str) -> Path:
    return Path(settings.CERTIFICATES_ROOT, str(day), name)


def stored_document(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def make_once(path: Path, write: Callable[[], bytes]) -> bytes:
    # The document, stored for the next reader. Raises TooManyAtOnce.
    with turn():
        document = stored_document(path)
        if document is None:
            document = write()
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with replaced_as_a_whole(path) as file:
                    file.write(document)
            except OSError:
                # It can be made again: a full disk keeps nobody from a document.
                logger.exception("A document could not be stored.")
        return document


def document_response(
    request: HttpRequest,
    path: Path,
    make: Callable[[], bytes],
    *,
    saved_as: str,
    content_type: str = "application/pdf",
    now: datetime,
) -> HttpResponseBase:
    """What is stored at the path, or is made there now.

    One that is stored costs nothing; how many are made for one network is limited.
    """
    document = stored_document(path)
    if document is None:
        network = network_of(network_address(request))
        if not allow("document", network, most=MOST_MADE, seconds=MINUTE):
            return too_many(request)
        try:
            document = make()
        except TooManyAtOnce as error:
            return busy(request, error)
    response = HttpResponse(document, content_type=content_type)
    response["Content-Disposition"] = f'inline; filename="{saved_as}"'
    # What a search engine finds later would no longer hold.
    response["X-Robots-Tag"] = "noindex"
    return conditional(request, cacheable(response, now))


def too_many(request: HttpRequest) -> HttpResponse:
    problem = _(
        "More documents were asked for from your network in the last minute than one reader"
        " needs. Wait a minute and ask again"
    )
    response = error_response(request, [problem], 429)
    response["Retry-After"] = str(MINUTE)
    return response


def busy(request: HttpRequest, error: TooManyAtOnce) -> HttpResponse:
    response = error_response(request, [str(error)], 503)
    response["Retry-After"] = str(SECONDS_TO_RETRY)
    return response


@cache
def library() -> Any:
    """WeasyPrint, or None where the part of it that the system brings (pango) is missing."""
    try:
        import weasyprint
    except OSError:
        logger.warning("Pango is missing: pages to print stand in for documents.")
        return None
    # It lets Pillow take truncated pictures, everywhere: uploads are to be whole.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    return weasyprint


def page_as_pdf(
    page: str,
    style: str,
    identifier: str,
    attachments: Sequence[Any] = (),
    *,
    pictures: Mapping[str, Callable[[], bytes]] | None = None,
    language_of_quotes: str = "en",
) -> bytes:
    """PDF/UA; the same page, style and identifier give the same document. Wants `library()`.

    Nothing is fetched but `pictures`, each a JPEG by its address in the page.
    """
    weasyprint = library()
    document: bytes = weasyprint.HTML(string=page, url_fetcher=fetcher(pictures)).write_pdf(
        stylesheets=[weasyprint.CSS(string=style, url_fetcher=fetcher())],
        attachments=attachments,
        pdf_variant="pdf/ua-1",
        pdf_identifier=identifier.encode(),
        finisher=lambda _document, pdf: complete_tags(pdf, language_of_quotes),
    )
    return document


def fetcher(pictures: Mapping[str, Callable[[], bytes]] | None = None) -> Any:
    # Neither the network nor the disk is read.
    urls = library().urls

    class OnlyThese(urls.URLFetcher):  # type: ignore[misc, name-defined]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url not in (pictures or {}):
                raise ValueError(f"Not one of the pictures of this document: {url}")
            content = (pictures or {})[url]()
            return urls.URLFetcherResponse(url, content, {"Content-Type": "image/jpeg"})

    return OnlyThese(allowed_protocols=())


def complete_tags(pdf: Any, language_of_quotes: str) -> None:
    # What the library leaves out: the language of a quoted wording, and that headers are of rows.
    from pydyf import String

    for part in pdf.objects:
        tag = part.get("S") if isinstance(part, dict) else None
        if tag == "/BlockQuote":
            part["Lang"] = String(language_of_quotes)
        elif tag == "/TH":
            part["A"]["Scope"] = "/Row"
