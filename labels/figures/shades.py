"""A map with each country shaded by a number of clusters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from clusters.map.projection import EUROPE, SHEETS, WORLD, Sheet

# The first number of each shade: twice that of the one before.
SHADES = (1, 2, 4, 8, 16)
OUTLINE = re.compile(r'<path id="([A-Z]{2})"')


@dataclass(frozen=True)
class ShadedCountry:
    """`shade` counts from 1; it is 0 where clusters may hold a label, and none does for certain."""

    code: str
    shade: int


@dataclass(frozen=True)
class ShadedMap:
    sheet: Sheet
    countries: tuple[ShadedCountry, ...]
    outside: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.sheet.name}.svg"


@cache
def outlined_on(sheet: str) -> frozenset[str]:
    """The codes of the countries that have an outline on the sheet."""
    file = Path(settings.BASE_DIR) / "static" / f"{SHEETS[sheet].name}.svg"
    return frozenset(OUTLINE.findall(file.read_text(encoding="utf-8")))


def shaded_map(numbers: Mapping[str, int]) -> ShadedMap:
    """Of Europe; of the world where no country with a number lies in Europe."""
    on_europe = outlined_on(EUROPE.name)
    sheet = EUROPE if not numbers or on_europe & numbers.keys() else WORLD
    outlined = outlined_on(sheet.name)
    return ShadedMap(
        sheet,
        tuple(
            ShadedCountry(code, shade_of(number))
            for code, number in numbers.items()
            if code in outlined
        ),
        tuple(code for code in numbers if code not in outlined),
    )


def shade_of(number: int) -> int:
    return sum(number >= first for first in SHADES)


def ranges() -> list[tuple[int, int, int | None]]:
    """Shade, first number and last one; the last shade has no end."""
    lasts = [first - 1 for first in SHADES[1:]]
    return list(zip(range(1, len(SHADES) + 1), SHADES, [*lasts, None], strict=True))
