"""What changed since somebody last looked, whoever wrote it: one statement on either engine.

SQLite has one writer at a time, so keys grow in the order of commits. PostgreSQL does not: a
transaction that began earlier may commit later. There a row carries its transaction's number, and
what a look saw of transactions that may still have been running is compared with the next look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.db import connection

ON_SQLITE = """
SELECT 'row', id, kind, "key", 0 FROM clusters_change WHERE id > %(since)s
UNION ALL SELECT 'mark', NULL, NULL, NULL, coalesce(max(id), 0) FROM clusters_change
"""
ON_POSTGRESQL = """
SELECT 'row', id, kind, "key", xid::text::bigint FROM clusters_change
WHERE xid >= coalesce(%(since)s::text::xid8, pg_snapshot_xmin(pg_current_snapshot()))
UNION ALL SELECT 'mark', NULL, NULL, NULL, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""
# The newest row, and the one that was it at the last look: another database has not the same.
NEWEST = """
UNION ALL SELECT 'newest', id, CAST(changed_at AS text), NULL, NULL FROM clusters_change
WHERE id = (SELECT max(id) FROM clusters_change)
UNION ALL SELECT 'last newest', id, CAST(changed_at AS text), NULL, NULL FROM clusters_change
WHERE id = %(newest)s
"""

Record = tuple[str, int]


@dataclass(frozen=True)
class SeenChanges:
    """What a look saw: rows by their id where more of their time may come, and from where on.

    `since` is the last row's id on SQLite, and the oldest transaction then running on PostgreSQL.
    `newest` is the last row's id and moment.
    """

    since: int = 0
    rows: Mapping[int, Record] = field(default_factory=dict)
    newest: tuple[int, str] | None = None


def read_changes(seen: SeenChanges | None) -> tuple[SeenChanges, set[Record] | None]:
    """What there is to see now, and which records (kind, key) changed since `seen`.

    None: everything may have changed, as `seen` is None, the table was emptied, or this is another
    database, such as a backup that was put back.
    """
    is_sqlite = connection.vendor == "sqlite"
    statement = (ON_SQLITE if is_sqlite else ON_POSTGRESQL) + NEWEST
    newest_row = seen.newest[0] if seen and seen.newest else None
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": seen.since if seen else None, "newest": newest_row})
        found = cursor.fetchall()
    mark = next(number for what, *_row, number in found if what == "mark")
    newest, last_newest = (
        next(((row, moment) for what, row, moment, *_none in found if what == wanted), None)
        for wanted in ("newest", "last newest")
    )
    rows = {row: (kind, key) for what, row, kind, key, _number in found if what == "row"}
    here = SeenChanges(mark, newest=newest)
    if not is_sqlite:
        recent = {row for what, row, *_columns, number in found if what == "row" and number >= mark}
        here = replace(here, rows={row: rows[row] for row in recent})
    if seen is None or mark < seen.since or last_newest != seen.newest:
        return here, None
    return here, {rows.get(row) or seen.rows[row] for row in rows.keys() ^ seen.rows.keys()}
