"""Legal entities: managing organisations, associations, programme owners, shareholders."""

from datetime import date, datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, Max, Min, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from stdnum import lei
from stdnum.eu import vat

from clusters.fields import DayField, NameField, NormalNameField, PartialDateField
from clusters.fulltext import records_matching
from clusters.models.history import History
from clusters.models.records import NamedQuerySet, PublicRecord, PublicRecordQuerySet
from clusters.models.reference import ends_after_it_starts, is_in_force, name_used_on

# As many keys as both engines take in one statement.
MOST_FOUND = 10_000


class OrganisationKind(models.TextChoices):
    SCIENCE_PARK = "science_park", _("science park")
    FOUNDATION = "foundation", _("foundation")
    CONSORTIUM = "consortium", _("consortium")
    COMPANY = "company", _("company")
    ASSOCIATION = "association", _("association")
    PUBLIC_BODY = "public_body", _("public body")
    GROUPING = "grouping", _("temporary grouping (ATS)")
    OTHER = "other", _("other")


def validate_vat_number(value: str) -> None:
    # EU VAT numbers with their country prefix, check digits included.
    if not vat.is_valid(value):
        raise ValidationError(
            _(
                "“%(value)s” is not a valid VAT number. "
                "Write it with its country, as IT01234567890."
            ),
            params={"value": value},
        )


def validate_lei(value: str) -> None:
    if not lei.is_valid(value):
        raise ValidationError(
            _("“%(value)s” is not a valid Legal Entity Identifier (20 characters, ISO 17442)."),
            params={"value": value},
        )


def which_have(**conditions: Any) -> Exists:
    # Of rows related to the organisation; models above are reached by lookups.
    found = Organisation.objects.filter(pk=OuterRef("pk"), **conditions)
    return Exists(found.order_by())


class OrganisationQuerySet(PublicRecordQuerySet["Organisation"]):
    def in_directory_order(self) -> Self:
        return self.order_by("normal_name", "pk")

    def with_ownership(self) -> Self:
        """With `has_owner`, an active one, and `was_claimed`, an approved claim."""
        return self.annotate(
            has_owner=which_have(team__role="owner", team__account__is_active=True),
            was_claimed=which_have(claims__state="approved"),
        )

    def without_owner(self) -> Self:
        # That no active owner looks after: such a profile may be claimed.
        return self.exclude(which_have(team__role="owner", team__account__is_active=True))

    def orphaned(self) -> Self:
        """Published ones that had a team and have no active owner today.

        A profile that was never anybody's is none of them.
        """
        had_a_team = Q(which_have(team__isnull=False)) | Q(
            which_have(invitations__accepted_at__isnull=False)
        )
        return self.published().without_owner().filter(had_a_team)

    def with_contacts(self) -> Self:
        """That have an owner or a role address to write to.

        With `team_since`, from when an active owner is there, and `last_request_at`, when the team
        was asked last to confirm its profile.
        """
        is_owner = Q(team__role="owner", team__account__is_active=True)
        return self.annotate(
            team_since=Min("team__joined_at", filter=is_owner),
            last_request_at=Max("confirmation_requests__asked_at"),
        ).exclude(team_since=None, role_address="")

    def matching(self, words: str) -> Self:
        # Organisations with every word in a name, former name or place; all without words.
        if not words:
            return self
        return self.filter(pk__in=records_matching("organisation", words, MOST_FOUND))


