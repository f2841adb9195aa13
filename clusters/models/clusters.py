"""Clusters: names, texts, managers, lineage and members over time."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from clusters.completeness import (
    FACT_NAMES,
    NUMBER_OF_FACTS,
    ProfileFact,
    counted_since,
    percent_of,
    stale_before,
)
from clusters.fields import (
    BoundedIntegerField,
    CoordinateField,
    DayField,
    LongTextField,
    NameField,
    NormalNameField,
    PartialDateField,
)
from clusters.models.history import History
from clusters.models.organisations import Organisation
from clusters.models.records import NamedQuerySet, PublicRecord, PublicRecordQuerySet
from clusters.models.reference import (
    Portfolio,
    ends_after_it_starts,
    in_force_on,
    is_in_force,
    languages,
    name_used_on,
)

# Pages that stand where a cluster's would.
PAGES = ("compare", "map")


class ClusterState(models.TextChoices):
    PROVISIONAL = "provisional", _("provisional")
    ACTIVE = "active", _("active")
    MERGED = "merged", _("merged")
    CLOSED = "closed", _("closed")


class ClusterNameKind(models.TextChoices):
    FORMER = "former", _("former name")
    OTHER = "other", _("also known as")


class ManagementRole(models.TextChoices):
    LEAD = "lead", _("lead")
    JOINT = "joint", _("joint")
    ASSOCIATION = "association", _("members’ association")


class LineageKind(models.TextChoices):
    MERGED_INTO = "merged_into", _("merged into")
    SPLIT_FROM = "split_from", _("split from")


class MemberKind(models.TextChoices):
    TOTAL = "total", _("all members")
    SME = "sme", _("small and medium-sized firms")
    LARGE = "large", _("large firms")
    RESEARCH = "research", _("research")
    EDUCATION = "education", _("education")
    PUBLIC = "public", _("public bodies")
    FINANCE = "finance", _("finance")
    OTHER = "other", _("other")


class CountQualifier(models.TextChoices):
    """How a source qualifies a number of members; empty where it does not."""

    EXACT = "", _("exactly")
    ABOUT = "about", _("about")
    MORE_THAN = "more_than", _("more than")
    ALMOST = "almost", _("almost")
    FIRMS = "firms", _("firms only")


class ClusterQuerySet(PublicRecordQuerySet["Cluster"]):
    def in_directory_order(self) -> Self:
        return self.order_by("normal_name", "pk")

    def unconfirmed_since(self, day: date) -> Self:
        # Living clusters whose team has not confirmed the facts on that day or later.
        return self.filter(
            Q(confirmed_on__isnull=True) | Q(confirmed_on__lt=day),
            state__in=(ClusterState.PROVISIONAL, ClusterState.ACTIVE),
        )

    def managed_on(self, day: date, organisations: "models.QuerySet[Any]") -> Self:
        # Clusters that one of these organisations manages on that day, in whichever role.
        managements = Management.objects.on(day).filter(organisation__in=organisations)
        return self.filter(pk__in=managements.values("cluster"))

    def with_completeness(self, day: date) -> Self:
        """Annotate `has_…` for each `completeness.ProfileFact`, and `number_of_facts` there are.

        Each is 1 where the fact is there that day, else 0.
        """
        one, none = models.Value(1), models.Value(0)
        found = {
            f"has_{fact}": models.Case(models.When(condition, then=one), default=none)
            for fact, condition in facts_present(day).items()
        }
        first, *others = found.values()
        return self.annotate(**found, number_of_facts=sum(others, start=first))

    def with_percent_between(self, least: int, below: int) -> Self:
        # Wants `with_completeness()`.
        numbers = [n for n in range(NUMBER_OF_FACTS + 1) if least <= percent_of(n) < below]
        return self.filter(number_of_facts__in=numbers)

    def count_countries(self) -> int:
        return self.order_by().values("country").distinct().count()

    def position_of(self, slug: str) -> tuple[float, float] | None:
        # Degrees north and east of the public cluster at this address.
        places: Any = self.published().filter(slug=slug, latitude__isnull=False)
        found = places.values_list("latitude", "longitude").first()
        return (float(found[0]), float(found[1])) if found else None

    def named(
        self, keys: Collection[int], slugs: Collection[str]
    ) -> Iterable[tuple[int, str, str]]:
        # Key, address and name of those with one of the keys or addresses.
        rows = self.filter(Q(pk__in=keys) | Q(slug__in=slugs)).order_by()
        return rows.values_list("pk", "slug", "name")

    def with_place(self) -> Self:
        return self.select_related("region", "portfolio").prefetch_related("texts")

    def with_profile(self) -> Self:
        """What a cluster's own page tells of it, in five queries beside the first."""
        return (
            self.with_place()
            .with_managers()
            .prefetch_related("names", "membership_counts", "fact_sources")
        )

    def for_cards(self, day: date) -> Self:
        """Public ones with place, texts' first lines, sources and who manages them that day.

        Three queries.
        """
        managers = Management.objects.on(day).filter(organisation__is_published=True)
        taglines = {
            f"tagline_{language}": models.Subquery(
                ClusterText.objects.filter(cluster=OuterRef("pk"), language=language).values(
                    "tagline"
                )
            )
            for language, _name in languages()
        }
        return (
            self.published()
            .select_related("region", "portfolio")
            .annotate(**taglines)
            .prefetch_related(
                "fact_sources", Prefetch("managements", managers.select_related("organisation"))
            )
        )

    def with_managers(self) -> Self:
        return self.prefetch_related(published_managers())


