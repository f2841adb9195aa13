"""The register: labels, their effective days, and their state on any day."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import Exact, In
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate, add_months
from clusters.fields import DayField, LongTextField, NormalNameField, PartialDateField
from clusters.http.faceted import NOT_RECORDED
from clusters.models import Account, Cluster, Organisation
from clusters.models.history import History
from clusters.models.keys import Among
from clusters.names import new_public_id
from labels import validity
from labels.models.scheme import IssuingBody, Level, LevelRule
from labels.validity import Days, Interval, State

STATE_NAMES = {
    State.NOT_YET: _("not yet valid"),
    State.VALID: _("valid"),
    State.UNCERTAIN: _("cannot be told"),
    State.RENEWABLE: _("expired, may still be renewed"),
    State.EXPIRED: _("expired"),
    State.SUSPENDED: _("suspended"),
    State.REVOKED: _("revoked"),
    State.TRANSFERRED: _("transferred"),
    State.UNDATED: _("dates unknown"),
}


MAY_HOLD = (State.VALID.value, State.UNCERTAIN.value)


class LabelKind(models.TextChoices):
    UNKNOWN = "", _("not stated")
    FIRST = "first", _("first award")
    RENEWAL = "renewal", _("renewal")


# What one person may correct in a public label: the wording of a source, a slip in a number.
CORRECTED_ALONE = frozenset({"source", "certificate_number"})
# What no person says of a label: its keys, what is derived from its facts, what its proofs need.
NO_FACTS = frozenset(
    {
        "id",
        "public_id",
        "normal_certificate_number",
        "decided_here",
        "decision",
        *Days._fields,
        "start_is_computed",
        "end_is_computed",
        "days_are_exact",
        "minimum_score",
        "rule",
    }
)


class LabelQuerySet(models.QuerySet["Label"]):
    def published(self) -> Self:
        """The one predicate for "the public sees it"."""
        return self.filter(is_published=True, cluster__is_published=True)

    def with_state(self, day: date) -> Self:
        """Annotate `state`, a value of `State`; the SQL twin of `validity.state_on`."""
        return self.annotate(state=state_expression(day))

    def in_state(self, state: State, day: date) -> Self:
        return self.with_state(day).filter(Exact(F("state"), state.value))

    def valid_on(self, day: date) -> Self:
        return self.in_state(State.VALID, day)

    def undated_on(self, day: date) -> Self:
        return self.in_state(State.UNDATED, day)

    def ending_between(self, first: date, last: date) -> Self:
        """Labels that end in these days, first and last included, with no later label to follow."""
        return self.filter(
            ~Exists(later_labels()),
            Q(revoked_on__isnull=True) | Q(revoked_on__gt=first),
            Q(transferred_on__isnull=True) | Q(transferred_on__gt=first),
            ends_on__range=(first, last),
        )

    def closing_between(self, first: date, last: date) -> Self:
        """Labels renewable on the first day whose window closes by the last, both included."""
        return self.in_state(State.RENEWABLE, first).filter(renewable_until__range=(first, last))

    def with_succession(self) -> Self:
        """Annotate `taken_over_on` and prefetch suspensions: what `Label.state_on` needs.

        With `with_transfer()`, for the words.
        """
        first = later_labels().order_by("starts_on").values("starts_on")[:1]
        found = self.annotate(taken_over_on=Subquery(first)).prefetch_related("suspensions")
        return found.with_transfer()

    def with_transfer(self) -> Self:
        """Annotate the numbers of the labels that each was transferred to and from, and who holds
        them: `moved_to`, `moved_to_holder`, `moved_from`, `moved_from_holder`. None where there is
        no such label or the public does not see it.
        """
        after = Label.objects.published().filter(transferred_from=OuterRef("pk"))
        before = Label.objects.published().filter(pk=OuterRef("transferred_from"))
        is_after, is_before = Q(transferred_on__isnull=False), Q(transferred_from__isnull=False)
        return self.annotate(
            moved_to=Case(When(is_after, then=first_of(after, "public_id"))),
            moved_to_holder=Case(When(is_after, then=first_of(after, "cluster__name"))),
            moved_from=Case(When(is_before, then=first_of(before, "public_id"))),
            moved_from_holder=Case(When(is_before, then=first_of(before, "cluster__name"))),
        )

    def with_holder(self) -> Self:
        return self.select_related(
            "level", "cluster", "cluster__portfolio", "managing_organisation", "awarded_by"
        )

    def for_pages(self, day: date) -> Self:
        """Published labels with holder, `state` on the day and succession: two queries."""
        return self.published().with_holder().with_state(day).with_succession()

    def of_clusters(self, clusters: Iterable[int]) -> Self:
        return self.filter(cluster__in=list(clusters))

    def held_by(self, clusters: Iterable[int]) -> Self:
        # As `of_clusters`, for any number of them.
        return self.filter(Among("cluster_id", clusters))

    def of_levels(self, codes: Iterable[str]) -> Self:
        return self.filter(level__in=list(codes))

    def of_rank(self, least: int) -> Self:
        return self.filter(level__rank__gte=least)

    def narrowed(
        self,
        *,
        levels: Collection[str] = (),
        states: Collection[str] = (),
        countries: Collection[str] = (),
        portfolios: Collection[str] = (),
    ) -> Self:
        """Labels with one of the values of each filter; an empty one does not narrow.

        Wants `with_state()`.
        """
        found = self
        if levels:
            found = found.of_levels(levels)
        if states:
            found = found.filter(In(F("state"), list(states)))
        if countries:
            found = found.filter(cluster__country__in=countries)
        if portfolios:
            is_unknown = Q(cluster__portfolio=None) if NOT_RECORDED in portfolios else Q()
            found = found.filter(Q(cluster__portfolio__code__in=portfolios) | is_unknown)
        return found

    def without_certain_days(self) -> Self:
        return self.filter(certain_from__gt=F("certain_until"))

    def with_public_id(self, public_id: str) -> Self:
        return self.filter(public_id=public_id)

    def numbered(self, key: str) -> Self:
        # The label with this public id or certificate number, in any case.
        is_certificate = ~Q(certificate_number="") & Q(normal_certificate_number=key)
        return self.filter(Q(public_id=key.upper()) | is_certificate)

    def with_certificate(self) -> Self:
        # Select what only the label's own page shows.
        return self.select_related("rule", "renews", "cluster__region", "transferred_from__cluster")

    def with_place(self) -> Self:
        # Annotate `place` in the lists of states, and the digest that it was taken for.
        is_good = Q(credentials__is_withdrawn=False)
        found = self.annotate(issued=FilteredRelation("credentials", condition=is_good))
        return found.annotate(place=F("issued__status_index"), place_is_for=F("issued__digest"))

    def in_force_with(self, label: "Label") -> Self:
        """Other public labels of its cluster and level in force on a day on which it is, too.

        Only those whose days are known to the day; the database refuses them as well.
        """
        if not label.days_are_exact:
            return self.none()
        later_start = Greatest(F("starts_on"), Value(label.starts_on))
        found = self.exclude(pk=label.pk).filter(
            is_published=True, days_are_exact=True, cluster=label.cluster_id, level=label.level_id
        )
        found = found.annotate(both_from=later_start)
        for last in ("ends_on", "revoked_on", "transferred_on"):
            own = getattr(label, last)
            theirs = Q(both_from__lt=F(last)) | Q(**{f"{last}__isnull": True})
            if last == "ends_on":
                found = found.filter(both_from__lte=F(last)).filter(both_from__lte=own)
            else:
                found = found.filter(theirs)
                found = found.filter(both_from__lt=own) if own else found
        return found

    def started_by(self, day: date) -> Self:
        return self.filter(starts_on__lte=day)

    def highest_first(self) -> Self:
        # By rank, then the latest start; undated rows of a level last.
        return self.order_by("-level__rank", F("starts_on").desc(nulls_last=True), "pk")

    def in_register_order(self, day: date) -> Self:
        # The latest to have begun by the day first; then what begins later; undated rows last.
        turn = Case(
            When(starts_on__isnull=True, then=2), When(starts_on__gt=day, then=1), default=0
        )
        return self.order_by(turn, F("starts_on").desc(), "cluster__name", "pk")

    def count_by_state(self, day: date) -> dict[tuple[str, str], int]:
        # Number of labels by (level code, state) on a day; absent keys are zero.
        rows = (
            self.order_by()
            .annotate(state_that_day=state_expression(day))
            .values_list("level_id", "state_that_day")
            .annotate(number=models.Count("pk"))
        )
        return {(level, state): number for level, state, number in rows}

    def count_by_cell(self, day: date) -> list[tuple[str, str, str, str | None, int]]:
        # How many labels by level, state on the day, country and portfolio.
        rows = (
            self.order_by()
            .annotate(state_that_day=state_expression(day))
            .values_list(
                "level_id", "state_that_day", "cluster__country", "cluster__portfolio__code"
            )
            .annotate(number=models.Count("pk"))
        )
        return list(rows)

    def count_holders(self, day: date) -> dict[str, tuple[int, int]]:
        """By level code, how many clusters hold it for certain and how many more may hold it."""
        is_valid, may_be = Exact(F("state"), State.VALID.value), In(F("state"), MAY_HOLD)
        rows = (
            self.with_state(day)
            .order_by()
            .values_list("level_id")
            .annotate(
                certain=models.Count("cluster", distinct=True, filter=Q(is_valid)),
                possible=models.Count("cluster", distinct=True, filter=Q(may_be)),
            )
        )
        return {level: (certain, possible - certain) for level, certain, possible in rows}


def first_of(labels: LabelQuerySet, name: str) -> Subquery:
    return Subquery(labels.order_by().values(name)[:1])


def state_expression(day: date) -> Case:
    # The branches of `validity.state_on`, in its order.
    is_suspended = Exists(
        Suspension.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=day), label=OuterRef("pk"), starts_on__lte=day
        )
    )
    is_taken_over = Exists(later_labels().filter(starts_on__lte=day))
    return Case(
        When(revoked_on__lte=day, then=Value(State.REVOKED.value)),
        When(transferred_on__lte=day, then=Value(State.TRANSFERRED.value)),
        When(starts_on__isnull=True, then=Value(State.UNDATED.value)),
        When(starts_on__gt=day, then=Value(State.NOT_YET.value)),
        When(Q(is_suspended, ends_on__gte=day), then=Value(State.SUSPENDED.value)),
        When(certain_from__lte=day, certain_until__gte=day, then=Value(State.VALID.value)),
        When(ends_on__gte=day, then=Value(State.UNCERTAIN.value)),
        When(
            Q(~is_suspended, ~is_taken_over, renewable_until__gte=day),
            then=Value(State.RENEWABLE.value),
        ),
        default=Value(State.EXPIRED.value),
        output_field=models.CharField(),
    )


def later_labels() -> LabelQuerySet:
    """For a subquery: published labels of the outer row's level and cluster that came later.

    Later is by first day, then last day, then key, so that of two labels one is later.
    """
    same_start = Q(starts_on=OuterRef("starts_on"))
    return Label.objects.filter(
        Q(starts_on__gt=OuterRef("starts_on"))
        | (same_start & Q(ends_on__gt=OuterRef("ends_on")))
        | (same_start & Q(ends_on=OuterRef("ends_on"), pk__gt=OuterRef("pk"))),
        is_published=True,
        cluster=OuterRef("cluster"),
        level=OuterRef("level"),
    )


class Label(models.Model):
    """A Cluster Management Excellence Label that a cluster was awarded.

    What a source printed is kept as printed, with its precision; the days that count
    (`starts_on` to `renewable_until`) are derived by `labels.life.days.save_label`.
    """

    public_id = models.CharField(
        _("public id"), max_length=8, unique=True, editable=False, default=new_public_id
    )
    certificate_number = models.CharField(
        _("certificate number"),
        max_length=60,
        blank=True,
        help_text=_("As printed on the certificate."),
    )
    normal_certificate_number = NormalNameField("certificate_number", max_length=120)
    cluster = models.ForeignKey(
        Cluster, models.PROTECT, related_name="labels", verbose_name=_("cluster")
    )
    managing_organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="labels",
        verbose_name=_("managing organisation at the time"),
    )
    level = models.ForeignKey(Level, models.PROTECT, related_name="labels", verbose_name=_("level"))
    kind = models.CharField(
        _("first or renewal"), max_length=8, choices=LabelKind, blank=True, default=""
    )
    renews = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="renewals",
        verbose_name=_("renews"),
    )
    assessed_on = PartialDateField(_("assessed"), null=True, blank=True)
    awarded_on = PartialDateField(_("awarded"), null=True, blank=True)
    announced_on = PartialDateField(_("announced"), null=True, blank=True)
    valid_until = PartialDateField(
        _("printed end"),
        null=True,
        blank=True,
        help_text=_("Only as printed by a source; empty, it is computed by the rule in force."),
    )
    extended_until = DayField(_("extended until"), null=True, blank=True, editable=False)
    awarded_by = models.ForeignKey(
        IssuingBody,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="labels",
        verbose_name=_("awarded by"),
    )
    score = models.DecimalField(
        _("published score"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Percent, only where the holder published it."),
    )
    benchmarked_on = PartialDateField(
        _("first benchmarking"),
        null=True,
        blank=True,
        help_text=_("A Silver follows an earlier benchmarking. Not public."),
    )
    areas_of_improvement = LongTextField(
        _("areas of improvement"),
        blank=True,
        help_text=_("Those that a Silver names, one on each line. Not public."),
        max_length=4_000,
    )
    source = models.CharField(_("source"), max_length=500, blank=True)
    decided_here = models.BooleanField(
        _("decided in this register"),
        default=False,
        editable=False,
        help_text=_("Off: recorded from a source, with what that tells."),
    )
    revoked_on = DayField(_("revoked from"), null=True, blank=True)
    revocation_reason = LongTextField(_("reason for the revocation"), blank=True, max_length=4_000)
    transferred_on = DayField(_("transferred on"), null=True, blank=True, editable=False)
    transferred_from = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="transferred_to",
        verbose_name=_("transferred from"),
    )
    is_published = models.BooleanField(
        _("published"), default=True, help_text=_("Off: no public page shows it.")
    )
    # What changed a public label last: a trigger lets nothing else do it.
    decision = models.ForeignKey(
        "labels.Decision", models.PROTECT, null=True, editable=False, related_name="+"
    )

    # It may be valid from the first of these days to the last, and between the two in the middle it
    # is so for certain: where a day is known, two and two are the same.
    starts_on = DayField(_("valid from"), null=True, editable=False)
    certain_from = DayField(_("certainly valid from"), null=True, editable=False)
    certain_until = DayField(_("certainly valid until"), null=True, editable=False)
    ends_on = DayField(_("valid until"), null=True, editable=False)
    renewable_until = DayField(_("renewable until"), null=True, editable=False)
    start_is_computed = models.BooleanField(default=False, editable=False)
    end_is_computed = models.BooleanField(default=False, editable=False)
    days_are_exact = models.BooleanField(default=False, editable=False)
    minimum_score = models.DecimalField(
        _("minimum score"), max_digits=5, decimal_places=2, null=True, editable=False
    )
    rule = models.ForeignKey(
        LevelRule,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="labels",
        verbose_name=_("rule behind the dates"),
    )

    # What querysets annotate.
    state: str  # with_state()
    taken_over_on: date | None  # with_succession()
    moved_to: str | None  # with_transfer(), as the next three
    moved_to_holder: str | None
    moved_from: str | None
    moved_from_holder: str | None
    place: int | None  # with_place()
    place_is_for: str | None
    # Whom the next version in the history names.
    _history_user: Account | None

    objects = LabelQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("cluster__name", F("starts_on").desc(nulls_last=True), "pk")
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        indexes = (
            models.Index(fields=("cluster", "level", "starts_on"), name="label_of_cluster"),
            models.Index(fields=("level", "ends_on"), name="label_by_level_and_end"),
            models.Index(fields=("starts_on",), name="label_by_start"),
        )
        constraints = (
            models.CheckConstraint(
                name="label_has_all_days_or_none",
                condition=Q(**{f"{name}__isnull": True for name in Days._fields})
                | Q(**{f"{name}__isnull": False for name in Days._fields}),
                violation_error_message=_("The days of validity are incomplete."),
            ),
            models.CheckConstraint(
                name="label_ends_after_it_starts",
                condition=Q(starts_on__isnull=True)
                | Q(
                    Q(starts_on__lte=F("certain_from"), certain_until__lte=F("ends_on")),
                    starts_on__lte=F("ends_on"),
                    ends_on__lte=F("renewable_until"),
                ),
                violation_error_message=_("The label ends before it starts."),
            ),
            models.CheckConstraint(
                name="label_with_a_printed_end_has_days",
                condition=Q(valid_until__isnull=True)
                | Q(ends_on__isnull=False, end_is_computed=False),
                violation_error_message=_("The printed end must be the end."),
            ),
            models.CheckConstraint(
                name="label_score_is_a_percentage_of_gold",
                condition=Q(score__isnull=True) | Q(level="gold", score__gte=0, score__lte=100),
                violation_error_message=_("Only a Gold has a score, between 0 and 100 percent."),
            ),
            models.CheckConstraint(
                name="label_score_reaches_the_minimum",
                condition=Q(score__isnull=True)
                | Q(minimum_score__isnull=True)
                | Q(score__gte=F("minimum_score")),
                violation_error_message=_("The score lies under the minimum of the rule."),
            ),
            models.CheckConstraint(
                name="label_decided_here_is_known_to_the_day",
                condition=Q(decided_here=False) | Q(days_are_exact=True),
                violation_error_message=_("Give the day of the assessment, not only its month."),
            ),
            models.CheckConstraint(
                name="label_silver_names_its_areas_and_benchmarking",
                condition=Q(decided_here=False)
                | ~Q(level="silver")
                | Q(benchmarked_on__isnull=False) & ~Q(areas_of_improvement=""),
                violation_error_message=_(
                    "A Silver needs its areas of improvement and the earlier benchmarking."
                ),
            ),
            models.CheckConstraint(
                name="label_areas_are_of_a_silver",
                condition=Q(areas_of_improvement="", benchmarked_on__isnull=True)
                | Q(level="silver"),
                violation_error_message=_(
                    "Only a Silver names areas of improvement and the earlier benchmarking."
                ),
            ),
            models.CheckConstraint(
                name="label_benchmarking_comes_first",
                condition=Q(benchmarked_on__isnull=True)
                | Q(assessed_on__isnull=True)
                | Q(benchmarked_on__lt=F("assessed_on")),
                violation_error_message=_("The benchmarking comes before the assessment."),
            ),
            models.CheckConstraint(
                name="label_extension_is_the_end",
                condition=Q(extended_until__isnull=True)
                | Q(ends_on=F("extended_until"), end_is_computed=False),
                violation_error_message=_("The extension must be the end."),
            ),
            models.CheckConstraint(
                name="label_is_transferred_while_it_is_valid",
                condition=Q(transferred_on__isnull=True)
                | Q(transferred_on__gt=F("starts_on"), transferred_on__lte=F("ends_on")),
                violation_error_message=_("A label is transferred while it is valid."),
            ),
            models.CheckConstraint(
                name="label_revocation_has_a_reason",
                condition=(Q(revoked_on__isnull=True) & Q(revocation_reason=""))
                | (Q(revoked_on__isnull=False) & ~Q(revocation_reason="")),
                violation_error_message=_("A revocation needs its day and its reason."),
            ),
            models.CheckConstraint(
                name="label_renews_another_only_as_a_renewal",
                condition=Q(renews__isnull=True) | Q(kind="renewal") & ~Q(renews=F("pk")),
                violation_error_message=_("Only a renewal renews another label."),
            ),
            models.UniqueConstraint(
                "cluster",
                "level",
                *(
                    Coalesce(date_field, Value(""), output_field=models.CharField())
                    for date_field in ("assessed_on", "awarded_on", "valid_until")
                ),
                "certificate_number",
                condition=Q(is_published=True),
                name="label_once_per_dates",
                violation_error_message=_("This label is in the register already."),
            ),
        )

    def __str__(self) -> str:
        printed = self.start or self.valid_until
        return f"{self.level} – {self.cluster}" + (f", {printed}" if printed else "")

    def get_absolute_url(self) -> str:
        return reverse("labels:detail", args=[self.public_id])

    def clean(self) -> None:
        if self.pk and Label.objects.filter(pk=self.pk, revoked_on__isnull=False).exists():
            raise ValidationError(_("This label was revoked; it does not change any more."))
        if self.renews and self.renews.cluster_id != self.cluster_id:
            raise ValidationError({"renews": _("This is a label of another cluster.")})
        if self.renews and self.renews.level_id != self.level_id:
            raise ValidationError({"renews": _("A renewal keeps the level.")})
        if self.pk and any(earlier.pk == self.pk for earlier in self.renewed_chain()):
            raise ValidationError({"renews": _("This label is a renewal of the one at hand.")})
        if self.level_id:
            try:
                self.derive_days()
            except validity.EndsBeforeItStarts as error:
                message = _("the end (%(end)s) lies before the start (%(start)s)")
                days = {"end": error.ends_on, "start": error.starts_on}
                raise ValidationError(
                    {"valid_until": ValidationError(message, params=days)}
                ) from error
            self.refuse_two_in_force()
            self.refuse_unnamed_areas()

    def refuse_unnamed_areas(self) -> None:
        number = self.rule.areas_of_improvement if self.decided_here and self.rule else 0
        named = [line for line in self.areas_of_improvement.splitlines() if line.strip()]
        if len(named) < number:
            message = _("Name %(number)d areas of improvement, one on each line.")
            error = ValidationError(message, params={"number": number})
            raise ValidationError({"areas_of_improvement": error})

    def refuse_two_in_force(self) -> None:
        """Raises ValidationError where another label of cluster and level is in force meanwhile.

        What renews this one starts anew after its end, so it does not count.
        """
        if not self.is_published or self.cluster_id is None:
            return
        others = Label.objects.in_force_with(self)
        if self.pk:
            # A revoked one keeps its days.
            others = others.exclude(renews=self.pk, revoked_on__isnull=True)
        other = others.first()
        if other:
            message = _(
                "The cluster has a label of this level in force from %(start)s to %(end)s already "
                "(%(label)s)."
            )
            days = {"start": other.starts_on, "end": other.ends_on, "label": other.public_id}
            raise ValidationError(message, params=days)

    @property
    def start(self) -> PartialDate | None:
        # The validity runs from the assessment; where that is unknown, from the award.
        start: PartialDate | None = self.assessed_on or self.awarded_on
        return start

    @property
    def effective_days(self) -> Days:
        return Days(*(getattr(self, name) for name in Days._fields))

    @property
    def possible_ends(self) -> validity.PossibleDays | None:
        if self.certain_until is None or self.ends_on is None:
            return None
        return validity.PossibleDays(self.certain_until, self.ends_on)

    @property
    def has_certain_days(self) -> bool:
        first, last = self.certain_from, self.certain_until
        return first is not None and last is not None and first <= last

    @property
    def start_is_exact(self) -> bool:
        return self.starts_on is not None and self.starts_on == self.certain_from

    @property
    def end_is_exact(self) -> bool:
        return self.ends_on is not None and self.certain_until == self.ends_on

    def renewed_chain(self) -> "Iterator[Label]":
        """What this label renews, what that one renewed, and so on (a query each)."""
        seen: set[int] = set()
        earlier = self.renews
        while earlier is not None and earlier.pk not in seen:
            yield earlier
            seen.add(earlier.pk)
            earlier = earlier.renews

    def derive_days(self) -> None:
        """Set the effective days from what is printed and the level's rules (one query).

        Raises EndsBeforeItStarts where they contradict each other, ValidationError without a rule.
        """
        rules = {rule.as_rule(): rule for rule in LevelRule.objects.filter(level=self.level_id)}
        if not rules:
            raise ValidationError({"level": _("This level has no rule yet.")})
        self.apply_validity(rules)

    def apply_validity(self, rules: "dict[validity.Rule, LevelRule]") -> None:
        """Set the effective days by the level's rules, without a query on loaded relations."""
        if self.transferred_from is not None:
            self.take_days_over(self.transferred_from, rules)
            return
        days = validity.validity(
            start=self.start,
            printed_end=self.valid_until,
            rules=list(rules),
            is_renewal=self.kind == LabelKind.RENEWAL,
            previous_end=self.renews.possible_ends if self.renews else None,
            extended_until=self.extended_until,
        )
        self.starts_on, self.certain_from = days.start if days else (None, None)
        self.certain_until, self.ends_on = days.end if days else (None, None)
        self.renewable_until = days.renewable_until if days else None
        self.start_is_computed = days is not None and days.start_is_computed
        self.end_is_computed = days is not None and days.end_is_computed
        self.days_are_exact = days is not None and days.is_exact
        self.rule = rules[days.rule] if days else None
        self.minimum_score = self.rule.minimum_score if self.rule else None

    def take_days_over(self, given: "Label", rules: "dict[validity.Rule, LevelRule]") -> None:
        """From the day of the transfer to the end that the former holder's label had.

        An extension goes before that; the one it had goes along when it is transferred.
        """
        self.starts_on = self.certain_from = given.transferred_on
        for name in ("certain_until", "ends_on", "renewable_until", "end_is_computed"):
            setattr(self, name, getattr(given, name))
        if self.extended_until is not None:
            self.certain_until = self.ends_on = self.extended_until
            self.end_is_computed = False
            window = validity.rule_on(self.ends_on, list(rules)).renewal_window_months
            self.renewable_until = add_months(self.ends_on, window)
        self.days_are_exact = self.end_is_exact
        self.start_is_computed = True
        self.rule, self.minimum_score = given.rule, given.minimum_score

    def days(self) -> validity.LabelDays:
        """What decides on its state, without a query on a row loaded by `with_succession()`."""
        return validity.LabelDays(
            **self.effective_days._asdict(),
            revoked_on=self.revoked_on,
            transferred_on=self.transferred_on,
            suspensions=[suspension.interval for suspension in self.suspensions.all()],
            taken_over_on=self.taken_over_on,
        )

    def state_on(self, day: date) -> State:
        return validity.state_on(day, self.days())

    def spells(self) -> list[validity.LabelSpell]:
        return validity.spells(self.days())

    def suspension_on(self, day: date) -> "Suspension | None":
        # The suspension in effect, whatever the state of the label is.
        return next((one for one in self.suspensions.all() if day in one.interval), None)


class Suspension(models.Model):
    """Days on which a label was suspended: from its start to the day before its end."""

    label = models.ForeignKey(
        Label, models.CASCADE, related_name="suspensions", verbose_name=_("label")
    )
    starts_on = DayField(_("suspended from"))
    ends_on = DayField(_("reinstated on"), null=True, blank=True)
    reason = LongTextField(_("reason"), max_length=4_000)

    _history_user: Account | None

    history = History()

    class Meta:
        ordering = ("label", "starts_on", "pk")
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints = (
            models.CheckConstraint(
                name="suspension_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                violation_error_message=_("A label is reinstated after it was suspended."),
            ),
            models.UniqueConstraint(
                fields=("label",),
                condition=Q(ends_on__isnull=True),
                name="suspension_open_once",
                violation_error_message=_("This label is suspended already."),
            ),
            models.UniqueConstraint(
                fields=("label", "starts_on"),
                name="suspension_once_from_a_day",
                violation_error_message=_("This label is suspended already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on or ''}"

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_on, self.ends_on)


def facts_of_a_label() -> list["models.Field[Any, Any]"]:
    # A new column is a fact, and takes two persons, until somebody says otherwise above.
    return [field for field in Label._meta.concrete_fields if field.name not in NO_FACTS]
