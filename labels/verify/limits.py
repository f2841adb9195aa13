"""How much one network may verify in a minute."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from clusters.http.limits import allow, network_address, network_of

MINUTE = 60
MAX_QUESTIONS = 120
MAX_LISTS = 20


class TooOften(Exception):
    """More was asked from one network than is fair."""


def too_often() -> TooOften:
    return TooOften(
        _(
            "More was asked from your network in the last minute than one reader needs. Nothing"
            " you typed is lost: wait a minute and send it again."
        )
    )


def is_within_limit(request: HttpRequest, *, is_list: bool) -> bool:
    name, most = ("verify list", MAX_LISTS) if is_list else ("verify", MAX_QUESTIONS)
    return allow(name, network_of(network_address(request)), most=most, seconds=MINUTE)
