"""Saying that a profile without an owner is one's own: no account, no cookie."""

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language

from clusters.actions import submit_claim
from clusters.forms import ClaimForm
from clusters.models import Claim, Organisation
from clusters.search import Link
from clusters.views.contact import answer, found_at, open_form, outcome


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
