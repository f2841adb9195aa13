"""Accounts and what each may touch: teams of organisations, mandates of policy makers."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core import signing
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.fields import DayField, LongTextField, MomentField
from clusters.models.history import History
from clusters.models.organisations import Organisation
from clusters.models.programmes import Programme
from clusters.models.reference import languages


class Role(models.TextChoices):
    """The groups of the portal; what each may do is in `config.rights`."""

    TEAM = "team", _("team of an organisation")
    EXPERT = "expert", _("expert")
    POLICY_MAKER = "policy-maker", _("policy maker")
    AUDITOR = "auditor", _("auditor")
    EDITOR = "secretariat-editor", _("secretariat editor")
    LEAD = "secretariat-lead", _("secretariat lead")


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Account":
        account = self.model(email=email.strip().lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Account":
        return self.create_user(email, password, is_superuser=True, **fields)

    def is_known(self, email: str) -> bool:
        return self.filter(email__iexact=email).exists()

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(email__iexact=username)


class Account(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in, known to the portal by an address of their function."""

    email = models.EmailField(
        _("e-mail address"), unique=True, help_text=_("Of a function where there is one.")
    )
    language = models.CharField(
        _("language of mails"), max_length=2, choices=languages, default="en"
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: nobody signs in; all sessions end at once.")
    )
    last_login = None  # the log of events has it
    session_number = models.PositiveIntegerField(default=0, editable=False)
    created_at = MomentField(_("created"), auto_now_add=True)

    objects: ClassVar[AccountManager] = AccountManager()
    history = History(excluded_fields=["password", "session_number"], m2m_fields=["groups"])

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("email", "pk")
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="account_address_once",
                violation_error_message=_("There is an account with this address."),
            ),
        )

    def __str__(self) -> str:
        return self.email

    @property
    def is_staff(self) -> bool:
        # Django's own pages ask this; who may enter admin is decided by `clusters.people.policy`.
        return self.is_active

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # A session ends with the password, and with every new `session_number`.
        own: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{own}-{self.session_number}"


class TeamRole(models.TextChoices):
    OWNER = "owner", _("owner")
    EDITOR = "editor", _("editor")


class TeamMemberQuerySet(models.QuerySet["TeamMember"]):
    def with_teams(self) -> Self:
        # With the organisation, its whole team and the clusters it manages or managed.
        return self.select_related("organisation").prefetch_related(
            "organisation__team__account", "organisation__managements__cluster"
        )


