"""What changed since somebody last looked, whoever wrote it: one statement on either engine.

SQLite has one writer at a time, so keys grow in the order of commits. PostgreSQL does not: a
transaction that began earlier may commit later. There a row carries its transaction's number, and
what a look saw of transactions that may still have been running is compared with the next look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

ON_SQLITE = """
SELECT id, kind, "key", 0 FROM clusters_change WHERE id > %s
UNION ALL SELECT NULL, NULL, NULL, coalesce(max(id), 0) FROM clusters_change
"""
ON_POSTGRESQL = """
SELECT id, kind, "key", xid::text::bigint FROM clusters_change
WHERE xid >= coalesce(%s::text::xid8, pg_snapshot_xmin(pg_current_snapshot()))
UNION ALL SELECT NULL, NULL, NULL, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""

Record = tuple[str, int]


@dataclass(frozen=True)
class SeenChanges:
    """What a look saw: rows by their id where more of their time may come, and from where on.

    `since` is the last row's id on SQLite, and the oldest transaction then running on PostgreSQL.
    """

    since: int = 0
    rows: Mapping[int, Record] = field(default_factory=dict)


def read_changes(seen: SeenChanges | None) -> tuple[SeenChanges, set[Record] | None]:
    """What there is to see now, and which records (kind, key) changed since `seen`.

    None: everything may have changed, as `seen` is None or the table was emptied or restored.
    """
    is_sqlite = connection.vendor == "sqlite"
    since = seen.since if seen else None
    with connection.cursor() as cursor:
        cursor.execute(ON_SQLITE if is_sqlite else ON_POSTGRESQL, [since])
        found = cursor.fetchall()
    mark = next(number for row, _kind, _key, number in found if row is None)
    rows = {row: (kind, key) for row, kind, key, _number in found if row is not None}
    here = SeenChanges(mark)
    if not is_sqlite:
        recent = {row for row, _kind, _key, number in found if row and number >= mark}
        here = SeenChanges(mark, {row: rows[row] for row in recent})
    if seen is None or mark < seen.since:
        return here, None
    return here, {rows.get(row) or seen.rows[row] for row in rows.keys() ^ seen.rows.keys()}
