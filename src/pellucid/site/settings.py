"""Django's settings for one node: everything that differs between nodes comes from the environment.

PELLUCID_HOME       the node's home: `site.db` and `secret_key` are there; without it nothing is kept
PELLUCID_HOSTS      names under which the portal answers, separated by commas (default: this machine only)
PELLUCID_HTTPS      1 if visitors come by HTTPS: cookies, redirects and HSTS follow
PELLUCID_PROXY      1 if a proxy in front sets X-Forwarded-Proto and drops what visitors send of it
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

HERE = Path(__file__).parent
HOME = Path(os.environ["PELLUCID_HOME"]) if os.environ.get("PELLUCID_HOME") else None


def _secret_key() -> str:
    kept = HOME / "secret_key" if HOME else None
    return kept.read_text().strip() if kept is not None and kept.is_file() else secrets.token_urlsafe(48)


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
    "django.contrib.staticfiles",
    "pellucid.site",
    "pellucid.release.portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "pellucid.site.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
            "context_processors": ["django.template.context_processors.request", "pellucid.site.context.node"],
            "builtins": ["pellucid.site.templatetags.pellucid"],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "site.db" if HOME else ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
LANGUAGE_CODE = "en"

STATIC_URL = f"/static/{_static_version()}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 365 * 24 * 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False

HTTPS = os.environ.get("PELLUCID_HTTPS") == "1"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("PELLUCID_PROXY") == "1" else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = HTTPS
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload is the domain owner's to ask for

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