class TeamMember(models.Model):
    """An account belongs to the team of an organisation."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="team", verbose_name=_("organisation")
    )
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="teams", verbose_name=_("account")
    )
    role = models.CharField(
        _("role"),
        max_length=6,
        choices=TeamRole,
        default=TeamRole.EDITOR,
        help_text=_("An owner also invites and removes colleagues."),
    )
    joined_at = MomentField(_("joined"), auto_now_add=True)

    objects = TeamMemberQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("organisation", "account__email", "pk")
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "account"),
                name="team_member_once",
                violation_error_message=_("This account is in the team already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} ({self.get_role_display()})"


class Mandate(models.Model):
    """A policy maker follows a programme."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="mandates", verbose_name=_("account")
    )
    programme = models.ForeignKey(
        Programme, models.CASCADE, related_name="mandates", verbose_name=_("programme")
    )

    history = History()

    class Meta:
        ordering = ("programme", "account__email", "pk")
        verbose_name = _("mandate")
        verbose_name_plural = _("mandates of policy makers")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "programme"),
                name="mandate_once",
                violation_error_message=_("This account follows the programme already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account}: {self.programme}"


# Of the links in mails: it stays, whatever the module is called.
INVITATION_SALT = "clusters.invitation"


# As the constraints of invitations say it; whether one has expired no constraint can know.
UNANSWERED = Q(accepted_at__isnull=True, withdrawn_at__isnull=True)
INVITED_ALREADY = _("Somebody invited this address to this place at the same moment.")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def unanswered(self) -> Self:
        return self.filter(UNANSWERED)

    def open(self, now: datetime) -> Self:
        return self.unanswered().filter(expires_at__gt=now)

    def for_the_place_of(self, invitation: "Invitation") -> Self:
        # Others to the same person, for the same team or the same role in the portal.
        return self.filter(
            # Not by programme: a policy maker has one open invitation.
            email=invitation.email,
            organisation=invitation.organisation,
            role=invitation.role,
        ).exclude(pk=invitation.pk)

    def at(self, token: str) -> "Invitation":
        # By the signed part of its link; a forged one does not exist, like an unknown one.
        try:
            number = signing.Signer(salt=INVITATION_SALT).unsign(token)
        except signing.BadSignature as error:
            raise self.model.DoesNotExist from error
        return self.select_related("organisation", "programme", "invited_by").get(pk=number)


class Invitation(models.Model):
    """A link by mail that makes an account, or gives an existing one a role: once, for some days.

    Either a place in a team, or a role in the portal.
    """

    email = models.EmailField(_("e-mail address"))
    organisation = models.ForeignKey(
        Organisation,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="invitations",
        verbose_name=_("organisation"),
    )
    team_role = models.CharField(
        _("role in the team"), max_length=6, choices=TeamRole, blank=True, default=""
    )
    # Without choices: which ones there are depends on who invites.
    role = models.CharField(_("role in the portal"), max_length=20, blank=True, default="")
    programme = models.ForeignKey(
        Programme,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="invitations",
        verbose_name=_("programme"),
        help_text=_("What a policy maker follows."),
    )
    language = models.CharField(
        _("language of mails"), max_length=2, choices=languages, default="en"
    )
    invited_by = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="invitations",
        verbose_name=_("invited by"),
    )
    created_at = MomentField(_("sent"), auto_now_add=True)
    expires_at = MomentField(_("valid until"))
    accepted_at = MomentField(_("accepted"), null=True, blank=True)
    withdrawn_at = MomentField(_("withdrawn"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (
            models.CheckConstraint(
                name="invitation_to_a_team_or_to_a_role",
                condition=(Q(organisation__isnull=False, role="") & ~Q(team_role=""))
                | (Q(organisation__isnull=True, team_role="") & ~Q(role="")),
                violation_error_message=_(
                    "Give an organisation with a role in its team, or a role in the portal."
                ),
            ),
            models.UniqueConstraint(
                fields=("email", "organisation"),
                condition=UNANSWERED,
                name="invitation_to_a_team_once",
                violation_error_message=INVITED_ALREADY,
            ),
            models.UniqueConstraint(
                fields=("email", "role"),
                condition=UNANSWERED & Q(organisation__isnull=True),
                name="invitation_to_a_role_once",
                violation_error_message=INVITED_ALREADY,
            ),
        )

    def __str__(self) -> str:
        return self.email

    def get_absolute_url(self) -> str:
        # The link that accepts: whoever holds it is taken for the person invited.
        token = signing.Signer(salt=INVITATION_SALT).sign(str(self.pk))
        return reverse("clusters:invitation_accept", args=[token])

    def is_open(self, now: datetime) -> bool:
        # As `InvitationQuerySet.open` says it in SQL.
        return self.accepted_at is None and self.withdrawn_at is None and self.expires_at > now

    def role_name(self) -> str | Promise:
        return Role(self.role).label if self.role else TeamRole(self.team_role).label


class ClaimState(models.TextChoices):
    PENDING = "pending", _("pending")
    APPROVED = "approved", _("approved")
    DENIED = "denied", _("denied")


class Claim(models.Model):
    """Somebody says that a profile without an owner is theirs; approved, it is still no fact."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="claims", verbose_name=_("organisation")
    )
    role_address = models.EmailField(
        _("role address"), help_text=_("An address of a function, such as info@, of its domain.")
    )
    reason = LongTextField(_("reason"), max_length=2000)
    language = models.CharField(
        _("language of mails"), max_length=2, choices=languages, default="en"
    )
    state = models.CharField(
        _("state"), max_length=8, choices=ClaimState, default=ClaimState.PENDING
    )
    answer = LongTextField(
        _("answer"),
        blank=True,
        help_text=_("Sent to the role address with the decision."),
        max_length=4_000,
    )
    created_at = MomentField(_("received"), auto_now_add=True)
    decided_at = MomentField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="decided_claims",
        verbose_name=_("decided by"),
    )

    history = History()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "role_address"),
                condition=Q(state="pending"),
                name="claim_pending_once",
                violation_error_message=_("This claim waits for a decision already."),
            ),
            models.CheckConstraint(
                name="claim_is_decided_at_a_moment",
                condition=Q(state="pending", decided_at__isnull=True)
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                violation_error_message=_("A decision needs its time."),
            ),
            models.CheckConstraint(
                name="claim_is_denied_with_a_word",
                condition=~Q(state="denied") | ~Q(answer=""),
                violation_error_message=_("Say why the claim is denied."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation}: {self.role_address}"


class ConfirmationRequest(models.Model):
    """The ledger of mails that ask a team whether its profile is right: one for each due day."""

    organisation = models.ForeignKey(
        Organisation,
        models.CASCADE,
        related_name="confirmation_requests",
        verbose_name=_("organisation"),
    )
    due_on = DayField(_("due"))
    asked_at = MomentField(_("asked"))
    confirmed_at = MomentField(_("confirmed"), null=True, blank=True)

    history = History()

    class Meta:
        ordering = ("-due_on", "organisation", "pk")
        verbose_name = _("request to confirm")
        verbose_name_plural = _("requests to confirm")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "due_on"), name="confirmation_asked_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation}, {self.due_on}"
