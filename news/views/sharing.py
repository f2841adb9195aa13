"""What an announcement is passed on as: a document to print, a picture where it has no cover."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clusters.formats.documents import document_response, library
from clusters.http.responses import cacheable, error_response
from news.models import Announcement
from news.queries import labels_then_and_today
from news.sharing.article_pdf import article_paper, article_pdf_address, make_article_pdf
from news.sharing.drawing import has_fonts
from news.sharing.open_graph import PNG, DrawnPicture, drawn_picture, make_picture
from news.views.pages import article_or_way


@require_safe
def announcement_pdf(request: HttpRequest, year: int, slug: str) -> HttpResponseBase:
    now = timezone.now()
    announcement = article_or_way(request, year, slug, article_pdf_address)
    if isinstance(announcement, HttpResponse):
        return announcement
    text = announcement.text()
    assert text is not None
    if library() is None:
        return cacheable(HttpResponseRedirect(announcement.get_absolute_url()), now)
    wanted = article_paper(announcement, text, timezone.localdate(now))
    return document_response(
        request, wanted.path, lambda: make_article_pdf(wanted), saved_as=wanted.saved_as, now=now
    )


@require_safe
def announcement_picture(
    request: HttpRequest, public_id: str, language: str, version: str
) -> HttpResponseBase:
    # Only what the page names just now is ever drawn.
    now = timezone.now()
    wanted = picture_of_today(public_id, language)
    if wanted is None or wanted.version != version:
        return error_response(request, ["there is no such picture"], 404)
    day = timezone.localdate(now)
    return document_response(
        request,
        wanted.path_on(day),
        lambda: make_picture(wanted, day),
        saved_as=wanted.saved_as,
        content_type=PNG,
        now=now,
    )


def picture_of_today(public_id: str, language: str) -> DrawnPicture | None:
    if language not in dict(settings.LANGUAGES) or not has_fonts():
        return None
    readable = Announcement.objects.readable(timezone.now()).with_public_id(public_id)
    announcement = readable.with_texts().prefetch_related("pictures").first()
    if announcement is None or announcement.cover is not None:
        return None
    with translation.override(language):
        text = announcement.text()
        if text is None or text.language != language:
            return None
        labels = labels_then_and_today(announcement, timezone.localdate())
        return drawn_picture(announcement, text, labels)
