"""Programmes side by side, as a page and as a file."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.formats.files import CSV_PARAMETERS, csv_answer
from clusters.formats.schema_org import breadcrumbs_data
from clusters.http.asof import as_of, read_on
from clusters.http.links import Link
from clusters.http.paging import numbered_page
from clusters.http.responses import (
    cacheable,
    cached_page,
    conditional,
    error_response,
    wrong_choices,
    wrong_day,
)
from clusters.models import Programme, ProgrammeQuerySet
from labels.register.programmes import HEADER, programmes_on, row_of_programme
from labels.register.queries import coverage

PER_PAGE = 50


def programmes_shown() -> ProgrammeQuerySet:
    return Programme.objects.published().with_place().with_names_of_owners().in_directory_order()


@require_safe
@cached_page
def programme_compare(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    shown = as_of(request.GET, request.path, today)
    page = numbered_page(programmes_shown(), request.GET, per_page=PER_PAGE)
    rows = programmes_on(page.object_list, shown.day, today)
    levels = {row.requirement.required.level_id for row in rows if row.requirement}
    crumbs = [Link(_("Programmes"), reverse("clusters:programme_list"))]
    return TemplateResponse(
        request,
        "clusters/programme_compare.html",
        {
            "section": "programmes",
            "as_of": shown,
            "page_obj": page,
            "rows": rows,
            "coverage": coverage(shown.day, levels) if levels else [],
            "crumbs": crumbs,
            "crumbs_data": breadcrumbs_data(crumbs),
        },
    )


@require_safe
def programmes_csv(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    today = timezone.localdate(now)
    wrong = wrong_day(request) + wrong_choices(request, **CSV_PARAMETERS)
    if wrong:
        return error_response(request, wrong, 400)
    day = read_on(request.GET)[0] or today
    with translation.override(request.GET.get("lang", "en")):
        rows = [row_of_programme(row) for row in programmes_on(programmes_shown(), day, today)]
        answer = csv_answer(request, f"programmes-{day}", HEADER, rows)
    return conditional(request, cacheable(answer, now))
