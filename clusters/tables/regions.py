"""Which region a text of a table means, by its code or any name of it, however one spells it."""

import re
from collections.abc import Iterable

from clusters.models import Region
from clusters.names import normal_name

# Two names of one region, as in “Valle d'Aosta/Vallée d'Aoste” or “Sicilia (Sicily)”.
BETWEEN_NAMES = re.compile(r"[/|()]")


class RegionFinder:
    """Holds the names of the regions given, of all without any; one query."""

    def __init__(self, regions: Iterable[Region] | None = None) -> None:
        self.keys: dict[tuple[str, str], int] = {}
        rows = Region.objects.all() if regions is None else regions
        for region in sorted(rows, key=lambda row: row.pk):
            self.add(region)

    def add(self, region: Region) -> None:
        country = region.country.code
        for other in region.other_names.split("|"):
            self.keys.setdefault((country, normal_name(other)), region.pk)
        for text in filter(None, (region.name, region.code)):
            self.keys[country, normal_name(text)] = region.pk

    def find(self, country: str, text: str) -> int | None:
        # By the whole text, else by its parts where they mean the same region.
        whole = self.keys.get((country, normal_name(text))) if normal_name(text) else None
        if whole is not None:
            return whole
        names = filter(None, map(normal_name, BETWEEN_NAMES.split(text)))
        found = {self.keys.get((country, name)) for name in names}
        return found.pop() if len(found) == 1 else None
