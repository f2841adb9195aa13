"""The scheme as dated data: levels, rules, bodies, indicators, and what was published about it."""

from datetime import date
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.fields import (
    BoundedIntegerField,
    DayField,
    LongTextField,
    NameField,
    PartialDateField,
)
from clusters.models import Account, TwoNames
from clusters.models.history import History
from clusters.models.reference import ends_after_it_starts
from labels.validity import Rule


class Level(TwoNames):
    """Bronze, Silver or Gold."""

    code = models.SlugField(_("code"), primary_key=True)
    rank = BoundedIntegerField(
        _("rank"),
        unique=True,
        help_text=_("The highest valid level is a cluster’s current one."),
        most=100,
    )
    official_wording = models.CharField(
        _("official wording"), max_length=120, help_text=_("As printed on the certificate.")
    )
    process_en = LongTextField(_("how it is reached (English)"), blank=True, max_length=4_000)
    process_it = LongTextField(_("how it is reached (Italian)"), blank=True, max_length=4_000)

    _history_user: Account | None

    history = History()

    class Meta:
        ordering = ("-rank",)
        verbose_name = _("level")
        verbose_name_plural = _("levels")

    @property
    def process(self) -> str:
        return self.process_it if get_language() == "it" else self.process_en


class LevelRuleQuerySet(models.QuerySet["LevelRule"]):
    def in_force(self, day: date) -> Self:
        # The rule of each level on a day.
        latest = (
            LevelRule.objects.filter(level=models.OuterRef("level"), effective_from__lte=day)
            .order_by("-effective_from")
            .values("pk")[:1]
        )
        return self.filter(pk=models.Subquery(latest))

    def by_level(self) -> Self:
        # The highest level first, the latest rule first.
        return self.order_by("-level__rank", "-effective_from")


