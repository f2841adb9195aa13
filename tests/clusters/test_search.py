from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.models import Cluster, ClusterName, ClusterText, OrganisationName, Portfolio
from clusters.search import Directory, DirectoryQuery, Facet, countries_called, read_query
from labels.models import Level
from labels.register import cluster_ids_holding, level_options
from tests.factories import (
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    portfolio,
    region,
)

DAY = date(2015, 9, 8)
CODES = {"portfolios": {"ict", "biotechnology"}, "levels": {"gold", "silver", "bronze"}}


def read(text: str) -> DirectoryQuery:
    return read_query(QueryDict(text), **CODES)


def directory(text: str = "", day: date = DAY) -> Directory:
    portfolios, levels = list(Portfolio.objects.all()), level_options()
    return Directory(
        query=read_query(
            QueryDict(text),
            portfolios={row.code for row in portfolios},
            levels={level.code for level in levels},
        ),
        path="/en/clusters/",
        holders=lambda codes: cluster_ids_holding(codes, day),
        portfolios=portfolios,
        levels=levels,
    )


def found(text: str) -> list[Cluster]:
    return list(directory(text).clusters().in_directory_order())


def counts(facets: list[Facet]) -> dict[str, dict[str, int]]:
    return {
        facet.name: {option.value: option.count for option in facet.options} for facet in facets
    }


def test_read_query_takes_repeated_values_in_a_stable_order() -> None:
    query = read("country=NO&country=IT&country=NO&level=silver&level=gold&q=+bio++park+")

    assert query == DirectoryQuery(words="bio park", country=("IT", "NO"), level=("gold", "silver"))


def test_read_query_folds_the_case_of_codes() -> None:
    assert read("country=it&portfolio=ICT&level=Gold") == DirectoryQuery(
        country=("IT",), portfolio=("ict",), level=("gold",)
    )


def test_read_query_ignores_unknown_parameters() -> None:
    assert read("utm_source=x&colour=red").is_plain


def test_read_query_names_values_that_do_not_exist() -> None:
    query = read("country=XX&country=IT&portfolio=spells&level=platinum")

    assert (query.country, query.problems) == (
        ("IT",),
        (
            "There is no country “XX”; it was left out.",
            "There is no portfolio “spells”; it was left out.",
            "There is no level “platinum”; it was left out.",
        ),
    )


def test_read_query_searches_the_first_words_of_many_and_says_so() -> None:
    query = read("q=a+b+c+d+e+f+g+h+i")

    assert (query.words, query.problems) == (
        "a b c d e f g h",
        ("Only the first 8 words were searched for.",),
    )


@pytest.mark.parametrize("text", ["2015-02-30", "8.9.2015", "20150908", "2015-W37-2", "x"])
def test_read_query_names_a_day_that_is_none(text: str) -> None:
    query = read(f"on={text}")

    assert (query.on, query.problems) == (
        None,
        (f"“{text}” is not a day like 2015-09-08; today is shown.",),
    )


values = st.lists(st.sampled_from(["IT", "NO", "XX", "gold", "ict", "nothing", ""]), max_size=3)


@given(
    st.fixed_dictionaries(
        {"country": values, "portfolio": values, "level": values, "other": values},
    ),
    st.text(max_size=20),
    st.sampled_from(["", "2015-09-08", "nonsense"]),
)
def test_querystring_reads_back_as_the_same_query(
    chosen: dict[str, list[str]], words: str, on: str
) -> None:
    data = QueryDict(mutable=True)
    data.update({"q": words, "on": on})
    for name, listed in chosen.items():
        data.setlist(name, listed)

    query = read_query(data, **CODES)

    assert read(query.querystring()) == query


def test_querystring_has_one_order() -> None:
    text = "on=2015-09-08&level=gold&country=NO&q=bio&country=IT"

    assert read(text).querystring() == "q=bio&country=IT&country=NO&level=gold&on=2015-09-08"


def test_plain_query_leads_to_the_bare_address() -> None:
    assert DirectoryQuery().url("/en/clusters/") == "/en/clusters/"


def test_toggled_adds_and_takes_away() -> None:
    query = DirectoryQuery(country=("NO",))

    both = query.toggled("country", "IT")

    assert (both.country, both.toggled("country", "NO").country) == (("IT", "NO"), ("IT",))


