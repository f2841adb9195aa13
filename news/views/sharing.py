"""What an announcement is passed on as: a document to print."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from clusters.formats.documents import document_response, library
from clusters.http.responses import cacheable
from news.sharing.article_pdf import article_paper, article_pdf_address, make_article_pdf
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
