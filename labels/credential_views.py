"""The signed credentials, the lists of states that they name, and the keys to check both."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from clusters.machine_answers import led_on, opened, refused, sent_once
from labels.credentials import Purpose, credential, status_list
from labels.models import Label
from labels.signing import NoSigningKey, published_keys, sign

CONTENT_TYPE = "application/vc+jwt"
CANNOT_SIGN = "this portal has no key to sign with; its operator has to make one"


@require_safe
def label_credential(request: HttpRequest, public_id: str) -> HttpResponseBase:
    labels = Label.objects.published().with_holder().with_certificate()
    label = labels.with_public_id(public_id.upper()).first()
    if label is None:
        return refused(request, ["there is no label with this number"], 404)
    if label.public_id != public_id:
        return led_on(request, "label_credential", label.public_id)
    if label.starts_on is None:
        problem = "the days of this label are not known, so there is nothing to attest"
        return refused(request, [problem], 404)
    return signed(request, credential(label), timezone.now())


@require_safe
def label_status_list(request: HttpRequest, purpose: str) -> HttpResponseBase:
    if purpose not in list(Purpose):
        return refused(request, [f"there are lists of: {', '.join(Purpose)}"], 404)
    now = timezone.now()
    return signed(request, status_list(Purpose(purpose), timezone.localdate(now)), now)


def signed(request: HttpRequest, claims: dict[str, object], now: datetime) -> HttpResponseBase:
    try:
        token = sign(claims)
    except NoSigningKey:
        return refused(request, [CANNOT_SIGN], 503)
    response = HttpResponse(token, content_type=CONTENT_TYPE)
    return sent_once(request, opened(response, now))


@require_safe
def signing_keys(request: HttpRequest) -> HttpResponseBase:
    try:
        keys = published_keys()
    except NoSigningKey:
        return refused(request, [CANNOT_SIGN], 503)
    response = JsonResponse(keys, content_type="application/jwk-set+json")
    return sent_once(request, opened(response, timezone.now()))
