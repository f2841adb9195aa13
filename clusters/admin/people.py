"""The admin of accounts and what each may touch; its rows are written by actions only."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PortalAdmin
from clusters.models import (
    Account,
    Claim,
    ClaimState,
    Invitation,
    Mandate,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import accounts, claims, invitations, policy, teams
from clusters.people.access import signed_in_account
from clusters.people.signing_in import renew_session
from clusters.people.teams import member_of_locked_team


class ActionsOnlyAdmin(PortalAdmin):
    """Nothing changes in bulk, or back to a version."""

    actions: Sequence[Any] = ()
    # An old version restored would skip what the action checks.
    never: Sequence[str] = (policy.RESTORE,)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return redirect(request.get_full_path())


def keep_own_session(request: HttpRequest, changed: Account) -> None:
    if changed.pk == request.user.pk:
        # Who changes their own role would be signed out with everyone else.
        renew_session(request)


# Accounts


class RolesField(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return str(Role(obj.name).label)


@admin.register(Account)
class AccountAdmin(ActionsOnlyAdmin):
    # Accounts are made by invitations.
    never = (policy.RESTORE, policy.ADD, policy.DELETE)
    list_display = ("email", "roles", "organisations", "is_active")
    list_filter = ("is_active", "groups", "language")
    search_fields = ("email", "teams__organisation__name")
    search_help_text = _("Address, or organisation of the team.")
    readonly_fields = ("email", "roles", "organisations", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.prefetch_related("groups", "teams__organisation")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        roles = "roles" if "groups" in self.get_readonly_fields(request, obj) else "groups"
        return (
            (None, {"fields": ("email", "is_active", "language")}),
            (_("Roles and teams"), {"fields": (roles, "organisations")}),
            (_("Times"), {"fields": ("created_at",)}),
        )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        givable = Group.objects.filter(name__in=policy.givable_roles(request.user))
        return RolesField(
            givable.order_by("name"),
            label=capfirst(gettext("roles")),
            required=False,
            help_text=_("A change ends the account’s sessions. Teams are joined by invitation."),
        )

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        now = timezone.now()
        # `obj` holds what was typed; the action compares with what is stored.
        stored = Account.objects.get(pk=obj.pk)
        by = signed_in_account(request)
        if "language" in form.changed_data:
            accounts.set_language(account=stored, language=obj.language)
        if "is_active" in form.changed_data:
            switch = accounts.enable_account if obj.is_active else accounts.disable_account
            switch(account=stored, by=by, now=now)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if "groups" in form.changed_data:
            names = [group.name for group in form.cleaned_data["groups"]]
            by = signed_in_account(request)
            accounts.give_roles(account=form.instance, roles=names, by=by, now=timezone.now())
            keep_own_session(request, form.instance)
        # `give_roles` has written the groups.
        form.save_m2m = lambda: None
        super().save_related(request, form, formsets, change)

    @admin.display(description=_("roles"))
    def roles(self, obj: Account) -> str:
        if obj.is_superuser:
            return gettext("superuser")
        return ", ".join(str(Role(group.name).label) for group in obj.groups.all())

    @admin.display(description=_("teams"))
    def organisations(self, obj: Account) -> str:
        return ", ".join(
            f"{member.organisation} ({member.get_role_display()})" for member in obj.teams.all()
        )


# Teams


@admin.register(TeamMember)
class TeamMemberAdmin(ActionsOnlyAdmin):
    # Members are invited.
    never = (policy.RESTORE, policy.ADD)
    list_display = ("account", "organisation", "role", "is_active", "joined_at")
    list_filter = ("role",)
    list_select_related = ("account", "organisation")
    search_fields = ("account__email", "organisation__name")
    search_help_text = _("Address or organisation.")
    fields = ("organisation", "account", "role", "joined_at")
    readonly_fields = ("organisation", "account", "joined_at")

    def lock_screen(self, request: HttpRequest, obj: TeamMember) -> None:
        # In the order of the actions: the team first.
        member_of_locked_team(obj)
        super().lock_screen(request, obj)

    def save_model(self, request: HttpRequest, obj: TeamMember, form: Any, change: bool) -> None:
        by = signed_in_account(request)
        teams.change_team_role(member=obj, role=obj.role, by=by, now=timezone.now())
        keep_own_session(request, obj.account)

    def delete_model(self, request: HttpRequest, obj: TeamMember) -> None:
        by = signed_in_account(request)
        teams.remove_from_team(member=obj, by=by, now=timezone.now())
        keep_own_session(request, obj.account)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        # Who left the only team has nothing left to do here.
        if policy.may_enter(request.user):
            return super().response_delete(request, obj_display, obj_id)
        return redirect("clusters:account")

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, obj: TeamMember) -> bool:
        return obj.account.is_active


@admin.register(Mandate)
class MandateAdmin(ActionsOnlyAdmin):
    # A mandate is given and taken.
    never = (policy.RESTORE, policy.CHANGE)
    list_display = ("account", "programme")
    list_select_related = ("account", "programme")
    search_fields = ("account__email", "programme__name_en", "programme__name_it")
    search_help_text = _("Address or programme.")
    autocomplete_fields = ("programme",)
    fields = ("account", "programme")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "account":
            accounts = self.visible(request, Account)
            kwargs["queryset"] = accounts.filter(groups__name=Role.POLICY_MAKER)
            kwargs["help_text"] = _("Accounts with the role of a policy maker.")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Mandate, form: Any, change: bool) -> None:
        by = signed_in_account(request)
        accounts.give_mandate(mandate=obj, by=by, now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Mandate) -> None:
        by = signed_in_account(request)
        accounts.take_mandate(mandate=obj, by=by, now=timezone.now())


# Invitations


class InvitationForm(ModelForm):
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if not self.errors:
            try:
                invitations.refuse_place_held(self.instance)
            except ValidationError as error:
                self.add_error(None, error)


class OpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", pgettext("invitations", "open")),
            ("closed", pgettext("invitations", "closed")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        still_open = queryset.open(timezone.now()).values("pk")
        found: QuerySet[Any] = queryset
        if self.value() == "open":
            return found.filter(pk__in=still_open)
        return found.exclude(pk__in=still_open) if self.value() == "closed" else found


@admin.register(Invitation)
class InvitationAdmin(ActionsOnlyAdmin):
    # What was sent is withdrawn, and sent anew.
    never = (policy.RESTORE, policy.CHANGE, policy.DELETE)
    form = InvitationForm
    list_display = ("email", "place", "state", "invited_by", "created_at", "expires_at")
    list_filter = (OpenFilter, "team_role")
    list_select_related = ("organisation", "programme", "invited_by")
    search_fields = ("email", "organisation__name")
    search_help_text = _("Address or organisation.")
    readonly_fields = ("state", "invited_by", "created_at", "expires_at")
    actions = ("withdraw",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writable = self.writable(request, None)
        typed: tuple[str, ...] = (
            "email",
            "organisation",
            "team_role",
            "role",
            "programme",
            "language",
        )
        if obj is None:
            typed = tuple(name for name in typed if writable is None or name in writable)
            description = _("A link is sent by mail; it works once, for 14 days.")
            return ((None, {"fields": typed, "description": description}),)
        groups = ((None, {"fields": typed}), (_("State"), {"fields": self.readonly_fields}))
        return self.readable(request, obj, groups)

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("organisation", "programme") if self.gives_roles(request) else ()

    def gives_roles(self, request: HttpRequest) -> bool:
        # Else it is an owner, who invites into teams of their own only.
        return bool(policy.givable_roles(request.user))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organisation" and not self.gives_roles(request):
            owned = policy.owned_by(signed_in_account(request))
            kwargs["queryset"] = Organisation.objects.filter(pk__in=owned)
            kwargs["required"] = True
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "team_role" and not self.gives_roles(request):
            kwargs |= {"required": True, "choices": TeamRole.choices}
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "role":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        givable = policy.givable_roles(request.user)
        choices = [(role.value, role.label) for role in Role if role in givable]
        return forms.ChoiceField(
            choices=[("", "---------"), *choices],
            label=capfirst(gettext("role in the portal")),
            required=False,
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given = {"language": signed_in_account(request).language}
        if not self.gives_roles(request):
            given["team_role"] = TeamRole.EDITOR
        return given | super().get_changeform_initial_data(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Members of a team who own none have nothing to invite to.
        return super().has_add_permission(request) and (
            self.gives_roles(request) or policy.owned_by(signed_in_account(request)).exists()
        )

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return policy.may(request.user, policy.CHANGE, Invitation)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        by, now = signed_in_account(request), timezone.now()
        invitations.invite(invitation=obj, by=by, now=now)
        earlier = Invitation.objects.for_the_place_of(obj)
        if earlier.filter(withdrawn_at=now, expires_at__gt=now).exists():
            text = gettext("The earlier invitation to this place was withdrawn: only this counts.")
            messages.info(request, text)

    @admin.action(description=_("Withdraw the selected invitations"), permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        number = 0
        by = signed_in_account(request)
        for invitation in queryset:
            try:
                invitations.withdraw_invitation(invitation=invitation, by=by, now=timezone.now())
            except ValidationError as error:
                text = f"{invitation}: {' '.join(error.messages)}"
                self.message_user(request, text, messages.ERROR)
            else:
                number += 1
        text = ngettext(
            "%(number)d invitation was withdrawn.", "%(number)d invitations were withdrawn.", number
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    @admin.display(description=_("to what"))
    def place(self, obj: Invitation) -> str:
        where = obj.organisation or obj.programme
        return f"{where} ({obj.role_name()})" if where else str(obj.role_name())

    @admin.display(description=_("state"))
    def state(self, obj: Invitation) -> str:
        if obj.accepted_at:
            return gettext("accepted")
        if obj.withdrawn_at:
            return gettext("withdrawn")
        if obj.is_open(timezone.now()):
            return pgettext("invitation", "open")
        return pgettext("invitation", "expired")


# Claims


class DecisionForm(ModelForm):
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        claim: Claim = self.instance
        if self.errors or not self.has_changed():
            return
        if claim.state == ClaimState.PENDING:
            self.add_error("state", _("Approve or deny: an answer alone is not sent."))
        elif claim.state == ClaimState.APPROVED:
            try:
                claims.refuse_owned_profile(claim.organisation_id)
            except ValidationError as error:
                self.add_error("state", error)


@admin.register(Claim)
class ClaimAdmin(ActionsOnlyAdmin):
    never = (policy.RESTORE, policy.ADD, policy.DELETE)
    form = DecisionForm
    list_display = (
        "organisation",
        "role_address",
        "address_mark",
        "state",
        "created_at",
        "decided_at",
    )
    list_filter = ("state",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__name", "role_address")
    search_help_text = _("Organisation or role address.")
    date_hierarchy = "created_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "organisation",
                    "website",
                    "role_address",
                    "address_mark",
                    "reason",
                    "created_at",
                )
            },
        ),
        (
            _("Decision"),
            {
                "fields": ("state", "answer", "decided_at", "decided_by"),
                "description": _(
                    "Approved: the role address is invited as owner, and the public page says "
                    "that the team came by a claim. Denied: the answer is sent."
                ),
            },
        ),
    )
    readonly_fields = (
        "organisation",
        "website",
        "role_address",
        "address_mark",
        "reason",
        "created_at",
        "decided_at",
        "decided_by",
    )
    concerns: ClassVar = {
        "waiting": Concern(
            _("Claims waiting"), lambda rows, day: rows.filter(state=ClaimState.PENDING)
        )
    }

    @admin.display(description=_("kind of address"))
    def address_mark(self, obj: Claim) -> str:
        if claims.is_free_mail(obj.role_address):
            return gettext("free mail: anybody may have it, so ask the organisation first")
        return gettext("of a domain of its own")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A decision stays.
        is_decided = obj is not None and obj.state != ClaimState.PENDING
        return super().has_change_permission(request, obj) and not is_decided

    def save_model(self, request: HttpRequest, obj: Claim, form: Any, change: bool) -> None:
        if not form.has_changed():
            return
        by = signed_in_account(request)
        claims.decide_claim(
            claim=obj,
            is_approved=obj.state == ClaimState.APPROVED,
            answer=obj.answer,
            by=by,
            now=timezone.now(),
        )

    @admin.display(description=_("web site of the organisation"))
    def website(self, obj: Claim) -> str:
        return obj.organisation.website