def name_it(cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(name="Quarzwerk")


def name_it_formerly(cluster: Cluster) -> None:
    ClusterName.objects.create(cluster=cluster, name="Quarzwerk")


def describe_it(cluster: Cluster) -> None:
    ClusterText.objects.create(cluster=cluster, language="it", description="Il quarzwerk.")


def summarise_it(cluster: Cluster) -> None:
    ClusterText.objects.create(cluster=cluster, language="en", tagline="All about quarzwerk")


def settle_it(cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(town="Quarzwerk")


def manage_it(cluster: Cluster) -> None:
    make_management(cluster=cluster, organisation=make_organisation(name="Quarzwerk GmbH"))


def manage_it_under_a_former_name(cluster: Cluster) -> None:
    management = make_management(cluster=cluster)
    OrganisationName.objects.create(organisation=management.organisation, name="Quarzwerk AG")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tell",
    [
        name_it,
        name_it_formerly,
        describe_it,
        summarise_it,
        settle_it,
        manage_it,
        manage_it_under_a_former_name,
    ],
)
def test_search_finds_a_cluster_by_what_is_known_of_it(tell: Any) -> None:
    wanted, _other = make_cluster(), make_cluster()
    tell(wanted)

    assert found("q=quarzWERK") == [wanted]


@pytest.mark.django_db
def test_search_finds_a_cluster_by_its_region() -> None:
    wanted = make_cluster(region=region("IT-21"))
    make_cluster(region=region("IT-25"))

    assert found("q=piemonte") == [wanted]


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["health", "salute"])
def test_search_finds_a_cluster_by_its_portfolio_in_both_languages(word: str) -> None:
    wanted = make_cluster(portfolio=portfolio("health-and-medical-science"))
    make_cluster(portfolio=portfolio("ict"))

    assert found(f"q={word}") == [wanted]


@pytest.mark.django_db
def test_search_finds_a_cluster_by_its_country() -> None:
    wanted = make_cluster(country="NO")
    make_cluster(country="IT")

    assert found("q=norway") == [wanted]


def test_countries_are_called_by_four_letters_at_least() -> None:
    assert (countries_called("ita"), countries_called("ital")) == ([], ["IT"])


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["Énergie", "énergie", "ÉNERGIE"])
def test_search_knows_the_case_of_accented_letters(typed: str) -> None:
    wanted = [make_cluster(name="Pôle Énergie"), make_cluster(name="Valorisation énergie")]
    make_cluster(name="Pôle Eau")

    assert found(f"q={typed}") == wanted


@pytest.mark.django_db
def test_search_wants_every_word_wherever_it_stands() -> None:
    wanted = make_cluster(name="bioPmed", town="Ivrea")
    make_cluster(name="bioPmed two", town="Torino")

    assert found("q=ivrea+biopmed") == [wanted]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["%25", "_", "%5C"])
def test_search_takes_wildcards_as_letters(typed: str) -> None:
    make_cluster(name="Plain")

    assert found(f"q={typed}") == []


@pytest.mark.django_db
def test_search_does_not_name_a_hidden_manager() -> None:
    hidden = make_organisation(name="Quarzwerk", is_published=False)
    make_management(organisation=hidden)

    assert found("q=quarzwerk") == []


@pytest.mark.django_db
def test_directory_leaves_out_what_is_not_published() -> None:
    make_cluster(is_published=False)

    assert found("") == []


@pytest.mark.django_db
def test_directory_is_sorted_by_name_in_any_case() -> None:
    names = ["Zeta", "alpha", "Beta"]
    for name in names:
        make_cluster(name=name)

    assert [cluster.name for cluster in found("")] == ["alpha", "Beta", "Zeta"]


@pytest.mark.django_db
def test_directory_takes_any_value_of_a_filter_and_every_filter() -> None:
    wanted = [
        make_cluster(name="A", country="IT", portfolio=portfolio("ict")),
        make_cluster(name="B", country="NO", portfolio=portfolio("ict")),
    ]
    make_cluster(country="DE", portfolio=portfolio("ict"))
    make_cluster(country="IT", portfolio=portfolio("biotechnology"))

    assert found("country=IT&country=NO&portfolio=ict") == wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2015, 6, 30), 0, id="the day before"),
        pytest.param(date(2015, 7, 1), 1, id="first day"),
        pytest.param(date(2017, 7, 31), 1, id="last day"),
        pytest.param(date(2017, 8, 1), 0, id="the day after"),
    ],
)
def test_directory_filters_by_the_level_valid_that_day(day: date, expected: int) -> None:
    make_label(level="gold", assessed_on="2015-07")

    assert directory("level=gold", day).clusters().count() == expected


