from datetime import date
from typing import Any

import pytest

from clusters.completeness import FACT_NAMES, ProfileFact, percent_of
from clusters.models import Cluster, ClusterText, ManagementRole, MembershipCount
from tests.factories import make_cluster, make_management, portfolio, region

DAY = date(2026, 11, 22)
COLUMNS = {
    "town": "Colleretto",
    "latitude": "0",
    "longitude": "0",
    "website": "https://example.org",
    "contact_address": "info@example.org",
    "logo": "logos/a.png",
}


def of(cluster: Cluster) -> Cluster:
    return Cluster.objects.with_completeness(DAY).get(pk=cluster.pk)


def present(cluster: Cluster) -> set[ProfileFact]:
    return {fact for fact in ProfileFact if getattr(of(cluster), f"has_{fact}")}


@pytest.mark.django_db
def test_everything_is_there() -> None:
    cluster = make_cluster(confirmed_on=DAY, portfolio=portfolio(), region=region(), **COLUMNS)
    for language in ("en", "it"):
        ClusterText.objects.create(cluster=cluster, language=language, tagline="a", description="b")
    MembershipCount.objects.create(cluster=cluster, counted_on="2026", count=3)
    make_management(cluster=cluster)

    assert of(cluster).missing_facts() == []
    assert percent_of(of(cluster).number_of_facts) == 100


@pytest.mark.django_db
def test_missing_says_in_words_what_one_language_lacks() -> None:
    cluster = with_text(language="en", tagline="a")
    ClusterText.objects.create(cluster=cluster, language="it", description="d")

    assert [str(name) for name in of(cluster).missing_facts()][:2] == [
        "tagline in Italian",
        "description in English",
    ]


def test_every_fact_has_a_name() -> None:
    assert list(FACT_NAMES) == list(ProfileFact)


def test_percent_is_rounded_down() -> None:
    assert [percent_of(number) for number in (0, 7, 13, 14)] == [0, 50, 92, 100]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("counted_on", "expected"),
    [
        pytest.param("2024-11-22", True, id="24 months to the day"),
        pytest.param("2024-11-21", False, id="a day more"),
        pytest.param("2024-11", True, id="the month lasted on"),
        pytest.param("2024-10", False, id="the month before"),
        pytest.param("2024", True, id="the year lasted on"),
        pytest.param("2023", False, id="the year before"),
    ],
)
def test_members_count_for_24_months(counted_on: str, expected: bool) -> None:
    assert (ProfileFact.MEMBERS in present(counted(counted_on))) is expected


def with_text(**fields: Any) -> Cluster:
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, **fields)
    return cluster


def counted(counted_on: str) -> Cluster:
    cluster = make_cluster()
    MembershipCount.objects.create(cluster=cluster, counted_on=counted_on, count=3)
    return cluster


def managed(**fields: Any) -> Cluster:
    cluster: Cluster = make_management(**fields).cluster
    return cluster


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda: make_cluster(), set(), id="nothing"),
        pytest.param(
            lambda: with_text(language="en", tagline="a"), {ProfileFact.TAGLINE_EN}, id="tagline"
        ),
        pytest.param(lambda: with_text(language="it"), set(), id="empty text"),
        pytest.param(
            lambda: with_text(language="it", tagline="a", description="b"),
            {ProfileFact.TAGLINE_IT, ProfileFact.DESCRIPTION_IT},
            id="Italian",
        ),
        pytest.param(
            lambda: make_cluster(portfolio=portfolio(), region=region(), **COLUMNS),
            {
                ProfileFact.PORTFOLIO,
                ProfileFact.REGION,
                ProfileFact.TOWN,
                ProfileFact.COORDINATES,
                ProfileFact.WEBSITE,
                ProfileFact.CONTACT,
                ProfileFact.LOGO,
            },
            id="columns",
        ),
        pytest.param(lambda: counted("2024-11"), {ProfileFact.MEMBERS}, id="counted"),
        pytest.param(lambda: counted("2024-11-21"), set(), id="counted long ago"),
        pytest.param(lambda: managed(), {ProfileFact.LEAD}, id="lead"),
        pytest.param(lambda: managed(role=ManagementRole.JOINT), set(), id="joint only"),
        pytest.param(
            lambda: managed(ended_on="2026-11-22"), {ProfileFact.LEAD}, id="lead, last day"
        ),
        pytest.param(lambda: managed(ended_on="2026-11-21"), set(), id="lead until yesterday"),
        pytest.param(
            lambda: make_cluster(confirmed_on=date(2025, 11, 22)),
            {ProfileFact.CONFIRMED},
            id="confirmed",
        ),
        pytest.param(lambda: make_cluster(confirmed_on=date(2025, 11, 21)), set(), id="stale"),
    ],
)
def test_facts_that_are_there(make: Any, expected: set[ProfileFact]) -> None:
    cluster = make()

    assert present(cluster) == expected
    assert of(cluster).number_of_facts == len(expected)


@pytest.mark.django_db
def test_with_percent_between_includes_its_lower_end() -> None:
    half = make_cluster(portfolio=portfolio(), region=region(), **COLUMNS)
    make_cluster(town="Colleretto")
    rows = Cluster.objects.with_completeness(DAY)

    assert list(rows.with_percent_between(50, 75)) == [half]
    assert half not in rows.with_percent_between(0, 50)
