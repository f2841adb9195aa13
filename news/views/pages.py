"""News: the list, the archives of years and months; an announcement."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clusters.contact.reports import describe_record
from clusters.dates import PartialDate
from clusters.formats.schema_org import breadcrumbs_data
from clusters.http.addresses import absolute, webcal
from clusters.http.links import Link
from clusters.http.paging import numbered_page
from clusters.http.responses import cached_page
from clusters.http.uploads import uploaded_file
from clusters.templatetags.clusters_tags import date_in_words
from clusters.views.contact import contact_page, cookieless_form, report_page
from news.articles import article_context, article_preview_context
from news.lists.feeds import feed_address, feed_links
from news.lists.query import AnnouncementList, AnnouncementQuery, read_announcement_query
from news.lists.rows import render_announcements, render_filters
from news.models import Announcement, Picture, Topic
from news.queries import (
    MAX_RELATED,
    announcement_at,
    announcement_formerly_at,
    archive_of,
    recipient_of,
    related_to,
    withdrawn_at_address,
)
from news.schema_org import article_data, event_data
from news.sharing.article_pdf import article_pdf_address
from news.sharing.open_graph import picture_to_share
from news.workflow.previews import announcement_of_preview

PER_PAGE = 20


@require_safe
@cached_page
def announcement_list(request: HttpRequest) -> HttpResponse:
    now, topics = timezone.now(), list(Topic.objects.all())
    query = read_announcement_query(request.GET, topics)
    found = AnnouncementList(query, request.path, now, topics)
    page = numbered_page(found.announcements, request.GET, per_page=PER_PAGE)
    context = {
        "section": "news",
        "title": found.titled(_("News")),
        "query": query,
        "querystring": query.querystring(),
        "kept": query.pairs("q"),
        "filters": render_filters(found),
        "years": found.counts("year") if query.is_plain else {},
        "chips": found.chips(),
        "rows": render_announcements(found.index, list(page), query.words),
        "ways_out": [] if page.object_list else found.ways_out(),
        "problems": query.problems,
        "page_obj": page,
        "feeds": feed_links(found),
        "follow_url": query.url(reverse("news:follow")),
    }
    return TemplateResponse(request, "news/announcement_list.html", context)


@require_safe
@cached_page
def follow(request: HttpRequest) -> HttpResponse:
    topics = list(Topic.objects.all())
    query = read_announcement_query(request.GET, topics)
    list_url = reverse("news:list")
    found = AnnouncementList(query, list_url, timezone.now(), topics)
    crumbs = [Link(_("News"), list_url)]
    context = {
        "section": "news",
        "query": query,
        "words": found.in_words(),
        "problems": query.problems,
        "list_url": query.url(list_url),
        "mail_url": query.url(reverse("news:subscribe")),
        "feeds": feed_links(found),
        "atom": absolute(feed_address(query, "news_feed")),
        "calendar": absolute(feed_address(query, "news_ics")),
        "webcal": webcal(feed_address(query, "news_ics")),
        "crumbs": crumbs,
        "crumbs_data": breadcrumbs_data(crumbs),
    }
    return TemplateResponse(request, "news/follow.html", context)


@require_safe
@cached_page
def announcement_year(request: HttpRequest, year: int) -> HttpResponse:
    return archive_page(request, PartialDate(year))


@require_safe
@cached_page
def announcement_month(request: HttpRequest, year: int, month: int) -> HttpResponseBase:
    # An announcement may be called “12”, too.
    slug = f"{month:02}"
    if announcement_at(slug, year, timezone.now()):
        return announcement_detail(request, year, slug)
    return archive_page(request, PartialDate(year, month))


def archive_page(request: HttpRequest, period: PartialDate) -> HttpResponse:
    now = timezone.now()
    archive = archive_of(period, now)
    if archive is None:
        raise Http404(_("There is no news of this time."))
    page = numbered_page(archive.announcements, request.GET, per_page=PER_PAGE)
    crumbs = [Link(_("News"), reverse("news:list"))]
    if period.month is not None:
        crumbs.append(Link(str(period.year), reverse("news:year", args=[period.year])))
    context = {
        "section": "news",
        "title": _("News of %(period)s") % {"period": date_in_words(period)},
        "period": period,
        "archive": archive,
        "crumbs": crumbs,
        "crumbs_data": breadcrumbs_data(crumbs),
        "filters_url": AnnouncementQuery().of_period(period).url(reverse("news:list")),
        "rows": render_announcements(archive.announcements.news, list(page)),
        "page_obj": page,
    }
    return TemplateResponse(request, "news/announcement_archive.html", context)


@require_safe
@cached_page
def announcement_detail(request: HttpRequest, year: int, slug: str) -> HttpResponse:
    now = timezone.now()
    announcement = article_or_way(request, year, slug, Announcement.get_absolute_url)
    if isinstance(announcement, HttpResponse):
        return announcement
    text = announcement.text()
    assert text is not None
    request.language_urls = addresses(announcement)  # type: ignore[attr-defined]
    crumbs = [Link(_("News"), reverse("news:list"))]
    if announcement.is_public(now):  # else the year may have no archive
        crumbs.append(Link(str(year), reverse("news:year", args=[year])))
    article, related = article_context(request, announcement, text), related_to(announcement, now)
    context = {
        **article,
        "is_preview": False,
        "shared": picture_to_share(announcement, text, article["labels"]),
        "recipient": recipient_of(announcement, timezone.localdate()),
        "crumbs": crumbs,
        "crumbs_data": breadcrumbs_data(crumbs),
        "article_data": article_data(announcement),
        "event_data": event_data(announcement),
        "related": render_announcements(related.news, related[:MAX_RELATED]),
        "pdf_url": article_pdf_address(announcement),
    }
    return TemplateResponse(request, "news/announcement_detail.html", context)


def article_or_way(
    request: HttpRequest, year: int, slug: str, address: Callable[[Announcement], str]
) -> Announcement | HttpResponse:
    """The readable announcement whose `address` this is, or the answer that leads there.

    Of a withdrawn one a page that says so. Raises Http404.
    """
    now = timezone.now()
    announcement = announcement_at(slug, year, now)
    if announcement is None:
        moved = announcement_formerly_at(slug, year, now)
        if moved is None:
            return withdrawn_page(request, year, slug)
        return redirect(address(moved), permanent=True)
    if address(announcement) != request.path:
        return redirect(address(announcement))
    return announcement


def withdrawn_page(request: HttpRequest, year: int, slug: str) -> HttpResponse:
    # Of what was withdrawn the address tells when and why, and nothing else.
    announcement = withdrawn_at_address(slug, year, timezone.now())
    if announcement is None:
        raise Http404(_("There is no such announcement."))
    context = {"section": "news", "announcement": announcement}
    return TemplateResponse(request, "news/announcement_withdrawn.html", context, status=410)


@never_cache
@require_safe
def announcement_preview(request: HttpRequest, token: str) -> HttpResponse:
    """What is not published yet, as its page will look, also in a language that is a draft."""
    announcement = announcement_of_preview(token)
    texts = [*announcement.texts.all()] if announcement else []
    if announcement is None or not texts:
        raise Http404(_("This preview has ended."))
    text = next((one for one in texts if one.language == get_language()), texts[0])
    context = article_preview_context(request, announcement, text, token)
    response = TemplateResponse(request, "news/announcement_detail.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def preview_picture(request: HttpRequest, token: str, key: int) -> HttpResponseBase:
    return preview_file(token, "pictures", key)


@never_cache
@require_safe
def preview_attachment(request: HttpRequest, token: str, key: int) -> HttpResponseBase:
    return preview_file(token, "attachments", key)


def preview_file(token: str, name: str, key: int) -> HttpResponseBase:
    announcement = announcement_of_preview(token)
    files = getattr(announcement, name).all() if announcement else ()
    found: Any = next((file for file in files if file.pk == key), None)
    if found is None:
        raise Http404(_("This preview has ended."))
    response = (
        uploaded_file(str(found.image))
        if isinstance(found, Picture)
        else uploaded_file(found.file.name, found.saved_as)
    )
    response["X-Robots-Tag"] = "noindex"
    return response


@cookieless_form
def announcement_contact(request: HttpRequest, year: int, slug: str) -> HttpResponse:
    announcement = found_at(slug, year)
    recipient = recipient_of(announcement, timezone.localdate())
    return contact_page(request, describe_record(announcement), recipient)


@cookieless_form
def announcement_report(request: HttpRequest, year: int, slug: str) -> HttpResponse:
    return report_page(request, describe_record(found_at(slug, year)))


def found_at(slug: str, year: int) -> Announcement:
    # The published announcement at the address, or once there; else 404.
    now = timezone.now()
    announcement = announcement_at(slug, year, now) or announcement_formerly_at(slug, year, now)
    if announcement is None:
        raise Http404(_("There is no such announcement."))
    return announcement


def addresses(announcement: Announcement) -> dict[str, str]:
    # The page's path in each language of the portal; each slug is that language's, if any.
    found = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found[language] = announcement.get_absolute_url()
    return found
