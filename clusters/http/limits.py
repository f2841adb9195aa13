"""How often something may be asked: counted in the cache that all workers share."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

# The half of an IPv6 address that a network gives out by itself.
HOST_BITS = 64
# What one customer may be given at most, to make networks of.
SITE_BITS = 80


class CounterCache(DatabaseCache):
    """Django's, whose `add` says that a key is taken, too, where the database is busy or full.

    Here that raises OperationalError, after one timeout: nobody has asked too often.
    """

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        if super().add(key, value, *args, **kwargs):
            return True
        if self.get(key, version=kwargs.get("version")) is None:
            raise OperationalError("the database did not take a counter of the limits")
        return False


def allow(name: str, key: str, *, most: int, seconds: int) -> bool:
    """Whether `key` may do this once more: at most `most` times in any `seconds`. It counts.

    Each time takes one of `most` places, and adding to the cache is atomic, so two requests never
    take the same. Only a keyed hash of `key` is stored.
    """
    places = [place(name, key, number) for number in range(most)]
    taken = cache.get_many(places)
    return any(cache.add(free, True, seconds) for free in places if free not in taken)


def place(name: str, key: str, number: int) -> str:
    digest = salted_hmac("clusters.limits", f"{name}:{key}", algorithm="sha256").hexdigest()
    return f"limit:{digest}:{number}"


def network_address(request: HttpRequest) -> str:
    """Where the request comes from, "" if it cannot be told.

    A proxy of ours appends the address that it saw; whatever stands before it anybody can write.
    """
    seen: str = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
    try:
        return str(ip_address(seen.strip()))
    except ValueError:
        return ""


def network_of(address: str, *, host_bits: int = HOST_BITS) -> str:
    # The key of a sender: the address, of IPv6 its first half, as one line has the whole rest.
    if ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> host_bits << host_bits))


def give_back(name: str, key: str, *, most: int) -> None:
    # Free the places of `key`: what it asked for did not happen.
    cache.delete_many([place(name, key, number) for number in range(most)])


@dataclass
class Quota:
    """At most so many requests of each key in a window of so many seconds, counted in this process.

    For what only reads: `allow` writes to the database, which costs more than most answers and
    would make every reader wait for the one writer. So each worker grants as much anew, and a
    restart forgives; whoever must not be guessed at needs `allow`.
    """

    seconds: int
    window: int = -1
    taken: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def wait(self, key: str, *, most: int, now: float) -> int:
        # Seconds until `key` may ask again, 0 where it may now. It counts.
        window = int(now // self.seconds)
        with self.lock:
            if window != self.window:
                self.window = window
                self.taken.clear()
            if self.taken[key] >= most:
                return max(1, int((window + 1) * self.seconds - now))
            self.taken[key] += 1
        return 0