def published_managers() -> "Prefetch[str, Any, str]":
    """Of clusters, with their organisations, the lead first."""
    managers = Management.objects.filter(organisation__is_published=True)
    return Prefetch("managements", managers.select_related("organisation"))


def facts_present(day: date) -> dict[ProfileFact, Q]:
    def text(language: str, name: str) -> Q:
        texts = ClusterText.objects.filter(cluster=OuterRef("pk"), language=language)
        return Q(Exists(texts.exclude(**{name: ""})))

    counts = MembershipCount.objects.filter(
        cluster=OuterRef("pk"), counted_on__lasting_on=counted_since(day)
    )
    leads = Management.objects.on(day).filter(
        cluster=OuterRef("pk"), role=ManagementRole.LEAD, organisation__is_published=True
    )
    return {
        ProfileFact.TAGLINE_EN: text("en", "tagline"),
        ProfileFact.TAGLINE_IT: text("it", "tagline"),
        ProfileFact.DESCRIPTION_EN: text("en", "description"),
        ProfileFact.DESCRIPTION_IT: text("it", "description"),
        ProfileFact.PORTFOLIO: Q(portfolio__isnull=False),
        ProfileFact.REGION: Q(region__isnull=False),
        ProfileFact.TOWN: ~Q(town=""),
        ProfileFact.COORDINATES: Q(latitude__isnull=False),
        ProfileFact.WEBSITE: ~Q(website=""),
        ProfileFact.CONTACT: ~Q(contact_address=""),
        ProfileFact.LOGO: ~Q(logo=""),
        ProfileFact.MEMBERS: Q(Exists(counts)),
        ProfileFact.LEAD: Q(Exists(leads)),
        ProfileFact.CONFIRMED: Q(confirmed_on__gte=stale_before(day)),
    }


