"""What the admin of a model allows a person with each row, asked without a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from clusters.models import Account
from clusters.people import policy
from tests.permissions import table
from tests.permissions.world import World

# “c” and “d” are allowed as well: what forbids them then is not a right.
PLAIN = str.maketrans("cd", "CD")


@dataclass(frozen=True)
class Rights:
    """All letters of one person in one grid of the table."""

    label: str
    identity: str

    def __str__(self) -> str:
        return f"{self.label} as {self.identity}"

    def problems(self, world: World) -> Iterator[str]:
        request, model_admin = self.request(world), self.model_admin
        if self.identity in table.STRANGERS:
            if admin.site.has_permission(request):
                yield "enters admin"
            return
        if model_admin.has_view_permission(request) != (self.identity in table.GRIDS[self.label]):
            yield "knows of the list, or does not, against the table"
        if model_admin.has_add_permission(request) != ("A" in self.letters("new")):
            yield "adds a row, or does not, against the table"
        for state in world.states(self.label):
            allowed = set(self.allowed(request, world.row(self.label, state)))
            if allowed != self.letters(state):
                yield f"{state}: {sorted(allowed)} instead of {sorted(self.letters(state))}"

    def letters(self, state: str) -> set[str]:
        return {*table.letters(self.label, self.identity, state).translate(PLAIN)}

    @property
    def model_admin(self) -> Any:
        return admin.site._registry[apps.get_model(self.label)]

    def request(self, world: World) -> Any:
        request: Any = RequestFactory().get("/admin/")
        person = world.people[self.identity]
        request.user = Account.objects.get(pk=person.pk) if person.pk else AnonymousUser()
        return request

    def allowed(self, request: Any, row: Any) -> Iterator[str]:
        model_admin, day = self.model_admin, timezone.localdate()
        sees = model_admin.has_view_permission(request, row)
        changes = model_admin.has_change_permission(request, row)
        publishes = "publish" in model_admin.get_actions(request)
        if sees != model_admin.get_queryset(request).filter(pk=row.pk).exists():
            yield "seen and not listed, or listed and not seen"
        if sees:
            yield "V"
        if changes:
            yield "C"
        if model_admin.has_delete_permission(request, row):
            yield "D"
        if publishes and policy.may_on_row(request.user, policy.PUBLISH, row, day):
            yield "P"
        if changes and model_admin.allows(request, policy.RESTORE, row):
            yield "R"


def every_right(label: str) -> Iterator[Rights]:
    for identity in table.IDENTITIES:
        yield Rights(label, identity)
