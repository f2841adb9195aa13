"""The certificate of a label to print, or the page to print in its place."""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clusters.formats.documents import document_response, library
from clusters.http.responses import cacheable, conditional, error_response
from labels.models import Label
from labels.proofs.certificates import certificate, make
from labels.proofs.credentials import Purpose
from labels.proofs.signing import NoSigningKey, published_keys, sign
from labels.proofs.status import claims_about, label_with_place, status_list


@require_safe
def label_certificate(request: HttpRequest, public_id: str, language: str) -> HttpResponseBase:
    # Of today: asked for another day it could be passed off as what holds.
    if language not in dict(settings.LANGUAGES):
        return error_response(
            request, [f"certificates are in: {', '.join(dict(settings.LANGUAGES))}"], 404
        )
    now = timezone.now()
    day = timezone.localdate(now)
    label = label_with_place(Label.objects.for_pages(day).with_certificate(), public_id)
    if label is None:
        return error_response(request, ["there is no label with this number"], 404)
    with translation.override(language):
        if library() is None:
            return cacheable(HttpResponseRedirect(label.get_absolute_url()), now)
        wanted = certificate(label, day)
        return document_response(
            request, wanted.path, lambda: make(wanted), saved_as=wanted.saved_as, now=now
        )


CONTENT_TYPE = "application/vc+jwt"
CANNOT_SIGN = "this portal has no key to sign with; its operator has to make one"


@require_safe
def label_credential(request: HttpRequest, public_id: str) -> HttpResponseBase:
    labels = Label.objects.published().with_holder().with_certificate()
    label = label_with_place(labels, public_id)
    if label is None:
        return error_response(request, ["there is no label with this number"], 404)
    if not label.has_certain_days:
        problem = "the days of this label are not known, so there is nothing to attest"
        return error_response(request, [problem], 404)
    return signed(request, claims_about(label), timezone.now())


@require_safe
def label_status_list(request: HttpRequest, purpose: str) -> HttpResponseBase:
    if purpose not in list(Purpose):
        return error_response(request, [f"there are lists of: {', '.join(Purpose)}"], 404)
    now = timezone.now()
    return signed(request, status_list(Purpose(purpose), timezone.localdate(now)), now)


def signed(request: HttpRequest, claims: dict[str, object], now: datetime) -> HttpResponseBase:
    try:
        token = sign(claims)
    except NoSigningKey:
        return error_response(request, [CANNOT_SIGN], 503)
    response = HttpResponse(token, content_type=CONTENT_TYPE)
    return conditional(request, cacheable(response, now))


@require_safe
def signing_keys(request: HttpRequest) -> HttpResponseBase:
    try:
        keys = published_keys()
    except NoSigningKey:
        return error_response(request, [CANNOT_SIGN], 503)
    response = JsonResponse(keys, content_type="application/jwk-set+json")
    return conditional(request, cacheable(response, timezone.now()))
