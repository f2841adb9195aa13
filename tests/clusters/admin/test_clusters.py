from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, models, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from clusters.models import (
    Account,
    Cluster,
    ClusterText,
    Management,
    MembershipCount,
    Organisation,
    Portfolio,
    Programme,
    Role,
    Shareholding,
)
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
    update_label,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/clusters/cluster/add/"
LIST = "/admin/clusters/cluster/"


def change(row: models.Model) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def history(row: models.Model) -> str:
    return change(row).replace("/change/", "/history/")


def make_full_cluster() -> Cluster:
    cluster = make_cluster(
        name="bioPmed",
        portfolio=portfolio(),
        region=region(),
        founded_on="2009-03",
        latitude="45.4326",
        longitude="7.8103",
    )
    ClusterText.objects.create(cluster=cluster, language="en", tagline="Health in Piemonte")
    MembershipCount.objects.create(cluster=cluster, counted_on="2015", count=120)
    make_management(cluster=cluster, started_on="2009-03")
    make_participation(cluster=cluster)
    make_label(cluster=cluster)
    return cluster


def act(client: Client, action: str, *rows: models.Model) -> Any:
    options = rows[0]._meta
    return client.post(
        reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )


def test_cluster_is_created_on_one_screen(admin_client: Client) -> None:
    manager = make_organisation()
    data = form_data(admin_client, ADD) | {
        "name": "bioPmed",
        "slug": "biopmed",
        "country": "IT",
        "region": region().pk,
        "portfolio": portfolio().pk,
        "founded_on": "2009",
        "texts-0-tagline": "Health in Piemonte",
        "managements-TOTAL_FORMS": "1",
        "managements-0-organisation": manager.pk,
        "managements-0-role": "lead",
        "managements-0-started_on": "2009-03",
    }

    response = admin_client.post(ADD, data)

    assert errors(response) == []
    cluster = Cluster.objects.get(slug="biopmed")
    assert str(cluster.founded_on) == "2009"
    assert [(text.language, text.tagline) for text in cluster.texts.all()] == [
        ("en", "Health in Piemonte")
    ]
    assert [m.organisation for m in cluster.managements.all()] == [manager]


def test_cluster_form_offers_the_missing_language(admin_client: Client) -> None:
    cluster = make_full_cluster()

    data = form_data(admin_client, change(cluster))

    assert (data["texts-0-language"], data["texts-1-language"]) == ("en", "it")


def test_saving_without_a_change_writes_no_history(admin_client: Client) -> None:
    cluster = make_full_cluster()
    parts = [cluster, *(getattr(cluster, name).get() for name in ("texts", "managements"))]
    parts += [getattr(cluster, name).get() for name in ("labels", "membership_counts")]

    response = admin_client.post(change(cluster), form_data(admin_client, change(cluster)))

    assert errors(response) == []
    assert [part.history.count() for part in parts] == [1] * len(parts)


def test_saving_a_change_writes_history_with_its_user(admin_client: Client) -> None:
    cluster = make_full_cluster()
    data = form_data(admin_client, change(cluster)) | {"town": "Colleretto Giacosa"}

    admin_client.post(change(cluster), data)

    version = cluster.history.latest()
    assert (version.town, version.history_user.get_username()) == (
        "Colleretto Giacosa",
        "admin@example.com",
    )


def test_changed_part_writes_history_with_its_user(admin_client: Client) -> None:
    cluster = make_full_cluster()
    data = form_data(admin_client, change(cluster)) | {"managements-0-started_on": "2010"}

    admin_client.post(change(cluster), data)

    version = Management.history.latest()
    assert (str(version.started_on), version.history_user.get_username()) == (
        "2010",
        "admin@example.com",
    )
    assert cluster.history.count() == 1


def test_history_tells_old_and_new_in_partial_dates(admin_client: Client) -> None:
    cluster = make_full_cluster()
    admin_client.post(
        change(cluster), form_data(admin_client, change(cluster)) | {"founded_on": "2009"}
    )

    (line, *_others) = admin_client.get(history(cluster)).context["lines"]

    assert [(one.field, one.old, one.new) for one in line.differences] == [
        ("Founded", "2009-03", "2009")
    ]


def test_old_version_is_restored(admin_client: Client) -> None:
    cluster = make_full_cluster()
    first = cluster.history.latest()
    cluster.name = "Renamed"
    cluster.save()
    address = f"{history(cluster)}{first.pk}/"

    response = admin_client.post(address, form_of_version(admin_client, address))

    assert response.status_code == 302
    cluster.refresh_from_db()
    assert cluster.name == "bioPmed"


def form_of_version(client: Client, address: str) -> dict[str, Any]:
    page = client.get(address).context
    form, versions = page["adminform"].form, page["request"].screen_versions
    return {field.html_name: field.value() or "" for field in form if field.name != "logo"} | {
        "is_published": "on",
        "_versions": versions,
    }


