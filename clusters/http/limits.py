"""How often something may be asked: counted in the cache that all workers share."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

# The half of an IPv6 address that a network gives out by itself.
HOST_BITS = 64


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


def network_of(address: str) -> str:
    # The key of a sender: the address, of IPv6 its first half, as one line has the whole rest.
    if ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> HOST_BITS << HOST_BITS))


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
