"""Uploaded pictures: sent to everybody while their record is public, else to who may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.contrib import admin
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.db.models import Model, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import last_modified, require_safe

from clusters.models import Cluster
from clusters.people import policy
from news.models import Announcement

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True)
class PictureColumn:
    """Where the names of pictures stand, and which rows are public at a moment."""

    model: type[Model]
    name: str
    public: Callable[[datetime], QuerySet[Any]]

    def is_public(self, path: str, now: datetime) -> bool:
        return self.public(now).filter(**{self.name: path}).exists()

    def is_seen_by(self, person: policy.Person, path: str, now: datetime) -> bool:
        # A picture of an older version is seen by who may bring it back.
        if self.name in policy.hidden_fields(person, policy.VIEW, self.model):
            return False
        rows, day = self.model._base_manager.all(), timezone.localdate(now)
        seen = policy.allowed_rows(person, policy.VIEW, rows, day)
        restorable = policy.allowed_rows(person, policy.RESTORE, rows, day).values("pk")
        versions = self.model.history.filter(id__in=restorable)  # type: ignore[attr-defined]
        return any(found.filter(**{self.name: path}).exists() for found in (seen, versions))


# What is not named here is served to nobody.
PICTURES = (
    PictureColumn(Cluster, "logo", lambda now: Cluster.objects.published()),
    PictureColumn(Announcement, "picture", lambda now: Announcement.objects.readable(now)),
)


def changed_at(request: HttpRequest, path: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation):
        return None


@last_modified(changed_at)
def send_file(request: HttpRequest, path: str) -> HttpResponseBase:
    # An uploaded file that nothing in it can turn into a page: pictures shown, others saved.
    try:
        file = default_storage.open(path)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404 from error
    is_picture = PurePosixPath(path).suffix.lower() in SUFFIXES
    response = FileResponse(file, as_attachment=not is_picture)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    # Judged anew for every request, so what is taken down is gone at once; a copy in a cache is
    # compared first, which costs an answer without the picture.
    now = timezone.now()
    if any(field.is_public(path, now) for field in PICTURES):
        cache = "public, no-cache"
    elif admin.site.has_permission(request) and any(
        field.is_seen_by(request.user, path, now) for field in PICTURES
    ):
        cache = "private, no-store"
    else:
        raise Http404
    response = send_file(request, path)
    response["Cache-Control"] = cache
    return response
