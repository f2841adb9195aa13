from datetime import date
from itertools import pairwise

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.directory.query import DirectoryQuery
from clusters.directory.results import Directory
from clusters.http.faceted import Facet
from clusters.models import Cluster
from labels.models import Level
from labels.register.holdings import directory as directory_of
from tests.factories import (
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
)

DAY = date(2015, 9, 8)
PATH = "/en/clusters/"


def directory(text: str = "", day: date = DAY) -> Directory:
    return directory_of(QueryDict(text), PATH, day)


def found(text: str = "", day: date = DAY) -> list[Cluster]:
    by_key, answer = Cluster.objects.in_bulk(), directory(text, day)
    return list(map(by_key.__getitem__, answer.keys()))


def counts(facets: list[Facet]) -> dict[str, dict[str, int]]:
    return {
        facet.name: {option.value: option.count for option in facet.options} for facet in facets
    }


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
        pytest.param(date(2015, 7, 30), 0, id="the day before it is certain"),
        pytest.param(date(2015, 7, 31), 1, id="first certain day"),
        pytest.param(date(2017, 7, 31), 1, id="last day"),
        pytest.param(date(2017, 8, 1), 0, id="the day after"),
    ],
)
def test_directory_filters_by_the_level_valid_that_day(day: date, expected: int) -> None:
    make_label(level="gold", assessed_on="2015-07")

    assert directory("level=gold", day).total == expected


@pytest.mark.django_db
def test_facet_counts_disregard_the_choice_of_their_own_filter() -> None:
    make_cluster(country="IT", portfolio=portfolio("ict"))
    make_cluster(country="NO", portfolio=portfolio("ict"))
    make_cluster(country="NO", portfolio=portfolio("biotechnology"))

    facets = directory("country=IT").facets()

    # Of level, region and manager nothing is known, which is nothing to choose.
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

    # All levels stand there: one that is missing would be sought.
    assert counts(directory().facets())["level"] == {"gold": 1, "silver": 0, "bronze": 1}


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
        if facet.name == "profile":
            continue
        for option in facet.options:
            alone = query.choosing(facet.name, [option.value])
            assert option.count == directory(alone.querystring()).total


@pytest.mark.django_db
def test_option_leads_to_the_list_with_and_without_it() -> None:
    make_cluster(country="IT")
    make_cluster(country="NO")

    (country,) = [facet for facet in directory("country=IT").facets() if facet.name == "country"]

    assert [(option.value, option.is_selected, option.url) for option in country.options] == [
        ("IT", True, "/en/clusters/"),
        ("NO", False, "/en/clusters/?country=IT&country=NO"),
    ]


@pytest.mark.django_db
def test_chips_take_one_value_away_each() -> None:
    chips = directory("q=bio&country=IT&country=NO&level=gold").chips()

    assert [(chip.name, chip.url) for chip in chips] == [
        ("“bio”", "/en/clusters/?level=gold&country=IT&country=NO"),
        (Level.objects.get(code="gold").name, "/en/clusters/?q=bio&country=IT&country=NO"),
        ("Italy", "/en/clusters/?q=bio&level=gold&country=NO"),
        ("Norway", "/en/clusters/?q=bio&level=gold&country=IT"),
    ]


@pytest.mark.django_db
def test_ways_out_name_the_filters_whose_loss_finds_something() -> None:
    make_cluster(name="bioPmed", country="IT")

    ways = directory("q=bio&country=NO&country=SE").ways_out()

    assert [(way.name, way.url) for way in ways] == [
        ("without Norway, Sweden: 1", "/en/clusters/?q=bio")
    ]


@pytest.mark.django_db
def test_state_is_of_a_label_of_the_level_where_both_are_asked_for() -> None:
    both = make_label(level="gold", assessed_on="2010-01").cluster
    make_label(cluster=both, level="bronze", assessed_on="2015-07")
    make_label(level="bronze", assessed_on="2010-01")

    assert (found("level=gold&state=expired"), found("level=bronze")) == ([both], [both])


