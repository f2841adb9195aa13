"""What every form of admin has in common on the screen."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, ClusterText, Organisation, Programme, Role
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_cluster, make_label

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

SUMMARY = re.compile(r'<ul class="error-summary".*?</ul>', re.DOTALL)


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD))
    return client


def add(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def test_errors_are_listed_with_links_to_their_fields(desk: Client) -> None:
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, language="en", description="One.")
    address = reverse("admin:clusters_cluster_change", args=[cluster.pk])
    data = form_data(desk, address) | {"name": "", "texts-0-language": "de", "founded_on": "x"}

    page = desk.post(address, data).content.decode()

    [summary] = SUMMARY.findall(page)
    links = re.findall(r'<a href="#([\w-]+)">([^<]+)</a>', summary)
    assert links == [
        ("id_name", "Name"),
        ("id_founded_on", "Founded"),
        ("id_texts-0-language", "Language"),
    ]
    assert "Text 1," in summary
    assert all(f'id="{field}"' in page for field, _label in links)


def test_form_without_an_error_has_no_list_of_errors(desk: Client) -> None:
    assert not SUMMARY.search(desk.get(add(Cluster)).content.decode())


def test_step_lists_its_errors(desk: Client) -> None:
    label = make_label(assessed_on=str(timezone.localdate()))
    page = desk.post(f"/admin/labels/label/{label.pk}/suspend/", {"on": "x"}).content.decode()

    [summary] = SUMMARY.findall(page)
    assert re.findall(r'href="#([\w-]+)"', summary) == ["id_on", "id_reason"]


@pytest.mark.parametrize("model", [Cluster, Organisation, Programme])
def test_new_record_begins_unpublished(desk: Client, model: Any) -> None:
    names = {"name": "New", "name_en": "New", "name_it": "Nuovo", "slug": "new"}
    data = form_data(desk, add(model)) | names | {"country": "IT", "kind": "company"}
    assert "is_published" not in data

    assert errors(desk.post(add(model), data)) == []

    assert not model.objects.get(slug="new").is_published


def test_form_of_a_new_row_shows_no_number() -> None:
    request: Any = RequestFactory().get("/")
    request.user = make_account(is_superuser=True)
    for model, model_admin in admin.site._registry.items():
        for _title, options in model_admin.get_fieldsets(request, None):
            assert "public_id" not in options["fields"], model


def test_language_is_switched_in_the_header(desk: Client) -> None:
    page = desk.get(add(Cluster)).content.decode()
    assert 'name="language" value="it" lang="it">Italiano</button>' in page

    response = desk.post("/admin/language/", {"language": "it", "next": add(Cluster)})

    assert response.headers["Location"] == add(Cluster)
    cookie = response.cookies["language"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")
    assert "Aggiungi cluster" in desk.get(add(Cluster)).content.decode()
    away = desk.post("/admin/language/", {"language": "en", "next": "https://example.org/"})
    assert away.headers["Location"] == "/"
