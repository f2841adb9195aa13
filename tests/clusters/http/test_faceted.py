from collections.abc import Iterator
from dataclasses import fields

import pytest

from clusters.directory.query import DirectoryQuery
from clusters.http.faceted import FacetedQuery
from labels.figures.query import FiguresQuery
from labels.register.query import RegisterQuery
from news.lists.query import AnnouncementQuery

QUERIES = [DirectoryQuery, RegisterQuery, AnnouncementQuery, FiguresQuery]

every_query = pytest.mark.parametrize("query", QUERIES)


def test_every_query_is_looked_at() -> None:
    assert set(kinds_of(FacetedQuery)) == set(QUERIES)


def kinds_of(query: type[FacetedQuery]) -> Iterator[type[FacetedQuery]]:
    for kind in query.__subclasses__():
        yield kind
        yield from kinds_of(kind)


@every_query
def test_choices_are_parameters_in_the_order_of_the_page(query: type[FacetedQuery]) -> None:
    several = [field.name for field in fields(query) if field.default == () and field.compare]

    assert [name for name in several if name in query.choices] == list(query.choices)


@every_query
def test_a_filter_that_is_taken_away_leaves_nothing(query: type[FacetedQuery]) -> None:
    for name in query.choices:
        narrowed = query().toggled(name, "x").changed(words="bio")

        assert narrowed.url("/") == f"/?{narrowed.querystring()}"
        assert narrowed.without("q") == query().choosing(name, ["x"])
        assert narrowed.without(name).url("/") == "/?q=bio"
        assert narrowed.without(name).without("q").is_plain


@every_query
def test_what_is_wrong_makes_no_other_query(query: type[FacetedQuery]) -> None:
    refused = query(unknown=(("level", "x"),), problems=("There is no level “x”.",))

    assert refused.is_plain
    assert refused.url("/") == "/"


@every_query
def test_other_parameters_stand_behind_those_of_the_query(query: type[FacetedQuery]) -> None:
    assert query().url("/", lang="it") == "/?lang=it"
    assert query(words="a b").url("/", lang="it") == "/?q=a+b&lang=it"


@every_query
def test_pairs_for_a_form_leave_out_its_own(query: type[FacetedQuery]) -> None:
    name = next(iter(query.choices))
    narrowed = query(words="bio").toggled(name, "x")

    assert narrowed.pairs("q") == [(name, "x")]