@pytest.mark.django_db
def test_near_finds_clusters_around_a_town_or_a_cluster() -> None:
    torino = make_cluster(name="A", town="Torino", latitude="45.07", longitude="7.69")
    ivrea = make_cluster(name="B", town="Ivrea", latitude="45.47", longitude="7.88")
    make_cluster(name="C", town="Roma", latitude="41.89", longitude="12.48")
    make_cluster(name="D")

    assert found("near=torino") == found(f"near={torino.slug}") == [torino, ivrea]
    assert found("near=Torino&within=40") == [torino]


@pytest.mark.django_db
def test_near_nowhere_is_said_and_left_out() -> None:
    make_cluster()

    nowhere = directory("near=Atlantis")

    assert (nowhere.total, nowhere.problems, nowhere.chips()) == (
        1,
        ["No cluster stands in “Atlantis”; the distance was left out."],
        [],
    )


@pytest.mark.django_db
def test_manager_is_of_a_published_organisation_in_force_that_day() -> None:
    foundation = make_organisation(kind="foundation")
    wanted = make_cluster()
    make_management(cluster=wanted, organisation=foundation, started_on="2015")
    make_management(organisation=foundation, ended_on="2014-12")
    make_management(organisation=make_organisation(kind="foundation", is_published=False))

    assert found("manager=foundation") == [wanted]


@pytest.mark.django_db
def test_programme_is_one_in_which_it_takes_part_that_day() -> None:
    programme = make_programme()
    wanted = make_cluster()
    make_participation(programme=programme, cluster=wanted)
    make_participation(programme=programme, ended_on="2014")

    assert found(f"programme={programme.slug}") == [wanted]


@pytest.mark.django_db
def test_meets_wants_the_level_that_a_programme_requires() -> None:
    programme = make_programme()
    programme.required_levels.create(level=Level.objects.get(code="silver"))
    gold, bronze = make_label(level="gold").cluster, make_label(level="bronze").cluster
    make_label(level="gold")
    for cluster in (gold, bronze):
        make_participation(programme=programme, cluster=cluster)

    assert found("meets=yes") == [gold]


@pytest.mark.django_db
def test_provisional_profiles_are_hidden_where_asked() -> None:
    active = make_cluster()
    make_cluster(state="provisional")

    assert (directory().total, found("provisional=no")) == (2, [active])


@pytest.mark.django_db
def test_confirmed_is_within_twelve_months_to_the_day() -> None:
    fresh = make_cluster(confirmed_on=date(2014, 9, 8))
    make_cluster(confirmed_on=date(2014, 9, 7))
    make_cluster()

    assert found("confirmed=yes") == [fresh]


@pytest.mark.django_db
def test_ranges_take_both_ends_and_leave_out_what_is_not_known() -> None:
    wanted = [make_cluster(name=str(year), founded_on=str(year)) for year in (2005, 2010)]
    make_cluster(founded_on="2011-01")
    make_cluster()

    assert found("founded_from=2005&founded_to=2010") == wanted


@pytest.mark.django_db
def test_members_are_those_counted_last() -> None:
    shrunk, grown = make_cluster(), make_cluster()
    for cluster, before, after in ((shrunk, 90, 10), (grown, 10, 90)):
        cluster.membership_counts.create(counted_on="2014", kind="total", count=before)
        cluster.membership_counts.create(counted_on="2015-02", kind="total", count=after)

    assert (found("members_from=50"), found("sort=members")) == ([grown], [grown, shrunk])


@pytest.mark.django_db
def test_sort_by_labels_puts_those_without_last() -> None:
    none = make_cluster(name="A")
    old = make_label(cluster=make_cluster(name="B"), level="gold", assessed_on="2013-12").cluster
    new = make_label(cluster=make_cluster(name="C"), level="gold", assessed_on="2015-01").cluster

    assert found("sort=newest") == [new, old, none]
    assert found("sort=ending") == [old, new, none]


