"""`/api/me/record`: what is recorded about the account that asks, and the proof of it."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from pellucid.audit.events import Event, EventType
from pellucid.audit.portal import door
from pellucid.audit.portal.pages import file_name
from pellucid.audit.portal.proofs import proof_of
from pellucid.people.portal.access import account_of, asked_too_much
from pellucid.people.portal.api import REFUSALS_OF_INPUT, needs
from pellucid.people.portal.refused import RefusedError

_MOST_EVENTS = 200

Before = Annotated[
    int | None, Query(ge=0, le=2**53, description="only events before this index, to page back; default: the newest")
]


class EventBody(Schema):
    """An event: where it stands in the log, when it happened (milliseconds since 1970), who did what to what."""

    index: int
    at: int
    type: EventType
    actor: str | None
    about: list[str]
    target: str | None
    details: dict[str, str | int | bool]


class RecordBody(Schema):
    """What is recorded about an account, newest first; `count` is of all its events."""

    account: str
    count: int
    events: list[EventBody]


class EntryBody(Schema):
    """An entry of the audit log: the event, and the salt that makes it one of its own."""

    event: dict[str, Any]
    salt: str


class ProvenBody(Schema):
    """An entry with its audit path in base64, the leaf's sibling first."""

    index: int
    entry: EntryBody
    proof: list[str]


class ProofBody(Schema):
    """The proof file that `pellucid audit check` reads."""

    format: str
    account: str
    since: int
    checkpoint: str
    events: list[ProvenBody]
    not_proven: list[str]


router = Router()


@router.get(
    "/me/record",
    response={200: RecordBody, **REFUSALS_OF_INPUT},
    auth=needs(None),
    summary="What is recorded about the account",
)
def record(
    request: HttpRequest,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS), Field(description="how many at most")] = 50,
) -> dict[str, Any]:
    """Give events of the account that asks, newest first; that it asked is recorded first."""
    account = _record_own(request, "api:/api/me/record")
    trail = door.trail()
    found = trail.events(account=account, before=trail.size if before is None else before, limit=limit)
    events = [_event(item.index, item.event) for item in found]
    return {"account": account, "count": trail.count(account), "events": events}


@router.get(
    "/me/record/proof",
    response={200: ProofBody, **REFUSALS_OF_INPUT},
    auth=needs(None),
    summary="The proof of what is recorded",
)
def proof(request: HttpRequest, before: Before = None) -> HttpResponse:
    """Give the proof file of the newest 2,000 events that the published head covers; 503 before there is a head."""
    account = _record_own(request, "api:/api/me/record/proof")
    data = proof_of(door.trail(), account, before).to_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{file_name(account)}"'}
    return HttpResponse(data, content_type="application/json", headers=headers)


def _record_own(request: HttpRequest, target: str) -> str:
    account = account_of(request)
    assert account is not None  # noqa: S101 - `needs` let it through
    refusal = asked_too_much(request)
    if refusal is not None:
        raise RefusedError(refusal)
    door.record(EventType.ACCESS_GRANTED, actor=account.id, about=(account.id,), target=target)
    return account.id


def _event(index: int, event: Event) -> dict[str, Any]:
    return {
        "index": index,
        "at": event.at,
        "type": event.type,
        "actor": event.actor,
        "about": list(event.about),
        "target": event.target,
        "details": dict(event.details),
    }
