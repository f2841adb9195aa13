"""What an editor or a visitor may send."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from clusters.images import reencode
from clusters.models import Account


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
