"""What people do on the pages of sign-in that changes how they stand here."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from pellucid.people.portal import sessions
from pellucid.people.portal.models import Account

_STRONG = frozenset({Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN})


def connect() -> None:
    """Start to listen."""
    authenticator_added.connect(_factor_added, dispatch_uid="pellucid factor used when added")
    user_logged_out.connect(_signed_out, dispatch_uid="pellucid operator session ends")


def _factor_added(request: HttpRequest, user: Account, authenticator: Authenticator, **_more: Any) -> None:
    """Count a factor as used where it was just shown to work."""
    if authenticator.type in _STRONG:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


def _signed_out(request: HttpRequest, user: Account | None, **_more: Any) -> None:
    """End the operator session of a browser in which somebody signs out."""
    open_here = sessions.current(request, user) if isinstance(user, Account) else None
    if open_here is not None:
        sessions.end((open_here,), "asked")
