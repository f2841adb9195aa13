"""News: all, by year, by cluster; an announcement."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.contact.reports import describe_record
from clusters.formats.schema_org import breadcrumbs_data
from clusters.http.addresses import absolute
from clusters.http.links import Link
from clusters.http.paging import numbered_page
from clusters.views.contact import contact_page, cookieless_form, report_page
from news.models import Announcement
from news.queries import (
    announcement_at,
    announcement_formerly_at,
    cluster_at,
    labels_then_and_today,
    recipient_of,
    years,
)
from news.schema_org import article_data

PER_PAGE = 20


@require_safe
def announcement_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    slug = request.GET.get("cluster", "").strip()
    cluster = cluster_at(slug) if slug else None
    announcements = Announcement.objects.for_lists(now)
    context = {
        "section": "news",
        "year": None,
        "years": years(now),
        "cluster": cluster,
        "problem": problem_of(slug) if slug and cluster is None else "",
        "querystring": f"cluster={cluster.slug}" if cluster else "",
        "page_obj": numbered_page(
            announcements.of_cluster(cluster) if cluster else announcements,
            request.GET,
            per_page=PER_PAGE,
        ),
    }
    return TemplateResponse(request, "news/announcement_list.html", context)


@require_safe
def announcement_year(request: HttpRequest, year: int) -> HttpResponse:
    now = timezone.now()
    with_news = years(now)
    if year not in with_news:
        raise Http404(_("There is no news of this year."))
    context = {
        "section": "news",
        "year": year,
        "years": with_news,
        "cluster": None,
        "problem": "",
        "querystring": "",
        "page_obj": numbered_page(
            Announcement.objects.for_lists(now).of_year(year), request.GET, per_page=PER_PAGE
        ),
    }
    return TemplateResponse(request, "news/announcement_list.html", context)


@require_safe
def announcement_detail(request: HttpRequest, year: int, slug: str) -> HttpResponse:
    now = timezone.now()
    announcement = announcement_at(slug, year, now)
    if announcement is None:
        moved = announcement_formerly_at(slug, year, now)
        if moved is None:
            raise Http404(_("There is no such announcement."))
        return redirect(moved, permanent=True)
    text = announcement.text()
    if text is None or text.slug != slug:
        return redirect(announcement)
    request.language_urls = addresses(announcement)  # type: ignore[attr-defined]
    crumbs = [
        Link(_("News"), reverse("news:list")),
        Link(str(year), reverse("news:year", args=[year])),
    ]
    context = {
        "section": "news",
        "announcement": announcement,
        "text": text,
        "url": absolute(request.path),
        "labels": labels_then_and_today(announcement, timezone.localdate()),
        "recipient": recipient_of(announcement, timezone.localdate()),
        "crumbs": crumbs,
        "crumbs_data": breadcrumbs_data(crumbs),
        "article_data": article_data(announcement),
    }
    return TemplateResponse(request, "news/announcement_detail.html", context)


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


def problem_of(slug: str) -> str:
    return _("There is no cluster “%(value)s”; all news is shown.") % {"value": slug[:60]}
