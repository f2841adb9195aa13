"""Uploaded files that nothing needs any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models, transaction

from clusters.models.images import KEPT_FOR, KEPT_IN
from news.files.renditions import original_of
from news.models import Announcement
from news.models.files import AnnouncementFile

# A younger file may belong to a row that is just being written.
MINIMUM_AGE = timedelta(hours=1)


def file_fields() -> list[models.FileField]:
    # Of every model; the versions of a row keep the name of the file as text.
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.FileField)
    ]


def record_of(model: type[models.Model]) -> tuple[str, type[models.Model]]:
    """The field of a version that names the record with which it is restored, and its model.

    A deleted picture of an announcement comes back with the announcement.
    """
    if issubclass(model, AnnouncementFile):
        return "announcement", Announcement
    return "id", model


def needed_files(field: models.FileField) -> set[str]:
    # Those of a row as it is, and of its older versions. Those of a record that was deleted can be
    # restored by nobody.
    rows: Any = field.model._base_manager.order_by()
    name, records = record_of(field.model)
    versions = field.model.history.filter(  # type: ignore[attr-defined]
        **{f"{name}__in": records._base_manager.order_by().values("pk")}
    )
    names = rows.values_list(field.name).union(versions.order_by().values_list(field.name))
    return {name for (name,) in names}


def forgotten_files(now: datetime) -> Iterator[str]:
    # Kept for a form that was not sent again.
    for file in default_storage.listdir(KEPT_IN)[1] if default_storage.exists(KEPT_IN) else ():
        if default_storage.get_modified_time(f"{KEPT_IN}/{file}") <= now - KEPT_FOR:
            yield f"{KEPT_IN}/{file}"


def unneeded_files(now: datetime) -> Iterator[str]:
    for field in file_fields():
        folder = str(field.upload_to).rstrip("/")
        if not default_storage.exists(folder):
            continue
        needed = needed_files(field)
        for file in default_storage.listdir(folder)[1]:
            name = f"{folder}/{file}"
            is_young = default_storage.get_modified_time(name) > now - MINIMUM_AGE
            if original_of(name) not in needed and not is_young:
                yield name


def remove_unneeded_files(now: datetime) -> int:
    """Remove them once the transaction is committed; their number."""
    names = [*unneeded_files(now), *forgotten_files(now)]
    for name in names:
        transaction.on_commit(partial(default_storage.delete, name))
    return len(names)