class Cluster(PublicRecord):
    """A regional ecosystem of firms, research and public bodies; not a legal person."""

    name = NameField(_("name"), max_length=200, db_index=True)
    normal_name = NormalNameField("name")
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=ClusterState,
        default=ClusterState.ACTIVE,
        help_text=_("Provisional: a young cluster whose facts nobody has confirmed yet."),
    )
    portfolio = models.ForeignKey(
        Portfolio,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="clusters",
        verbose_name=_("comparative portfolio"),
    )
    country = CountryField(_("country"), db_index=True)
    town = NameField(_("town"), max_length=120, blank=True)
    # Four places are some ten metres; a town’s centre is not more exact.
    latitude = CoordinateField(
        _("latitude"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
        help_text=_("Degrees north, as 45.4326. The town’s centre is precise enough."),
    )
    longitude = CoordinateField(
        _("longitude"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
        help_text=_("Degrees east, as 7.8103."),
    )
    founded_on = PartialDateField(_("founded"), null=True, blank=True)
    eccp_url = models.URLField(
        _("ECCP profile"),
        blank=True,
        help_text=_("The page on the European Cluster Collaboration Platform."),
    )
    logo = models.ImageField(
        _("logo"),
        upload_to="logos/",
        blank=True,
        db_index=True,
        help_text=_("PNG, JPEG or WebP; stored anew without its metadata."),
    )
    contact_address = models.EmailField(
        _("contact address"),
        blank=True,
        help_text=_("An address of a function, such as info@, never of a person."),
    )
    is_contact_shown = models.BooleanField(_("show the contact address"), default=False)
    confirmed_on = DayField(
        _("last confirmed"),
        null=True,
        blank=True,
        help_text=_("The day on which the team last confirmed these facts."),
    )
    organisations = models.ManyToManyField(
        Organisation, through="Management", related_name="clusters"
    )

    number_of_facts: int  # with_completeness()

    objects = ClusterQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        constraints = (
            models.CheckConstraint(
                name="cluster_has_both_coordinates_or_none",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                violation_error_message=_("Give both latitude and longitude, or neither."),
            ),
            models.CheckConstraint(
                # The validators are asked by forms only.
                name="cluster_coordinates_are_on_earth",
                condition=Q(latitude__isnull=True)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                violation_error_message=_("These coordinates are not on Earth."),
            ),
            models.CheckConstraint(
                name="cluster_address_is_not_of_a_page",
                condition=~Q(slug__in=PAGES),
                violation_error_message=_("This address is that of another page."),
            ),
            models.CheckConstraint(
                name="cluster_shows_only_a_given_contact",
                condition=Q(is_contact_shown=False) | ~Q(contact_address=""),
                violation_error_message=_("There is no contact address to show."),
            ),
        )
        indexes = (
            models.Index(fields=("country", "name"), name="cluster_by_country"),
            models.Index(fields=("portfolio", "name"), name="cluster_by_portfolio"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.refuse_name_of_another(Cluster.objects.filter(labels__is_published=True), "names")
        # The database refuses it as well: labels are withdrawn by decisions (labels/life).
        if self.is_hidden_now() and self.labels.filter(is_published=True).exists():
            message = _("This cluster holds public labels. Propose to withdraw them first.")
            raise ValidationError({"is_published": message})

    def get_absolute_url(self) -> str:
        return reverse("clusters:detail", args=[self.slug])

    def text(self) -> "ClusterText | None":
        # The texts in the active language, else in the other one. Prefetch `texts` for lists.
        texts = {text.language: text for text in self.texts.all()}
        return texts.get(get_language() or "en") or next(iter(texts.values()), None)

    def missing_facts(self) -> list[Promise]:
        # In words; wants `with_completeness()`.
        return [name for fact, name in FACT_NAMES.items() if not getattr(self, f"has_{fact}")]

    def name_on(self, day: date) -> str:
        former = (row for row in self.names.all() if row.kind == ClusterNameKind.FORMER)
        return name_used_on(day, self.name, former)

    @property
    def unconfirmed(self) -> list[str]:
        # The facts that no source was seen to tell. Prefetch `fact_sources` for lists.
        return [row.fact for row in self.fact_sources.all() if not row.is_confirmed]

    def managers_on(self, day: date) -> "list[Management]":
        # Who manages it that day, the lead first. Prefetch by `with_managers()`.
        return [management for management in self.managements.all() if management.is_on(day)]


class ClusterName(models.Model):
    """Another name of a cluster, former or parallel, by which it is found too."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="names", verbose_name=_("cluster")
    )
    name = NameField(_("name"), max_length=200)
    normal_name = NormalNameField("name")
    kind = models.CharField(
        _("kind"), max_length=6, choices=ClusterNameKind, default=ClusterNameKind.FORMER
    )
    started_on = PartialDateField(_("used from"), null=True, blank=True)
    ended_on = PartialDateField(_("used until"), null=True, blank=True)

    objects = NamedQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("cluster", "ended_on", "pk")
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        constraints = (
            ends_after_it_starts("cluster_name"),
            models.UniqueConstraint(fields=("cluster", "name"), name="cluster_other_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class ClusterText(models.Model):
    """What a cluster says of itself in one language."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="texts", verbose_name=_("cluster")
    )
    language = models.CharField(_("language"), max_length=2, choices=languages)
    tagline = models.CharField(
        _("tagline"), max_length=200, blank=True, help_text=_("Who it is, in one line.")
    )
    description = LongTextField(
        _("description"),
        blank=True,
        help_text=_("Plain paragraphs, an empty line between two."),
        max_length=10_000,
    )

    history = History()

    class Meta:
        ordering = ("cluster", "language")
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = (
            models.UniqueConstraint(
                fields=("cluster", "language"),
                name="cluster_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            ),
        )

    def __str__(self) -> str:
        return self.tagline or self.language


class ManagementQuerySet(models.QuerySet["Management"]):
    def of_published_clusters(self) -> Self:
        return self.filter(cluster__is_published=True).select_related("cluster")

    def on(self, day: date) -> Self:
        # Managements in force on a day; an unknown start or end does not bound.
        return self.filter(in_force_on(day))


class Management(models.Model):
    """An organisation manages a cluster: as lead, jointly, or as the members' association."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="managements", verbose_name=_("cluster")
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="managements", verbose_name=_("organisation")
    )
    role = models.CharField(
        _("role"), max_length=12, choices=ManagementRole, default=ManagementRole.LEAD
    )
    started_on = PartialDateField(_("from"), null=True, blank=True)
    ended_on = PartialDateField(_("until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=500, blank=True)

    objects = ManagementQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = (
            "cluster",
            models.Case(
                # The lead, joint managers, the association.
                models.When(role="lead", then=0),
                models.When(role="joint", then=1),
                default=2,
            ),
            "started_on",
            "pk",
        )
        verbose_name = _("manager")
        verbose_name_plural = _("managers")
        constraints = (
            ends_after_it_starts("management"),
            models.UniqueConstraint(
                fields=("cluster",),
                condition=Q(role="lead", ended_on__isnull=True),
                name="management_has_one_lead_today",
                violation_error_message=_(
                    "This cluster has a lead manager already. Give that one an end first."
                ),
            ),
            models.UniqueConstraint(
                fields=("cluster", "organisation", "role"),
                condition=Q(ended_on__isnull=True),
                name="management_role_once",
                violation_error_message=_("This organisation has that role already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation} ({self.get_role_display()})"

    def clean(self) -> None:
        if self.role == ManagementRole.LEAD and self.cluster_id is not None:
            others = Management.objects.filter(
                cluster=self.cluster_id, role=ManagementRole.LEAD
            ).exclude(pk=self.pk)
            for other in others:
                if self.surely_overlaps(other):
                    raise ValidationError(
                        _("%(organisation)s leads this cluster at the same time."),
                        params={"organisation": other.organisation},
                    )

    def is_on(self, day: date) -> bool:
        return is_in_force(self, day)

    def surely_overlaps(self, other: "Management") -> bool:
        # Both were in force on some day, however the unknown days and months are read.
        start = max(
            (m.started_on.last_day for m in (self, other) if m.started_on), default=date.min
        )
        end = min((m.ended_on.first_day for m in (self, other) if m.ended_on), default=date.max)
        return start < end


class LineageQuerySet(models.QuerySet["Lineage"]):
    def about(self, cluster: Cluster) -> Self:
        # What the public may know of a cluster's mergers and splits, on either side.
        return self.filter(
            Q(cluster=cluster, other__is_published=True)
            | Q(other=cluster, cluster__is_published=True)
        ).select_related("cluster", "other")


class Lineage(models.Model):
    """One cluster became or left another."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="lineage", verbose_name=_("cluster")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=LineageKind)
    other = models.ForeignKey(
        Cluster, models.PROTECT, related_name="lineage_from", verbose_name=_("other cluster")
    )
    happened_on = PartialDateField(_("when"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=500, blank=True)

    objects = LineageQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("cluster", "happened_on", "pk")
        verbose_name = _("merger or split")
        verbose_name_plural = _("mergers and splits")
        constraints = (
            models.CheckConstraint(
                name="lineage_leads_elsewhere",
                condition=~Q(cluster=F("other")),
                violation_error_message=_("A cluster cannot merge into or split from itself."),
            ),
            models.UniqueConstraint(
                fields=("cluster", "kind", "other"), name="lineage_once_per_pair"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.other}"


class MembershipCount(models.Model):
    """How many committed members of a kind the cluster had at a date."""

    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="membership_counts", verbose_name=_("cluster")
    )
    counted_on = PartialDateField(_("counted"))
    kind = models.CharField(_("kind"), max_length=10, choices=MemberKind, default=MemberKind.TOTAL)
    count = BoundedIntegerField(_("number"), most=10_000_000)
    qualifier = models.CharField(
        _("qualifier"),
        max_length=9,
        choices=CountQualifier,
        blank=True,
        default=CountQualifier.EXACT,
        help_text=_("As the source says it."),
    )
    source = models.CharField(_("source"), max_length=500, blank=True)

    history = History()

    class Meta:
        ordering = ("cluster", "-counted_on", "kind")
        verbose_name = _("number of members")
        verbose_name_plural = _("numbers of members")
        constraints = (
            models.UniqueConstraint(
                fields=("cluster", "counted_on", "kind"),
                name="membership_count_once",
                violation_error_message=_("There is a number for this date and kind already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.count} {self.get_kind_display()} ({self.counted_on})"
