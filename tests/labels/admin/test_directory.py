from datetime import date
from typing import Any

import pytest
from django.test import Client

from clusters.models import Programme, Role
from labels.models import RequiredLevel
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_policy_maker, make_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PREFIX = "required_levels"


def screen(programme: Programme) -> str:
    return f"/admin/clusters/programme/{programme.pk}/change/"


def row_screen(required: RequiredLevel, page: str = "change") -> str:
    return f"/admin/labels/requiredlevel/{required.pk}/{page}/"


def require(programme: Programme, **fields: Any) -> RequiredLevel:
    return RequiredLevel.objects.create(
        **{"programme": programme, "level_id": "silver", "source": "A page."} | fields
    )


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_account(Role.EDITOR))
    return client


def added(client: Client, programme: Programme, **fields: str) -> Any:
    """The answer to the programme's screen with one more required level."""
    data = form_data(client, screen(programme))
    number = int(data[f"{PREFIX}-TOTAL_FORMS"])
    data[f"{PREFIX}-TOTAL_FORMS"] = number + 1
    data |= {f"{PREFIX}-{number}-{name}": value for name, value in fields.items()}
    return client.post(screen(programme), data)


def test_secretariat_states_what_a_programme_requires(editor: Client) -> None:
    programme = make_programme()

    response = added(
        editor, programme, level="gold", required_from="2015-01-01", source="https://example.org"
    )

    assert errors(response) == []
    required = RequiredLevel.objects.get(programme=programme)
    assert (required.level_id, required.required_from) == ("gold", date(2015, 1, 1))
    assert required.history.count() == 1


@pytest.mark.parametrize("fields", [{}, {"required_from": "2020-01-01"}])
def test_second_requirement_without_end_is_refused_in_words(
    editor: Client, fields: dict[str, str]
) -> None:
    programme = make_programme()
    require(programme)

    response = added(editor, programme, level="gold", **fields)

    assert "The programme requires a level already: give that one its last day first." in errors(
        response
    )
    assert RequiredLevel.objects.count() == 1


def test_two_new_requirements_without_end_are_refused_in_words(editor: Client) -> None:
    programme = make_programme()
    data = form_data(editor, screen(programme)) | {
        f"{PREFIX}-TOTAL_FORMS": 2,
        f"{PREFIX}-0-level": "gold",
        f"{PREFIX}-1-level": "silver",
    }

    response = editor.post(screen(programme), data)

    assert response.status_code == 200
    assert errors(response) != []
    assert not RequiredLevel.objects.exists()


def test_requirement_that_ends_before_it_starts_is_refused_in_words(editor: Client) -> None:
    response = added(
        editor,
        make_programme(),
        level="gold",
        required_from="2016-01-01",
        required_until="2015-12-31",
    )

    assert "The requirement ends before it starts." in errors(response)


def test_requirement_has_a_history(editor: Client) -> None:
    required = require(make_programme())
    data = form_data(editor, row_screen(required)) | {"source": "Another page."}

    response = editor.post(row_screen(required), data)

    assert errors(response) == []
    page = editor.get(row_screen(required, "history")).content.decode()
    assert required.history.count() == 2
    assert "Source" in page
    assert "Another page." in page


def test_policy_maker_reads_the_requirements_of_their_programmes_only(client: Client) -> None:
    own, other = require(make_programme()), require(make_programme())
    client.force_login(make_policy_maker(own.programme))

    page = client.get(screen(own.programme))

    assert "A page." in page.content.decode()
    assert client.get(row_screen(own)).status_code == 200
    assert client.post(row_screen(own), {"source": "Mine."}).status_code == 403
    assert client.get(row_screen(other)).status_code == 404


def test_auditor_reads_and_does_not_write(client: Client) -> None:
    required = require(make_programme())
    client.force_login(make_account(Role.AUDITOR))

    assert client.get(row_screen(required)).status_code == 200
    assert client.post(row_screen(required), {"source": "Mine."}).status_code == 403


def test_expert_sees_no_requirement_in_admin(client: Client) -> None:
    required = require(make_programme())
    client.force_login(make_account(Role.EXPERT))

    assert client.get(row_screen(required)).status_code == 404
