"""Labels as a table: every line a step in the life of a label, by the rules of that step."""

import csv
from io import StringIO

import pytest
from django.test import Client

from clusters.models import Role
from labels.life import steps as life
from labels.models import Decision, DecisionKind, DecisionState, Label
from tests.admin_tables import client_of, confirm, differences, findings, messages_of, upload
from tests.factories import (
    DECIDED_AT,
    award_label,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    new_label,
)

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/labels/label/import/"


@pytest.fixture
def editor() -> Client:
    return client_of(make_account(Role.EDITOR))


def test_label_without_public_id_is_proposed_and_not_public(editor: Client) -> None:
    cluster, organisation = make_cluster(), make_organisation()
    table = (
        "cluster,managing_organisation,level,awarded_on,source,reason\n"
        f"{cluster.public_id},{organisation.public_id},gold,2015-07,A list,Told by a list.\n"
    )

    preview = upload(editor, ADDRESS, table)
    confirm(editor, ADDRESS, preview)

    label = Label.objects.get()
    decision = Decision.objects.of_label(label).get()
    assert (label.is_published, label.decided_here) == (False, False)
    assert label.ends_on is not None
    assert (decision.kind, decision.state, decision.reason) == (
        DecisionKind.AWARD, DecisionState.PROPOSED, "Told by a list."
    )  # fmt: skip


def test_label_with_public_id_is_corrected_with_its_reason(editor: Client) -> None:
    label, unchanged = make_label(certificate_number="A-1"), make_label()
    table = (
        "public_id,certificate_number,reason\n"
        f"{label.public_id},A-2,Misread.\n"
        f"{unchanged.public_id},,\n"
    )

    preview = upload(editor, ADDRESS, table)
    answer = confirm(editor, ADDRESS, preview)

    assert differences(preview) == [(2, "certificate_number", "A-1", "A-2")]
    assert messages_of(answer) == ["0 rows were added, 1 was changed."]
    label.refresh_from_db()
    assert label.certificate_number == "A-2"
    assert label.history.latest("history_id").history_change_reason == "Misread."
    decision = Decision.objects.of_label(label).get()
    assert (decision.kind, decision.reason) == (DecisionKind.CORRECTION, "Misread.")
    assert unchanged.history.count() == 1


def test_no_line_bypasses_the_life_of_a_label(editor: Client) -> None:
    overlapping = award_label()
    proposed = life.award(
        new_label(), reason="The jury agreed.", by=make_account(), now=DECIDED_AT
    ).label
    revoked = make_label(revoked_on="2015-09-01", revocation_reason="Audit.")
    stated, cluster = make_label(), make_cluster()
    header = "public_id,cluster,level,assessed_on,score,source,reason\n"
    lines = (
        f",{overlapping.cluster.public_id},gold,2026-03-11,,A list,Again.\n"
        f"{proposed.public_id},{proposed.cluster.public_id},gold,2026-03-12,,,Slip.\n"
        f"{revoked.public_id},{revoked.cluster.public_id},gold,2015-07,,A list,Slip.\n"
        f"{stated.public_id},{stated.cluster.public_id},gold,2015-08,,,\n"
        f",{cluster.public_id},gold,2015-07,12,A list,Under the minimum.\n"
        f",{cluster.public_id},gold,2015-07,,,Without a source.\n"
        ",,,2015-07,,A list,Of nobody.\n"
    )
    before = list(Label.objects.order_by("pk").values())

    preview = upload(editor, ADDRESS, header + lines)

    assert {(line, column) for line, column, _message in findings(preview)} == {
        (2, ""), (3, ""), (4, ""), (5, "reason"), (6, ""), (7, "source"), (8, "cluster"),
        (8, "level"),
    }  # fmt: skip
    assert list(Label.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("column", ["is_published", "revoked_on", "ends_on", "decided_here"])
def test_what_a_step_decides_is_no_column(editor: Client, column: str) -> None:
    answer = upload(editor, ADDRESS, f"public_id,{column}\n{make_label().public_id},true\n")

    assert f"or not yours to write: {column}." in answer.content.decode()


def test_correction_of_a_label_that_changed_since_the_preview_is_refused(editor: Client) -> None:
    label = make_label()
    preview = upload(
        editor, ADDRESS, f"public_id,certificate_number,reason\n{label.public_id},A-2,Misread.\n"
    )
    label.source = "Another list"
    in_effect(life.correct(label, reason="By hand.", by=make_account(), now=DECIDED_AT))

    answer = confirm(editor, ADDRESS, preview)

    assert messages_of(answer) == [
        "Line 2: This row, or what it refers to, was changed since the preview."
    ]
    assert Label.objects.get().certificate_number == ""


def test_export_of_labels_comes_back_unchanged(editor: Client) -> None:
    make_label(managing_organisation=make_organisation(), score="88.25")
    award_label(level="silver")
    answer = editor.post("/admin/labels/label/export/", {"format": "0", "resource": "0"})
    content = answer.content

    preview = upload(editor, ADDRESS, content.decode("utf-8-sig"))

    rows = list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))
    assert [row["level"] for row in rows] == ["gold", "silver"]
    assert (findings(preview), differences(preview)) == ([], [])
    assert preview.context["result"].totals["skip"] == 2
