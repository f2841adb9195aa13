"""Uploaded files: sent to everybody while their record is public, else to who may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import last_modified, require_safe

from clusters.http.uploads import uploaded_file
from clusters.models import Cluster
from clusters.people import policy
from config.privacy.pictures import record_of
from news.files.renditions import original_of
from news.models import Attachment, Picture


@dataclass(frozen=True)
class FileColumn:
    """Where the names of files stand, and which rows are public at a moment."""

    model: type[Model]
    name: str
    public: Callable[[datetime], QuerySet[Any]]

    def is_public(self, path: str, now: datetime) -> bool:
        return self.public(now).filter(**{self.name: path}).exists()

    def is_seen_by(self, person: policy.Person, path: str, now: datetime) -> bool:
        # A file of an older version is seen by who may bring it back.
        if self.name in policy.hidden_fields(person, policy.VIEW, self.model):
            return False
        rows, day = self.model._base_manager.all(), timezone.localdate(now)
        seen = policy.allowed_rows(person, policy.VIEW, rows, day)
        if not policy.may(person, policy.RESTORE, self.model):
            return seen.filter(**{self.name: path}).exists()
        name, records = record_of(self.model)
        restorable = policy.allowed_rows(person, policy.RESTORE, records._base_manager.all(), day)
        versions = self.model.history.filter(  # type: ignore[attr-defined]
            **{f"{name}__in": restorable.values("pk")}
        )
        return any(found.filter(**{self.name: path}).exists() for found in (seen, versions))


# What is not named here is served to nobody.
FILES = (
    FileColumn(Cluster, "logo", lambda now: Cluster.objects.published()),
    FileColumn(Picture, "image", lambda now: Picture.objects.readable(now)),
    FileColumn(Attachment, "file", lambda now: Attachment.objects.readable(now)),
)


def changed_at(request: HttpRequest, path: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation):
        return None


@last_modified(changed_at)
def send_file(request: HttpRequest, path: str) -> HttpResponseBase:
    attachment = Attachment.objects.filter(file=path).first()
    return uploaded_file(path, attachment.saved_as if attachment else "")


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    # Judged anew for every request, so what is taken down is gone at once; a copy in a cache is
    # compared first, which costs an answer without the picture. A rendition is what its picture is.
    now, original = timezone.now(), original_of(path)
    if any(field.is_public(original, now) for field in FILES):
        cache = "public, no-cache"
    elif admin.site.has_permission(request) and any(
        field.is_seen_by(request.user, original, now) for field in FILES
    ):
        cache = "private, no-store"
    else:
        raise Http404
    response = send_file(request, path)
    response["Cache-Control"] = cache
    return response
