"""What machines read of the register: one copy for all caches, open to every origin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.formats.facts import Record
from clusters.formats.files import (
    CSV_PARAMETERS,
    Words,
    about_list,
    csv_answer,
    csv_file,
    csv_style,
    json_file,
    spreadsheet_file,
)
from clusters.formats.writers import CsvStyle
from clusters.http.addresses import absolute
from clusters.http.asof import read_on
from clusters.http.responses import (
    MOST_LETTERS,
    cacheable,
    conditional,
    error_response,
    file_response,
    redirect_permanently,
    wrong_choices,
    wrong_day,
)
from clusters.models import Cluster, Portfolio, Programme
from clusters.views.machine import DirectoryRequest, directory_view
from labels.formats import calendar, feeds
from labels.formats.records import FACTS, ROWS_AT_ONCE, label_records
from labels.models import STATE_NAMES, Label, LabelKind, LabelQuerySet
from labels.proofs.seal import (
    CONTENT_SECURITY_POLICY,
    Scheme,
    Seal,
    draw_seal,
    seal_of_cluster,
    seal_of_label,
)
from labels.register.holdings import level_options
from labels.register.queries import headline, labels_of
from labels.register.query import RegisterList, RegisterQuery, read_register_query
from labels.register.requirements import COLUMNS, requirement_of, table_rows
from labels.words import REPLY_NAMES

FRESH_SEAL_SECONDS = 900


@dataclass(frozen=True)
class RegisterRequest:
    """What an address asks of the register, and the moment of asking."""

    found: RegisterList
    now: datetime
    language: str
    style: CsvStyle

    @property
    def filters(self) -> RegisterQuery:
        return self.found.query

    @property
    def day(self) -> date:
        return self.found.day

    @property
    def labels(self) -> LabelQuerySet:
        return self.filters.labels(self.day)

    @property
    def name(self) -> str:
        return f"labels-{self.day}"

    @property
    def page(self) -> str:
        # The list for people that shows the same.
        return absolute(self.filters.url(reverse("labels:list")))

    def records(self) -> Iterator[Record]:
        return label_records(self.labels, self.day)


View = Callable[[RegisterRequest], HttpResponseBase]


def register_view(answer: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view that takes what the list of the register takes, and `CSV_PARAMETERS`.

    A page leaves out what it does not understand and says so; nobody would read that here, so a
    wrong value is refused, by its name.
    """

    @require_safe
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponseBase:
        levels, portfolios = level_options(), list(Portfolio.objects.all())
        filters = read_register_query(request.GET, levels, portfolios)
        language = request.GET.get("lang", "en")
        wrong = _wrong_values(request, filters)
        if wrong:
            return error_response(request, wrong, 400)
        with translation.override(language):
            now = timezone.now()
            day = filters.on or timezone.localdate(now)
            found = RegisterList(filters, reverse("labels:list"), day, levels, portfolios)
            query = RegisterRequest(found, now, language, csv_style(request))
            return conditional(request, cacheable(answer(query), now))

    return view


def _wrong_values(request: HttpRequest, filters: RegisterQuery) -> list[str]:
    # Each parameter with a value that cannot be answered, and what is wrong with it.
    wrong = [f"{name}: there is no “{value[:MOST_LETTERS]}”" for name, value in filters.unknown]
    return wrong + wrong_day(request) + wrong_choices(request, **CSV_PARAMETERS)


@register_view
def labels_csv(query: RegisterRequest) -> HttpResponseBase:
    return csv_file(FACTS, query.records(), name=query.name, style=query.style)


@register_view
def labels_xlsx(query: RegisterRequest) -> HttpResponseBase:
    found = query.found
    words: Words = {
        **{name: found.names(name) for name in ("level", "country", "portfolio")},
        "state": STATE_NAMES,
        "valid": REPLY_NAMES,
        "kind": dict(LabelKind.choices),
    }
    return spreadsheet_file(
        FACTS,
        query.records(),
        name=query.name,
        sheet="labels",
        on=query.day,
        words=words,
        about=about_list(query.page, query.day, found.in_words()),
    )


@register_view
def labels_json(query: RegisterRequest) -> HttpResponseBase:
    head = {"on": query.day.isoformat(), "page": query.page}
    return json_file(head, "labels", query.records(), name=f"{query.name}.json")


@register_view
def labels_ics(query: RegisterRequest) -> HttpResponseBase:
    return _calendar_file(query.found.titled(_("Label register")), query.labels, "labels.ics")


