"""The portal's own settings with the environment of the test suite.

What a developer has in the shell or in `.env` does not reach the tests. The database is a real
SQLite file, or the PostgreSQL server named by `TEST_DATABASE_URL`.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The workers of a parallel run inherit its name. Each removes what it wrote, the main process all.
_run = os.environ.setdefault("TEST_RUN", f"portal-tests-{os.getpid()}")
_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
SCRATCH = Path(tempfile.gettempdir(), _run)
_own = SCRATCH if _worker == "main" else SCRATCH / _worker
atexit.register(shutil.rmtree, _own, ignore_errors=True)

_signing_key = Ed25519PrivateKey.generate().private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

os.environ |= {
    "DEBUG": "False",
    "SECRET_KEY": "a-key-for-the-test-suite",
    "HTTPS": "False",
    "BEHIND_PROXY": "False",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SITE_URL": "http://testserver",
    "CONTACT_ADDRESS": "secretariat@example.org",
    "SECURITY_ADDRESS": "security@example.org",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or "sqlite://:memory:",
    "EMAIL_URL": "memorymail://",
    "MEDIA_ROOT": str(SCRATCH / _worker / "media"),
    "CERTIFICATES_ROOT": str(SCRATCH / _worker / "certificates"),
    "IMPORTS_ROOT": str(SCRATCH / _worker / "imports"),
    "SIGNING_KEYS": _signing_key.decode(),
    "SIGNING_KEYS_FILE": str(SCRATCH / _worker / "signing-keys.pem"),
    "LOG_LEVEL": "WARNING",
    # One minute of a run asks more; tests/config/api/test_requests.py sets its own.
    "API_REQUESTS_A_MINUTE": "1000000",
    # Tests of the second factor switch it on.
    "REQUIRE_SECOND_FACTOR": "False",
}

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "config.serving.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": f"{SCRATCH}.sqlite3"}

# Fast; tests/clusters/people/test_signing_in.py uses the real one.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Served as they are: no manifest to build, no collected copy that WhiteNoise would miss.
STATIC_ROOT = None  # type: ignore[assignment]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
