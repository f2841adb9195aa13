"""How people sign in: the backend that asks the policy, and what django-allauth asks of us."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.core import context
from allauth.mfa import app_settings as second_factor_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user, update_session_auth_hash
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.db import DatabaseError, connection
from django.db.models import Model
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_language_from_path, gettext
from django.utils.translation import gettext_lazy as _

from clusters import mail
from clusters.http.limits import allow, network_address, network_of
from clusters.models import Account, EventKind
from clusters.people import devices, policy
from clusters.people.access import end_sessions
from clusters.people.log import record

# Recovery codes come with a factor and end with the last one: they are none by themselves.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

SIGNED_IN_AT, SEEN_AT, AFTER_ENROLMENT = "signed_in_at", "seen_at", "after_enrolment"
MAX_SESSION = timedelta(hours=12)
MAX_PAUSE = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)

# Attempts in a quarter of an hour. A browser that the account signed in from has its own, so that
# strangers, who share the others, cannot lock its owner out.
WINDOW = 15 * 60
MAX_FROM_A_DEVICE = 10
MAX_FROM_A_NETWORK_TO_AN_ACCOUNT = 10
MAX_FROM_A_NETWORK = 30
MAX_FROM_EVERYWHERE = 200
MAX_CODES = 10

MAIL_AFTER_SECONDS = 1.0

logger = logging.getLogger(__name__)

# What a mail says has changed, and what the log says.
PASSWORD_CHANGES = {
    "account/email/password_changed": _("The password was changed."),
    "account/email/password_set": _("A password was set."),
    "account/email/password_reset": _("A new password was set with a link sent by mail."),
}
FACTOR_CHANGES = {
    "mfa/email/totp_activated": (_("An app with codes was added."), "app added"),
    "mfa/email/totp_deactivated": (_("The app with codes was removed."), "app removed"),
    "mfa/email/webauthn_added": (_("A passkey was added."), "passkey added"),
    "mfa/email/webauthn_removed": (_("A passkey was removed."), "passkey removed"),
    "mfa/email/recovery_codes_generated": (
        _("New recovery codes were made; the old ones no longer work."),
        "recovery codes renewed",
    ),
}

WAYS_TO_CONFIRM = {
    "reauthenticate": _("With your password"),
    "mfa_reauthenticate": _("With a code"),
    "mfa_reauthenticate:webauthn": _("With a passkey"),
}


def factors_of(account: Account) -> Any:
    return Authenticator.objects.filter(user=account, type__in=FACTORS)


def needs_second_factor(person: policy.Person) -> bool:
    # Who enters admin, to edit or to read, and has none must enrol one before anything else.
    return (
        settings.REQUIRE_SECOND_FACTOR
        and isinstance(person, Account)
        and policy.may_enter(person)
        and not factors_of(person).exists()
    )


def may_remove_factor(authenticator: Authenticator) -> bool:
    account = authenticator.user
    assert isinstance(account, Account)
    return (
        not settings.REQUIRE_SECOND_FACTOR
        or not policy.may_enter(account)
        or factors_of(account).exclude(pk=authenticator.pk).exists()
    )


def redirect_to_second_factor(request: HttpRequest, path: str) -> HttpResponse:
    # Ask for a second factor; the pages that enrol it lead on to `path`.
    request.session[AFTER_ENROLMENT] = path
    messages.warning(
        request,
        _("Before you go on, add a second way to prove that it is you: a passkey, or an app."),
    )
    return redirect("mfa_index")


def person_in_session(request: HttpRequest, now: datetime) -> policy.Person:
    # Who is signed in; a session that is too old, or was not used for too long, ends here.
    person = get_user(request)
    if not isinstance(person, Account):
        return AnonymousUser()
    session = request.session
    # Whole seconds, as a session is stored as JSON.
    moment = int(now.timestamp())
    signed_in_at = session.get(SIGNED_IN_AT, moment)
    seen_at = session.get(SEEN_AT, moment)
    # What began in the future has no age: the clock was set back.
    if (
        abs(moment - signed_in_at) >= MAX_SESSION.total_seconds()
        or abs(moment - seen_at) >= MAX_PAUSE.total_seconds()
    ):
        session.flush()
        return AnonymousUser()
    # Not with every request: each change of a session writes a row.
    if SEEN_AT not in session or abs(moment - seen_at) >= SEEN_EVERY.total_seconds():
        session[SIGNED_IN_AT], session[SEEN_AT] = signed_in_at, moment
    return person


def may_try_password(request: HttpRequest, address: str) -> bool:
    # Whether this browser may try a password for that address, of an account or not. It counts.
    if device := devices.device_of(request, address):
        return allow("sign-in: device", device, most=MAX_FROM_A_DEVICE, seconds=WINDOW)
    # Somebody at home has many IPv6 addresses, all in one network.
    network = network_of(network_address(request))
    return (
        allow(
            "sign-in: account and network",
            f"{address} {network}",
            most=MAX_FROM_A_NETWORK_TO_AN_ACCOUNT,
            seconds=WINDOW,
        )
        and allow("sign-in: network", network, most=MAX_FROM_A_NETWORK, seconds=WINDOW)
        # All together, against guesses from many networks at once.
        and allow("sign-in", "", most=MAX_FROM_EVERYWHERE, seconds=WINDOW)
    )


def may_try_code(request: HttpRequest, account: Account, *, is_recovery: bool) -> bool:
    """Whether this browser may try a code of the account's second factor. It counts.

    Who tries has given the password. Strangers share the tries of an app's code; a recovery code
    has 12 digits, too long to guess, so its tries are counted for each network on its own.
    """
    device = devices.device_of(request, account.email)
    if is_recovery:
        tries, others = "code: recovery", network_of(network_address(request))
    else:
        # Bound to the password: a new one gives new tries.
        tries, others = "code: app", account.password
    return allow(tries, f"{account.pk} {device or others}", most=MAX_CODES, seconds=WINDOW)


def is_new_code(account: Account, code: str) -> bool:
    # Whether a right code of the app is used for the first time. It counts.
    # A code is taken for that long, before and after its own period.
    periods = 2 * second_factor_settings.TOTP_TOLERANCE + 1
    return allow(
        "code: used",
        f"{account.pk} {code}",
        most=1,
        seconds=periods * second_factor_settings.TOTP_PERIOD,
    )


def call_later(call: Callable[[], None]) -> None:
    # No daemon: a worker that ends waits for it.
    Timer(MAIL_AFTER_SECONDS, partial(call_apart, call)).start()


def call_apart(call: Callable[[], None]) -> None:
    try:
        call()
    finally:
        connection.close()  # of this thread


def try_to_mail(send: Callable[[], None]) -> None:
    try:
        send()
    except DatabaseError as error:
        # Its text may hold the address.
        logger.error("A link could not be mailed: %s", type(error).__name__)


class MinimumLength(MinimumLengthValidator):
    """Django's, whose message has no Italian."""

    def get_error_message(self) -> str:
        return gettext("Use at least {number} characters.").format(number=self.min_length)


