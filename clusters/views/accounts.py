"""The pages of one's own account, and the link that makes it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import remove_webauthn
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from clusters.compare.members import membership_table
from clusters.http.links import Link
from clusters.models import Account, Cluster, Invitation, Organisation, Role, TeamMember, TeamRole
from clusters.people import accounts, invitations, policy, teams
from clusters.people.access import signed_in_account
from clusters.people.claims import submit_claim
from clusters.people.confirmation import (
    LinkState,
    active_owners,
    confirm_by_link,
    managed_clusters,
    read_token,
)
from clusters.people.forms import ClaimForm, LanguageForm, PasswordForm
from clusters.people.signing_in import (
    SecondFactorAdapter,
    may_remove_factor,
    needs_second_factor,
    renew_session,
)
from clusters.views.contact import cookieless_form, form_page, record_at
from news.queries import drafts_of

if TYPE_CHECKING:
    from news.models import Announcement

WHAT_A_ROLE_DOES: dict[str, str | Promise] = {
    Role.EXPERT: _("assesses clusters as an expert"),
    Role.POLICY_MAKER: _("follows the clusters of a programme"),
    Role.AUDITOR: _("reads everything and changes nothing"),
    Role.EDITOR: _("edits clusters, organisations, labels and news"),
    Role.LEAD: _("decides claims; looks after accounts and the rules of the label"),
}


@dataclass(frozen=True)
class TeamSummary:
    """A team of one's own, with what it looks after."""

    member: TeamMember
    clusters: list[Cluster]
    drafts: "list[Announcement]"
    colleagues: list[TeamMember]

    @property
    def is_owned(self) -> bool:
        return self.member.role == TeamRole.OWNER


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    person = signed_in_account(request)
    form = LanguageForm(request.POST or None, instance=person)
    if form.is_bound and form.is_valid():
        language = form.cleaned_data["language"]
        accounts.set_language(account=person, language=language)
        messages.success(request, gettext("Mails now come in this language."))
        return redirect("clusters:account")
    roles = policy.roles_of(person)
    return TemplateResponse(
        request,
        "clusters/account.html",
        {
            "person": person,
            "roles": [
                (Role(role).label, text) for role, text in WHAT_A_ROLE_DOES.items() if role in roles
            ],
            "teams": team_summaries(person, timezone.localdate()),
            "mandates": person.mandates.select_related("programme"),
            "may_enter": policy.may_enter(person),
            "needs_second_factor": needs_second_factor(person),
            "form": form,
        },
    )


def team_summaries(person: Account, day: date) -> list[TeamSummary]:
    members = list(person.teams.with_teams())
    drafts = drafts_of(member.organisation for member in members)
    return [
        TeamSummary(
            member=member,
            clusters=[m.cluster for m in member.organisation.managements.all() if m.is_on(day)],
            drafts=drafts[member.organisation_id],
            colleagues=[other for other in member.organisation.team.all() if other != member],
        )
        for member in members
    ]


