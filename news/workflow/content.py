"""What of an announcement a reviewer reads, told from what it says by a digest."""

import json
from hashlib import sha256

from news.models import Announcement

READ = ("kind", "begins_at", "ends_at", "place", "address", "deadline_at")
RELATED = ("clusters", "organisations", "labels", "programmes", "statements", "topics")
OF_A_TEXT = (
    "language", "state", "title", "slug", "lead", "body", "box_title", "box", "contact_role",
)  # fmt: skip
OF_A_PICTURE = ("image", "focus_x", "focus_y", "alt_en", "alt_it", "credit_en", "credit_it")
OF_AN_ATTACHMENT = ("file", "title_en", "title_it")


def content_digest(announcement: Announcement) -> str:
    """The same for as long as nothing changes that its page would show; a query for each relation.

    The moment of publication is no part of it: it is chosen with the last step.
    """
    said = {
        "announcement": [str(getattr(announcement, name)) for name in READ],
        "contact": announcement.contact_organisation_id,
        "about": [sorted(getattr(announcement, name).values_list("pk")) for name in RELATED],
        "texts": [*announcement.texts.order_by("language").values_list(*OF_A_TEXT)],
        "pictures": [*announcement.pictures.values_list(*OF_A_PICTURE)],
        "attachments": [*announcement.attachments.values_list(*OF_AN_ATTACHMENT)],
    }
    return sha256(json.dumps(said).encode()).hexdigest()
