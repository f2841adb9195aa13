"""One history for a record and all its parts."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from clusters.admin.record_history import parts_of
from clusters.models import Cluster, ClusterText, MembershipCount, Role, Shareholding
from labels.models import LabelSource
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_team_member,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def history_of(client: Client, row: Any, **query: Any) -> Any:
    options = row._meta
    name = f"admin:{options.app_label}_{options.model_name}_history"
    response = client.get(reverse(name, args=[row.pk]), query)
    assert response.status_code == 200
    return response


def told(client: Client, row: Any) -> list[tuple[str, str, str, list[tuple[str, str, str]]]]:
    return [
        (line.part, line.name, str(line.kind), [(c.field, c.old, c.new) for c in line.differences])
        for line in history_of(client, row).context["lines"]
    ]


@pytest.fixture
def secretariat(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD))
    return client


def test_cluster_tells_of_its_parts_in_one_list(secretariat: Client) -> None:
    cluster = make_cluster(name="Alpha", town="A")
    text = ClusterText.objects.create(cluster=cluster, language="en", tagline="First")
    make_management(cluster=cluster, organisation=make_organisation(name="Park"))
    text.tagline = "Second"
    text.save()
    cluster.town = "B"
    cluster.save()
    text.delete()
    label = make_label(cluster=cluster)
    LabelSource.objects.create(label=label, source="A list")

    found = told(secretariat, cluster)

    assert [(part, name, kind) for part, name, kind, _changes in found] == [
        ("Source of a label", "A list", "added"),
        ("Label", "Gold – Alpha, 2015-07", "added"),
        ("Text", "Second", "deleted"),
        ("", "", "changed"),
        ("Text", "Second", "changed"),
        ("Manager", "Park (lead)", "added"),
        ("Text", "First", "added"),
        ("", "", "added"),
    ]
    assert found[3][3] == [("Town", "A", "B")]
    assert found[4][3] == [("Tagline", "First", "Second")]
    assert found[2][3] == [("Language", "English", "–"), ("Tagline", "Second", "–")]
    assert ("Organisation", "–", "Park") in found[5][3]


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: make_announcement_text(announcement=make_announcement()).announcement, "Text"),
        (lambda: make_participation().programme, "Participating cluster"),
        (lambda: make_management().organisation, "Managed cluster"),
        (lambda: make_team_member().organisation, "Team member"),
    ],
)
def test_record_tells_of_its_parts(secretariat: Client, make: Any, part: str) -> None:
    assert part in {line[0] for line in told(secretariat, make())}


# Whose rows belong to a record and are told elsewhere: ledgers of mails, what waits for an answer,
# and what an account may.
TOLD_ELSEWHERE = {
    "clusters.claim", "clusters.confirmationrequest", "clusters.invitation", "clusters.mandate",
    "clusters.teammember", "labels.delivery", "labels.expert", "labels.notice",
}  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [model for model in apps.get_models() if model in admin.site._registry],
    ids=lambda model: model._meta.label_lower,
)
def test_what_goes_with_a_record_is_in_its_history(model: Any) -> None:
    """Found by the relations, whichever are added."""
    told_here = {part.model for part in parts_of(admin.site._registry[model], model(pk=1))}
    gone_with_it = {
        relation.related_model
        for relation in model._meta.related_objects
        if relation.on_delete is models.CASCADE
        and hasattr(relation.related_model, "history")
        and relation.related_model._meta.label_lower not in TOLD_ELSEWHERE
    }

    assert gone_with_it - told_here == set()


def changed_often(cluster: Cluster, number: int) -> None:
    text = ClusterText.objects.create(cluster=cluster, language="en", tagline="0")
    for count in range(number):
        cluster.town = text.tagline = str(count + 1)
        cluster.save()
        text.save()
        make_management(cluster=cluster, role="joint")
        MembershipCount.objects.create(cluster=cluster, counted_on=f"20{count + 10}", count=count)
        LabelSource.objects.create(
            label=make_label(cluster=cluster, assessed_on=f"20{count + 10}-01"), source="A list"
        )


def test_history_asks_the_same_however_long_it_is(
    secretariat: Client, django_assert_max_num_queries: Any
) -> None:
    short, long = make_cluster(), make_cluster()
    changed_often(short, 1)
    changed_often(long, 8)
    history_of(secretariat, short)

    asked = []
    for cluster in (short, long):
        with django_assert_max_num_queries(30) as found:
            history_of(secretariat, cluster)
        asked.append(len(found))

    assert asked[0] == asked[1]


def test_history_comes_in_pages(secretariat: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusters.admin.history_pages.HistoryAdmin.history_list_per_page", 2)
    cluster = make_cluster(town="A")
    for town in "BC":
        cluster.town = town
        cluster.save()

    first, last, beyond = (history_of(secretariat, cluster, p=page) for page in (1, 2, 99))

    assert [len(page.context["lines"]) for page in (first, last, beyond)] == [2, 1, 1]
    assert "3 entries" in first.text
    # The oldest of a page is compared with one of the next.
    assert [(c.old, c.new) for c in first.context["lines"][1].differences] == [("A", "B")]


# Who sees what


@pytest.fixture
def team() -> Any:
    """A member of a team, and the cluster that it manages."""
    member = make_team_member()
    return member.account, make_management(organisation=member.organisation).cluster


def test_team_is_told_of_the_parts_that_it_sees(client: Client, team: Any) -> None:
    account, cluster = team
    ClusterText.objects.create(cluster=cluster, language="en", tagline="Mine").delete()
    hidden = make_organisation(name="Hidden", is_published=False)
    make_management(cluster=cluster, organisation=hidden, role="joint").delete()
    make_management(cluster=cluster, organisation=hidden, role="joint")
    make_label(cluster=cluster, is_published=False)
    client.force_login(account)

    page = history_of(client, cluster)

    assert "Hidden" not in page.text
    assert [(line.part, str(line.kind)) for line in page.context["lines"]] == [
        ("Text", "deleted"),
        ("Text", "added"),
        ("Manager", "added"),
        ("", "added"),
    ]


def test_hidden_field_of_a_part_is_not_told(client: Client, team: Any) -> None:
    account, cluster = team
    make_label(
        cluster=cluster, level="silver", areas_of_improvement="Secret", benchmarked_on="2012"
    )
    client.force_login(account)

    page = history_of(client, cluster)

    assert "Label" in {line.part for line in page.context["lines"]}
    assert "Secret" not in page.text
    client.force_login(make_account(Role.EDITOR))
    assert "Secret" in history_of(client, cluster).text


def test_deleted_part_is_judged_by_what_it_held_last(client: Client) -> None:
    member = make_team_member()
    other = make_organisation()
    shareholding = Shareholding.objects.create(
        organisation=member.organisation, shareholder=other, started_on="2001"
    )
    shareholding.delete()
    client.force_login(member.account)

    assert "Shareholder" not in {line[0] for line in told(client, member.organisation)}
    client.force_login(make_account(Role.AUDITOR))
    assert "Shareholder" in {line[0] for line in told(client, member.organisation)}


def test_colleague_in_the_team_is_not_named_by_address(client: Client) -> None:
    member = make_team_member()
    colleague = make_team_member(organisation=member.organisation).account
    client.force_login(member.account)

    page = history_of(client, member.organisation)

    assert colleague.email not in page.text
    assert "a colleague" in page.text


def test_part_moved_to_another_record_is_told_on_both(secretariat: Client) -> None:
    management = make_management()
    before = management.cluster
    management.cluster = after = make_cluster(name="After")
    management.save()

    for cluster in (before, after):
        moved = told(secretariat, cluster)[0]
        assert (moved[0], moved[2]) == ("Manager", "changed")
        assert moved[3][0][2] == "After"


def test_record_tells_nothing_of_others(secretariat: Client) -> None:
    make_management()

    assert len(told(secretariat, make_cluster())) == 1
