"""Uploaded tables between their preview and their import: django-import-export's own store.

It lies outside what is served, and several workers share it as they share the pictures.
"""

import logging
from datetime import datetime, timedelta

from django.core.files.storage import storages
from import_export.tmp_storages import MediaStorage

LIFETIME = timedelta(hours=1)
# The name by which `import_export.tmp_storages.MediaStorage` looks it up.
STORAGE = "import_export"


logger = logging.getLogger(__name__)


class UploadStorage(MediaStorage):  # type: ignore[misc]  # it comes without types
    def remove(self) -> None:
        # What it held is imported by then; it goes with the old ones.
        try:
            super().remove()
        except OSError:
            logger.exception("An uploaded table could not be removed.")


def remove_old_uploads(now: datetime) -> None:
    storage = storages[STORAGE]
    try:
        for name in storage.listdir("")[1] if storage.exists("") else ():
            if storage.get_modified_time(name) < now - LIFETIME:
                storage.delete(name)
    except OSError:
        # Nobody is kept from a page because of it.
        logger.exception("Old uploaded tables could not be removed.")