class Organisation(PublicRecord):
    """A legal entity, which may manage several clusters."""

    # Set by queries that need them.
    has_owner: bool
    was_claimed: bool
    team_since: datetime | None
    last_request_at: datetime | None

    name = NameField(_("name"), max_length=200)
    normal_name = NormalNameField("name")
    kind = models.CharField(
        _("kind"), max_length=20, choices=OrganisationKind, default=OrganisationKind.OTHER
    )
    legal_form = NameField(
        _("legal form"), max_length=80, blank=True, help_text=_("As in SpA, GmbH, e. V.")
    )
    country = CountryField(_("country"), blank=True)
    town = NameField(_("town of the seat"), max_length=120, blank=True)
    role_address = models.EmailField(
        _("role address"),
        blank=True,
        help_text=_("An address of a function, such as info@, never of a person."),
    )
    is_address_shown = models.BooleanField(
        _("show the address"),
        default=False,
        help_text=_("Off: the address is kept, and never printed on a public page."),
    )
    vat_number = models.CharField(
        _("VAT number"), max_length=20, blank=True, validators=[validate_vat_number]
    )
    lei = models.CharField(
        _("Legal Entity Identifier"), max_length=20, blank=True, validators=[validate_lei]
    )
    confirmed_on = DayField(
        _("last confirmed"),
        null=True,
        blank=True,
        help_text=_("The day on which the team last confirmed these facts."),
    )

    objects = OrganisationQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = (
            models.CheckConstraint(
                name="organisation_shows_only_a_given_address",
                condition=Q(is_address_shown=False) | ~Q(role_address=""),
                violation_error_message=_("There is no role address to show."),
            ),
            models.UniqueConstraint(
                fields=("vat_number",),
                condition=~Q(vat_number=""),
                name="organisation_vat_number_once",
                violation_error_message=_("Another organisation has this VAT number."),
            ),
        )

    def name_on(self, day: date) -> str:
        return name_used_on(day, self.name, self.former_names.all())

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("clusters:organisation_detail", args=[self.slug])

    def clean(self) -> None:
        super().clean()
        if self.vat_number and vat.is_valid(self.vat_number):
            self.vat_number = vat.compact(self.vat_number)
        self.lei = self.lei.upper().replace(" ", "")
        holders = Organisation.objects.filter(managements__cluster__labels__is_published=True)
        self.refuse_name_of_another(holders, "former_names")
        # The database refuses it as well.
        if self.is_hidden_now() and holders.filter(pk=self.pk).exists():
            message = _(
                "This organisation manages or managed a cluster that holds public labels: it stays "
                "public with them."
            )
            raise ValidationError({"is_published": message})


class OrganisationName(models.Model):
    """A name that the organisation bore, so that it is still found by it."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="former_names", verbose_name=_("organisation")
    )
    name = NameField(_("former name"), max_length=200)
    normal_name = NormalNameField("name")
    started_on = PartialDateField(_("used from"), null=True, blank=True)
    ended_on = PartialDateField(_("used until"), null=True, blank=True)

    objects = NamedQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("organisation", "ended_on", "pk")
        verbose_name = _("former name")
        verbose_name_plural = _("former names")
        constraints = (
            ends_after_it_starts("organisation_name"),
            models.UniqueConstraint(
                fields=("organisation", "name"), name="organisation_former_name_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class ShareholdingQuerySet(models.QuerySet["Shareholding"]):
    def public(self) -> Self:
        # Between published organisations, both loaded.
        return self.filter(
            organisation__is_published=True, shareholder__is_published=True
        ).select_related("organisation", "shareholder")


class Shareholding(models.Model):
    """Who holds shares of an organisation, since and until when."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="shareholdings", verbose_name=_("organisation")
    )
    shareholder = models.ForeignKey(
        Organisation, models.PROTECT, related_name="holdings", verbose_name=_("shareholder")
    )
    started_on = PartialDateField(_("from"), null=True, blank=True)
    ended_on = PartialDateField(_("until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=500, blank=True)

    objects = ShareholdingQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("organisation", "started_on", "pk")
        verbose_name = _("shareholder")
        verbose_name_plural = _("shareholders")
        constraints = (
            ends_after_it_starts("shareholding"),
            models.CheckConstraint(
                name="shareholding_is_not_of_itself",
                condition=~Q(organisation=F("shareholder")),
                violation_error_message=_("An organisation cannot be its own shareholder."),
            ),
            models.UniqueConstraint(
                fields=("organisation", "shareholder"), name="shareholder_once_per_organisation"
            ),
        )

    def __str__(self) -> str:
        return str(self.shareholder)

    def is_on(self, day: date) -> bool:
        return is_in_force(self, day)
