"""Who is told of a proposal, and what the log says of it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from clusters.models import Account, Event, EventKind, Role
from labels.life import steps as life
from labels.life.proposals import refuse_proposal
from labels.models import Decision, Label
from tests.admin_tables import client_of, confirm, upload
from tests.factories import (
    DECIDED_AT,
    approve,
    change_label,
    make_account,
    make_cluster,
    make_label,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Account]:
    """Who might be told: two leads and a superuser may approve."""
    return {
        "lead": make_account(Role.LEAD, email="lead@example.org"),
        "other": make_account(Role.LEAD, email="other@example.org", language="it"),
        "root": make_account(email="root@example.org", is_superuser=True),
        "editor": make_account(Role.EDITOR, email="editor@example.org"),
        "auditor": make_account(Role.AUDITOR, email="auditor@example.org"),
        "gone": make_account(Role.LEAD, email="gone@example.org", is_active=False),
        "team": make_team_member(account=make_account(email="team@example.org")).account,
    }


def told() -> dict[str, str]:
    """The subject of the one mail that each got; what was sent is forgotten."""
    sent = sent_mails()
    assert all(len(one.to) == 1 and not one.cc and not one.bcc for one in sent)
    found = {one.to[0]: str(one.subject) for one in sent}
    assert len(found) == len(sent)
    sent.clear()
    return found


def corrected(label: Label, by: Account, **fields: Any) -> Decision:
    for name, value in fields.items():
        setattr(label, name, value)
    return life.correct(label, reason="Misread.", by=by, now=DECIDED_AT)


def events(*kinds: EventKind) -> list[tuple[str, str, str]]:
    rows = Event.objects.filter(kind__in=kinds).order_by("pk").select_related("account", "about")
    return [(row.kind, row.account.email if row.account else "", row.detail) for row in rows]


def test_who_may_approve_is_told_and_then_who_proposed(people: dict[str, Account]) -> None:
    label = make_label()
    decision = corrected(label, people["editor"], score=90)
    assert told().keys() == {"lead@example.org", "other@example.org", "root@example.org"}

    approve(decision, by=people["lead"])
    assert told().keys() == {"editor@example.org"}
    assert events(EventKind.LABEL_PROPOSED, EventKind.LABEL_DECIDED) == [
        ("label-proposed", "editor@example.org", f"correction, label {label.public_id}"),
        ("label-decided", "lead@example.org", f"made: correction, label {label.public_id}"),
    ]


def test_lead_who_proposed_is_not_asked(people: dict[str, Account]) -> None:
    corrected(make_label(), people["lead"], score=90)

    assert told().keys() == {"other@example.org", "root@example.org"}


def test_refusal_is_told_with_its_word(people: dict[str, Account]) -> None:
    label = make_label()
    decision = corrected(label, people["editor"], score=90)
    sent_mails().clear()

    refuse_proposal(decision, answer="Not printed.", by=people["lead"], now=DECIDED_AT)

    [sent] = sent_mails()
    assert sent.to == ["editor@example.org"]
    assert "Not printed." in str(sent.body)
    assert events(EventKind.LABEL_DECIDED) == [
        ("label-decided", "lead@example.org", f"refused: correction, label {label.public_id}")
    ]


def test_what_one_takes_back_is_told_to_nobody(people: dict[str, Account]) -> None:
    decision = corrected(make_label(), people["editor"], score=90)
    sent_mails().clear()

    refuse_proposal(decision, answer="My slip.", by=people["editor"], now=DECIDED_AT)

    assert told() == {}


def test_what_one_corrects_alone_is_told_to_nobody(people: dict[str, Account]) -> None:
    corrected(make_label(), people["editor"], source="A list.")

    assert told() == {}


def test_table_of_many_is_one_mail_to_each_and_its_preview_none(people: dict[str, Account]) -> None:
    clusters = [make_cluster() for _ in range(3)]
    lines = "".join(f"{one.public_id},gold,2015-07,A list,Told so.\n" for one in clusters)
    table = f"cluster,level,awarded_on,source,reason\n{lines}"
    client, page = client_of(people["editor"]), reverse("admin:labels_label_import")

    preview = upload(client, page, table)
    assert told() == {}
    assert events(EventKind.LABEL_PROPOSED, EventKind.IMPORTED) == []

    confirm(client, page, preview)
    assert told().keys() == {"lead@example.org", "other@example.org", "root@example.org"}
    assert len(events(EventKind.LABEL_PROPOSED)) == 3
    [(_kind, account, _detail)] = events(EventKind.IMPORTED)
    assert account == "editor@example.org"


def test_look_at_a_step_is_told_to_nobody(people: dict[str, Account]) -> None:
    label = change_label(make_label(), assessed_on="2026-03-10")
    page = reverse("admin:labels_label_revoke", args=[label.pk])

    shown = client_of(people["lead"]).post(page, {"on": "2026-12-01", "reason": "Audit."})

    assert shown.status_code == 200
    assert told() == {}
    assert events(EventKind.LABEL_PROPOSED) == []


def test_what_is_refused_is_told_to_nobody(people: dict[str, Account]) -> None:
    label = make_label()
    with pytest.raises(ValidationError):
        life.extend(label, until=DECIDED_AT.date(), reason="x", by=people["editor"], now=DECIDED_AT)

    assert told() == {}
    assert events(EventKind.LABEL_PROPOSED) == []


def test_cluster_is_logged_when_it_is_hidden_and_published(people: dict[str, Account]) -> None:
    cluster = make_cluster()
    client = client_of(people["lead"])
    listed = reverse("admin:clusters_cluster_changelist")

    for action in ("unpublish", "publish"):
        client.post(listed, {"action": action, "_selected_action": [cluster.pk]})

    kinds = [kind for kind, _account, _detail in events(EventKind.PUBLISHED, EventKind.UNPUBLISHED)]
    assert kinds == ["unpublished", "published"]