class PortalBackend(ModelBackend):
    """Checks a password, and answers Django's questions about permissions from the policy.

    An unknown address costs the same work as a wrong password, and so does a disabled account.
    Rows of `auth_permission` give no right to anyone.
    """

    def _get_permissions(self, user_obj: Any, obj: Model | None, from_name: str) -> set[str]:
        # Whatever Django asks about a person's or a group's rows, it asks here.
        return set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return policy.may_enter(user_obj)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it comes without types
    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _(
            "Too many attempts. Sign in with a passkey, or have a link sent to you: it lets you in "
            "at once. Otherwise try again in a quarter of an hour."
        ),
        "too_many_codes": _(
            "Too many wrong codes. Use a passkey or a recovery code, or try again in a quarter of "
            "an hour."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        # Accounts are made by invitations only.
        return False

    def is_safe_url(self, url: str) -> bool:
        # Only a path of this site.
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request: HttpRequest) -> str:
        return network_address(request) or "unknown"

    # Signing in and out

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not may_try_password(request, credentials["email"]):
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        self.log(request, EventKind.SIGN_IN_FAILED, typed_address=credentials["email"])

    def code_failed(self, account: Account) -> None:
        self.log(self.request, EventKind.SIGN_IN_FAILED, about=account, detail="second factor")

    def reauthenticate(self, user: Any, password: str) -> bool:
        # Not limited here: allauth limits the tries of who is signed in.
        return bool(user.check_password(password))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        return [
            method | {"description": WAYS_TO_CONFIRM[method["id"]]}
            for method in super().get_reauthentication_methods(user)
        ]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        # To have just signed in is proof enough.
        request = context.request
        records = get_authentication_records(request, request.user)
        return (
            not records or time.time() - records[-1]["at"] >= app_settings.REAUTHENTICATION_TIMEOUT
        )

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        # The key of a session that a stranger may have planted ends with the password.
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is None:
            request.session.cycle_key()
        return response

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        now = int(timezone.now().timestamp())
        request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = now

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        # Only after a full sign-in: the cookie gives tries of its own.
        devices.remember_device(request, response, user.email)
        ways = [
            way.get("type") or way["method"] for way in get_authentication_records(request, user)
        ]
        self.log(request, EventKind.SIGNED_IN, account=user, detail=", ".join(ways))
        return response

    def logout(self, request: HttpRequest) -> None:
        self.log(request, EventKind.SIGNED_OUT, account=request.user)
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        user.set_password(password)
        # The history holds no password, so a version would say nothing.
        user.skip_history_when_saving = True
        user.save(update_fields=["password"])
        del user.skip_history_when_saving

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse(settings.LOGIN_REDIRECT_URL)

    # Mails, whose links never come from the request's host

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _dash, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.SITE_URL}{path}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """`account/email/<name>` is the mail `<name>`; it is written after the
        answer.

        Whoever asks for a link must not learn by the time whether there is an account.
        """
        name, account = template_prefix.rpartition("/")[2], context.get("user")
        call_later(partial(try_to_mail, partial(self.send, name, email, account, context)))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        if template_prefix in PASSWORD_CHANGES:
            change = PASSWORD_CHANGES[template_prefix]
            self.log(self.request, EventKind.PASSWORD_CHANGED, account=user)
        else:
            change, detail = FACTOR_CHANGES[template_prefix]
            self.log(self.request, EventKind.SECOND_FACTOR_CHANGED, account=user, detail=detail)
            # Whoever is signed in elsewhere proves anew who they are.
            end_sessions(account=user)
            renew_session(self.request)
        self.send(
            "account_changed",
            user.email,
            user,
            {
                "change": change,
                "changed_at": timezone.now(),
                "network_address": network_address(self.request),
            },
        )

    def send(self, template: str, to: str, account: Account | None, values: dict[str, Any]) -> None:
        language = (
            # A page in Italian sends a mail in Italian, whatever the account prefers.
            get_language_from_path(self.request.path)
            or (account and account.language)
            or get_language()
        )
        with translation.override(language):
            reset_url = f"{settings.SITE_URL}{reverse('account_reset_password')}"
        mail.send(template, to=to, language=language, context=values | {"reset_url": reset_url})

    def log(self, request: HttpRequest, kind: EventKind, **values: Any) -> None:
        record(kind, now=timezone.now(), network_address=network_address(request) or None, **values)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _(
            "This is your only second factor, and your account must have one. Add another first."
        )
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return may_remove_factor(authenticator)

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey {number}").format(number=number)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        # A passkey belongs to the host of the portal's own address.
        return {
            "id": urlsplit(settings.SITE_URL).hostname or "",
            "name": gettext("Cluster Register"),
        }


@receiver(authentication_step_completed)
def renew_key(request: HttpRequest, **_step: Any) -> None:
    # Also when somebody signed in proves again who they are.
    request.session.cycle_key()


def renew_session(request: HttpRequest) -> None:
    # After all sessions of the account were ended: this one goes on, with a new key.
    assert request.user.is_authenticated
    request.user.refresh_from_db()
    request.user.__dict__.pop("roles_in_force", None)
    update_session_auth_hash(request, request.user)
