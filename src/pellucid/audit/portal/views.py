"""The audit pages: everybody's own record with its proof, and the log for operators."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.audit.portal.pages import audit_page, file_name, record_page
from pellucid.audit.portal.proofs import proof_of
from pellucid.people.permissions import Permission
from pellucid.people.portal import refused
from pellucid.people.portal.access import account_of, asked_too_much, require, signed_in

_MOST_DIGITS = 15


@require_safe
@signed_in
def record(request: HttpRequest) -> HttpResponseBase:
    """Show what is recorded about the account that asks; that it asked is recorded first."""
    refusal = asked_too_much(request)
    if refusal is not None:
        return refused.answer(request, refusal)
    account = _record_own(request, "page:/account/record")
    page = record_page(door.trail(), account, _before(request))
    return TemplateResponse(request, "audit_portal/record.html", {"page": page})


@require_safe
@signed_in
def proof(request: HttpRequest) -> HttpResponseBase:
    """Give the proof file of the account that asks."""
    refusal = asked_too_much(request)
    if refusal is not None:
        return refused.answer(request, refusal)
    account = _record_own(request, "page:/account/record/proof")
    data = proof_of(door.trail(), account, _before(request)).to_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{file_name(account)}"', "Cache-Control": "no-store"}
    return HttpResponse(data, content_type="application/json", headers=headers)


@require_safe
@require(Permission.SEE_AUDIT)
def log(request: HttpRequest) -> TemplateResponse:
    """Show the whole log."""
    return _audit(request, None)


@require_safe
@require(Permission.SEE_AUDIT, about="account")
def of_account(request: HttpRequest, account: str) -> TemplateResponse:
    """Show an account's part of the log; that account finds in its own record that this was looked at."""
    return _audit(request, account)


def _audit(request: HttpRequest, account: str | None) -> TemplateResponse:
    page = audit_page(door.trail(), account, _type(request), _before(request))
    return TemplateResponse(request, "audit_portal/log.html", {"page": page})


def _record_own(request: HttpRequest, target: str) -> str:
    account = account_of(request)
    assert account is not None  # noqa: S101 - `signed_in` let it through
    door.record(EventType.ACCESS_GRANTED, actor=account.id, about=(account.id,), target=target)
    return account.id


def _type(request: HttpRequest) -> EventType | None:
    text = request.GET.get("type", "")
    if not text:
        return None
    try:
        return EventType(text)
    except ValueError:
        raise Http404 from None


def _before(request: HttpRequest) -> int | None:
    """Return where to page back from; what is no index counts as not given."""
    text = request.GET.get("before", "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
