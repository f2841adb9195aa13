from datetime import datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from clusters.models import Role
from news.models import Announcement
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_review_comment,
    make_team_member,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/news/announcement/add/"
LIST = "/admin/news/announcement/"


def change(announcement: Announcement) -> str:
    return reverse("admin:news_announcement_change", args=[announcement.pk])


def test_announcement_is_created_in_two_languages(admin_client: Client) -> None:
    cluster, label = make_cluster(), make_label()
    data = form_data(admin_client, ADD) | {
        "published_at": "2015-09-08T14:38",
        "clusters": [cluster.pk],
        "labels": [label.pk],
    }
    for number, title in enumerate(("Gold", "Oro")):
        data |= {
            f"texts-{number}-title": title,
            f"texts-{number}-slug": title.lower(),
            f"texts-{number}-body": "Text.",
        }

    response = admin_client.post(ADD, data)

    assert errors(response) == []
    announcement = Announcement.objects.get()
    texts = [(text.language, text.title) for text in announcement.texts.all()]
    assert texts == [("en", "Gold"), ("it", "Oro")]
    assert announcement.published_at == datetime(
        2015, 9, 8, 14, 38, tzinfo=timezone.get_default_timezone()
    )
    assert list(announcement.labels.all()) == [label]
    assert announcement.history.latest().history_user.get_username() == "admin@example.com"


def test_unchanged_announcement_writes_no_history(admin_client: Client) -> None:
    announcement = make_announcement(clusters=[make_cluster()])
    versions = announcement.history.count()

    admin_client.post(change(announcement), form_data(admin_client, change(announcement)))

    assert announcement.history.count() == versions
    assert announcement.texts.get().history.count() == 1


def test_published_announcement_needs_its_moment(admin_client: Client) -> None:
    announcement = make_announcement()
    data = form_data(admin_client, change(announcement))

    response = admin_client.post(change(announcement), data | {"published_at": ""})

    assert errors(response) == ["Give the publication moment of what is published."]


@time_machine.travel("2026-11-22 12:00:00+00:00", tick=False)
def test_draft_without_a_moment_is_published_now(admin_client: Client) -> None:
    announcement = make_announcement(state="draft", published_at=None)

    admin_client.post(LIST, {"action": "publish", "_selected_action": [announcement.pk]})

    announcement.refresh_from_db()
    assert (announcement.state, announcement.published_at) == ("published", timezone.now())


def test_what_has_appeared_is_not_hidden_by_a_later_moment(admin_client: Client) -> None:
    announcement = make_announcement()
    data = form_data(admin_client, change(announcement)) | {"published_at": "2099-01-01T12:00"}

    response = admin_client.post(change(announcement), data)

    assert errors(response) == ["What has appeared is withdrawn or archived, not hidden."]


def test_several_are_published_together_or_none(admin_client: Client) -> None:
    drafts = [make_announcement(state="draft", title=title) for title in ("One", "Two")]
    drafts[1].texts.update(state="draft")
    data = {"action": "publish", "_selected_action": [draft.pk for draft in drafts]}

    page = admin_client.post(LIST, data, follow=True).content.decode()

    assert "Two: No text is ready: mark one as ready first." in page
    assert "So nothing was changed." in page
    assert not Announcement.objects.filter(state="published").exists()

    drafts[1].texts.update(state="ready")
    admin_client.post(LIST, data)
    assert Announcement.objects.filter(state="published").count() == 2


def test_team_does_not_publish_what_it_wrote(client: Client) -> None:
    member = make_team_member(account=make_account(Role.LEAD))
    draft = make_announcement(state="draft", written_by=member.organisation)
    client.force_login(member.account)

    data = {"action": "publish", "_selected_action": [draft.pk]}
    page = client.post(LIST, data, follow=True).content.decode()

    assert "You are in the team that wrote it: somebody else publishes it." in page
    assert Announcement.objects.get().state == "draft"


def test_new_announcement_has_no_comments_and_nothing_to_correct(admin_client: Client) -> None:
    def inlines(path: str) -> list[str]:
        formsets = admin_client.get(path).context["inline_admin_formsets"]
        return [one.formset.prefix for one in formsets]

    assert inlines(ADD) == ["texts"]
    assert inlines(change(make_announcement(state="draft"))) == ["texts", "comments"]
    assert inlines(change(make_announcement())) == ["texts", "corrections", "comments"]


