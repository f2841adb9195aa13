"""The triggers of the tables of announcements, also of those that wait for their moment."""

from clusters.triggers.changes import OF_CLUSTER, OTHER, Changes, Record
from clusters.triggers.definitions import Row
from clusters.triggers.documents import Documents, each

TEXTS = "news_announcementtext WHERE announcement_id = record.id AND state = 'ready' ORDER BY id"


def announcement_changes(table: str, column: str) -> Changes:
    """The announcement whose key the column holds, and its clusters."""
    return Changes(table, Record("announcement", column), linked_clusters(column))


def linked_clusters(column: str) -> Record:
    link = ("news_announcement_clusters", "cluster_id", "announcement_id")
    return Record("cluster", column, *link).without_words()


OF_ANNOUNCEMENT = Record("announcement", "announcement_id").without_words()

ROWS: tuple[Row, ...] = (
    announcement_changes("news_announcement", "id"),
    announcement_changes("news_announcementtext", "announcement_id"),
    # Feeds tell when a text was changed.
    Changes("news_historicalannouncementtext", OF_ANNOUNCEMENT),
    Changes("news_announcement_clusters", OF_ANNOUNCEMENT, OF_CLUSTER.without_words()),
    Changes("news_announcement_organisations", OF_ANNOUNCEMENT),
    Changes("news_announcement_labels", OF_ANNOUNCEMENT),
    Changes("news_announcement_programmes", OF_ANNOUNCEMENT),
    Changes("news_announcement_statements", OF_ANNOUNCEMENT),
    Changes("news_announcement_topics", OF_ANNOUNCEMENT),
    Changes("news_correction", OF_ANNOUNCEMENT),
    Changes("news_picture", OF_ANNOUNCEMENT, linked_clusters("announcement_id")),
    Changes("news_attachment", OF_ANNOUNCEMENT),
    Changes("news_topic", OTHER),
    Documents(
        kind="announcement",
        table="news_announcement",
        names=(each("title", TEXTS),),
        about=(),
        texts=(each("lead || ' ' || body || ' ' || box_title || ' ' || box", TEXTS),),
        is_published="record.state = 'published'",
    ),
)
