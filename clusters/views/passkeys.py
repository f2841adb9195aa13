from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import remove_webauthn
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from clusters.signing_in import SecondFactorAdapter, may_remove


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
