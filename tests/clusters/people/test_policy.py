"""The table of grants by itself; what it does to every address stands in tests/test_permissions."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from clusters.models import Account, Cluster, Management, Organisation, Role, TeamRole
from clusters.people import policy
from clusters.people.signing_in import needs_second_factor
from config.rights import GRANTS
from labels.models import Label
from news.models import Announcement
from tests.factories import (
    make_account,
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_policy_maker,
    make_team_member,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 22)


def seen(person: policy.Person, model: type[Model], verb: str = policy.VIEW) -> set[str]:
    return {
        str(row) for row in policy.allowed_rows(person, verb, model._default_manager.all(), DAY)
    }


def test_every_field_of_a_grant_exists() -> None:
    wrong = [
        (model, name)
        for grants in GRANTS.values()
        for model, given in grants.items()
        for grant in given
        for name in (*(grant.fields or ()), *grant.hides)
        if name not in {field.name for field in model._meta.get_fields()}
    ]

    assert wrong == []


def test_visitor_may_nothing() -> None:
    make_cluster()

    assert seen(AnonymousUser(), Cluster) == set()
    assert not policy.may(AnonymousUser(), policy.VIEW, Cluster)


def test_account_without_a_role_may_nothing() -> None:
    make_cluster()

    assert seen(make_account(), Cluster) == set()


def test_disabled_account_may_nothing() -> None:
    make_cluster()
    lead = make_account(Role.LEAD, is_active=False)

    assert not policy.may(lead, policy.VIEW, Cluster)
    assert seen(lead, Cluster) == set()


def test_superuser_may_everything_everywhere() -> None:
    make_cluster(name="Any")

    assert seen(Account.objects.create_superuser("root@example.org"), Cluster) == {"Any"}


def test_team_sees_its_organisation_and_the_clusters_that_it_manages() -> None:
    member = make_team_member(organisation=make_organisation(name="Park"))
    make_management(cluster=make_cluster(name="Ours"), organisation=member.organisation)
    make_management(cluster=make_cluster(name="Theirs"))

    assert seen(member.account, Organisation) == {"Park"}
    assert seen(member.account, Cluster) == {"Ours"}


@pytest.mark.parametrize(
    ("started_on", "ended_on", "is_seen"),
    [
        pytest.param(None, None, True, id="unknown days do not bound"),
        pytest.param("2026-11-22", None, True, id="first day"),
        pytest.param("2026-11-23", None, False, id="day before the first"),
        pytest.param(None, "2026-11-22", True, id="last day"),
        pytest.param(None, "2026-11-21", False, id="day after the last"),
        pytest.param(None, "2026-11", True, id="month of the end"),
        pytest.param(None, "2026-10", False, id="month after the end"),
    ],
)
def test_team_manages_from_the_first_to_the_last_day(
    started_on: str | None, ended_on: str | None, is_seen: bool
) -> None:
    member = make_team_member()
    make_management(
        cluster=make_cluster(name="Ours"),
        organisation=member.organisation,
        started_on=started_on,
        ended_on=ended_on,
    )

    assert (seen(member.account, Cluster) == {"Ours"}) is is_seen


def test_team_writes_only_the_fields_of_a_team() -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster

    names = policy.writable_fields(member.account, policy.CHANGE, Cluster, cluster, DAY)

    assert names is not None
    assert names & {"name", "slug", "state", "is_published", "confirmed_on", "portfolio"} == set()
    assert {"website", "contact_address", "logo"} <= names


def test_team_sees_published_labels_and_changes_none() -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster
    public = make_label(cluster=cluster)
    make_label(cluster=cluster, level="bronze", is_published=False)

    assert seen(member.account, Label) == {str(public)}
    assert not policy.may(member.account, policy.CHANGE, Label)


def test_team_changes_its_drafts_and_not_what_is_published() -> None:
    member = make_team_member()
    draft = make_announcement(
        written_by=member.organisation, state="draft", published_at=None, title="Draft"
    )
    public = make_announcement(written_by=member.organisation, title="Public")
    make_announcement(state="draft", published_at=None, title="Of another team")

    assert seen(member.account, Announcement) == {str(draft), str(public)}
    assert seen(member.account, Announcement, policy.CHANGE) == {"Draft"}


def test_draft_that_names_a_cluster_belongs_to_its_writer_only() -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster
    make_announcement(
        written_by=make_organisation(), clusters=[cluster], state="draft", published_at=None
    )

    assert seen(member.account, Announcement) == set()


def test_person_in_two_teams_has_the_rights_of_both() -> None:
    member = make_team_member(organisation=make_organisation(name="First"))
    make_team_member(
        account=member.account, organisation=make_organisation(name="Second"), role=TeamRole.EDITOR
    )

    assert seen(member.account, Organisation) == {"First", "Second"}


def test_only_an_owner_changes_the_team() -> None:
    owner = make_team_member()
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    assert policy.may_on_row(owner.account, policy.CHANGE, editor, DAY)
    assert not policy.may_on_row(editor.account, policy.CHANGE, owner, DAY)
    assert not policy.may_on_row(editor.account, policy.DELETE, owner, DAY)
    assert policy.may_on_row(editor.account, policy.DELETE, editor, DAY)


def test_policy_maker_sees_the_published_clusters_of_the_programme() -> None:
    participation = make_participation(cluster=make_cluster(name="In"))
    make_participation(
        programme=participation.programme, cluster=make_cluster(name="Draft", is_published=False)
    )
    make_participation(cluster=make_cluster(name="In another"))

    assert seen(make_policy_maker(participation.programme), Cluster) == {"In"}


READING = {policy.VIEW, policy.DOWNLOAD}


def verbs_of(account: Account) -> set[str]:
    models = {model for grants in policy.all_grants().values() for model in grants}
    return {
        verb
        for model in models
        for grant in policy.grants_of(account, model)
        for verb in grant.verbs
    }


def test_policy_maker_writes_nothing() -> None:
    assert verbs_of(make_policy_maker()) == READING


def test_auditor_reads_everything_and_writes_nothing() -> None:
    auditor = make_account(Role.AUDITOR)
    make_cluster(name="Hidden", is_published=False)

    assert seen(auditor, Cluster) == {"Hidden"}
    assert verbs_of(auditor) == {policy.VIEW}


def test_editor_does_not_revoke() -> None:
    names = policy.writable_fields(make_account(Role.EDITOR), policy.CHANGE, Label, None, DAY)

    assert names is not None
    assert "revoked_on" not in names


def test_lead_manages_accounts_below() -> None:
    lead = make_account(Role.LEAD)
    editor = make_account(Role.EDITOR)
    other_lead = make_account(Role.LEAD)
    root = Account.objects.create_superuser("root@example.org")

    assert policy.may_on_row(lead, policy.CHANGE, editor, DAY)
    for account in (other_lead, root, lead):
        assert not policy.may_on_row(lead, policy.CHANGE, account, DAY)


def test_right_ends_with_the_management() -> None:
    member = make_team_member()
    management = make_management(organisation=member.organisation)
    assert policy.may_on_row(member.account, policy.CHANGE, management.cluster, DAY)

    Management.objects.filter(pk=management.pk).update(ended_on=str(DAY - timedelta(days=1)))

    assert not policy.may_on_row(member.account, policy.CHANGE, management.cluster, DAY)


# That of a team follows from its rows: tests/permissions asks it of everybody.
@pytest.mark.parametrize("role", [role for role in Role if role != Role.TEAM])
def test_who_reads_what_is_not_public_needs_a_second_factor(role: Role, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True

    assert needs_second_factor(make_account(role))
    assert not needs_second_factor(make_account())


def test_roles_are_read_once_for_a_loaded_account(django_assert_num_queries: Any) -> None:
    account = make_account(Role.EDITOR)
    account = Account.objects.get(pk=account.pk)

    with django_assert_num_queries(2):
        policy.roles_of(account)
        policy.roles_of(account)
