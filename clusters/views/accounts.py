"""The pages of one's own account, and the link that makes it."""

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
from clusters.models import (
    Account,
    Claim,
    Cluster,
    Invitation,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import accounts, invitations, policy, teams
from clusters.people.claims import submit_claim
from clusters.people.confirmation import (
    LinkState,
    clusters_of,
    confirm_by_link,
    owners_of,
    read_link,
)
from clusters.people.forms import ClaimForm, LanguageForm, PasswordForm
from clusters.people.signing_in import (
    SecondFactorAdapter,
    keep_session,
    may_remove,
    needs_second_factor,
)
from clusters.views.contact import answer, found_at, open_form, outcome
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
class Team:
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
    """What the account may do; a POST sets the language of its mails."""
    person = request.user
    assert isinstance(person, Account)
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
            "teams": teams_of(person, timezone.localdate()),
            "mandates": person.mandates.select_related("programme"),
            "may_enter": policy.may_enter(person),
            "needs_second_factor": needs_second_factor(person),
            "form": form,
        },
    )


def teams_of(person: Account, day: date) -> list[Team]:
    members = list(person.teams.with_teams())
    drafts = drafts_of(member.organisation for member in members)
    return [
        Team(
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
    person = request.user
    assert isinstance(person, Account)
    member = get_object_or_404(person.teams.select_related("organisation"), organisation__slug=slug)
    try:
        teams.remove_from_team(member=member, by=person, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        keep_session(request)
        text = gettext("You left the team of %(organisation)s.")
        messages.success(request, text % {"organisation": member.organisation})
    return redirect("clusters:account")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites to what, and the form that accepts; a closed link says what to do instead."""
    now = timezone.now()
    try:
        invitation = Invitation.objects.at(token)
    except Invitation.DoesNotExist:
        return keep_secret(closed(request, None, HTTPStatus.NOT_FOUND))
    if not invitation.is_open(now):
        return keep_secret(closed(request, invitation, HTTPStatus.GONE))
    return keep_secret(
        accept_with_own_account(request, invitation)
        if request.user.is_authenticated
        else accept_with_new_account(request, invitation)
    )


def keep_secret(response: HttpResponse) -> HttpResponse:
    """The address is a key: no cache keeps it, no search engine lists it, no other site reads it.

    `no-referrer` would take the origin from the form as well, which the check against forged
    requests needs.
    """
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def closed(request: HttpRequest, invitation: Invitation | None, status: HTTPStatus) -> HttpResponse:
    return TemplateResponse(
        request, "clusters/invitation_closed.html", {"invitation": invitation}, status=status
    )


def accept_with_own_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    person = request.user
    assert isinstance(person, Account)
    if request.method == "POST" and person.email == invitation.email:
        try:
            invitations.accept_invitation(invitation=invitation, account=person, now=timezone.now())
        except ValidationError:
            return closed(request, None, HTTPStatus.GONE)
        keep_session(request)
        messages.success(request, gettext("You accepted the invitation."))
        return redirect(next_page(person))
    return show(request, invitation, form=None)


def accept_with_new_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if Account.objects.is_known(invitation.email):
        return show(request, invitation, form=None)
    form = PasswordForm(request.POST or None, email=invitation.email)
    if form.is_bound and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            person = invitations.accept_invitation(
                invitation=invitation, password=password, now=timezone.now()
            )
        except ValidationError:
            return closed(request, None, HTTPStatus.GONE)
        login = Login(user=person, email=person.email, redirect_url=next_page(person))
        response: HttpResponse = perform_password_login(request, {"email": person.email}, login)
        return response
    return show(request, invitation, form=form)


def next_page(person: Account) -> str:
    return reverse("mfa_index" if needs_second_factor(person) else "clusters:account")


def show(request: HttpRequest, invitation: Invitation, form: PasswordForm | None) -> HttpResponse:
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


@open_form
def organisation_claim(request: HttpRequest, slug: str) -> HttpResponse:
    """404 where a team looks after the profile."""
    organisation = found_at(Organisation.objects.published().with_ownership(), slug)
    context = {
        "organisation": organisation,
        "crumbs": [Link(organisation.name, organisation.get_absolute_url())],
    }
    if "sent" in request.GET:
        return TemplateResponse(request, "clusters/organisation_claim_sent.html", context)
    if organisation.has_owner:  # type: ignore[attr-defined]  # annotated
        raise Http404
    about = f"claim {organisation.public_id}"
    form = ClaimForm(request.POST or None, about=about, now=timezone.now())
    status = HTTPStatus.OK
    if form.is_bound:
        status = outcome(
            request,
            form,
            typed_address="role_address",
            about=about,
            deliver=lambda: claimed(organisation, form),
        )
    return answer(request, "clusters/organisation_claim.html", form, status, context)


def claimed(organisation: Organisation, form: ClaimForm) -> Claim | None:
    """None where an owner came while the form was read: the page of the profile shows it."""
    try:
        return submit_claim(
            organisation=organisation,
            role_address=form.cleaned_data["role_address"],
            reason=form.cleaned_data["reason"],
            language=get_language() or "en",
        )
    except ValidationError:
        return None


# The signed link is the authority, not a session; a GET writes nothing, as mail scanners open it.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_profile(request: HttpRequest, token: str) -> HttpResponse:
    today = timezone.localdate()
    link = read_link(token, day=today)
    if link is None:
        raise Http404
    if request.method == "POST" and link.state != LinkState.ENDED:
        confirm_by_link(link.asked, day=today, now=timezone.now())
        return HttpResponseRedirect(request.path)
    if link.state == LinkState.ENDED:
        return TemplateResponse(request, "clusters/confirm_ended.html", {"section": ""}, status=410)
    organisation = link.asked.organisation
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
                for cluster in clusters_of(organisation, today).with_profile()
            ],
            "has_owner": owners_of(organisation).exists(),
            "is_used": link.state == LinkState.USED,
            "confirmed_on": link.asked.confirmed_at,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """django-allauth's, which would also remove the last factor of somebody who must have one."""
    passkey = get_object_or_404(
        Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN
    )
    if not may_remove(passkey):
        refusal = SecondFactorAdapter.error_messages["cannot_delete_authenticator"]
        messages.warning(request, refusal)
        return redirect("mfa_list_webauthn")
    response: HttpResponse = remove_webauthn(request, pk=pk)
    return response