@register_view
def labels_atom(query: RegisterRequest) -> HttpResponseBase:
    address = query.filters.url(reverse("labels_atom"), lang=query.language)
    return _feed(query, query.found.titled(_("Label register")), query.labels, address)


def _calendar_file(title: str, labels: LabelQuerySet, name: str) -> HttpResponseBase:
    rows = calendar.with_changes(labels).iterator(chunk_size=ROWS_AT_ONCE)
    lines = calendar.calendar(title, calendar.entries(rows))
    return file_response(
        lambda file: file.writelines(lines), name=name, content_type="text/calendar; charset=utf-8"
    )


def _feed(
    query: RegisterRequest | DirectoryRequest, title: str, labels: LabelQuerySet, address: str
) -> HttpResponse:
    # What happened up to the day; never what is still to come.
    until = min(query.day, timezone.localdate(query.now))
    return HttpResponse(
        feeds.feed_of(labels, until, title=title, page=query.page, address=absolute(address)),
        content_type="application/atom+xml; charset=utf-8",
    )


@directory_view
def clusters_ics(query: DirectoryRequest) -> HttpResponseBase:
    # The ends of the labels of the clusters found, of all levels.
    title = query.directory.titled(_("Labels of clusters"))
    return _calendar_file(title, _labels_of_clusters(query), "clusters.ics")


@directory_view
def clusters_atom(query: DirectoryRequest) -> HttpResponseBase:
    # What happened to the labels of the clusters found.
    address = query.directory.query.url(reverse("clusters_atom"), lang=query.language)
    title = query.directory.titled(_("Labels of clusters"))
    return _feed(query, title, _labels_of_clusters(query), address)


def _labels_of_clusters(query: DirectoryRequest) -> LabelQuerySet:
    held = Label.objects.published().held_by(query.directory.keys())
    return held.with_holder().in_register_order(query.day)


@require_safe
def label_seal(request: HttpRequest, public_id: str) -> HttpResponseBase:
    now = timezone.now()
    day = timezone.localdate(now)
    label = Label.objects.for_pages(day).with_public_id(public_id).first()
    if label is None:
        return error_response(request, ["there is no label with this number"], 404)
    return _seal_picture(request, lambda: seal_of_label(label, day), now)


@require_safe
def cluster_seal(request: HttpRequest, public_id: str) -> HttpResponseBase:
    # Also at the cluster's readable addresses, which lead on to the one that never changes.
    now = timezone.now()
    day = timezone.localdate(now)
    cluster = Cluster.objects.published().at(public_id)
    if cluster is None:
        return error_response(request, ["there is no cluster with this number"], 404)
    if cluster.public_id != public_id:
        return redirect_permanently(request, "cluster_seal", cluster.public_id)
    first = headline(labels_of([cluster], day)[cluster.pk])
    return _seal_picture(request, lambda: seal_of_cluster(cluster, first, day), now)


def _seal_picture(
    request: HttpRequest, seal: Callable[[], Seal], now: datetime
) -> HttpResponseBase:
    wrong = wrong_choices(request, lang=dict(settings.LANGUAGES), scheme=Scheme)
    if wrong:
        return error_response(request, wrong, 400)
    with translation.override(request.GET.get("lang", "en")):
        picture = draw_seal(seal(), Scheme(request.GET.get("scheme", Scheme.AUTO)))
    response = HttpResponse(picture, content_type="image/svg+xml; charset=utf-8")
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return conditional(request, cacheable(response, now, FRESH_SEAL_SECONDS))


@require_safe
def programme_requirement(request: HttpRequest, public_id: str) -> HttpResponseBase:
    # Who holds the level that a programme requires, as the programme's page says it.
    now = timezone.now()
    today = timezone.localdate(now)
    programme = Programme.objects.published().at(public_id)
    if programme is None:
        return error_response(request, ["there is no programme with this number"], 404)
    if programme.public_id != public_id:
        return redirect_permanently(request, "programme_requirement", programme.public_id)
    wrong = wrong_day(request) + wrong_choices(request, **CSV_PARAMETERS)
    if wrong:
        return error_response(request, wrong, 400)
    day = read_on(request.GET)[0] or today
    with translation.override(request.GET.get("lang", "en")):
        rows = table_rows(programme, requirement_of(programme, day, today))
        answer = csv_answer(request, f"requirement-{programme.slug}-{day}", COLUMNS, rows)
    return conditional(request, cacheable(answer, now))