@pytest.mark.django_db
def test_facet_counts_disregard_the_choice_of_their_own_filter() -> None:
    make_cluster(country="IT", portfolio=portfolio("ict"))
    make_cluster(country="NO", portfolio=portfolio("ict"))
    make_cluster(country="NO", portfolio=portfolio("biotechnology"))

    facets = directory("country=IT").facets()

    assert counts(facets) == {"country": {"IT": 1, "NO": 2}, "portfolio": {"ict": 1}}


@pytest.mark.django_db
def test_facet_keeps_a_choice_that_finds_nothing() -> None:
    make_cluster(country="IT")

    facets = directory("country=NO&q=nothing").facets()

    assert counts(facets) == {"country": {"NO": 0}}


@pytest.mark.django_db
def test_facet_of_levels_counts_a_cluster_for_each_level_it_holds() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, level="gold")
    make_label(cluster=cluster, level="bronze")
    make_label(cluster=cluster, level="bronze", assessed_on="2015-08")

    assert counts(directory().facets())["level"] == {"gold": 1, "bronze": 1}


@pytest.fixture
def varied(db: None) -> None:
    """Clusters of every mixture that the facets tell apart."""
    codes = ["ict", "biotechnology", None]
    for number, country in enumerate(["IT", "NO", "IT", "DE", "NO", "IT", "IT", "DE", "SE"]):
        code = codes[number % 3]
        cluster = make_cluster(
            name=f"Park {number}" if number % 2 else f"Pole {number}",
            country=country,
            portfolio=portfolio(code) if code else None,
        )
        for level in ("gold", "silver", "bronze")[: number % 4]:
            make_label(cluster=cluster, level=level)
    make_cluster(country="IT", is_published=False)


@settings(max_examples=20)
@given(
    country=st.sets(st.sampled_from(["IT", "NO", "DE"]), max_size=2),
    code=st.sets(st.sampled_from(["ict", "biotechnology"]), max_size=1),
    level=st.sets(st.sampled_from(["gold", "silver"]), max_size=1),
    words=st.sampled_from(["", "park", "pole"]),
)
def test_facet_counts_equal_the_lists_they_lead_to(
    varied: None, country: set[str], code: set[str], level: set[str], words: str
) -> None:
    query = (
        DirectoryQuery(words=words)
        .choosing("country", country)
        .choosing("portfolio", code)
        .choosing("level", level)
    )
    here = directory(query.querystring())

    for facet in here.facets():
        for option in facet.options:
            alone = query.choosing(facet.name, [option.value])
            assert option.count == here.clusters(alone).count()


@pytest.mark.django_db
def test_option_leads_to_the_list_with_and_without_it() -> None:
    make_cluster(country="IT")
    make_cluster(country="NO")

    country = directory("country=IT").facets()[0]

    assert [(option.value, option.is_selected, option.url) for option in country.options] == [
        ("IT", True, "/en/clusters/"),
        ("NO", False, "/en/clusters/?country=IT&country=NO"),
    ]


@pytest.mark.django_db
def test_chips_take_one_value_away_each() -> None:
    chips = directory("q=bio&country=IT&country=NO&level=gold").chips()

    assert [(chip.name, chip.url) for chip in chips] == [
        ("“bio”", "/en/clusters/?country=IT&country=NO&level=gold"),
        ("Italy", "/en/clusters/?q=bio&country=NO&level=gold"),
        ("Norway", "/en/clusters/?q=bio&country=IT&level=gold"),
        (Level.objects.get(code="gold").name, "/en/clusters/?q=bio&country=IT&country=NO"),
    ]


@pytest.mark.django_db
def test_ways_out_name_the_filters_whose_loss_finds_something() -> None:
    make_cluster(name="bioPmed", country="IT")

    ways = directory("q=bio&country=NO&country=SE").ways_out()

    assert [(way.name, way.url) for way in ways] == [
        ("without Norway, Sweden: 1", "/en/clusters/?q=bio"),
    ]