@login_required
@require_POST
def account_leave_team(request: HttpRequest, slug: str) -> HttpResponse:
    person = signed_in_account(request)
    member = get_object_or_404(person.teams.select_related("organisation"), organisation__slug=slug)
    try:
        teams.remove_from_team(member=member, by=person, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        renew_session(request)
        text = gettext("You left the team of %(organisation)s.")
        messages.success(request, text % {"organisation": member.organisation})
    return redirect("clusters:account")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    try:
        # A forged link and one of a deleted invitation answer the same.
        invitation = Invitation.objects.at(token)
    except Invitation.DoesNotExist:
        return keep_secret(closed_page(request, None, HTTPStatus.NOT_FOUND))
    if not invitation.is_open(now):
        return keep_secret(closed_page(request, invitation, HTTPStatus.GONE))
    return keep_secret(
        accept_with_own_account(request, invitation)
        if request.user.is_authenticated
        else accept_with_new_account(request, invitation)
    )


def keep_secret(response: HttpResponse) -> HttpResponse:
    # The address is a key: no cache keeps it, no search engine lists it, no other site reads it.
    # `no-referrer` would take the origin from the form as well, which the check against forged
    # requests needs.
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def closed_page(
    request: HttpRequest, invitation: Invitation | None, status: HTTPStatus
) -> HttpResponse:
    return TemplateResponse(
        request, "clusters/invitation_closed.html", {"invitation": invitation}, status=status
    )


def accept_with_own_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    person = signed_in_account(request)
    if request.method == "POST" and person.email == invitation.email:
        try:
            invitations.accept_invitation(invitation=invitation, account=person, now=timezone.now())
        except ValidationError:
            return closed_page(request, None, HTTPStatus.GONE)
        renew_session(request)
        messages.success(request, gettext("You accepted the invitation."))
        return redirect(page_after_accepting(person))
    return invitation_page(request, invitation, form=None)


def accept_with_new_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    # Whoever has an account signs in first: the link proves the address, not the person.
    if Account.objects.is_known(invitation.email):
        return invitation_page(request, invitation, form=None)
    form = PasswordForm(request.POST or None, email=invitation.email)
    if form.is_bound and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            person = invitations.accept_invitation(
                invitation=invitation, password=password, now=timezone.now()
            )
        except ValidationError:
            return closed_page(request, None, HTTPStatus.GONE)
        # Through allauth, which asks for a second factor and gives the session a new key.
        login = Login(user=person, email=person.email, redirect_url=page_after_accepting(person))
        response: HttpResponse = perform_password_login(request, {"email": person.email}, login)
        return response
    return invitation_page(request, invitation, form=form)


def page_after_accepting(person: Account) -> str:
    return reverse("mfa_index" if needs_second_factor(person) else "clusters:account")


def invitation_page(
    request: HttpRequest, invitation: Invitation, form: PasswordForm | None
) -> HttpResponse:
    person = request.user
    return TemplateResponse(
        request,
        "clusters/invitation_accept.html",
        {
            "invitation": invitation,
            "role": invitation.role_name(),
            "form": form,
            "rules": password_validators_help_texts() if form else [],
            "is_signed_in": person.is_authenticated,
            "is_for_me": isinstance(person, Account) and person.email == invitation.email,
        },
    )


@cookieless_form
def organisation_claim(request: HttpRequest, slug: str) -> HttpResponse:
    # A profile that a team looks after cannot be claimed.
    organisation = record_at(Organisation.objects.published().with_ownership(), slug)
    # Who sent a claim reads that it came, also when a team was admitted meanwhile.
    if organisation.has_owner and "sent" not in request.GET:
        raise Http404
    about = f"claim organisation {organisation.public_id}"
    form = ClaimForm(request.POST or None, about=about, now=timezone.now())

    def deliver() -> None:
        # An owner who came while the form was read: the page of the profile shows it.
        with suppress(ValidationError):
            submit_claim(
                organisation=organisation,
                role_address=form.cleaned_data["role_address"],
                reason=form.cleaned_data["reason"],
                language=get_language() or "en",
            )

    return form_page(
        request,
        form,
        "clusters/organisation_claim",
        {
            "organisation": organisation,
            "crumbs": [Link(organisation.name, organisation.get_absolute_url())],
        },
        about=about,
        deliver=deliver,
    )


# The signed link is the authority, not a session; a GET writes nothing, as mail scanners open it.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_profile(request: HttpRequest, token: str) -> HttpResponse:
    today = timezone.localdate()
    found = read_token(token, day=today)
    if found is None:
        raise Http404
    confirmation, state = found
    if state == LinkState.ENDED:
        return TemplateResponse(request, "clusters/confirm_ended.html", {"section": ""}, status=410)
    if request.method == "POST":
        confirm_by_link(confirmation, day=today, now=timezone.now())
        # A reload must not confirm again.
        return HttpResponseRedirect(request.path)
    organisation = confirmation.organisation
    return TemplateResponse(
        request,
        "clusters/confirm_profile.html",
        {
            "section": "",
            "organisation": organisation,
            "clusters": [
                (
                    cluster,
                    cluster.managers_on(today),
                    membership_table(cluster.membership_counts.all()),
                )
                for cluster in managed_clusters(organisation, today).with_profile()
            ],
            "has_owner": active_owners(organisation).exists(),
            "is_used": state == LinkState.USED,
            "confirmed_on": confirmation.confirmed_at,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    # django-allauth's own view would also remove the last factor of somebody who must have one.
    passkey = get_object_or_404(
        Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN
    )
    if not may_remove_factor(passkey):
        refusal = SecondFactorAdapter.error_messages["cannot_delete_authenticator"]
        messages.warning(request, refusal)
        return redirect("mfa_list_webauthn")
    response: HttpResponse = remove_webauthn(request, pk=pk)
    return response
