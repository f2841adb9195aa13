"""Where a fact about a cluster was read, and how sure it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clusters.models.clusters import Cluster
from clusters.models.history import History


class Confidence(models.TextChoices):
    SEEN = "seen", _("seen in the source")
    REPORTED = "reported", _("inferred from the source")
    DOUBTFUL = "doubtful", _("no source seen")


class ClusterFact(models.TextChoices):
    """A fact by its name in the record, as `clusters/formats/clusters.py` has it."""

    OTHER_NAMES = "other_names", _("other names")
    TAGLINE = "tagline", _("tagline")
    PORTFOLIO = "portfolio", _("portfolio")
    REGION = "region", _("region")
    TOWN = "town", _("town and position")
    MANAGERS = "managers", _("managers")
    MANAGED_SINCE = "managed_since", _("managed since")
    FOUNDED = "founded_on", _("founded")
    MEMBERS = "members", _("members")
    WEBSITE = "website", _("web site")


class Evidence(models.Model):
    """What stands behind a statement of the register."""

    source = models.CharField(
        _("source"),
        max_length=500,
        blank=True,
        help_text=_("Addresses or titles; a semicolon and a space between two."),
    )
    confidence = models.CharField(
        _("certainty"), max_length=8, choices=Confidence, default=Confidence.SEEN
    )
    note = models.CharField(
        _("note"), max_length=500, blank=True, help_text=_("What the source says; public.")
    )

    class Meta:
        abstract = True

    @property
    def is_confirmed(self) -> bool:
        return self.confidence == Confidence.SEEN


def names_what_was_seen(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"{name}_names_what_was_seen",
        condition=~Q(confidence=Confidence.SEEN) | ~Q(source=""),
        violation_error_message=_("Name the source that was seen."),
    )


class FactSource(Evidence):
    """Where one fact of a cluster was read; of several addresses, one at least tells it."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="fact_sources", verbose_name=_("cluster")
    )
    fact = models.CharField(_("fact"), max_length=20, choices=ClusterFact)

    history = History()

    class Meta:
        ordering = ("cluster", "pk")
        verbose_name = _("source of a fact")
        verbose_name_plural = _("sources of facts")
        constraints = (
            names_what_was_seen("fact_source"),
            models.UniqueConstraint(
                fields=("cluster", "fact"),
                name="fact_source_once_per_fact",
                violation_error_message=_("This fact has its source already."),
            ),
        )

    def __str__(self) -> str:
        return self.get_fact_display()


@dataclass(frozen=True)
class FactsOfSource:
    """Facts that were read in the same place, equally sure."""

    facts: list[FactSource]

    @property
    def first(self) -> FactSource:
        return self.facts[0]

    @property
    def names(self) -> list[str]:
        return [row.get_fact_display() for row in self.facts]


def by_source(rows: Iterable[FactSource]) -> list[FactsOfSource]:
    found: dict[tuple[str, str], list[FactSource]] = {}
    for row in rows:
        found.setdefault((row.confidence, row.source), []).append(row)
    return [FactsOfSource(facts) for _key, facts in sorted(found.items(), key=_seen_first)]


def _seen_first(found: tuple[tuple[str, str], list[FactSource]]) -> int:
    return Confidence.values.index(found[0][0])
