"""What machines read of the news: one copy for all caches, open to every origin."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.http.addresses import absolute
from clusters.http.responses import (
    MOST_LETTERS,
    cacheable,
    cached_page,
    conditional,
    error_response,
    file_response,
    wrong_choices,
)
from labels.formats.calendar import calendar
from labels.formats.records import ROWS_AT_ONCE
from news.lists.calendar import event_entries
from news.lists.feeds import ATOM, ENTRIES, JSON, Channel, atom_feed, feed_address, json_feed
from news.lists.query import AnnouncementList, read_announcement_query
from news.models import Announcement, AnnouncementQuerySet, Topic


@dataclass(frozen=True)
class NewsRequest:
    """What an address asks of the news, and the moment of asking."""

    found: AnnouncementList

    @property
    def latest(self) -> AnnouncementQuerySet:
        return self.found.announcements.latest(ENTRIES)

    @property
    def announcements(self) -> AnnouncementQuerySet:
        return self.found.query.announcements(self.found.now)

    def channel(self, name: str) -> Channel:
        query = self.found.query
        return Channel(
            title=self.found.titled(_("Announcements")),
            page=absolute(query.url(reverse("news:list"))),
            address=absolute(feed_address(query, name)),
        )


def news_view(
    answer: Callable[[NewsRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view that takes what the list takes, and a language; a wrong value is refused by name."""

    @require_safe
    @cached_page
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponseBase:
        now, topics = timezone.now(), list(Topic.objects.all())
        query = read_announcement_query(request.GET, topics)
        wrong = [f"{name}: there is no “{value[:MOST_LETTERS]}”" for name, value in query.unknown]
        wrong += wrong_choices(request, lang=dict(settings.LANGUAGES))
        if wrong:
            return error_response(request, wrong, 400)
        with translation.override(request.GET.get("lang", "en")):
            found = AnnouncementList(query, reverse("news:list"), now, topics)
            response = answer(NewsRequest(found))
            return conditional(request, cacheable(response, now))

    return view


@news_view
def news_atom(query: NewsRequest) -> HttpResponseBase:
    content = atom_feed(query.channel("news_feed"), query.latest)
    return HttpResponse(content, content_type=f"{ATOM}; charset=utf-8")


@news_view
def news_json(query: NewsRequest) -> HttpResponseBase:
    return JsonResponse(
        json_feed(query.channel("news_json"), query.latest),
        content_type=JSON,
        json_dumps_params={"ensure_ascii": False},
    )


@news_view
def news_ics(query: NewsRequest) -> HttpResponseBase:
    title = query.found.titled(_("Events"))
    return calendar_answer(title, query.announcements, "events.ics")


@require_safe
def event_ics(request: HttpRequest, public_id: str) -> HttpResponseBase:
    now = timezone.now()
    wrong = wrong_choices(request, lang=dict(settings.LANGUAGES))
    if wrong:
        return error_response(request, wrong, 400)
    with translation.override(request.GET.get("lang", "en")):
        rows = Announcement.objects.readable(now).with_public_id(public_id)
        announcement = rows.events().first()
        if announcement is None:
            return error_response(request, ["there is no event with this number"], 404)
        answer = calendar_answer(str(announcement), rows, f"{public_id}.ics")
    return conditional(request, cacheable(answer, now))


def calendar_answer(title: str, rows: AnnouncementQuerySet, name: str) -> HttpResponseBase:
    events = event_entries(rows.events().iterator(chunk_size=ROWS_AT_ONCE))
    lines = calendar(title, events)
    return file_response(
        lambda file: file.writelines(lines), name=name, content_type="text/calendar; charset=utf-8"
    )
