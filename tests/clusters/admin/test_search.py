"""One search over all records, from every page of admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from clusters.models import Cluster, ClusterText, Role
from labels.models import Label
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_programme,
    make_team_member,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def secretariat(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD))
    return client


def search(client: Client, words: str, **query: Any) -> Any:
    response = client.get(reverse("admin:search"), {"q": words, **query})
    assert response.status_code == 200
    return response


def found(client: Client, words: str, **query: Any) -> dict[str, tuple[int, list[str]]]:
    groups = search(client, words, **query).context["groups"]
    return {group.title: (group.number, [row.name for row in group.rows]) for group in groups}


def text_of(cluster: Cluster, description: str) -> None:
    ClusterText.objects.create(cluster=cluster, language="en", description=description)


def test_records_of_every_kind_are_found_in_groups(secretariat: Client) -> None:
    cluster = make_cluster(name="Xylo Cluster")
    make_organisation(name="Xylo Park")
    make_programme(name_en="Xylo programme")
    make_label(cluster=cluster)
    make_announcement(title="Xylo is gold")
    make_account(email="xylo@example.org")
    make_cluster(name="Other")

    assert found(secretariat, "xylo") == {
        "Clusters": (1, ["Xylo Cluster"]),
        "Organisations": (1, ["Xylo Park"]),
        "Programmes": (1, ["Xylo programme"]),
        "Accounts": (1, ["xylo@example.org"]),
        "Labels": (1, ["Gold – Xylo Cluster, 2015-07"]),
        "Announcements": (1, ["Xylo is gold"]),
    }


@pytest.mark.parametrize(
    "words", ["CAFÉ-ZÜRICH", "cafe zurich", "  Cafe\u2011Zürich ", "zurich cafe"]
)
def test_names_are_found_in_their_normal_form(secretariat: Client, words: str) -> None:
    make_cluster(name="Café Zürich")

    assert found(secretariat, words) == {"Clusters": (1, ["Café Zürich"])}


@pytest.mark.parametrize("is_published", [True, False])
def test_cluster_is_found_by_its_managers_and_texts(
    secretariat: Client, is_published: bool
) -> None:
    cluster = make_cluster(name="Alpha", is_published=is_published)
    text_of(cluster, "Makes rotors of wind mills.")
    organisation = make_organisation(name="Zephyr", is_published=is_published)
    organisation.former_names.create(name="Boreas")
    make_management(cluster=cluster, organisation=organisation)

    for words in ("rotors", "Zephyr", "boreas", "alpha zephyr"):
        assert found(secretariat, words)["Clusters"] == (1, ["Alpha"]), words
    assert found(secretariat, "zephyr nothing") == {}


def test_row_comes_once_however_often_it_has_the_word(secretariat: Client) -> None:
    cluster = make_cluster(name="Xylo")
    cluster.names.create(name="Xylo one")
    cluster.names.create(name="Xylo two")

    assert found(secretariat, "xylo")["Clusters"] == (1, ["Xylo"])


def test_more_than_a_few_are_counted_and_come_by_page(secretariat: Client) -> None:
    for number in range(60):
        make_cluster(name=f"Xylo {number:02}")

    page = search(secretariat, "xylo")
    (group,) = page.context["groups"]
    assert (group.number, len(group.rows)) == (60, 5)
    assert escape(group.url) in page.text
    first = found(secretariat, "xylo", **{"in": "clusters.cluster"})["Clusters"]
    second = found(secretariat, "xylo", **{"in": "clusters.cluster", "p": 2})["Clusters"]

    assert (first[0], len(first[1]), len(second[1])) == (60, 50, 10)
    assert sorted(first[1] + second[1]) == [f"Xylo {number:02}" for number in range(60)]


@pytest.mark.parametrize(
    "query",
    [
        {"q": ""},
        {"q": "'"},
        {"q": '"'},
        {"q": "%_\\"},
        {"q": "a " * 500},
        {"q": "x" * 5000},
        {"q": "xylo", "in": "nothing"},
        {"q": "xylo", "in": "clusters.cluster", "p": "x"},
        {"in": "clusters.cluster"},
    ],
)
def test_whatever_is_asked_has_an_answer(secretariat: Client, query: dict[str, str]) -> None:
    make_cluster(name="Xylo")

    assert secretariat.get(reverse("admin:search"), query).status_code == 200


def test_every_page_has_the_box(secretariat: Client) -> None:
    cluster = make_cluster()

    for path in (
        reverse("admin:index"),
        reverse("admin:clusters_cluster_changelist"),
        reverse("admin:clusters_cluster_change", args=[cluster.pk]),
        reverse("admin:search"),
    ):
        assert f'action="{reverse("admin:search")}"' in secretariat.get(path).text, path


def test_what_was_searched_for_is_no_markup(secretariat: Client) -> None:
    assert "<script>alert" not in search(secretariat, "<script>alert(1)</script>").text


# Who finds what


def test_team_finds_its_own(client: Client) -> None:
    member = make_team_member(organisation=make_organisation(name="Xylo Park"))
    own = make_cluster(name="Xylo Own")
    make_management(organisation=member.organisation, cluster=own)
    make_cluster(name="Xylo Other")
    make_cluster(name="Xylo Hidden", is_published=False)
    client.force_login(member.account)

    assert found(client, "xylo") == {
        "Clusters": (1, ["Xylo Own"]),
        "Organisations": (1, ["Xylo Park"]),
        "Team members": (1, [f"{member.account} (owner)"]),
    }


def test_nobody_finds_by_a_manager_whom_they_do_not_know(client: Client) -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster
    hidden = make_organisation(name="Hidden", is_published=False)
    make_management(cluster=cluster, organisation=hidden, role="joint")
    client.force_login(member.account)

    assert found(client, "hidden") == {}
    client.force_login(make_account(Role.EDITOR))
    assert "Clusters" in found(client, "hidden")


def test_nobody_finds_by_the_text_of_another_teams_draft(client: Client) -> None:
    member = make_team_member()
    draft = make_announcement(state="draft")
    make_announcement_text(announcement=draft, body="A zibaldone", language="it")
    client.force_login(member.account)

    assert found(client, "zibaldone") == {}
    client.force_login(make_account(Role.EDITOR))
    assert [*found(client, "zibaldone")] == ["Announcements"]


def test_search_asks_the_same_however_much_it_finds(
    secretariat: Client, django_assert_max_num_queries: Any
) -> None:
    asked = []
    search(secretariat, "xylo")
    for number in (1, 5):
        for count in range(number):
            cluster = make_cluster(name=f"Xylo {number} {count}")
            make_label(cluster=cluster)
            make_management(
                cluster=cluster, organisation=make_organisation(name=f"Xylo {number} {count}")
            )
            make_announcement(clusters=[cluster])
        with django_assert_max_num_queries(40) as found_queries:
            search(secretariat, "xylo")
        asked.append(len(found_queries))

    assert asked[0] == asked[1]
    assert Label.objects.count() == 6
