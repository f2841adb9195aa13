"""What machines read of the directory: the files of any list, one copy for all caches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from urllib.parse import quote

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clusters.directory.results import Directory
from clusters.formats.clusters import FACTS, cluster_records
from clusters.formats.facts import Record
from clusters.formats.files import (
    CSV_PARAMETERS,
    about_list,
    csv_file,
    csv_style,
    json_file,
    spreadsheet_file,
)
from clusters.formats.schema_org import cluster_data
from clusters.formats.writers import CsvStyle
from clusters.http.addresses import Data, absolute
from clusters.http.responses import cacheable, conditional, error_response, wrong_choices
from clusters.models import Cluster, ClusterState, ManagementRole
from clusters.models.keys import in_chunks
from labels.formats.records import certifications, headline_records
from labels.register.holdings import directory
from labels.register.queries import labels_of

# The words that were searched for, in UTF-8 with % before what is not ASCII.
CORRECTED_TO = "Corrected-To"


@dataclass(frozen=True)
class DirectoryRequest:
    """What an address asks of the directory, and the moment of asking."""

    directory: Directory
    now: datetime
    language: str
    style: CsvStyle

    @property
    def day(self) -> date:
        return self.directory.day

    @property
    def name(self) -> str:
        return f"clusters-{self.day}"

    @property
    def page(self) -> str:
        return absolute(self.directory.query.url(reverse("clusters:list")))

    def records(self) -> Iterator[Record]:
        return cluster_records(self.directory.keys(), self.day, headline_records)

    def descriptions(self) -> Iterator[Data]:
        found = Cluster.objects.published().with_place().prefetch_related("names", "fact_sources")
        # A few at a time: a list may name every cluster.
        for keys in in_chunks(self.directory.keys()):
            clusters = found.in_bulk(keys)
            labels = labels_of(clusters.values(), self.day)
            for cluster in filter(None, map(clusters.get, keys)):
                yield cluster_data(cluster, certifications(labels[cluster.pk]))


View = Callable[[DirectoryRequest], HttpResponseBase]


def directory_view(answer: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view that takes what the directory's list takes, and `CSV_PARAMETERS`.

    A page leaves out what it does not understand and says so; nobody would read that here, so a
    wrong value is refused, by its name. Words that nothing has are corrected as on the page, and
    every answer says so: in a header, and where its format has a place for it.
    """

    @require_safe
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponseBase:
        wrong = wrong_choices(request, **CSV_PARAMETERS)
        if wrong:
            return error_response(request, wrong, 400)
        language, now = request.GET.get("lang", "en"), timezone.now()
        # By the address, not by the reader’s browser: one copy for all caches.
        with translation.override(language):
            found = directory(request.GET, reverse("clusters:list"), timezone.localdate(now))
            if found.wrong_values:
                return error_response(
                    request, [_without_remedy(text) for text in found.wrong_values], 400
                )
            query = DirectoryRequest(found, now, language, csv_style(request))
            response = cacheable(answer(query), now)
            if found.corrected_to:
                response[CORRECTED_TO] = quote(found.corrected_to)
                response["Access-Control-Expose-Headers"] = CORRECTED_TO
            return conditional(request, response)

    return view


def _without_remedy(problem: str) -> str:
    # Behind the semicolon stands what a page does about it.
    return problem.rpartition("; ")[0] or problem


@directory_view
def clusters_csv(query: DirectoryRequest) -> HttpResponseBase:
    return csv_file(FACTS, query.records(), name=query.name, style=query.style)


@directory_view
def clusters_xlsx(query: DirectoryRequest) -> HttpResponseBase:
    found = query.directory
    words = {name: found.names(name) for name in ("level", "country", "portfolio")} | {
        "state": dict(ClusterState.choices),
        "label_state": found.names("state"),
        "manager_roles": dict(ManagementRole.choices),
    }
    return spreadsheet_file(
        FACTS,
        query.records(),
        name=query.name,
        sheet="clusters",
        on=query.day,
        words=words,
        about=about_list(query.page, query.day, found.in_words()),
    )


@directory_view
def clusters_json(query: DirectoryRequest) -> HttpResponseBase:
    head = {
        "on": query.day.isoformat(),
        "page": query.page,
        "count": query.directory.total,
        "corrected_to": query.directory.corrected_to or None,
    }
    return json_file(head, "clusters", query.records(), name=f"{query.name}.json")


@directory_view
def clusters_jsonld(query: DirectoryRequest) -> HttpResponseBase:
    head = {"@context": "https://schema.org"}
    return json_file(head, "@graph", query.descriptions(), name=f"{query.name}.jsonld")
