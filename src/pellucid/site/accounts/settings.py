"""The part of the settings that concerns sign-in; `pellucid.site.settings` takes all of it.

PELLUCID_HTTPS and PELLUCID_PROXY mean what they mean there.
"""

from __future__ import annotations

import os
from pathlib import Path

from pellucid.record.settings import SETTINGS_FILE, OpenId, load_settings

_HTTPS = os.environ.get("PELLUCID_HTTPS") == "1"
_PREFIX = "__Host-" if _HTTPS else ""
_FORMS = "pellucid.site.accounts.forms."

AUTH_USER_MODEL = "people_portal.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["pellucid.site.accounts.passwords.NodeArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "pellucid.site.accounts.passwords.MaximumLengthValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "pellucid.site.accounts.passwords.OwnWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"

# A session ends IDLE seconds after its last request and SESSION_COOKIE_AGE seconds after its sign-in.
SESSION_IDLE = 60 * 60
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = f"{_PREFIX}session"
SESSION_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "pellucid.site.views.not_from_here"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # the outbox is the only way out

# Limits are counted in the one process that serves; those longest unused go first when it is full.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000, "CULL_FREQUENCY": 10},
    }
}
# Requests a minute that change something, for one account and for one address of a visitor.
WRITES_BY_ACCOUNT = 240
WRITES_BY_ADDRESS = 600

ALLAUTH_TRUSTED_PROXY_COUNT = 1 if os.environ.get("PELLUCID_PROXY") == "1" else 0
ACCOUNT_ADAPTER = "pellucid.site.accounts.adapters.AccountAdapter"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _HTTPS else "http"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_USER_DISPLAY = "pellucid.site.accounts.adapters.shown_name"
ACCOUNT_FORMS = {
    "login": f"{_FORMS}SignInForm",
    "reauthenticate": f"{_FORMS}ConfirmForm",
    "change_password": f"{_FORMS}PasswordForm",
}
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "5/h/user",
}

MFA_ADAPTER = "pellucid.site.accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # so each passkey is two factors by itself
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # two requests each; nothing there can be guessed
MFA_FORMS = {
    "authenticate": f"{_FORMS}CodeForm",
    "authenticate_webauthn": f"{_FORMS}PasskeyForm",
    "login_webauthn": f"{_FORMS}PasskeySignInForm",
    "reauthenticate": f"{_FORMS}ConfirmCodeForm",
    "reauthenticate_webauthn": f"{_FORMS}ConfirmPasskeyForm",
    "activate_totp": f"{_FORMS}NewTotpForm",
    "add_webauthn": f"{_FORMS}NewPasskeyForm",
    "edit_webauthn": f"{_FORMS}PasskeyNameForm",
}

# Who people may sign in by, from the node's settings; paths of secrets are relative to its home.
NODE_HOME = Path(os.environ["PELLUCID_HOME"]) if os.environ.get("PELLUCID_HOME") else None
OPENID: tuple[OpenId, ...] = (
    load_settings(NODE_HOME).openid if NODE_HOME is not None and (NODE_HOME / SETTINGS_FILE).is_file() else ()
)
SOCIALACCOUNT_ADAPTER = "pellucid.site.accounts.openid.OpenIdAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
