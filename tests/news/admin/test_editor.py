"""Writing an announcement: its texts, the preview as the site renders it, what is pasted."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from clusters.models import Role
from news.admin.editor import MarkdownWidget
from news.from_html import MAX_HTML
from news.markup import validate_markdown
from news.models import Announcement
from news.workflow.previews import preview_link
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_team_member,
)
from tests.test_forms import admin_request

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/news/announcement/add/"
NEW = "/admin/news/announcement/preview/"
PASTE = "/admin/news/announcement/paste/"


def change(announcement: Announcement) -> str:
    return reverse("admin:news_announcement_change", args=[announcement.pk])


def typed(**fields: str) -> dict[str, str]:
    fields = {"language": "en", "title": "Gold", "body": "Text."} | fields
    return {"preview": "texts-1"} | {f"texts-1-{name}": value for name, value in fields.items()}


def preview(client: Client, announcement: Announcement, **fields: str) -> str:
    address = reverse("admin:news_announcement_preview", args=[announcement.pk])
    response = client.post(address, typed(**fields))
    assert response.status_code == 200
    return response.content.decode()


def article(page: str) -> str:
    found = re.search(r"<article.*?</article>", page, re.DOTALL)
    assert found
    return found[0]


TEXT: dict[str, Any] = {
    "title": "A gold label",
    "lead": "It is told.",
    "body": "A **golden** day.\n\n## More\n\n- one\n- <script>alert(1)</script>",
    "box_title": "",
    "box": "# About",
    "contact_role": "Press desk",
}


def test_preview_is_the_page_that_readers_get(admin_client: Client) -> None:
    about: dict[str, Any] = {"clusters": [make_cluster()], "labels": [make_label()]}
    announcement = make_announcement(state="draft", body="As stored.", **about)

    shown = article(preview(admin_client, announcement, **TEXT))

    assert "As stored." not in shown
    announcement.texts.update(**TEXT)
    link = urlsplit(preview_link(announcement)).path
    stored = article(Client().get(link).content.decode())
    # The addresses of the two pages, to be sent by mail, are all that differs.
    assert re.sub(r"mailto:\S*", "", shown) == re.sub(r"mailto:\S*", "", stored)
    assert "<strong>golden</strong>" in shown
    assert "<script>alert(1)</script>" not in shown


def test_preview_speaks_the_language_of_the_text(admin_client: Client) -> None:
    announcement = make_announcement()

    page = preview(admin_client, announcement, language="it", box="# Di più")

    assert '<html lang="it">' in page
    assert '<html lang="en"' in admin_client.get(change(announcement)).content.decode()


def test_preview_of_a_new_announcement_stores_nothing(admin_client: Client) -> None:
    response = admin_client.post(NEW, typed(title="Gold & <b>more</b>"))

    assert "Gold &amp; &lt;b&gt;more&lt;/b&gt;</h1>" in response.content.decode()
    assert not Announcement.objects.exists()


def test_preview_of_too_much_is_cut(admin_client: Client) -> None:
    page = preview(admin_client, make_announcement(), title="x" * 500, body="y" * 100_000)

    assert "x" * 201 not in page
    assert "y" * 20_001 not in page
    assert "The text is too long to be shown in full." in page


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"preview": "texts-1"},
        typed(language="de"),
        typed(language=""),
        typed() | {"preview": "texts-x"},
        typed() | {"preview": "../texts-1"},
        typed() | {"preview": "texts-1\n"},
    ],
)
def test_what_is_no_text_is_refused(admin_client: Client, sent: dict[str, str]) -> None:
    assert admin_client.post(NEW, sent).status_code == 400


def test_nobody_previews_or_pastes_from_another_site(admin_client: Client) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = admin_client.cookies

    assert client.post(NEW, typed()).status_code == 403
    assert client.post(PASTE, {"html": "<b>a</b>"}).status_code == 403


def test_team_previews_its_draft_until_it_is_submitted(client: Client) -> None:
    member = make_team_member()
    draft = make_announcement(state="draft", written_by=member.organisation)
    other = make_announcement(state="draft")
    client.force_login(member.account)

    addresses = [
        reverse("admin:news_announcement_preview", args=[row.pk]) for row in (draft, other)
    ]
    assert [client.post(one, typed()).status_code for one in addresses] == [200, 404]
    Announcement.objects.filter(pk=draft.pk).update(state="in_review")
    assert client.post(addresses[0], typed()).status_code == 403


def test_preview_asks_the_same_number_of_queries_for_more(
    admin_client: Client, django_assert_num_queries: Any
) -> None:
    few = make_announcement(clusters=[make_cluster()])
    many = make_announcement(clusters=[make_cluster() for _ in range(5)])
    preview(admin_client, few)  # what is remembered for the process is asked for once
    for announcement in (few, many):
        with django_assert_num_queries(18):
            preview(admin_client, announcement)


def test_paste_is_answered_with_markdown(admin_client: Client) -> None:
    response = admin_client.post(PASTE, {"html": "<p>A <b>b</b></p><script>x</script>"})

    assert response.json() == {"markdown": "A **b**"}
    assert admin_client.post(PASTE, {}).json() == {"markdown": ""}
    assert admin_client.post(PASTE, {"html": "x" * (MAX_HTML + 1)}).status_code == 413


def test_auditor_has_nothing_to_paste_into(client: Client) -> None:
    client.force_login(make_account(Role.AUDITOR))

    assert client.post(PASTE, {"html": "<b>a</b>"}).status_code == 403


def test_language_that_is_not_written_is_marked_and_never_faked(admin_client: Client) -> None:
    announcement = make_announcement(language="it", title="Oro")
    data = form_data(admin_client, change(announcement))

    page = admin_client.get(change(announcement)).content.decode()

    assert (data["texts-0-language"], data["texts-1-language"]) == ("it", "en")
    headings = re.findall(r"<h3 id=\"texts-\d-heading\">\s*<b>(\w+)</b>\s*<span.*?>(.*?)<", page)
    assert headings == [("Italian", "ready"), ("English", "missing")]
    assert errors(admin_client.post(change(announcement), data)) == []
    assert announcement.texts.get().language == "it"


def test_further_language_is_a_row_in_settings(admin_client: Client, settings: Any) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "German")]
    announcement = make_announcement()

    data = form_data(admin_client, change(announcement))
    data |= {"texts-2-title": "Gold", "texts-2-body": "Text."}
    assert [data[f"texts-{number}-language"] for number in range(3)] == ["en", "it", "de"]
    assert errors(admin_client.post(change(announcement), data)) == []

    assert [text.language for text in announcement.texts.all()] == ["de", "en"]
    assert announcement in Announcement.objects.missing_a_language()
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_field_of_markdown_has_the_toolbar() -> None:
    request = admin_request()
    found = []
    for model, model_admin in admin.site._registry.items():
        inlines = model_admin.get_inline_instances(request)
        parts: list[tuple[Any, Any]] = [
            (model, model_admin),
            *((one.model, one) for one in inlines),
        ]
        for row, part in parts:
            for field in row._meta.concrete_fields:
                if validate_markdown in field.validators:
                    made: Any = (
                        part.get_formset(request).form
                        if isinstance(part, InlineModelAdmin)
                        else part.get_form(request)
                    )
                    assert isinstance(made.base_fields[field.name].widget, MarkdownWidget), part
                    found.append(field.name)
    assert sorted(found) == ["body", "body", "box", "box"]


def test_what_is_empty_is_folded_and_what_is_wrong_is_open(admin_client: Client) -> None:
    def folded(announcement: Announcement) -> list[str]:
        page = admin_client.get(change(announcement)).content.decode()
        return re.findall(
            r"<details(?: class=\"fold\")?>\s*<summary>\s*(?:<h2[^>]*>)?\s*(\w+)", page
        )

    news, event = (
        make_announcement(),
        make_announcement(kind="event", begins_at="2026-01-01T09:00Z"),
    )
    assert folded(news) == [
        "Background", "Contact", "Background", "Contact",
        "Event", "Call", "Corrections", "Comments",
    ]  # fmt: skip
    assert "Event" not in folded(event)
    make_announcement_text(news, language="it", box="About.", contact_role="Desk")
    assert folded(news).count("Background") == 1

    data = form_data(admin_client, change(news)) | {"place": "x" * 300}
    page = admin_client.post(change(news), data)
    assert errors(page)
    fold = re.search(r"<summary>\s*<h2[^>]*>Event</h2>", page.content.decode())
    assert fold is None
