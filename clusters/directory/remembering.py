from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")

MAX_REMEMBERED = 64
FORGOTTEN: Any = object()


class Remembering:
    """An index that keeps what was made of it; it is replaced when anything changes."""

    remembered: "OrderedDict[Hashable, Any]"

    def remember(self, key: Hashable, make: Callable[[], Made]) -> Made:
        # What `make` gave for the key; the longest unused leave.
        made: Made = self.remembered.pop(key, FORGOTTEN)
        if made is FORGOTTEN:
            made = make()
        self.remembered[key] = made
        while len(self.remembered) > MAX_REMEMBERED:
            self.remembered.popitem(last=False)
        return made
