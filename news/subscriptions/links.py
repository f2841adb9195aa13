"""The signed links of mails to subscribers."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import SignatureExpired, Signer, TimestampSigner
from django.urls import reverse
from django.utils.translation import override

from news.models import Subscription

# Of the links in mails: they stay, whatever the module is called.
SALT = "news.subscriptions"
LIFETIME = timedelta(days=3)


def confirm_url(subscription: Subscription) -> str:
    token = TimestampSigner(salt=f"{SALT}.confirm").sign(subscription.number.hex)
    return page_url("confirm_subscription", subscription, token)


def manage_url(subscription: Subscription) -> str:
    return page_url("subscription", subscription, token_of_subscription(subscription))


def stop_url(subscription: Subscription) -> str:
    return page_url("unsubscribe", subscription, token_of_subscription(subscription))


def token_of_subscription(subscription: Subscription) -> str:
    # Without an end: who finds an old mail may still stop.
    return Signer(salt=SALT).sign(subscription.number.hex)


def page_url(name: str, subscription: Subscription, token: str) -> str:
    with override(subscription.language):
        return f"{settings.SITE_URL}{reverse(f'news:{name}', args=[token])}"


def number_to_confirm(token: str) -> UUID | None:
    """None for a link that has ended; raises BadSignature for one that the portal never made."""
    try:
        return UUID(TimestampSigner(salt=f"{SALT}.confirm").unsign(token, max_age=LIFETIME))
    except SignatureExpired:
        return None


def number_to_manage(token: str) -> UUID:
    """Raises BadSignature for a link that the portal never made."""
    return UUID(Signer(salt=SALT).unsign(token))
