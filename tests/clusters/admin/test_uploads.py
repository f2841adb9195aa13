"""A chosen file survives an error in another field, for its account and field and a day."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import Account, Cluster, Role
from clusters.models.images import KEPT_IN
from config.privacy.retention import purge
from tests.admin_forms import errors, form_data
from tests.clusters.admin.test_clusters import picture
from tests.factories import make_account, make_cluster
from tests.test_mass_assignment import MORNING, World, build
from tests.uploads import document_upload

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

KEPT = re.compile(r'name="(_kept_[\w-]+)" value="([^"]+)"')
WITH_FILES = [
    (model._meta.label_lower, field.name)
    for model in admin.site._registry
    for field in model._meta.fields
    if isinstance(field, models.FileField)
]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def account() -> Account:
    return make_account(Role.EDITOR)


@pytest.fixture
def desk(client: Client, account: Account) -> Client:
    client.force_login(account)
    return client


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster()


def change(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def kept(response: Any) -> dict[str, str]:
    return dict(KEPT.findall(response.content.decode()))


def refuse(client: Client, cluster: Cluster, **more: Any) -> Any:
    """Send the form with a picture, and without the name, which is required."""
    data = form_data(client, change(cluster)) | {"name": "", "logo": picture("PNG")} | more
    return client.post(change(cluster), data)


def test_picture_survives_errors_until_the_form_is_saved(desk: Client, cluster: Cluster) -> None:
    page = refuse(desk, cluster)
    assert "is kept for the next save" in page.content.decode()
    again = refuse(desk, cluster, logo="", **kept(page))
    assert kept(again) == kept(page)
    assert len(default_storage.listdir(KEPT_IN)[1]) == 1

    data = form_data(desk, change(cluster)) | kept(again)
    assert errors(desk.post(change(cluster), data)) == []

    cluster.refresh_from_db()
    assert cluster.logo.size > 0
    assert str(cluster.logo).startswith("logos/")


def test_file_that_is_wrong_itself_is_not_kept(desk: Client, cluster: Cluster) -> None:
    page = refuse(desk, cluster, logo=SimpleUploadedFile("logo.png", b"no picture"))

    assert kept(page) == {}


def test_file_that_is_chosen_anew_counts(desk: Client, cluster: Cluster) -> None:
    page = refuse(desk, cluster)
    data = form_data(desk, change(cluster)) | kept(page) | {"logo": picture("WEBP")}

    assert errors(desk.post(change(cluster), data)) == []

    cluster.refresh_from_db()
    assert str(cluster.logo).endswith(".webp")


@pytest.mark.parametrize("wrong", ["account", "field", "day", "signature"])
def test_kept_file_is_of_its_account_field_and_day(
    desk: Client, account: Account, cluster: Cluster, wrong: str
) -> None:
    fields = kept(refuse(desk, cluster))
    data = form_data(desk, change(cluster))
    later = timezone.now() + timedelta(days=1 if wrong == "day" else 0, seconds=1)
    if wrong == "field":
        fields = {"_kept_other": fields["_kept_logo"]}
    if wrong == "signature":
        fields = {name: f"{token}x" for name, token in fields.items()}
    with time_machine.travel(later):
        desk.force_login(make_account(Role.EDITOR) if wrong == "account" else account)
        response = desk.post(change(cluster), data | fields, follow=True)

    assert "A file that you had chosen is not there any more." in response.content.decode()
    cluster.refresh_from_db()
    assert not cluster.logo


def test_kept_file_is_sent_to_nobody(desk: Client, cluster: Cluster) -> None:
    refuse(desk, cluster)
    (name,) = default_storage.listdir(KEPT_IN)[1]

    assert desk.get(f"/media/{KEPT_IN}/{name}").status_code == 404


def test_kept_file_goes_after_a_day(
    desk: Client, cluster: Cluster, django_capture_on_commit_callbacks: Any
) -> None:
    refuse(desk, cluster)
    written = default_storage.get_modified_time(
        f"{KEPT_IN}/{default_storage.listdir(KEPT_IN)[1][0]}"
    )
    for age, left in ((timedelta(hours=23), 1), (timedelta(days=1), 0)):
        with django_capture_on_commit_callbacks(execute=True):
            purge(now=written + age)
        assert len(default_storage.listdir(KEPT_IN)[1]) == left


@pytest.fixture(scope="module")
def world(module_rows: None) -> World:
    with time_machine.travel(MORNING):
        return build()


@pytest.mark.parametrize(("label", "field"), WITH_FILES)
def test_file_of_every_admin_is_kept(world: World, label: str, field: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    row: Any = world.rows[label]
    file = document_upload() if label == "news.attachment" else picture("PNG")
    data = form_data(client, change(row)) | {field: file}
    del data["_versions"]  # so that it is refused

    page = client.post(change(row), data)

    assert errors(page)
    assert [*kept(page)] == [f"_kept_{field}"]
