"""The forms of the second factor: django-allauth's, with the portal's limits and words."""

from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.contact.forms import LineField
from clusters.people.signing_in import (
    AccountAdapter,
    SecondFactorAdapter,
    is_new_code,
    may_try_code,
)

# A recovery code has 12 characters, with whatever stands between them.
LONGEST_CODE = 40


class CodeForm(forms.Form):
    """A code of a second factor: tried so often at most, and good for one time."""

    user: Any

    code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        widget=forms.TextInput(attrs={"placeholder": _("Code"), "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        code: str = normalize_user_code(self.cleaned_data["code"])
        is_recovery = len(code) != app_settings.TOTP_DIGITS
        if not may_try_code(context.request, self.user, is_recovery=is_recovery):
            raise AccountAdapter().validation_error("too_many_codes")
        super().clean_code()  # type: ignore[misc]  # of the form of allauth beside this one
        if not is_recovery and not is_new_code(self.user, code):
            raise SecondFactorAdapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(CodeForm, AuthenticateForm):  # type: ignore[misc]  # it comes without types
    def _emit_authentication_failed(self, authenticator: Any) -> None:
        AccountAdapter(context.request).code_failed(self.user)


class SecondFactorAgainForm(CodeForm, ReauthenticateForm):  # type: ignore[misc]
    pass


class AppForm(CodeForm, ActivateTOTPForm):  # type: ignore[misc]
    pass


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey signs in alone unless its owner wants it beside the password."""

    name = LineField(
        label=_("Name"),
        required=False,
        max_length=60,
        help_text=_("To tell your passkeys apart, such as “Office computer”."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].label = _("Sign in with it alone, without the password")
        self.fields["passwordless"].help_text = _(
            "It then asks for your fingerprint, your face or a PIN."
        )