class LevelRule(models.Model):
    """What holds for a level's labels from a day on; the past keeps its rules."""

    level = models.ForeignKey(Level, models.PROTECT, related_name="rules", verbose_name=_("level"))
    effective_from = DayField(_("in force from"))
    first_months = BoundedIntegerField(
        _("months of first validity"), validators=[MinValueValidator(1)], most=120
    )
    renewal_months = BoundedIntegerField(
        _("months of a renewal"),
        validators=[MinValueValidator(1)],
        help_text=_("Counted from the previous end."),
        most=120,
    )
    ends_at_month_end = models.BooleanField(_("ends with the month"), default=True)
    renewal_window_months = BoundedIntegerField(
        _("months for a late renewal"),
        help_text=_("How long after its end a label may still be renewed."),
        most=120,
    )
    experts = BoundedIntegerField(_("experts needed"), most=100)
    minimum_score = models.DecimalField(
        _("minimum score"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Percent of the maximum; empty where the level has no score."),
    )
    areas_of_improvement = BoundedIntegerField(
        _("areas of improvement"),
        default=0,
        help_text=_("How many a new label of the level names."),
        most=20,
    )
    is_confirmed = models.BooleanField(
        _("confirmed by a source"),
        default=False,
        help_text=_("Off: pages say that this rule is inferred."),
    )
    note_en = LongTextField(_("note (English)"), blank=True, max_length=4_000)
    note_it = LongTextField(_("note (Italian)"), blank=True, max_length=4_000)

    _history_user: Account | None

    objects = LevelRuleQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("level", "-effective_from")
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = (
            models.UniqueConstraint(
                fields=("level", "effective_from"),
                name="level_rule_once_per_day",
                violation_error_message=_("This level has a rule from that day already."),
            ),
            models.CheckConstraint(
                name="level_rule_months_are_positive",
                condition=Q(first_months__gte=1, renewal_months__gte=1),
                violation_error_message=_("A label lasts one month at least."),
            ),
            models.CheckConstraint(
                name="level_rule_score_is_a_percentage",
                condition=Q(minimum_score__isnull=True)
                | Q(minimum_score__gte=0, minimum_score__lte=100),
                violation_error_message=_("A score lies between 0 and 100 percent."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.effective_from}"

    @property
    def note(self) -> str:
        return self.note_it if get_language() == "it" else self.note_en

    def as_rule(self) -> Rule:
        return Rule(
            effective_from=self.effective_from,
            first_months=self.first_months,
            renewal_months=self.renewal_months,
            ends_at_month_end=self.ends_at_month_end,
            renewal_window_months=self.renewal_window_months,
        )


class IssuingBody(models.Model):
    """A body behind the scheme: its owner, the assessor, or who awards."""

    code = models.SlugField(_("code"), unique=True)
    short_name = NameField(_("short name"), max_length=40)
    name = NameField(_("name"), max_length=200)
    website = models.URLField(_("web site"), blank=True)

    history = History()

    class Meta:
        ordering = ("short_name", "pk")
        verbose_name = _("issuing body")
        verbose_name_plural = _("issuing bodies")

    def __str__(self) -> str:
        return self.short_name


class BodyRole(models.TextChoices):
    OWNER = "owner", _("owner of the scheme")
    ASSESSOR = "assessor", _("assessor")
    AWARDER = "awarder", _("awarding body")


class IssuingBodyRole(models.Model):
    """What a body did in the scheme, since and until when."""

    body = models.ForeignKey(
        IssuingBody, models.CASCADE, related_name="roles", verbose_name=_("issuing body")
    )
    role = models.CharField(_("role"), max_length=10, choices=BodyRole)
    started_on = PartialDateField(_("from"), null=True, blank=True)
    ended_on = PartialDateField(_("until"), null=True, blank=True)

    history = History()

    class Meta:
        ordering = ("body", "started_on", "pk")
        verbose_name = _("role in the scheme")
        verbose_name_plural = _("roles in the scheme")
        constraints = (ends_after_it_starts("issuing_body_role"),)

    def __str__(self) -> str:
        return self.get_role_display()


class IndicatorSetQuerySet(models.QuerySet["IndicatorSet"]):
    def with_indicators(self) -> Self:
        return self.select_related("level").prefetch_related("indicators")


class IndicatorSet(TwoNames):
    """A version of the indicators of an assessment; sets of different kinds are never merged."""

    level = models.ForeignKey(
        Level, models.PROTECT, related_name="indicator_sets", verbose_name=_("level")
    )
    version = models.CharField(_("version"), max_length=40)
    is_official = models.BooleanField(
        _("official wording"),
        default=False,
        help_text=_("Off: pages say that names and numbers are a reconstruction."),
    )
    note_en = LongTextField(_("note (English)"), blank=True, max_length=4_000)
    note_it = LongTextField(_("note (Italian)"), blank=True, max_length=4_000)

    objects = IndicatorSetQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("-level__rank", "version", "pk")
        verbose_name = _("indicator set")
        verbose_name_plural = _("indicator sets")
        constraints = (
            models.UniqueConstraint(fields=("level", "version"), name="indicator_set_once"),
        )

    @property
    def note(self) -> str:
        return self.note_it if get_language() == "it" else self.note_en


class Dimension(models.TextChoices):
    STRUCTURE = "structure", _("Structure of the cluster")
    GOVERNANCE = "governance", _("Management, governance, cooperation")
    FINANCING = "financing", _("Financing")
    STRATEGY = "strategy", _("Strategy, objectives, services")
    ACHIEVEMENTS = "achievements", _("Achievements and recognition")


class Indicator(TwoNames):
    """One question of a set. Weight and threshold stay empty where they are not published."""

    set = models.ForeignKey(
        IndicatorSet, models.CASCADE, related_name="indicators", verbose_name=_("indicator set")
    )
    number = BoundedIntegerField(_("number"), most=1000)
    dimension = models.CharField(_("dimension"), max_length=12, choices=Dimension)
    maximum = models.DecimalField(
        _("highest score"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    weight = models.DecimalField(_("weight"), max_digits=5, decimal_places=2, null=True, blank=True)
    threshold = models.DecimalField(
        _("threshold"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    is_minimum_requirement = models.BooleanField(_("minimum requirement"), default=False)

    history = History()

    class Meta:
        ordering = ("set", "number")
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        constraints = (
            models.UniqueConstraint(fields=("set", "number"), name="indicator_number_once"),
        )


class StatementQuerySet(models.QuerySet["Statement"]):
    def latest_first(self) -> Self:
        return self.order_by("-as_of_on", "pk")


class Statement(models.Model):
    """A count that a source published: quoted, never derived from this register."""

    as_of_on = PartialDateField(_("as of"))
    definition_en = models.CharField(_("what was counted (English)"), max_length=200)
    definition_it = models.CharField(_("what was counted (Italian)"), max_length=200)
    level = models.ForeignKey(
        Level,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="statements",
        verbose_name=_("level"),
        help_text=_(
            "Only where every cluster with a label of this level was counted: beside it stands how "
            "many of them this register holds."
        ),
    )
    count = BoundedIntegerField(_("number"), most=10_000_000)
    is_more_than = models.BooleanField(_("more than"), default=False)
    detail_en = models.CharField(_("detail (English)"), max_length=300, blank=True)
    detail_it = models.CharField(_("detail (Italian)"), max_length=300, blank=True)
    source = models.CharField(_("source"), max_length=500)

    objects = StatementQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("as_of_on", "pk")
        verbose_name = _("published count")
        verbose_name_plural = _("published counts")
        constraints = (
            models.UniqueConstraint(
                fields=("as_of_on", "definition_en", "source"),
                name="statement_once_per_source",
                violation_error_message=_("This statement is there already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.as_of_on}: {self.count} {self.definition}"

    @property
    def definition(self) -> str:
        return self.definition_it if get_language() == "it" else self.definition_en

    @property
    def detail(self) -> str:
        return self.detail_it if get_language() == "it" else self.detail_en
