"""One settings file for every machine; each variable is explained in `.env.example`.

Production is the default: without `DEBUG=True` a `SECRET_KEY` must be given.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

# Whoever runs the portal, what it writes (database, uploads, keys) is for its own user alone;
# `check --deploy` looks at what is there already.
os.umask(0o077)

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-debugging") if DEBUG else env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
HTTPS = env.bool("HTTPS", default=not DEBUG)
# Every absolute address is built from this, never from the request's host.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
CONTACT_ADDRESS = env.str("CONTACT_ADDRESS", default="secretariat@example.org")
SECURITY_ADDRESS = env.str("SECURITY_ADDRESS", default="security@example.org")

INSTALLED_APPS = [
    "clusters",
    "labels",
    "news",
    "config.apps.PortalConfig",
    "config.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "simple_history",
    "import_export",
    "django_countries",
    "csp",
]

MIDDLEWARE = [
    # Before WhiteNoise, which answers itself: what every answer carries.
    "config.middleware.security_headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    # Before anything asks the database: what cannot be read costs no query.
    "config.middleware.refuse_unreadable_requests",
    "config.middleware.ConditionalMiddleware",
    "config.middleware.explain_refused_methods",
    "config.middleware.never_store_private",
    "config.middleware.refuse_half_answers",
    "config.middleware.lead_to_usual_spelling",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.PageLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Sets the user anew: of a session that is too old it is nobody.
    "config.middleware.lazy_user",
    "config.site.typed.keep_what_was_typed",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.site.context_processors.language_addresses",
            ],
        },
    }
]

# Databases: SQLite is embedded, PostgreSQL is for production (decision 0001).
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}


def database_options(database: dict[str, Any]) -> dict[str, Any]:
    """The engine (config/serving) and what keeps it from hanging a worker or losing a write.

    What the address of the database says itself, such as `sslmode`, goes before them.
    """
    own = database.get("OPTIONS", {})
    if "sqlite" in database["ENGINE"]:
        return {
            "ENGINE": "config.serving.sqlite3",
            # Opening one costs as much as a plain answer: Django's own functions, three pragmas.
            "CONN_MAX_AGE": 600,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                # In seconds; a web request waits less (below).
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                ),
                **own,
            },
        }
    return {
        "ENGINE": "config.serving.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "tcp_user_timeout": 3000,
            "keepalives_idle": 30,
            "options": "-c lock_timeout=30s",
            **own,
        },
    }


def web_database_options(database: dict[str, Any]) -> dict[str, Any]:
    """What goes before those options in a connection that a web request opens: nobody waits long.

    A server that says nothing at all for four seconds is given up before (config/serving).
    """
    if "sqlite" in database["ENGINE"]:
        return {"timeout": 4}
    limits = {
        "statement_timeout": "30s",
        "lock_timeout": "4s",
        "idle_in_transaction_session_timeout": "60s",
    }
    return {
        "connect_timeout": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


DATABASES["default"] |= database_options(DATABASES["default"])
WEB_DATABASE_OPTIONS = web_database_options(DATABASES["default"])

# What all workers share: only the counters of limits; `createcachetable` makes the table.
env.CACHE_SCHEMES["dbcache"] = "clusters.http.limits.CounterCache"
CACHES = {"default": env.cache_url("CACHE_URL", default="dbcache://cache?max_entries=100000")}

# How often one network may ask the read API of each worker in a minute.
API_REQUESTS_A_MINUTE = env.int("API_REQUESTS_A_MINUTE", default=600)

# Accounts: by invitation only, with a second factor for everyone who enters admin. The limits of
# passwords and codes are in clusters/people/signing_in.py: allauth's would lock the owner out too.
AUTH_USER_MODEL = "clusters.Account"
AUTHENTICATION_BACKENDS = ["clusters.people.signing_in.PortalBackend"]
GRANTS = "config.rights.GRANTS"
# Called with a label and the moment when its award was approved.
AFTER_AWARD = ["news.drafts.awards.draft_award"]
AFTER_CHANGE = ["news.drafts.awards.follow_label"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=True)
# The versions of a label carry the reason of the decision behind them, however long.
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
# Who proposes an award, a renewal or a revocation of a label does not approve it.
REQUIRE_TWO_PERSONS = env.bool("REQUIRE_TWO_PERSONS", default=True)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "clusters:account"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "clusters.people.signing_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation has proved the address
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # anybody may type a stranger's address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": "20/h/ip,5/h/key"}
PASSWORD_RESET_TIMEOUT = 3 * 60 * 60
MFA_ADAPTER = "clusters.people.signing_in.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "clusters.people.second_factor.SecondFactorForm",
    "reauthenticate": "clusters.people.second_factor.SecondFactorAgainForm",
    "activate_totp": "clusters.people.second_factor.AppForm",
    "add_webauthn": "clusters.people.second_factor.PasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an invitation has proved the address
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODE_DIGITS = 12
MFA_TOTP_ISSUER = "Cluster Register"
MFA_TOTP_TOLERANCE = 1

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "clusters.people.signing_in.MinimumLength", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Languages and time: a day of the register is a day in the portal's legal zone.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("it", _("Italian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "Europe/Rome"
COUNTRIES_OVERRIDE = {"XK": _("Kosovo")}

# What signs the labels' credentials (labels/proofs/signing.py); the file where it is empty.
SIGNING_KEYS = env.str("SIGNING_KEYS", default="")
SIGNING_KEYS_FILE = env.path(
    "SIGNING_KEYS_FILE", default=str(BASE_DIR / "var" / "signing-keys.pem")
)

# Files
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media"))
# Documents once made (clusters/formats/documents.py): not public, can all be made again.
CERTIFICATES_ROOT = env.path("CERTIFICATES_ROOT", default=str(BASE_DIR / "var" / "certificates"))
# Tables between preview and import (clusters/tables/uploads.py): not public, for an hour.
IMPORTS_ROOT = env.path("IMPORTS_ROOT", default=str(BASE_DIR / "var" / "imports"))
STORAGES = {
    "default": {"BACKEND": "clusters.models.images.WholeFileStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
        # A proxy may read them while the portal is down.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
    "import_export": {
        "BACKEND": "clusters.models.images.WholeFileStorage",
        "OPTIONS": {
            "location": IMPORTS_ROOT,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "gif", "webp", "woff2", "gz", "br"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# Security
SECURE_SSL_REDIRECT = HTTPS
# The redirect leads where the portal stands, whatever host the request names.
SECURE_SSL_HOST = urlsplit(SITE_URL).netloc
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 63_072_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
FORCE_SCRIPT_NAME = ""  # the portal stands at the root, whatever a header says
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.site.typed.csrf_failure"
# A browser takes a cookie with this prefix only from this very host, and only by HTTPS.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
DEVICE_COOKIE_NAME = f"{COOKIE_PREFIX}device"
# Of who works in admin; pages carry their language in the address.
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
# At most so long; a shorter pause ends a session too (clusters/people/signing_in.py).
SESSION_COOKIE_AGE = 12 * 60 * 60
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Mail: whoever sends one writes it to the outbox, and `manage.py send_mail` passes it on.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
MAIL_TRANSPORT = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_BACKEND = "clusters.mail.outbox.OutboxBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONTACT_ADDRESS
MAILS_A_MINUTE = env.int("MAILS_A_MINUTE", default=100)
MAILS_A_MINUTE_TO_ONE_ADDRESS = env.int("MAILS_A_MINUTE_TO_ONE_ADDRESS", default=10)
RESET_LINK = timedelta(seconds=PASSWORD_RESET_TIMEOUT)
# By kind, which is the name of its template: what admin calls it, and for how long it is of use.
MAIL_KINDS = {
    "invitation": (_("invitation"), timedelta(days=7)),
    "claim_approved": (_("claim approved"), timedelta(days=7)),
    "claim_denied": (_("claim denied"), timedelta(days=7)),
    "access": (_("change of rights"), timedelta(days=7)),
    "account_changed": (_("change of an account"), timedelta(days=7)),
    "password_reset_key": (_("link for a new password"), RESET_LINK),
    "contact": (_("message to a contact"), timedelta(days=7)),
    "report": (_("reported problem"), timedelta(days=7)),
    "report_answer": (_("answer to a report"), timedelta(days=7)),
    "confirm_profile": (_("request to confirm"), timedelta(days=14)),
    "proposal": (_("proposal about a label"), timedelta(days=14)),
    "proposal_decided": (_("decision on a proposal"), timedelta(days=14)),
    "announcement_submitted": (_("announcement to review"), timedelta(days=14)),
    "announcement_answered": (_("answer on an announcement"), timedelta(days=14)),
    "label_notice": (_("notice about a label"), timedelta(days=14)),
    "label_digest": (_("weekly digest"), timedelta(days=14)),
    "subscription_confirm": (_("link to confirm a subscription"), timedelta(days=3)),
    "subscription_known": (_("answer to a subscriber who signed up"), timedelta(days=3)),
    "news_digest": (_("news by mail"), timedelta(days=7)),
    "other": (_("other"), timedelta(days=1)),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name}: {message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Without Django's own handlers: no mail with what a person typed when something breaks.
    # WeasyPrint would tell each of its steps.
    "loggers": {"django": {"handlers": []}, "weasyprint": {"level": "WARNING"}},
}
