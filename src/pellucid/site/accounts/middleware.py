"""What is checked before a view runs: that a session is not too old, and that nobody changes things without pause."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from pellucid.people.portal.models import Account
from pellucid.site.accounts import recorded
from pellucid.site.twin import as_json

Next = Callable[[HttpRequest], HttpResponseBase]

_SAFE = {"GET", "HEAD", "OPTIONS"}
_NOTED_EVERY = 60


def ending_sessions(get_response: Next) -> Next:
    """End a session that was idle too long, or that is too old however busy it is."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, Account):
            why = _overdue(request, int(time.time()))
            if why is not None:
                _end(request, why)
        return get_response(request)

    return middleware


def _overdue(request: HttpRequest, now: int) -> str | None:
    """Return why a session has to end, None if it goes on; notes now and then that it was used."""
    session = request.session
    began, seen = session.setdefault("signed_in_at", now), session.setdefault("seen_at", now)
    if now - began > settings.SESSION_COOKIE_AGE:
        return "age"
    if now - seen > settings.SESSION_IDLE:
        return "idle"
    if now - seen > _NOTED_EVERY:
        session["seen_at"] = now
    return None


def _end(request: HttpRequest, why: str) -> None:
    account = str(request.user.pk)
    logout(request)
    recorded.signed_out(account, why)
    messages.info(request, _("Your session has ended. Sign in again to go on."))


def limited_writes(get_response: Next) -> Next:
    """Answer 429 to whoever changes things more often in a minute than people and their programs do."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in _SAFE or _may_go_on(request):
            return get_response(request)
        return too_many(request)

    return middleware


def _may_go_on(request: HttpRequest) -> bool:
    """Count a request; one from this machine itself that no account makes is the operator's, and is not counted."""
    account = request.user.pk if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    if account is not None:
        return _count(f"account:{account}") <= settings.WRITES_BY_ACCOUNT
    address = str(get_adapter(request).get_client_ip(request))
    is_here = ipaddress.ip_address(address).is_loopback and "HTTP_X_FORWARDED_FOR" not in request.META
    return is_here or _count(f"address:{address}") <= settings.WRITES_BY_ADDRESS


def _count(who: str) -> int:
    key = f"writes:{who}:{int(time.time()) // 60}"
    cache.add(key, 0, 120)
    try:
        return int(cache.incr(key))
    except ValueError:  # the entry was dropped between the two
        return 1


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer that it was too much, as a page or, to programs, as JSON."""
    if request.path.startswith("/api/") or request.META.get("pellucid.twin"):
        what = {"what": "that was too often", "where": request.path[:200], "remedy": "wait a minute, then go on"}
        answer = HttpResponse(as_json({"error": what}), content_type="application/json", status=429)
    else:
        answer = render(request, "429.html", status=429)
    answer.headers["Retry-After"] = "60"
    return answer
