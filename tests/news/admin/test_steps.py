"""The pages of the steps; the rules of each are in tests/news/workflow/test_steps.py."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Account, Role
from news.models import Announcement, ReviewComment
from news.workflow.content import content_digest
from news.workflow.refusals import AnnouncementStep
from news.workflow.steps import approve_announcement
from tests.admin_forms import form_data
from tests.clusters.models.test_history import restore
from tests.factories import MOMENT, make_account, make_announcement, make_team_member

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LIST = "/admin/news/announcement/"


def page_of(step: str, announcement: Announcement) -> str:
    return reverse(f"admin:news_announcement_{step}", args=[announcement.pk])


def change(announcement: Announcement) -> str:
    return reverse("admin:news_announcement_change", args=[announcement.pk])


@pytest.fixture
def editor() -> Account:
    return make_account(Role.EDITOR)


@pytest.fixture
def desk(client: Client, editor: Account) -> Client:
    client.force_login(editor)
    return client


def take(client: Client, step: str, announcement: Announcement, **fields: Any) -> Any:
    path = page_of(step, announcement)
    return client.post(path, form_data(client, path) | fields, follow=True)


STORY: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("submit", {}, {"state": "in_review"}),
    ("comment", {"text": "Name the town."}, {"state": "in_review"}),
    ("send_back", {"text": "Name the town."}, {"state": "draft"}),
    ("approve", {}, {"state": "approved"}),
    ("publish", {"at": "2015-09-08T14:38"}, {"state": "published", "published_at": MOMENT}),
    ("archive", {}, {"state": "archived"}),
    ("withdraw", {"reason": "Wrong."}, {"state": "withdrawn", "withdrawal_reason": "Wrong."}),
    ("return", {}, {"state": "draft", "withdrawal_reason": ""}),
]


def test_announcement_goes_through_its_life(desk: Client, editor: Account) -> None:
    assert {step for step, _fields, _stored in STORY} == {*AnnouncementStep}
    announcement = make_announcement(state="draft", published_at=None)

    for step, fields, stored in STORY:
        page = desk.get(change(announcement)).content.decode()
        assert page_of(step, announcement) in page
        take(desk, step, announcement, **fields)
        announcement.refresh_from_db()
        assert {name: getattr(announcement, name) for name in stored} == stored
        if step != "comment":
            assert announcement.history.latest().history_user == editor
    assert ReviewComment.objects.count() == 2
    assert {row.author for row in ReviewComment.objects.all()} == {editor}


@pytest.mark.parametrize("step", ["comment", "send_back"])
def test_step_needs_its_words(desk: Client, step: str) -> None:
    announcement = make_announcement(state="in_review")

    response = take(desk, step, announcement, text=" ")

    assert response.context["form"].errors.keys() == {"text"}
    assert not ReviewComment.objects.exists()


def test_step_that_is_refused_says_why(desk: Client) -> None:
    announcement = make_announcement(state="in_review")
    announcement.texts.update(state="draft")

    page = desk.get(page_of("approve", announcement)).content.decode()

    assert "No text is ready: mark one as ready first." in page
    assert 'type="submit" class="default"' not in page


def test_what_was_changed_since_the_page_was_opened_is_read_again(desk: Client) -> None:
    announcement = make_announcement(state="in_review")
    path = page_of("approve", announcement)
    data = form_data(desk, path)
    announcement.texts.update(title="Other")

    page = desk.post(path, data).content.decode()

    assert "Somebody changed it since you opened this page: read it again." in page
    assert Announcement.objects.get().state == "in_review"


@pytest.mark.parametrize("screen", ["announcement", "text"])
def test_change_by_a_form_takes_the_approval_back(
    desk: Client, editor: Account, screen: str
) -> None:
    announcement = make_announcement(state="draft")
    approve_announcement(announcement, by=editor, now=MOMENT)
    text = announcement.texts.get()
    path, name = change(announcement), "texts-0-title"
    if screen == "text":
        path, name = reverse("admin:news_announcementtext_change", args=[text.pk]), "title"

    desk.post(path, form_data(desk, path))
    assert Announcement.objects.get().state == "approved"
    changed = desk.post(path, form_data(desk, path) | {name: "Other"}, follow=True)

    assert "it is in review again" in changed.content.decode()
    assert Announcement.objects.get().state == "in_review"


def test_earlier_version_does_not_publish_and_takes_the_approval_back(
    desk: Client, editor: Account
) -> None:
    announcement = make_announcement(kind="event", begins_at=MOMENT, place="Torino")
    was_public = announcement.history.latest()
    Announcement.objects.update(state="draft", place="Milano", published_at=None)
    approve_announcement(announcement, by=editor, now=MOMENT)

    assert restore(desk, announcement, was_public).status_code == 302
    announcement.refresh_from_db()
    assert (announcement.place, announcement.state) == ("Torino", "in_review")


def test_team_is_not_asked_who_reviews(client: Client) -> None:
    member = make_team_member()
    client.force_login(member.account)
    announcement = make_announcement(state="draft", written_by=member.organisation)
    path = page_of("submit", announcement)
    reviewer = make_account(Role.LEAD)

    assert "reviewer" not in client.get(path).context["form"].fields
    client.post(path, {"seen": content_digest(announcement), "reviewer": reviewer.pk})

    announcement.refresh_from_db()
    assert (announcement.state, announcement.reviewer) == ("in_review", None)


def test_several_are_withdrawn_with_one_reason(desk: Client) -> None:
    rows = [make_announcement(), make_announcement(state="archived", archived_at=MOMENT)]
    data = {"action": "withdraw_several", "_selected_action": [row.pk for row in rows]}

    asked = desk.post(LIST, data)
    assert [*asked.context["rows"]] == rows[::-1]
    refused = desk.post(LIST, data | {"reason": ""})
    assert refused.context["form"].errors.keys() == {"reason"}
    assert not Announcement.objects.filter(state="withdrawn").exists()

    desk.post(LIST, data | {"reason": "Wrong."})
    assert [*Announcement.objects.values_list("state", "withdrawal_reason")] == [
        ("withdrawn", "Wrong.")
    ] * 2


def test_several_are_withdrawn_together_or_not(desk: Client) -> None:
    rows = [make_announcement(), make_announcement(state="draft", title="Draft")]
    data = {"action": "withdraw_several", "_selected_action": [row.pk for row in rows]}

    form = desk.post(LIST, data | {"reason": "Wrong."}).context["form"]

    assert form.non_field_errors() == [
        "Draft: Only what has appeared is withdrawn.",
        "So nothing was changed.",
    ]
    assert form["reason"].value() == "Wrong."
    assert not Announcement.objects.filter(state="withdrawn").exists()


def test_one_button_saves_and_goes_on_to_publish(desk: Client) -> None:
    announcement = make_announcement(state="draft")
    address = f"/admin/news/announcement/{announcement.pk}/change/"
    assert 'name="_publish_next"' in desk.get(address).text

    response = desk.post(address, form_data(desk, address) | {"_publish_next": "1"})

    assert response["Location"] == page_of("publish", announcement)


def test_who_may_not_publish_is_not_led_there(client: Client) -> None:
    member = make_team_member()
    client.force_login(member.account)
    announcement = make_announcement(state="draft", written_by=member.organisation)
    address = f"/admin/news/announcement/{announcement.pk}/change/"
    assert 'name="_publish_next"' not in client.get(address).text

    response = client.post(address, form_data(client, address) | {"_publish_next": "1"})

    assert response["Location"] == LIST
