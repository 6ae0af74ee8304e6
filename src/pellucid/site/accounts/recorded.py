"""What is recorded of sign-in, in the audit log and for the person: who came in how, who did not, what was changed."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.socialaccount.signals import social_account_added
from django.http import HttpRequest
from django.utils import timezone

from pellucid.audit.events import EventType
from pellucid.audit.portal.door import record
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal.door import key_of_former_address, post, post_to_address
from pellucid.people.portal.models import Account

_OLD_ADDRESS_FOR = timedelta(days=3)  # so long the node tries to reach an address that is no longer anybody's
WORDS = {
    Authenticator.Type.TOTP: "totp",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery-codes",
}


def signed_in(request: HttpRequest, account: Account) -> None:
    """Record a sign-in with what was shown for it: `by` the first factor, `factor` the second."""
    first, second = "other", "none"
    for shown in get_authentication_records(request, account):
        if shown["method"] == "mfa":
            second = WORDS.get(shown["type"], "other")
            first = "passkey" if shown.get("passwordless") else first
        else:
            first = "openid" if shown["method"] == "socialaccount" else str(shown["method"])
    record(EventType.ACCOUNT_SIGNED_IN, actor=account.pk, about=(account.pk,), details={"by": first, "factor": second})


def refused(by: str, account: str | None) -> None:
    """Record an attempt that failed at `by`: password, totp, recovery-codes, passkey, openid, closed."""
    about = (account,) if account else ()
    record(EventType.ACCOUNT_SIGN_IN_REFUSED, about=about, details={"by": by})


def signed_out(account: str, why: str, sessions: int = 1) -> None:
    """Record the end of sessions, `why`: asked, elsewhere (from another session), idle, age."""
    record(EventType.ACCOUNT_SIGNED_OUT, actor=account, about=(account,), details={"why": why, "sessions": sessions})


def factor_added(account: str, kind: str) -> None:
    """Record a new way to sign in or its renewal: totp, passkey, recovery-codes, openid."""
    record(EventType.ACCOUNT_FACTOR_ADDED, actor=account, about=(account,), details={"kind": kind})
    _tell(account, f"{kind}-added")


def factor_removed(account: str, kind: str) -> None:
    """Record that a way to sign in is gone."""
    record(EventType.ACCOUNT_FACTOR_REMOVED, actor=account, about=(account,), details={"kind": kind})
    _tell(account, f"{kind}-removed")


def password_changed(account: str) -> None:
    """Record a new password."""
    record(EventType.ACCOUNT_PASSWORD_CHANGED, actor=account, about=(account,))
    _tell(account, "password-changed")


def address_changed(account: str, before: str) -> None:
    """Record a new mail address, and tell it to the old one too; neither of them is in the record."""
    record(EventType.ACCOUNT_ADDRESS_CHANGED, actor=account, about=(account,))
    _tell(account, "address-changed")
    told = _changed("address-changed", key_of_former_address(account, secrets.token_hex(16)))
    post_to_address(told, before, timezone.now() + _OLD_ADDRESS_FOR)


def connect() -> None:
    """Hear of wrong codes, which are tried in forms of the library, and of providers that it connects."""
    social_account_added.connect(_connected, dispatch_uid="pellucid provider connected")
    signals.authentication_failed.connect(_wrong_code, dispatch_uid="pellucid wrong code")


def _wrong_code(sender: Any, user: Account, authenticator: Authenticator, **_more: Any) -> None:
    refused(WORDS.get(authenticator.type, "other"), user.pk)


def _connected(sender: Any, request: HttpRequest, **_more: Any) -> None:
    factor_added(str(request.user.pk), "openid")


def _tell(account: str, change: str) -> None:
    post(_changed(change), [account])


def _changed(change: str, key: str | None = None) -> Notice:
    key = key or f"account-{secrets.token_hex(16)}"
    return Notice(NoticeKind.ACCOUNT_CHANGED, key, "/account", {"change": change})
