"""What anybody may send without an account."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_email
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from clusters.fields import validate_line, validate_prose

# A machine sends a form at once, or with a stamp that it took some time ago.
MIN_AGE = timedelta(seconds=3)
MAX_AGE = timedelta(hours=1)
NO_ADDRESS = _("Type an address like name@example.org.")

# Django's own check takes quoted names, which hold spaces, and bracketed networks.
PLAIN = re.compile(r"[^\s\"(),:;<>@\[\]\\]+@[^\s\"(),:;<>@\[\]\\]+")


def validate_plain_address(value: str) -> None:
    # One message, whatever is wrong.
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValidationError(NO_ADDRESS) from error
    if not PLAIN.fullmatch(value):
        raise ValidationError(NO_ADDRESS)


class OpenForm(forms.Form):
    """A form without a cookie: a signed time stamp proves that its page was read before.

    The stamp is good for what it is `about` only. A form that stood open for too long comes back
    with a new stamp and with all that was typed. Shown by `components/open_form.html`.
    """

    def __init__(self, data: Any = None, *, about: str, now: datetime, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        # The salt names form and addressee: a stamp of one is worth nothing on another.
        self.signer = Signer(salt=f"open form {type(self).__name__} about {about}")
        self.now = now

    @cached_property
    def age(self) -> timedelta | None:
        """Since the page was made; None where the stamp is not of this form."""
        try:
            made_at = float(self.signer.unsign(self.data.get("stamp", "")))
        except BadSignature:
            return None
        return timedelta(seconds=self.now.timestamp() - made_at)

    @property
    def is_stale(self) -> bool:
        # One of the future was made before the clock was set back.
        return self.age is None or not timedelta() <= self.age <= MAX_AGE

    @property
    def stamp(self) -> str:
        # A good one is kept, as its clock runs already.
        if self.is_stale:
            return self.signer.sign(f"{self.now.timestamp():.3f}")
        return str(self.data["stamp"])

    @property
    def is_from_a_machine(self) -> bool:
        # People are told to leave this field empty.
        return bool(self.data.get("homepage"))

    @property
    def fingerprint(self) -> str:
        # The same for what is sent twice from one page.
        return f"{self.stamp} {sorted(self.cleaned_data.items())}"

    def clean(self) -> dict[str, Any]:
        if self.is_stale:
            raise ValidationError(
                _(
                    "This page was open for more than an hour, or is another one by now. Nothing"
                    " you typed is lost: read it once more and send it again."
                )
            )
        if not self.errors and self.age is not None and self.age < MIN_AGE:
            raise ValidationError(_("That was very quick. Wait a moment and send it again."))
        return self.cleaned_data


class ProseField(forms.CharField):
    """Paragraphs; a line break counts as one character, as the browser counts."""

    widget = forms.Textarea
    default_validators = [validate_prose]

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class LineField(forms.CharField):
    default_validators = [validate_line]


class AddressField(forms.EmailField):
    default_validators = [validate_plain_address]


def address_field(**options: Any) -> AddressField:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return AddressField(max_length=254, widget=widget, **options)


class ContactForm(OpenForm):
    address = address_field(
        label=_("Your e-mail address"),
        help_text=_("Shown to the recipient only, who answers to it."),
    )
    subject = LineField(label=_("Subject"), max_length=120)
    message = ProseField(label=_("Message"), max_length=4000)


class ReportForm(OpenForm):
    text = ProseField(
        label=_("What is wrong"),
        max_length=4000,
        help_text=_("What does the page say, what is right, and where can one read that?"),
    )
    reply_address = address_field(
        label=_("Your e-mail address"),
        required=False,
        help_text=_("Only if you want an answer. It is used for nothing else."),
    )
