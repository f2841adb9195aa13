"""A disk that is full or cannot be written: told in words, and nothing is half done."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from clusters.admin.base import PortalAdmin
from clusters.models import Cluster, Role
from clusters.models.images import NotStored, WholeFileStorage
from news.models import Announcement, Attachment, Picture
from tests.admin_forms import errors, form_data
from tests.admin_tables import client_of, messages_of, upload
from tests.factories import (
    make_account,
    make_announcement,
    make_attachment,
    make_cluster,
    make_picture,
)
from tests.uploads import document_upload, pdf_bytes

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

FIELDS = [
    (model, field.name)
    for model in apps.get_models()
    for field in model._meta.fields
    if isinstance(field, models.FileField)
]
MAKE: dict[Any, Any] = {
    Cluster: make_cluster,
    Picture: lambda: make_picture(make_announcement()),
    Attachment: lambda: make_attachment(make_announcement()),
}
TYPED = {Cluster: "town", Picture: "alt_en", Attachment: "title_en"}
NOT_STORED = "The portal could not store this file: its disk is full or cannot be written."


@pytest.fixture(params=["no folder", "size=16k", "ro"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing large can be written, not even by root."""
    if request.param == "no folder":
        (tmp_path / "file").touch()
        yield tmp_path / "file"
        return
    mount = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(tmp_path)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("Nothing may be mounted here.")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: S607


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def noise() -> SimpleUploadedFile:
    """A picture that no format makes small."""
    file = BytesIO()
    Image.frombytes("RGB", (200, 200), os.urandom(3 * 200 * 200)).save(file, "PNG")
    return SimpleUploadedFile("noise.png", file.getvalue())


def noisy_document() -> SimpleUploadedFile:
    def add_noise(document: pikepdf.Pdf) -> None:
        document.Root.Noise = document.make_stream(os.urandom(100_000))

    upload: SimpleUploadedFile = document_upload(content=pdf_bytes(add_noise))
    return upload


def page(model: Any, name: str, *arguments: Any) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=arguments)


def test_every_file_is_stored_as_a_whole_and_told_of_in_admin() -> None:
    assert {model for model, _name in FIELDS} == set(MAKE)
    for model, name in FIELDS:
        assert isinstance(model._meta.get_field(name).storage, WholeFileStorage)  # type: ignore[union-attr]
        assert isinstance(admin.site._registry[model], PortalAdmin)
    assert isinstance(storages["import_export"], WholeFileStorage)


def store_with_little_room(folder: Path) -> str:
    """What becomes of a file in a process that may write a thousand bytes into one."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        WholeFileStorage(location=folder).save("a.bin", ContentFile(b"x" * 5000))
    except NotStored as error:
        return f"not stored: {error.strerror}"
    return "stored"


def test_half_a_file_does_not_stay(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, store_with_little_room(tmp_path).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "not stored: File too large"
    os.waitpid(child, 0)

    assert files_below(tmp_path) == []


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_picture_that_cannot_be_stored_is_told_at_its_field(
    admin_client: Client, settings: Settings, disk: Path, model: Any, name: str
) -> None:
    settings.MEDIA_ROOT = disk
    row = MAKE[model]()
    path = page(model, "change", row.pk)
    upload = noisy_document() if model is Attachment else noise()
    data = form_data(admin_client, path) | {TYPED[model]: "Typed with care", name: upload}
    versions, before = row.history.count(), getattr(row, name)

    response = admin_client.post(path, data)

    assert response.status_code == 200
    form = response.context["adminform"].form
    assert [str(error)[:76] for error in form.errors.pop(name)] == [NOT_STORED]
    assert form.errors == {}
    assert "Typed with care" in response.content.decode()
    assert row.history.count() == versions
    assert getattr(model.objects.get(pk=row.pk), name) == before
    assert files_below(disk) == []

    del data[name]
    assert errors(admin_client.post(path, data)) == []


@pytest.mark.parametrize("part", ["pictures-0-image", "attachments-0-file"])
def test_file_of_a_part_that_cannot_be_stored_is_told_at_its_field(
    admin_client: Client, settings: Settings, disk: Path, part: str
) -> None:
    settings.MEDIA_ROOT = disk
    announcement = make_announcement()
    path = page(Announcement, "change", announcement.pk)
    words = {"alt_en": "A disc", "credit_en": "Ours", "title_en": "Programme"}
    prefix = part.rpartition("-")[0]
    upload = noisy_document() if prefix == "attachments-0" else noise()
    data = form_data(admin_client, path) | {part: upload, "texts-0-lead": "Typed with care"}
    data |= {f"{prefix}-{name}": text for name, text in words.items()}

    response = admin_client.post(path, data)

    assert [error[:76] for error in errors(response)] == [NOT_STORED]
    assert "Typed with care" in response.content.decode()
    assert not announcement.pictures.exists()
    assert not announcement.attachments.exists()
    assert files_below(disk) == []


def test_new_row_whose_picture_cannot_be_stored_is_not_there(
    admin_client: Client, settings: Settings, disk: Path
) -> None:
    settings.MEDIA_ROOT = disk
    path = page(Cluster, "add")
    typed = {"name": "New", "slug": "new", "country": "IT", "logo": noise()}
    data = form_data(admin_client, path) | typed

    response = admin_client.post(path, data)

    assert [error[:76] for error in errors(response)] == [NOT_STORED]
    assert not Cluster.objects.exists()
    assert files_below(disk) == []


def test_picture_of_a_save_that_is_taken_back_does_not_stay(
    settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    client = Client(raise_request_exception=False)
    client.force_login(make_account(is_superuser=True))
    cluster = make_cluster()
    path = page(Cluster, "change", cluster.pk)
    data = form_data(client, path) | {"logo": noise()}
    stored = []

    def fail(**given: Any) -> None:
        stored.extend(files_below(tmp_path))
        raise RuntimeError

    post_save.connect(fail, sender=Cluster)
    try:
        response = client.post(path, data)
    finally:
        post_save.disconnect(fail, sender=Cluster)

    assert response.status_code == 500
    assert len(stored) == 1
    assert files_below(tmp_path) == []


def test_table_that_cannot_be_stored_is_told(settings: Settings, disk: Path) -> None:
    settings.STORAGES = settings.STORAGES | {
        "import_export": {
            "BACKEND": settings.STORAGES["import_export"]["BACKEND"],
            "OPTIONS": {"location": disk},
        }
    }
    client = client_of(make_account(Role.EDITOR))
    path = page(Cluster, "import")
    table = "name,slug\n" + "".join(
        f"Cluster {number} {'x' * 90},c-{number}\n" for number in range(500)
    )

    assert client.get(path).status_code == 200
    response = upload(client, path, table)

    assert [message[:77] for message in messages_of(response)] == [
        "The portal could not store the table: its disk is full or cannot be written. "
    ]
    assert not Cluster.objects.exists()
    assert files_below(disk) == []
