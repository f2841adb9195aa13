"""What an editor or a visitor may send."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from clusters.contact.forms import OpenForm, ProseField, address_field
from clusters.models import Account
from clusters.models.images import reencode


class PictureField(forms.FileField):
    """A picture, drawn anew as soon as it is received."""

    def __init__(self, *, longest_side: int, **kwargs: Any) -> None:
        self.longest_side = longest_side
        super().__init__(**kwargs)

    def to_python(self, data: Any) -> Any:
        upload = super().to_python(data)
        return upload and reencode(upload, longest_side=self.longest_side)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"accept": "image/png,image/jpeg,image/webp"}


class PasswordForm(forms.Form):
    """The password of an account that an invitation makes."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, Account(email=self.email))
        return password


class LanguageForm(forms.ModelForm):
    class Meta:
        model = Account
        fields = ("language",)


class ClaimForm(OpenForm):
    reason = ProseField(
        label=_("Why it is yours"),
        max_length=2000,
        help_text=_("What you do for the organisation, and where the secretariat can check it."),
    )
    role_address = address_field(
        label=_("Role address"),
        help_text=_(
            "Of a function, such as info@, in the organisation’s own domain. "
            "The answer goes there, and whoever reads it becomes the owner."
        ),
    )
