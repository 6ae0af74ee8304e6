"""The one check of what a request may do; every view and API operation that is not public goes through it.

What is let through to something private is recorded before the view runs; where it cannot be, nothing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.people.decision import Factor, Obstacle, Standing, obstacle
from pellucid.people.permissions import Permission
from pellucid.people.portal import refused, sessions
from pellucid.people.portal.models import Account, OperatorSession
from pellucid.people.refusals import MOST_READ, RefusalBudget
from pellucid.people.roles import Role

View = Callable[..., HttpResponseBase]
About = Callable[[HttpRequest], Sequence[str]]

_UNSAYABLE = re.compile(r"[^A-Za-z0-9/._-]")
_METHODS = frozenset({"get", "head", "post", "put", "patch", "delete", "options"})
_REASONS = {Obstacle.PERMISSION: "permission", Obstacle.NO_FACTOR: "second-factor", Obstacle.NO_SESSION: "session"}
_budget = RefusalBudget()
_reads = RefusalBudget(most=MOST_READ)


def account_of(request: HttpRequest) -> Account | None:
    """Return who is signed in, None for a visitor; a visitor without a cookie costs no look at the database."""
    user = request.user
    return user if isinstance(user, Account) and user.is_active else None


def roles_of(account: Account) -> frozenset[Role]:
    """Return the roles that an account holds now, read once for each account object."""
    held: frozenset[Role] | None = account.__dict__.get("_held_roles")
    if held is None:
        now = timezone.now()
        grants = account.grants.filter(Q(expires_at=None) | Q(expires_at__gt=now), ended_at=None)
        held = account.__dict__["_held_roles"] = frozenset(Role(role) for role in grants.values_list("role", flat=True))
    return held


def session_of(request: HttpRequest) -> OperatorSession | None:
    """Return the operator session that is open in this browser, read once for each request."""
    if "_operator_session" not in request.__dict__:
        account = account_of(request)
        found = sessions.current(request, account) if account is not None else None
        request.__dict__["_operator_session"] = found
    session: OperatorSession | None = request.__dict__["_operator_session"]
    return session


def factor_of(request: HttpRequest, account: Account) -> Factor:
    """Return how the second factor of an account stands in this browser."""
    if not Authenticator.objects.filter(user=account).exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        return Factor.NONE
    records = get_authentication_records(request, account)
    return Factor.USED if any(record.get("method") == "mfa" for record in records) else Factor.SET


def standing_of(request: HttpRequest) -> Standing:
    """Return all that the decision about a request rests on."""
    account = account_of(request)
    if account is None:
        return Standing()
    session = session_of(request)
    return Standing(
        signed_in=True,
        roles=roles_of(account),
        factor=factor_of(request, account),
        in_session=session is not None,
    )


def require(permission: Permission, *, about: str | About = "", private: bool = True) -> Callable[[View], View]:
    """Let only those through who hold `permission`; others are asked to sign in, or told what is missing.

    `about` names the part of the address that is the account which the view is about, or finds the accounts (at most
    20) from the request. With `private=False` the view shows nothing private, and is recorded in an operator session
    only.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            refusal = check(request, permission, about=about, private=private)
            return refused.answer(request, refusal) if refusal else view(request, *args, **kwargs)

        guarded.__dict__["permission"] = permission  # read by the walk over all addresses
        return guarded

    return decorate


def signed_in(view: View) -> View:
    """Let everybody through who has an account: for pages that show people only what is their own."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refusal = check(request, None)
        return refused.answer(request, refusal) if refusal else view(request, *args, **kwargs)

    guarded.__dict__["permission"] = None
    return guarded


def check(
    request: HttpRequest, permission: Permission | None, *, about: str | About = "", private: bool = True
) -> refused.Refusal | None:
    """Decide on a request and record the decision; return what is in the way, None where nothing is."""
    if permission is None:
        return refused.Refusal(Obstacle.SIGNED_OUT) if account_of(request) is None else None
    found = obstacle(standing_of(request), permission)
    if found is None:
        refusal = asked_too_much(request)
        if refusal is not None:
            return refusal
        _record_granted(request, permission, about, private=private)
        return None
    may_go_on = _record_refused(request, permission, found)
    return refused.Refusal(found, permission, too_often=not may_go_on)


def asked_too_much(request: HttpRequest) -> refused.Refusal | None:
    """Count a request that is recorded; return the refusal once an account had as many within an hour as there may be.

    What is recorded stays for ever: without a bound, anybody with an account could fill the disk by reading.
    """
    account = account_of(request)
    if account is None or _reads.spend(account.id):
        return None
    return refused.Refusal(Obstacle.PERMISSION, asks_too_much=True, too_often=True)


def target_of(request: HttpRequest) -> str:
    """Return how events name what a request asks for: its path, without the query."""
    kind = "api" if request.path.startswith("/api/") else "page"
    return f"{kind}:{_UNSAYABLE.sub('_', request.path)[:200]}"


def _record_granted(request: HttpRequest, permission: Permission, about: str | About, *, private: bool) -> None:
    account, session = account_of(request), session_of(request)
    if account is None or (session is None and not private):
        return
    details = {"permission": permission.value, "method": _method(request)}
    named, target = _named(request, about), target_of(request)
    if session is None:
        door.record(EventType.ACCESS_GRANTED, actor=account.id, about=named, target=target, details=details)
        return
    details["session"] = session.id
    door.record(EventType.SESSION_REQUEST, actor=account.id, about=named, target=target, details=details)
    sessions.count(session)


def _named(request: HttpRequest, about: str | About) -> tuple[str, ...]:
    if callable(about):
        return tuple(about(request))
    match = request.resolver_match
    found = match.kwargs.get(about) if match is not None and about else None
    return (found,) if found else ()


def _record_refused(request: HttpRequest, permission: Permission, found: Obstacle) -> bool:
    """Record a refusal of somebody known; False once that happened too often to go on recording."""
    account = account_of(request)
    if account is None or found not in _REASONS or (found is Obstacle.NO_SESSION and request.method in {"GET", "HEAD"}):
        return True
    if not _budget.spend(account.id):
        return False
    details = {"permission": permission.value, "method": _method(request), "reason": _REASONS[found]}
    door.record(EventType.ACCESS_REFUSED, actor=account.id, target=target_of(request), details=details)
    return True


def _method(request: HttpRequest) -> str:
    method = (request.method or "").lower()
    return method if method in _METHODS else "options"
