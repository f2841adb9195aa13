"""A row, or a record with all its parts, made what it was."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from clusters.admin.base import PortalAdmin
from clusters.models import (
    Cluster,
    ClusterText,
    Event,
    EventKind,
    Management,
    MembershipCount,
    Role,
)
from clusters.models.history import Restored
from clusters.people import policy
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
    client.force_login(make_account(Role.LEAD, email="lead@example.org"))
    return client


def address(record: Any, version: Any, *, whole: bool = False) -> str:
    options = record._meta
    name = f"admin:{options.app_label}_{options.model_name}_restore"
    model = version.instance._meta.model_name
    return reverse(name, args=[record.pk, model, version.pk]) + ("?whole" if whole else "")


def shown(page: Any) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """What the page says that would change."""
    return [
        (
            change.part.name,
            str(change.kind),
            [(one.field, one.old, one.new) for one in change.differences],
        )
        for change in page.context["restoration"].changes
    ]


def confirm(client: Client, path: str) -> Any:
    page = client.get(path)
    return client.post(path, {"_versions": page.context["restoration"].versions}, follow=True)


def text_of(cluster: Cluster, tagline: str, language: str = "en") -> ClusterText:
    return ClusterText.objects.create(cluster=cluster, language=language, tagline=tagline)


def rewrite(row: Any, **values: Any) -> Any:
    """Change the row; its version from before."""
    before = row.history.latest()
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return before


# One row


def test_row_of_a_record_is_restored_from_its_history(secretariat: Client) -> None:
    cluster = make_cluster()
    text = text_of(cluster, "First")
    before = rewrite(text, tagline="Second")
    path = address(cluster, before)

    assert (
        path in secretariat.get(reverse("admin:clusters_cluster_history", args=[cluster.pk])).text
    )
    page = secretariat.get(path)
    assert shown(page) == [("Text", "changed back", [("Tagline", "Second", "First")])]
    assert text.history.count() == 2  # it was only looked at
    answer = confirm(secretariat, path)

    assert next(iter(answer.context["messages"])).message.startswith("1 row was restored")
    text.refresh_from_db()
    assert text.tagline == "First"
    latest = text.history.latest()
    assert Restored.parse(latest.history_change_reason) == Restored(before.pk, before.history_date)
    assert latest.history_user.email == "lead@example.org"
    event = Event.objects.get(kind=EventKind.RESTORED)
    assert event.account is not None
    assert (event.account.email, event.detail) == (
        "lead@example.org",
        f"cluster {cluster.pk}, 1 rows",
    )


def test_deleted_row_is_added_again(secretariat: Client) -> None:
    cluster = make_cluster()
    text = text_of(cluster, "Kept")
    key = text.pk
    text.delete()
    deletion = ClusterText.history.latest()

    assert shown(secretariat.get(address(cluster, deletion)))[0][:2] == ("Text", "added again")
    confirm(secretariat, address(cluster, deletion))

    assert [(one.pk, one.tagline) for one in cluster.texts.all()] == [(key, "Kept")]
    assert [one.history_type for one in ClusterText.history.all()] == ["+", "-", "+"]


def test_record_itself_is_restored_without_its_parts(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    before = rewrite(cluster, town="B")
    text_of(cluster, "New")

    confirm(secretariat, address(cluster, before))

    cluster.refresh_from_db()
    assert cluster.town == "A"
    assert cluster.texts.count() == 1


def test_relations_to_many_are_restored(secretariat: Client) -> None:
    alpha, beta = make_cluster(name="Alpha"), make_cluster(name="Beta")
    announcement = make_announcement(clusters=[alpha], state="draft")
    before = announcement.history.latest()
    announcement.clusters.set([beta])

    page = secretariat.get(address(announcement, before))
    assert shown(page)[0][2] == [("Clusters", "Beta", "Alpha")]
    confirm(secretariat, address(announcement, before))

    assert [*announcement.clusters.all()] == [alpha]


def test_nothing_is_offered_where_nothing_differs(secretariat: Client) -> None:
    cluster = make_cluster()

    page = secretariat.get(address(cluster, cluster.history.get()))

    assert "Nothing differs" in page.text
    assert 'type="submit" value="Restore"' not in page.text


# The whole record


def test_whole_record_is_restored_as_of_a_moment(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    changed, deleted = text_of(cluster, "First"), text_of(cluster, "Prima", "it")
    manager = make_management(cluster=cluster)
    MembershipCount.objects.create(cluster=cluster, counted_on="2020", count=10)
    then = MembershipCount.history.latest()
    rewrite(cluster, town="B")
    rewrite(changed, tagline="Second")
    deleted.delete()
    manager.delete()
    MembershipCount.objects.create(cluster=cluster, counted_on="2021", count=20)
    path = address(cluster, then, whole=True)

    assert sorted(one[:2] for one in shown(secretariat.get(path))) == [
        ("Cluster", "changed back"),
        ("Manager", "added again"),
        ("Number of members", "deleted"),
        ("Text", "added again"),
        ("Text", "changed back"),
    ]
    confirm(secretariat, path)

    cluster.refresh_from_db()
    assert cluster.town == "A"
    assert sorted(cluster.texts.values_list("tagline", flat=True)) == ["First", "Prima"]
    assert [one.count for one in cluster.membership_counts.all()] == [10]
    assert cluster.managements.count() == 1
    assert shown(secretariat.get(path)) == []
    assert Event.objects.get(kind=EventKind.RESTORED).detail.endswith("5 rows")


def test_rows_that_stand_in_each_others_way_are_restored_in_an_order_that_fits(
    secretariat: Client,
) -> None:
    cluster = make_cluster()
    first = make_management(cluster=cluster, role="lead")
    then = first.history.latest()
    rewrite(first, role="joint")
    second = make_management(cluster=cluster, role="lead")
    before = rewrite(second, role="joint")
    rewrite(second, role="lead")

    confirm(secretariat, address(cluster, then, whole=True))

    assert [*Management.objects.values_list("pk", "role")] == [(first.pk, "lead")]
    assert before.history_id


def test_part_that_moved_is_no_past_of_its_former_record(secretariat: Client) -> None:
    management = make_management()
    former = management.cluster
    then = management.history.latest()
    rewrite(management, cluster=make_cluster())

    assert shown(secretariat.get(address(former, then, whole=True))) == []


def test_restoring_the_whole_asks_the_same_however_much_changed(
    secretariat: Client, django_assert_max_num_queries: Any
) -> None:
    asked = []
    for number in (1, 8):
        cluster = make_cluster(town="A")
        counts = [
            MembershipCount.objects.create(cluster=cluster, counted_on=f"20{one + 10}", count=1)
            for one in range(number)
        ]
        make_management(cluster=cluster)
        then = Management.history.latest()
        for count in counts:
            rewrite(count, count=2)
            make_management(cluster=cluster, role="joint")
        with django_assert_max_num_queries(80) as found:
            secretariat.get(address(cluster, then, whole=True))
        asked.append(len(found))

    # Whether the person may change it is asked of each row.
    assert asked[1] - asked[0] <= 7


# What stands against it


def test_what_is_refused_is_told_in_words_and_nothing_is_written(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    manager = make_management(cluster=cluster)
    then = manager.history.latest()
    organisation = manager.organisation
    manager.delete()
    organisation.delete()
    rewrite(cluster, town="B")

    answer = confirm(secretariat, address(cluster, then, whole=True))

    assert answer.context["errors"] == [
        "Manager: Organisation: What stood there is not in the register any more."
    ]
    cluster.refresh_from_db()
    assert cluster.town == "B"
    assert not Event.objects.filter(kind=EventKind.RESTORED).exists()


def test_rule_of_the_row_refuses(secretariat: Client) -> None:
    cluster = make_cluster(slug="mine")
    before = rewrite(cluster, slug="other")
    make_cluster(slug="mine")

    answer = confirm(secretariat, address(cluster, before))

    told = "Page address: Cluster with this Page address already exists."
    assert answer.context["errors"] == [told]


def test_cluster_with_public_labels_is_not_hidden(secretariat: Client) -> None:
    cluster = make_cluster(is_published=False)
    before = rewrite(cluster, is_published=True)
    make_label(cluster=cluster)

    answer = confirm(secretariat, address(cluster, before))

    assert "holds public labels" in answer.context["errors"][0]
    cluster.refresh_from_db()
    assert cluster.is_published


def test_labels_stay_as_they_are(secretariat: Client) -> None:
    """Their facts change by steps and corrections, of which two persons decide."""
    cluster = make_cluster(town="A")
    first = cluster.history.latest()
    label = make_label(cluster=cluster)
    rewrite(cluster, town="B")
    assert secretariat.get(address(cluster, label.history.latest())).status_code == 403

    confirm(secretariat, address(cluster, first, whole=True))

    assert Label.objects.filter(pk=label.pk).exists()
    page = reverse("admin:labels_label_history", args=[label.pk])
    lines = secretariat.get(page).context["lines"]
    form = reverse("admin:labels_label_simple_history", args=[label.pk, label.history.latest().pk])
    assert [url for url, _text in lines[0].links] == [form]


def test_who_looked_before_another_changed_it_looks_again(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    text = text_of(cluster, "First")
    before = rewrite(text, tagline="Second")
    path = address(cluster, before)
    seen = secretariat.get(path).context["restoration"].versions
    rewrite(text, tagline="Third")

    answer = secretariat.post(path, {"_versions": seen})

    assert "Somebody changed this" in answer.context["errors"][0]
    assert shown(answer)[0][2] == [("Tagline", "Third", "First")]
    text.refresh_from_db()
    assert text.tagline == "Third"
    assert "Somebody changed this" in secretariat.post(path, {}).context["errors"][0]


def test_logo_whose_file_is_gone_stays(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    cluster.logo.save("old.png", ContentFile(b"x"))
    before = rewrite(cluster, town="B", logo="")
    cluster.logo.storage.delete(before.logo)

    page = secretariat.get(address(cluster, before))

    assert shown(page)[0][2] == [("Town", "B", "A")]
    assert "the file of then is not kept" in page.text


# Who may


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 403), (Role.POLICY_MAKER, 404), (Role.EDITOR, 200)]
)
def test_who_may_restore(client: Client, role: Role, status: int) -> None:
    cluster = make_cluster()
    before = rewrite(text_of(cluster, "First"), tagline="Second")
    client.force_login(make_account(role))

    assert client.get(address(cluster, before)).status_code == status


def test_team_restores_nothing(client: Client) -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster
    before = rewrite(text_of(cluster, "First"), tagline="Second")
    client.force_login(member.account)

    page = client.get(reverse("admin:clusters_cluster_history", args=[cluster.pk]))
    assert all(not line.links for line in page.context["lines"])
    assert client.post(address(cluster, before), {}).status_code == 403


def test_version_of_another_record_is_not_found(secretariat: Client) -> None:
    cluster, other = make_cluster(), make_cluster()
    text_of(other, "Other")

    for version in (other.history.get(), ClusterText.history.get()):
        assert secretariat.get(address(cluster, version)).status_code == 404


def test_field_that_is_not_written_by_the_form_stays(secretariat: Client) -> None:
    programme = make_programme()
    before = rewrite(programme, name_en="Other", public_id="ABCDEFGH")

    page = secretariat.get(address(programme, before))

    assert [one[0] for one in shown(page)[0][2]] == ["Name (English)"]


def test_what_an_action_writes_is_not_restored_past_it(rf: Any) -> None:
    """Whichever admin is added: either nobody restores it, or by a form that asks the action."""
    request = rf.get("/")
    request.user = make_account(is_superuser=True)
    admins: list[Any] = [one for one in admin.site._registry.values() if hasattr(one, "write")]

    by_form = {
        one.opts.label
        for one in admins
        if one.is_written_by_actions and one.allows(request, policy.RESTORE, None)
    }

    assert len(admins) > 30
    assert all(isinstance(one, PortalAdmin) for one in admins)
    assert by_form == {"clusters.ProblemReport", "labels.Label", "labels.Level"}


def test_texts_of_an_announcement_come_back(secretariat: Client) -> None:
    announcement = make_announcement(state="draft")
    text = make_announcement_text(announcement=announcement, title="First", language="it")
    then = text.history.latest()
    text.delete()

    confirm(secretariat, address(announcement, then, whole=True))

    assert "First" in announcement.texts.values_list("title", flat=True)


def test_organisation_is_restored_with_what_it_managed(secretariat: Client) -> None:
    organisation = make_organisation()
    management = make_management(organisation=organisation)
    then = management.history.latest()
    management.delete()

    confirm(secretariat, address(organisation, then, whole=True))

    assert organisation.managements.count() == 1