def test_who_may_only_view_restores_nothing(client: Client) -> None:
    cluster = make_full_cluster()
    first = cluster.history.latest()
    cluster.name = "Renamed"
    cluster.save()
    client.force_login(make_account(Role.AUDITOR))

    response = client.post(f"{history(cluster)}{first.pk}/", {})

    assert response.status_code == 403
    assert Cluster.objects.get().name == "Renamed"


@pytest.mark.parametrize("view", [change, history])
def test_who_may_only_view_reads_the_cluster(client: Client, view: Any) -> None:
    cluster = make_full_cluster()
    client.force_login(make_account(Role.AUDITOR))

    assert client.get(view(cluster)).status_code == 200


def test_wrong_date_is_told_in_words(admin_client: Client) -> None:
    data = form_data(admin_client, ADD) | {
        "name": "X",
        "slug": "x",
        "country": "IT",
        "founded_on": "2015-02-30",
    }

    response = admin_client.post(ADD, data)

    assert errors(response) == [
        "“2015-02-30” is not a date that exists. "
        "Write a year, a month or a day: 2013, 2015-07 or 2015-07-14."
    ]


def test_two_leads_at_once_are_refused_at_the_form(admin_client: Client) -> None:
    cluster = make_cluster()
    first, second = make_organisation(), make_organisation()
    data = form_data(admin_client, change(cluster)) | {
        "managements-TOTAL_FORMS": "2",
        "managements-0-organisation": first.pk,
        "managements-0-role": "lead",
        "managements-1-organisation": second.pk,
        "managements-1-role": "lead",
    }

    response = admin_client.post(change(cluster), data)

    assert errors(response) == [
        "This cluster has a lead manager already. Give that one an end first."
    ]


def picture(file_format: str) -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", (1000, 10)).save(file, file_format)
    return SimpleUploadedFile("mario.rossi.png", file.getvalue())


def test_logo_is_drawn_anew(admin_client: Client) -> None:
    cluster = make_cluster()
    data = form_data(admin_client, change(cluster)) | {"logo": picture("PNG")}

    response = admin_client.post(change(cluster), data)

    assert errors(response) == []
    cluster.refresh_from_db()
    assert "mario" not in str(cluster.logo)
    assert (cluster.logo.width, cluster.logo.height) == (800, 8)
    assert cluster.logo.url in admin_client.get(change(cluster)).content.decode()


def test_logo_of_another_kind_is_refused_in_words(admin_client: Client) -> None:
    cluster = make_cluster()
    data = form_data(admin_client, change(cluster)) | {"logo": picture("GIF")}

    response = admin_client.post(change(cluster), data)

    assert errors(response) == [
        "This is not a complete PNG, JPEG or WebP picture. Save it as one and try again."
    ]


def test_part_is_restored_to_an_earlier_version(admin_client: Client) -> None:
    text = ClusterText.objects.create(cluster=make_cluster(), language="en", tagline="First")
    first = text.history.latest()
    text.tagline = "Second"
    text.save()
    address = f"{history(text)}{first.pk}/"

    response = admin_client.post(address, form_of_version(admin_client, address))

    assert response.status_code == 302
    text.refresh_from_db()
    assert text.tagline == "First"


def test_part_by_itself_is_compared_with_its_fellows(admin_client: Client) -> None:
    lead = make_management()
    joint = make_management(cluster=lead.cluster, role="joint")
    data = form_data(admin_client, change(joint)) | {"role": "lead"}

    response = admin_client.post(change(joint), data)

    assert errors(response) == [
        f"{lead.organisation} leads this cluster at the same time.",
        "This cluster has a lead manager already. Give that one an end first.",
    ]


def test_view_on_site_leads_to_the_page(admin_client: Client) -> None:
    cluster = make_cluster(slug="biopmed")

    page = admin_client.get(change(cluster)).content.decode()

    assert '<a href="/en/clusters/biopmed/" class="viewsitelink">' in page


def test_view_on_site_is_missing_while_there_is_no_page(admin_client: Client) -> None:
    cluster = make_cluster(is_published=False)

    assert "viewsitelink" not in admin_client.get(change(cluster)).content.decode()


PUBLISHED = {
    "cluster": make_cluster,
    "organisation": make_organisation,
    "programme": make_programme,
}


@pytest.mark.parametrize("make", PUBLISHED.values(), ids=PUBLISHED)
def test_action_unpublishes_and_publishes_with_history(admin_client: Client, make: Any) -> None:
    first, second = make(), make()

    act(admin_client, "unpublish", first, second)
    act(admin_client, "publish", first)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_published, second.is_published) == (True, False)
    versions = [
        (version.is_published, version.history_user and version.history_user.get_username())
        for version in second.history.order_by("-history_id")[:2]
    ]
    assert versions == [(False, "admin@example.com"), (True, None)]


def test_action_says_how_many_changed(admin_client: Client) -> None:
    shown, hidden = make_cluster(), make_cluster(is_published=False)

    response = act(admin_client, "unpublish", shown, hidden)

    assert [str(message) for message in response.context["messages"]] == ["1 row was unpublished."]


