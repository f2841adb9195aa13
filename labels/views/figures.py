"""Figures over time, as a page and as files."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clusters.formats.files import CSV_PARAMETERS, csv_answer
from clusters.http.asof import as_of
from clusters.http.responses import (
    MOST_LETTERS,
    cacheable,
    cached_page,
    conditional,
    error_response,
    wrong_choices,
    wrong_day,
)
from clusters.models import Portfolio
from labels.figures.page import FILES, FigurePage
from labels.figures.query import read_figures_query
from labels.figures.shades import ranges
from labels.register.holdings import level_options
from labels.register.queries import coverage
from labels.register.query import RegisterList


@require_safe
@cached_page
def figures_page(request: HttpRequest) -> HttpResponse:
    levels, portfolios = level_options(), list(Portfolio.objects.all())
    shown = as_of(request.GET, request.path, timezone.localdate())
    query = read_figures_query(request.GET, levels, portfolios)
    found = RegisterList(query, request.path, shown.day, levels, portfolios)
    page = FigurePage(query, shown.day, levels, portfolios)
    context = {
        "section": "figures",
        "as_of": shown,
        "query": query,
        "kept": query.pairs("on"),
        "facets": found.facets(),
        "selected": found.number_of_filters,
        "chips": found.chips(),
        "problems": query.problems,
        "basis": page.basis,
        "coverage": coverage(shown.day, query.level),
        "figures": [
            (figure, query.csv_url(reverse(f"figures_{figure.name}_csv")))
            for figure in page.figures()
        ],
        "shades": ranges(),
    }
    return TemplateResponse(request, "labels/figures.html", context)


@require_safe
def figures_csv(request: HttpRequest, name: str) -> HttpResponseBase:
    now = timezone.now()
    levels, portfolios = level_options(), list(Portfolio.objects.all())
    query = read_figures_query(request.GET, levels, portfolios)
    wrong = [f"{key}: there is no “{value[:MOST_LETTERS]}”" for key, value in query.unknown]
    wrong += wrong_day(request) + wrong_choices(request, **CSV_PARAMETERS)
    if wrong:
        return error_response(request, wrong, 400)
    day = query.on or timezone.localdate(now)
    columns, rows = FILES[name]
    with translation.override(request.GET.get("lang", "en")):
        page = FigurePage(query, day, levels, portfolios)
        answer = csv_answer(request, f"figures-{name}-{day}", columns, rows(page))
    return conditional(request, cacheable(answer, now))
