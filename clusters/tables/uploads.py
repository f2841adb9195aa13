"""Uploaded tables between their preview and their import: django-import-export's own store.

It lies outside what is served, and several workers share it as they share the pictures.
"""

from datetime import datetime, timedelta

from django.core.files.storage import storages

LIFETIME = timedelta(hours=1)
# The name by which `import_export.tmp_storages.MediaStorage` looks it up.
STORAGE = "import_export"


def remove_old_uploads(now: datetime) -> None:
    storage = storages[STORAGE]
    for name in storage.listdir("")[1] if storage.exists("") else ():
        if storage.get_modified_time(name) < now - LIFETIME:
            storage.delete(name)
