"""The portal's own settings with the environment of the test suite.

What a developer has in the shell or in `.env` does not reach the tests. The database is a real
SQLite file, or the PostgreSQL server named by `TEST_DATABASE_URL`.
"""

import os
import tempfile
from pathlib import Path

_scratch = tempfile.TemporaryDirectory(prefix="portal-tests-")
SCRATCH = Path(_scratch.name)

os.environ |= {
    "DEBUG": "False",
    "SECRET_KEY": "a-key-for-the-test-suite",
    "HTTPS": "False",
    "BEHIND_PROXY": "False",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SITE_URL": "http://testserver",
    "CONTACT_ADDRESS": "secretariat@example.org",
    "SECURITY_ADDRESS": "security@example.org",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{SCRATCH}/unused.sqlite3",
    "EMAIL_URL": "memorymail://",
    "MEDIA_ROOT": str(SCRATCH / "media"),
    "LOG_LEVEL": "WARNING",
}

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# WhiteNoise warns about a missing folder, and a warning is an error here.
STATIC_ROOT = SCRATCH / "static"
STATIC_ROOT.mkdir()
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
