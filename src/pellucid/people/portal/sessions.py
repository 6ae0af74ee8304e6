"""Operator sessions: opened with a reason in one browser, recorded request by request, over in time."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError
from pellucid.people.operator_session import LONGEST_MINUTES, SHORTEST_REASON, commit_reason, reason_of
from pellucid.people.portal.models import Account, OperatorSession
from pellucid.statement.commitment import Opening

Details = Mapping[str, str | int | bool]

_KEY = "operator_session"


def current(request: HttpRequest, account: Account) -> OperatorSession | None:
    """Return the session open in this browser; one whose time is over is ended."""
    kept = request.session.get(_KEY)
    if not isinstance(kept, str):
        return None
    found = OperatorSession.objects.filter(id=kept, account=account, closed_at=None).first()
    if found is None:
        return None
    found.account = account
    if found.ends_at > timezone.now():
        return found
    end((found,), "expired")
    return None


def open_session(request: HttpRequest, account: Account, reason: str, minutes: int) -> OperatorSession:
    """Open a session in this browser, for `minutes` and with a reason; the one that was open is ended."""
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise InputError(
            _("says too little"),
            where="reason",
            remedy=_("write at least %(number)d characters") % {"number": SHORTEST_REASON},
        )
    if not 0 < minutes <= LONGEST_MINUTES:
        raise InputError(
            _("is too long"),
            where="minutes",
            remedy=_("ask for at most %(number)d minutes") % {"number": LONGEST_MINUTES},
        )
    end_expired()
    before = current(request, account)
    if before is not None:
        end((before,), "replaced")
    opening = commit_reason(reason)
    session = OperatorSession(
        id=secrets.token_hex(16),
        account=account,
        opening=msgspec.json.encode(opening).decode(),
        ends_at=timezone.now() + timedelta(minutes=minutes),
    )
    with transaction.atomic():
        session.save(force_insert=True)
        expires = int(session.ends_at.timestamp() * 1000)
        details: Details = {"session": session.id, "reason": opening.root, "expires": expires, "minutes": minutes}
        target = f"operator-session:{session.id}"
        door.record(EventType.SESSION_OPENED, actor=account.id, target=target, details=details)
    request.session[_KEY] = session.id
    request.__dict__["_operator_session"] = session
    return session


def end(which: Iterable[OperatorSession], why: str) -> None:
    """End sessions that are open; `why` is `asked`, `expired`, `replaced` or `erased`."""
    for session in which:
        with transaction.atomic():
            if not OperatorSession.objects.filter(id=session.id, closed_at=None).update(closed_at=timezone.now()):
                continue
            session.refresh_from_db()
            details: Details = {"session": session.id, "reason": why, "requests": session.requests}
            target = f"operator-session:{session.id}"
            door.record(EventType.SESSION_CLOSED, actor=session.account_id, target=target, details=details)


def end_expired() -> None:
    """End every session whose time is over, so that the log tells."""
    end(OperatorSession.objects.filter(closed_at=None, ends_at__lte=timezone.now()), "expired")


def count(session: OperatorSession) -> None:
    """Count one more request in a session."""
    OperatorSession.objects.filter(id=session.id).update(requests=F("requests") + 1)


def reason(session: OperatorSession) -> str | None:
    """Return why a session was opened; None once that was erased."""
    return reason_of(msgspec.json.decode(session.opening, type=Opening)) if session.opening else None