@pytest.mark.django_db
@pytest.mark.parametrize("sort", ["name", "newest", "members"])
def test_pages_follow_one_another_by_key_in_both_directions(sort: str) -> None:
    for number in range(53):
        make_cluster(name=f"Park {number % 7}")
    every = [cluster.pk for cluster in found(f"sort={sort}")]

    pages, url = [], f"?sort={sort}"
    while url:
        pages.append(directory(url.partition("?")[2]).page)
        url = pages[-1].next_url

    assert [key for page in pages for key in page.keys] == every
    assert [len(page.keys) for page in pages] == [24, 24, 5]
    for earlier, later in pairwise(pages):
        back = directory(later.previous_url.partition("?")[2]).page
        assert back.keys == earlier.keys
    assert pages[0].previous_url == ""


@pytest.mark.django_db
def test_page_follows_a_cluster_that_no_longer_fits() -> None:
    gone, here = make_cluster(name="A", country="NO"), make_cluster(name="B", country="IT")

    assert directory(f"country=IT&after={gone.public_id}").page.keys == (here.pk,)


@pytest.mark.django_db
def test_box_finds_what_stands_in_one_of_them_and_is_taken_away_as_one() -> None:
    torino = make_cluster(name="A", latitude="45.07", longitude="7.69")
    roma = make_cluster(name="B", latitude="41.89", longitude="12.48")
    make_cluster(name="C", latitude="45.07", longitude="7.6901")
    make_cluster(name="D")

    boxes = "box=7,45,7.69,45.07&box=12.48,41.89,13,42"

    assert found(boxes) == [torino, roma]
    assert [(chip.name, chip.url) for chip in directory(f"{boxes}&q=x").chips()] == [
        ("“x”", f"/en/clusters/?{boxes}"),
        ("in an area of the map", "/en/clusters/?q=x"),
    ]
    assert directory(boxes).number_of_filters == 1


@pytest.mark.django_db
def test_points_count_the_clusters_found_at_each_place() -> None:
    for country in ("IT", "IT", "NO"):
        make_cluster(country=country, town="X", latitude="45.07", longitude="7.69")
    make_cluster(country="IT")

    points = directory("country=IT").points()

    assert [(point.latitude, point.longitude, point.count) for point in points] == [
        (45.07, 7.69, 2)
    ]


@pytest.mark.django_db
def test_level_held_at_any_time_until_the_day() -> None:
    label = make_label(level="gold", assessed_on="2013-07")  # to July 2015
    later = make_label(level="gold", assessed_on="2016-07")

    assert found("level=gold") == []
    assert found("level=gold&held=ever") == [label.cluster]
    assert found("level=gold&held=ever&on=2027-01-01") == [label.cluster, later.cluster]
    # The state says more, whichever came first.
    assert found("level=gold&held=ever&state=not_yet") == [later.cluster]


@pytest.mark.django_db
def test_choice_of_when_it_was_held_keeps_the_rest_and_ends_with_a_state() -> None:
    make_label(level="gold", assessed_on="2013-07")
    make_label(level="bronze", assessed_on="2013-07")

    (facet,) = [one for one in directory("level=gold").facets() if one.name == "held"]
    (option,) = facet.options

    assert (option.count, option.is_selected) == (1, False)
    assert option.url == f"{PATH}?level=gold&held=ever"
    answer = directory("level=gold&held=ever")
    assert (answer.total, answer.problems) == (1, [])
    assert [chip.url for chip in answer.chips()] == [f"{PATH}?held=ever", f"{PATH}?level=gold"]
    assert "held" not in counts(directory("level=gold&state=expired").facets())


@pytest.mark.django_db
def test_unknown_time_of_holding_is_named() -> None:
    (problem,) = directory("held=never").problems

    assert "“never” is none of ever" in problem


@pytest.mark.django_db
def test_empty_list_of_a_level_leads_first_to_those_that_held_it() -> None:
    make_label(level="gold", assessed_on="2013-07")

    (first, *_others) = directory("level=gold").ways_out()

    assert (first.name, first.url) == ("held at any time: 1", f"{PATH}?level=gold&held=ever")