def test_actions_need_the_right_to_change(client: Client) -> None:
    make_cluster()
    client.force_login(make_account(Role.AUDITOR))

    form = client.get(LIST).context["action_form"]

    assert form is None


@pytest.mark.parametrize("make", PUBLISHED.values(), ids=PUBLISHED)
def test_what_was_public_is_not_deleted(admin_client: Client, make: Any) -> None:
    row = make()
    row.is_published = False
    row.save()

    response = admin_client.post(change(row).replace("/change/", "/delete/"), {"post": "yes"})

    assert response.status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_draft_with_its_parts_is_deleted(admin_client: Client) -> None:
    cluster = make_cluster(is_published=False)
    ClusterText.objects.create(cluster=cluster, language="en", tagline="A draft")

    admin_client.post(change(cluster).replace("/change/", "/delete/"), {"post": "yes"})

    assert Cluster.objects.count() == 0


@pytest.mark.parametrize("model", [Cluster, Organisation, Programme])
def test_list_offers_no_deletion(admin_client: Client, rf: Any, model: Any) -> None:
    request = rf.get("/")
    request.user = Account.objects.get()

    actions = admin.site._registry[model].get_actions(request)

    assert {"publish", "unpublish"} <= actions.keys()
    assert "delete_selected" not in actions


def test_row_that_others_refer_to_is_not_deleted(admin_client: Client) -> None:
    used, unused = portfolio(), Portfolio.objects.create(code="new", name_en="New", name_it="Nuovo")
    make_cluster(portfolio=used)

    for row in (used, unused):
        admin_client.post(change(row).replace("/change/", "/delete/"), {"post": "yes"})

    assert Portfolio.objects.filter(pk=used.pk).exists()
    assert not Portfolio.objects.filter(pk=unused.pk).exists()


def test_organisation_is_edited_with_its_shareholders(admin_client: Client) -> None:
    park, finance = make_organisation(), make_organisation(name="Finpiemonte")
    data = form_data(admin_client, change(park)) | {
        "former_names-TOTAL_FORMS": "1",
        "former_names-0-name": "Science Park",
        "shareholdings-TOTAL_FORMS": "1",
        "shareholdings-0-shareholder": finance.pk,
        "shareholdings-0-started_on": "1998",
    }

    response = admin_client.post(change(park), data)

    assert errors(response) == []
    shareholding = Shareholding.objects.get()
    assert (shareholding.shareholder, str(shareholding.started_on)) == (finance, "1998")
    assert [name.name for name in park.former_names.all()] == ["Science Park"]


def test_programme_is_edited_with_its_clusters(admin_client: Client) -> None:
    programme, cluster = make_programme(), make_cluster()
    data = form_data(admin_client, change(programme)) | {
        "participations-TOTAL_FORMS": "1",
        "participations-0-cluster": cluster.pk,
        "participations-0-started_on": "2012",
    }

    response = admin_client.post(change(programme), data)

    assert errors(response) == []
    assert list(programme.clusters.all()) == [cluster]


def test_list_filters_by_the_countries_there_are(admin_client: Client) -> None:
    make_cluster(country="NO")
    make_cluster(country="IT")

    response = admin_client.get(LIST, {"country": "NO"})

    assert [row.country.code for row in response.context["cl"].result_list] == ["NO"]
    spec = next(s for s in response.context["cl"].filter_specs if s.title == "country")
    assert spec.lookup_choices == [("IT", "Italy"), ("NO", "Norway")]


def test_cluster_is_found_by_another_name(admin_client: Client) -> None:
    cluster = make_cluster(name="GCE NODE")
    cluster.names.create(name="NCE NODE")
    make_cluster()

    response = admin_client.get(LIST, {"q": "nce node"})

    assert list(response.context["cl"].result_list) == [cluster]


def test_cluster_with_public_labels_is_not_unpublished(client: Client) -> None:
    cluster = make_cluster()
    label = make_label(cluster=cluster)
    client.force_login(make_account(Role.LEAD))
    address = reverse("admin:clusters_cluster_change", args=[cluster.pk])
    data = form_data(client, address)
    del data["is_published"]
    told = "This cluster holds public labels. Propose to withdraw them first."

    assert errors(client.post(address, data)) == [told]
    listed = reverse("admin:clusters_cluster_changelist")
    chosen = {"action": "unpublish", "_selected_action": [cluster.pk]}
    (first, *_rest) = client.post(listed, chosen, follow=True).context["messages"]

    assert told in str(first)
    cluster.refresh_from_db()
    assert cluster.is_published
    with pytest.raises(IntegrityError, match="withdraw them first"), transaction.atomic():
        Cluster.objects.update(is_published=False)
    update_label(label, is_published=False)
    assert errors(client.post(address, form_data(client, address) | {"is_published": ""})) == []
