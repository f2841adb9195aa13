from datetime import date
from typing import Any

import pytest

from clusters.completeness import (
    FACT_NAMES,
    Completeness,
    Profile,
    ProfileFact,
    Text,
    completeness,
    percent_of,
)
from clusters.dates import PartialDate
from clusters.models import Cluster, ClusterText, ManagementRole, MembershipCount
from tests.factories import make_cluster, make_management, portfolio, region

DAY = date(2026, 11, 22)


def profile(**fields: Any) -> Profile:
    nothing: dict[str, Any] = {
        "facts": frozenset(),
        "texts": [],
        "counted_on": [],
        "confirmed_on": None,
    }
    return Profile(**(nothing | fields))


def test_nothing_is_there() -> None:
    found = completeness(profile(), DAY)

    assert (found.number, found.percent, len(found.missing)) == (0, 0, len(ProfileFact))


def test_everything_is_there() -> None:
    given = frozenset(
        {
            ProfileFact.PORTFOLIO,
            ProfileFact.REGION,
            ProfileFact.TOWN,
            ProfileFact.COORDINATES,
            ProfileFact.WEBSITE,
            ProfileFact.CONTACT,
            ProfileFact.LOGO,
            ProfileFact.LEAD,
        }
    )

    found = completeness(
        profile(
            facts=given,
            texts=[Text("en", "a", "b"), Text("it", "c", "d")],
            counted_on=[PartialDate.parse("2026")],
            confirmed_on=DAY,
        ),
        DAY,
    )

    assert (found.percent, found.missing) == (100, [])


def test_missing_says_in_words_what_one_language_lacks() -> None:
    found = completeness(profile(texts=[Text("en", "a", ""), Text("it", "", "d")]), DAY)

    assert [str(name) for name in found.missing][:2] == [
        "tagline in Italian",
        "description in English",
    ]


def test_every_fact_has_a_name() -> None:
    assert set(FACT_NAMES) == set(ProfileFact)


def test_percent_is_rounded_down() -> None:
    assert [percent_of(number) for number in (0, 7, 13, 14)] == [0, 50, 92, 100]
    assert Completeness(frozenset(ProfileFact) - {ProfileFact.LOGO}).percent == 92


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
    found = completeness(profile(counted_on=[PartialDate.parse(counted_on)]), DAY)

    assert (ProfileFact.MEMBERS in found.present) is expected


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
            lambda: make_cluster(
                portfolio=portfolio(),
                region=region(),
                town="Colleretto",
                latitude="0",
                longitude="0",
                website="https://example.org",
                contact_address="info@example.org",
                logo="logos/a.png",
            ),
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
def test_completeness_is_the_same_in_sql(make: Any, expected: set[ProfileFact]) -> None:
    cluster = make()

    in_sql: Any = Cluster.objects.with_completeness(DAY).get(pk=cluster.pk)

    assert in_sql.completeness_on(DAY).present == expected
    assert in_sql.number_of_facts == len(expected)


@pytest.mark.django_db
def test_with_percent_between_includes_its_lower_end() -> None:
    half = make_cluster(
        portfolio=portfolio(),
        region=region(),
        town="Colleretto",
        latitude="0",
        longitude="0",
        website="https://example.org",
        contact_address="info@example.org",
        logo="logos/a.png",
    )
    make_cluster(town="Colleretto")
    rows = Cluster.objects.with_completeness(DAY)

    assert list(rows.with_percent_between(50, 75)) == [half]
    assert half not in rows.with_percent_between(0, 50)
