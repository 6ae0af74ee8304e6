"""Django's settings for one node: everything that differs between nodes comes from the environment.

PELLUCID_HOME       the node's home: `site.db` and `secret_key` are there; without it nothing is kept
PELLUCID_HOSTS      names under which the portal answers, separated by commas (default: this machine only)
PELLUCID_HTTPS      1 if visitors come by HTTPS: cookies, redirects and HSTS follow
PELLUCID_PROXY      1 if a proxy in front sets X-Forwarded-Proto and drops what visitors send of it
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from pellucid.site.accounts.settings import *  # noqa: F403 - the part of sign-in, written beside what it sets

HERE = Path(__file__).parent
HOME = Path(os.environ["PELLUCID_HOME"]) if os.environ.get("PELLUCID_HOME") else None


def _secret_key() -> str:
    """Return what cookies are signed with; made at the first start, readable for its owner alone."""
    made = secrets.token_urlsafe(48)
    if HOME is None or not HOME.is_dir():
        return made
    kept = HOME / "secret_key"
    if not kept.exists():
        with tempfile.NamedTemporaryFile("w", dir=HOME, prefix=".secret_key.") as draft:  # made with mode 0600
            draft.write(made)
            draft.flush()
            os.fsync(draft.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, kept)  # whole or not at all; of two starts at once, the first wins
    return kept.read_text().strip()


def _static_version() -> str:
    """Return a digest of all static files: their addresses change when they do, so they may be cached for ever."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(HERE).as_posix().encode() + b"\x00" + path.read_bytes())
    return digest.hexdigest()[:10]


DEBUG = False
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = os.environ.get("PELLUCID_HOSTS", "127.0.0.1,localhost,[::1]").split(",")

INSTALLED_APPS = [
    "pellucid.site",  # first: its templates stand in for those of the libraries
    "pellucid.site.accounts",
    "pellucid.release.portal",
    "pellucid.people.portal",
    "pellucid.signing.portal",
    "pellucid.audit.portal",
    "pellucid.jobs.portal",
    "pellucid.outbox.portal",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "pellucid.site.middleware.content_security_policy",
    "pellucid.site.middleware.encrypted_api",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pellucid.people.portal.middleware.personal_answers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "pellucid.site.language.Languages",
    "pellucid.site.kept.KeptPages",
    "django.middleware.common.CommonMiddleware",
    "pellucid.site.middleware.visible_controls",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pellucid.site.accounts.middleware.ending_sessions",
    "pellucid.site.accounts.middleware.limited_writes",
    "pellucid.audit.portal.middleware.Unavailable",
    "pellucid.site.middleware.one_reading",
    "pellucid.site.middleware.JsonTwin",
]
ROOT_URLCONF = "pellucid.site.urls"
WSGI_APPLICATION = "pellucid.site.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "autoescape": True,
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pellucid.site.context.node",
                "pellucid.site.menu.account",
            ],
            "builtins": ["pellucid.site.templatetags.pellucid"],
        },
    }
]

FORM_RENDERER = "pellucid.site.forms.PageRenderer"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "site.db" if HOME else ":memory:",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
        },
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [HERE / "locale"]
LANGUAGE_COOKIE_NAME = "__Host-language" if os.environ.get("PELLUCID_HTTPS") == "1" else "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = os.environ.get("PELLUCID_HTTPS") == "1"

STATIC_URL = f"/static/{_static_version()}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 365 * 24 * 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False

HTTPS = os.environ.get("PELLUCID_HTTPS") == "1"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^api/"]  # programs are refused instead, see middleware.encrypted_api
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("PELLUCID_PROXY") == "1" else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload is the domain owner's to ask for

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "pellucid.site.log_lines.LogLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "allauth": {"handlers": ["stderr"], "level": "WARNING"},
        "pellucid": {"handlers": ["stderr"], "level": "WARNING"},
    },
}