def test_picture_is_drawn_anew(admin_client: Client) -> None:
    announcement = make_announcement()
    file = BytesIO()
    Image.new("RGB", (3000, 30)).save(file, "JPEG")
    data = form_data(admin_client, change(announcement))

    response = admin_client.post(
        change(announcement), data | {"picture": SimpleUploadedFile("me.jpg", file.getvalue())}
    )

    assert errors(response) == []
    announcement.refresh_from_db()
    assert (announcement.picture.width, announcement.picture.height) == (2000, 20)


def test_view_on_site_leads_to_what_appeared(admin_client: Client) -> None:
    announcement = make_announcement(slug="gold")

    page = admin_client.get(change(announcement)).content.decode()

    assert '<a href="/en/news/2015/gold/" class="viewsitelink">' in page


def test_view_on_site_waits_for_the_moment(admin_client: Client) -> None:
    announcement = make_announcement(published_at=timezone.now() + timedelta(days=1))

    assert "viewsitelink" not in admin_client.get(change(announcement)).content.decode()


def test_draft_is_deleted(admin_client: Client) -> None:
    draft = make_announcement(state="draft")
    make_review_comment(draft)

    admin_client.post(reverse("admin:news_announcement_delete", args=[draft.pk]), {"post": "yes"})

    assert not Announcement.objects.exists()


def test_list_tells_the_languages(admin_client: Client) -> None:
    make_announcement_text(make_announcement(), language="it")

    assert '<td class="field-languages">en, it</td>' in admin_client.get(LIST).content.decode()


def test_team_writes_a_draft(client: Client) -> None:
    member = make_team_member()
    cluster = make_management(organisation=member.organisation).cluster
    client.force_login(member.account)

    data = form_data(client, ADD) | {
        "clusters": [cluster.pk],
        "texts-0-title": "Ours",
        "texts-0-slug": "ours",
        "texts-0-body": "News.",
        "state": "published",
        "published_at": "2015-09-08T14:38",
    }
    response = client.post(ADD, data)

    assert errors(response) == []
    announcement = Announcement.objects.get()
    assert announcement.written_by == member.organisation
    assert list(announcement.clusters.all()) == [cluster]
    assert (announcement.state, announcement.published_at) == ("draft", None)


def test_team_writes_for_itself_only(client: Client) -> None:
    member = make_team_member()
    other = make_organisation()
    client.force_login(member.account)
    data = form_data(client, ADD) | {"texts-0-title": "X", "texts-0-slug": "x"}

    for writer in ("", other.pk):
        response = client.post(ADD, data | {"written_by": writer})

        assert response.status_code == 200
        assert response.context["adminform"].form.errors.keys() == {"written_by"}
    assert not Announcement.objects.exists()


def test_team_names_no_cluster_of_others(client: Client) -> None:
    member = make_team_member()
    client.force_login(member.account)
    data = form_data(client, ADD) | {
        "clusters": [make_cluster().pk],
        "texts-0-title": "X",
        "texts-0-slug": "x",
    }

    response = client.post(ADD, data)

    assert response.context["adminform"].form.errors.keys() == {"clusters"}


def test_team_reads_what_is_published_and_changes_it_no_more(client: Client) -> None:
    member = make_team_member()
    announcement = make_announcement(written_by=member.organisation)
    client.force_login(member.account)

    assert client.get(change(announcement)).status_code == 200
    assert client.post(change(announcement), {}).status_code == 403


def test_saving_keeps_relations_that_one_does_not_see(client: Client) -> None:
    member = make_team_member()
    theirs = make_cluster()
    draft = make_announcement(
        written_by=member.organisation, state="draft", published_at=None, clusters=[theirs]
    )
    client.force_login(member.account)

    data = form_data(client, change(draft)) | {"clusters": [], "texts-0-title": "New title"}
    response = client.post(change(draft), data)

    assert errors(response) == []
    assert draft.texts.get().title == "New title"
    assert list(draft.clusters.all()) == [theirs]
