"""Labels as a table: what it adds or changes are steps in their life, with their reason."""

from contextlib import nullcontext
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from tablib import Dataset

from clusters.models import Account, Cluster
from clusters.tables.resources import PUBLIC_ID, TableResource, TableResult
from labels.life import steps as life
from labels.life.days import hold
from labels.life.mails import told_together
from labels.models import DecisionState, Label

REASON = "reason"


class LabelResource(TableResource):
    """A line without a public id is proposed as told by a source; one with it is corrected."""

    keys: ClassVar = {"level": "code", "awarded_by": "code"}
    found_by: ClassVar = (PUBLIC_ID,)
    recognised_by: ClassVar = ()  # two of a cluster and a level are refused
    extra_columns: ClassVar = (REASON,)

    class Meta:
        model = Label
        fields = (
            PUBLIC_ID, "cluster", "managing_organisation", "level", "certificate_number", "kind",
            "renews", "assessed_on", "awarded_on", "announced_on", "valid_until", "awarded_by",
            "score", "benchmarked_on", "areas_of_improvement", "source",
        )  # fmt: skip

    def lock_rows(self, dataset: Dataset) -> dict[tuple[str, ...], Any]:
        # Clusters are held first, as by every step: what is read then stays so until the end.
        named = Q()
        for column, path in (("cluster", "public_id"), (PUBLIC_ID, "labels__public_id")):
            if column in dataset.headers:
                named |= Q(**{f"{path}__in": dataset[column]})
        if named:
            hold(Cluster.objects.filter(named).order_by().values("pk"))
        return super().lock_rows(dataset)

    def validate_instance(self, instance: Label, errors: Any = None, *args: Any) -> None:
        # The step checks the whole label; it wants the cluster and the level.
        errors = dict(errors or {})
        for name in ("cluster", "level"):
            if getattr(instance, f"{name}_id") is None:
                errors.setdefault(name, ValidationError(_("This field is required.")))
        if errors:
            raise ValidationError(errors)

    def before_save_instance(self, instance: Label, row: Any, **kwargs: Any) -> None:
        self.reason = row.get(REASON, "")

    def save_row(self, instance: Label, is_create: bool) -> None:
        by, now = self.request.user, timezone.now()
        assert isinstance(by, Account)
        if is_create:
            taken = life.award(instance, reason=self.reason, by=by, now=now, is_recorded=True)
        else:
            taken = life.correct(instance, reason=self.reason, by=by, now=now)
        self.waiting += taken.state == DecisionState.PROPOSED

    def import_data(self, dataset: Dataset, **kwargs: Any) -> TableResult:
        self.waiting = 0
        # What a preview proposes is taken back, and nobody is told.
        with nullcontext() if kwargs.get("dry_run") else told_together():
            result = super().import_data(dataset, **kwargs)
        result.waiting = self.waiting
        return result
