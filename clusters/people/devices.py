"""Browsers that an account has signed in from, to know its owner from a stranger.

A signed cookie names the browser for each account, and is set by a successful sign-in only. It
gives no right: a browser that is known has attempts of its own, which no stranger can use up.
"""

from secrets import token_urlsafe

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

# Of the cookies that browsers keep: it stays, whatever the module is called.
SALT = "clusters.devices"
MAX_AGE = 180 * 24 * 60 * 60
MAX_ACCOUNTS = 5


def device_of(request: HttpRequest, address: str) -> str:
    # The name of this browser for the account with that address, "" if it never signed in here.
    return read_devices(request).get(hash_address(address), "")


def remember_device(request: HttpRequest, response: HttpResponse, address: str) -> None:
    devices = read_devices(request)
    own = devices.pop(hash_address(address), "") or token_urlsafe(16)
    # The oldest goes: a cookie has room for a few accounts.
    others = list(devices.items())[1 - MAX_ACCOUNTS :]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(dict([*others, (hash_address(address), own)]), salt=SALT),
        max_age=MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def read_devices(request: HttpRequest) -> dict[str, str]:
    try:
        devices: dict[str, str] = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=MAX_AGE
        )
    except signing.BadSignature:
        return {}
    return devices


def hash_address(address: str) -> str:
    # In place of the address, which does not belong into a cookie.
    return salted_hmac(SALT, address.lower(), algorithm="sha256").hexdigest()[:24]
