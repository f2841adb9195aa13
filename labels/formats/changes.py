"""What changed of labels between two moments, for those who want to hear of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.http.asof import midnight
from labels.formats.feeds import end_event
from labels.models import Decision, DecisionKind, Label

ONE_DAY = timedelta(days=1)
# What a correction changes its page tells; what was annulled was told, and is as before.
TITLES: dict[str, Promise] = {
    DecisionKind.AWARD: _("%(cluster)s: %(level)s label awarded"),
    DecisionKind.RENEWAL: _("%(cluster)s: %(level)s label renewed"),
    DecisionKind.EXTENSION: _("%(cluster)s: %(level)s label extended"),
    DecisionKind.SUSPENSION: _("%(cluster)s: %(level)s label suspended"),
    DecisionKind.REINSTATEMENT: _("%(cluster)s: %(level)s label reinstated"),
    DecisionKind.REVOCATION: _("%(cluster)s: %(level)s label revoked"),
    DecisionKind.TRANSFER: _("%(cluster)s: %(level)s label transferred"),
}
EXPIRED = _("%(cluster)s: %(level)s label expired")


@dataclass(frozen=True)
class LabelChange:
    """`moment`: from when on it was public; `day` is the first on which it holds."""

    label: Label
    moment: datetime
    day: date
    pattern: Promise

    @property
    def title(self) -> str:
        names = {"cluster": self.label.cluster.name, "level": self.label.level.name}
        return str(self.pattern) % names


def label_changes_between(since: datetime, until: datetime) -> list[LabelChange]:
    """After the first moment, up to the second: what was decided here, and what expired.

    A decision is told when it is made, or on the day from which it holds, if that is later. Labels
    that were taken in from a file were no news. At most nine queries.
    """
    found = [*decided_between(since, until), *expired_between(since, until)]
    return [change for change in found if since < change.moment <= until]


def decided_between(since: datetime, until: datetime) -> Iterator[LabelChange]:
    days = (timezone.localdate(since), timezone.localdate(until))
    decisions = list(
        Decision.objects.made()
        .filter(kind__in=TITLES)
        .filter(Q(decided_at__gt=since, decided_at__lte=until) | Q(takes_effect_on__range=days))
        .exclude(undone_by__in=Decision.objects.made())
        # A label that only changes its managing organisation is not transferred.
        .exclude(kind=DecisionKind.TRANSFER, cluster_after=None)
        .order_by("pk")
    )
    labels = Label.objects.published().with_holder().with_succession()
    by_key = {label.pk: label for label in labels.filter(pk__in={d.label_id for d in decisions})}
    for decision in decisions:
        label = by_key.get(decision.label_id)
        if label is not None and decision.decided_at is not None:
            day = decision.takes_effect_on
            moment = max(decision.decided_at, midnight(day))
            yield LabelChange(label, moment, timezone.localdate(moment), TITLES[decision.kind])


def expired_between(since: datetime, until: datetime) -> Iterator[LabelChange]:
    first, last = timezone.localdate(since) - ONE_DAY, timezone.localdate(until) - ONE_DAY
    labels = Label.objects.published().filter(ends_on__range=(first, last)).order_by("pk")
    for label in labels.with_holder().with_succession():
        happening = end_event(label)
        if happening is not None:
            yield LabelChange(label, midnight(happening.day), happening.day, EXPIRED)
