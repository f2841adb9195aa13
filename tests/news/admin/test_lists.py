"""Marks and filters of the list of announcements."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import MOMENT, make_announcement, make_announcement_text, make_topic

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LIST = "/admin/news/announcement/"
ROWS: dict[str, dict[str, Any]] = {
    "draft": {"state": "draft"},
    "in_review": {"state": "in_review"},
    "approved": {"state": "approved"},
    "published": {},
    "scheduled": {"published_at": timezone.now() + timedelta(days=1)},
    "withdrawn": {"state": "withdrawn", "withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."},
    "archived": {"state": "archived", "archived_at": MOMENT},
}


def titles(client: Client, **asked: str) -> list[str]:
    return sorted(str(row) for row in client.get(LIST, asked).context["cl"].result_list)


def test_each_state_has_its_mark_and_its_filter(admin_client: Client) -> None:
    for name, fields in ROWS.items():
        make_announcement(title=name, **fields)

    page = admin_client.get(LIST).content.decode()
    assert [name for name in ROWS if f'<span class="mark is-{name}">' not in page] == []
    assert {name: titles(admin_client, mark=name) for name in ROWS} == {n: [n] for n in ROWS}
    assert titles(admin_client, mark="other") == sorted(ROWS)


def test_list_is_narrowed_by_language_kind_and_topic(admin_client: Client) -> None:
    topic = make_topic()
    both = make_announcement(title="Both", kind="call", deadline_at=MOMENT, topics=[topic])
    make_announcement_text(both, language="it", title="Entrambe")
    begun = make_announcement(title="Begun")
    make_announcement_text(begun, language="it", title="Cominciato", state="draft")

    assert titles(admin_client, missing="it") == ["Begun"]
    assert titles(admin_client, missing="en") == []
    assert titles(admin_client, missing="fr") == ["Begun", "Both"]
    assert titles(admin_client, kind__exact="call") == ["Both"]
    assert titles(admin_client, topics__id__exact=str(topic.pk)) == ["Both"]
    page = admin_client.get(LIST).content.decode()
    assert '<td class="field-languages">en, (it)</td>' in page
