"""Asking a person for a signature, and what becomes of it: the way in for every room that needs one.

    ask(statement, of=account, by=operator, why="the review that you finished", ref="review:17")

gives back the request; its `state` tells how it stands, `statement_id` what to look for in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from pellucid.audit.events import EventType
from pellucid.audit.portal import door as audit
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door as outbox
from pellucid.people.portal.models import Account
from pellucid.record.predicate import RECEIPT, Outcome, Receipt
from pellucid.signing.checks import NotFitError, check_signed, read_statement
from pellucid.signing.portal import standing
from pellucid.signing.portal.door import ground
from pellucid.signing.portal.enrolment import keys_of
from pellucid.signing.portal.models import PartyKey, SigningRequest
from pellucid.signing.states import Action, DeclineReason, NotNowError, State, after
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.predicate import Parsed, make_statement, parse_statement, read_predicate
from pellucid.statement.types import WITHDRAWAL
from pellucid.trust.predicate import Withdrawal, WithdrawalReason, statement_subject

KEPT_OPEN = timedelta(days=30)
MOST_WAITING = 200
_WAITING = (State.OPEN.value, State.SIGNED.value, State.REFUSED.value)


def ask(
    statement: Statement | bytes,
    *,
    of: Account,
    by: Account | None = None,
    why: str = "",
    ref: str | None = None,
    for_days: int = KEPT_OPEN.days,
) -> SigningRequest:
    """Ask `of` to sign a statement; NotFitError for one that no log could take.

    `by` is who asks (None: the signer, or the node itself), `why` is shown beside the statement and erasable. With a
    `ref`, a natural key of the asking room, asking again finds the request that is there. The node must be served.
    """
    data = statement if isinstance(statement, bytes) else statement.payload()
    parsed = read_statement(data, ground().registry, where="statement")
    if ref is not None and (found := SigningRequest.objects.filter(ref=ref).first()):
        return found
    if SigningRequest.objects.filter(account=of, state__in=_WAITING).count() >= MOST_WAITING:
        raise NotFitError(f"{MOST_WAITING} statements wait for this person already", where="request")
    made = SigningRequest(
        account=of,
        asked_by=by,
        why=why[:1000],
        payload=parsed.envelope.payload,
        statement_id=parsed.id,
        expires_at=timezone.now() + timedelta(days=for_days),
        **({"ref": ref} if ref is not None else {}),
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            expires = int(made.expires_at.timestamp() * 1000)
            _record(EventType.SIGNING_REQUESTED, made, actor=by.id if by else of.id, expires=expires)
    except IntegrityError:
        return SigningRequest.objects.get(ref=ref)
    if by is not None and by.id != of.id:
        _tell(made, parsed)
    return made


def ask_withdrawal(account: Account, statement: str, reason: WithdrawalReason) -> SigningRequest:
    """Ask an account to take back a statement that one of its keys signed; NotFitError for anybody else's."""
    record = ground().views().statement(statement)
    mine = set(PartyKey.objects.filter(account=account).values_list("key_id", flat=True))
    if record is None or not mine & set(record.authors):
        remedy = "give the id of a logged statement that one of your keys signed"
        raise NotFitError("this is no statement of yours that is known here", where="statement", remedy=remedy)
    withdrawal = Withdrawal(reason=reason)
    made = make_statement((statement_subject(statement),), ground().registry[WITHDRAWAL], withdrawal)
    return ask(made, of=account)


def parsed_of(request: SigningRequest) -> Parsed:
    """Return the statement that a request is about."""
    unsigned = Envelope(IN_TOTO, bytes(request.payload), ())
    return parse_statement(unsigned, ground().registry, where="request")


def refreshed(request: SigningRequest) -> SigningRequest:
    """Return a request as it stands now: over if its time is, logged if the log holds it by another way."""
    state = State(request.state)
    if state.over:
        return request
    with suppress(NotNowError):
        record = ground().views().statement(request.statement_id)
        mine = set(PartyKey.objects.filter(account=request.account).values_list("key_id", flat=True))
        if record is not None and mine & set(record.authors):
            return _change(request, Action.LOG)
        if state.wants_signature and state is not State.SIGNED and request.expires_at <= timezone.now():
            return _change(request, Action.EXPIRE)
    return request


def sign(request: SigningRequest, data: bytes) -> SigningRequest:
    """Take the signed envelope `data`, keep it, and have it logged; the request then is logged or refused.

    NotFitError for another statement, a stranger's signature, or a key without a role that counts for it; NotNowError
    where the request is over. UnavailableError where the log takes nothing now: the signature is kept, see `submit`.
    """
    request = refreshed(request)
    after(State(request.state), Action.SIGN)
    signed = check_signed(data, bytes(request.payload), keys_of(request.account))
    keys = list(PartyKey.objects.filter(account=request.account, key_id__in=signed.keys).order_by("id"))
    parsed = parsed_of(request)
    for key in keys:
        standing.refuse_unfit(parsed, key)
    with transaction.atomic():
        request = _change(request, Action.SIGN, envelope=signed.envelope.to_bytes(), key=keys[0])
        _record(EventType.SIGNING_SIGNED, request, key=keys[0].key_id, custody=keys[0].custody)
    return submit(request)


def submit(request: SigningRequest) -> SigningRequest:
    """Have the node log what was signed; asking again changes nothing in the log."""
    after(State(request.state), Action.LOG)
    if request.envelope is None:
        raise NotNowError("nobody has signed it", where="request")
    receipt = ground().submit(bytes(request.envelope))
    said: Receipt = read_predicate(Statement.parse(receipt.payload), RECEIPT)
    action = Action.LOG if said.outcome is Outcome.ACCEPTED else Action.REFUSE
    return _change(request, action, receipt=receipt.to_bytes())


def decline(request: SigningRequest, reason: DeclineReason, note: str) -> SigningRequest:
    """Keep that the person will not sign, and why."""
    with transaction.atomic():
        request = _change(request, Action.DECLINE, reason=reason.value, note=note[:500])
        _record(EventType.SIGNING_DECLINED, request, reason=reason.value)
    return request


def record_shown(request: SigningRequest) -> None:
    """Record, before it happens, that the person is shown the statement."""
    _record(EventType.SIGNING_SHOWN, request)


def take_back(request: SigningRequest) -> SigningRequest:
    """No longer ask; for the room or the person that asked."""
    return _change(request, Action.TAKE_BACK)


def expire_overdue(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """End every request whose time is over, and return how many there were."""
    overdue = SigningRequest.objects.filter(
        state__in=(State.OPEN.value, State.REFUSED.value), expires_at__lte=now()
    ).select_related("account")
    return sum(State(refreshed(request).state) is State.EXPIRED for request in overdue)


def said_by(receipt: bytes) -> Receipt:
    """Return what a kept receipt says."""
    found: Receipt = read_predicate(Statement.parse(Envelope.parse(receipt).payload), RECEIPT)
    return found


def _record(kind: EventType, request: SigningRequest, *, actor: str | None = None, **details: str | int) -> None:
    audit.record(
        kind,
        actor=actor or request.account_id,
        about=(request.account_id,) if actor not in {None, request.account_id} else (),
        target=f"statement:{request.statement_id}",
        details={"request": request.id, **details},
    )


def _change(request: SigningRequest, action: Action, **fields: Any) -> SigningRequest:
    """Do one step of the state machine; of two at once one wins, the other gets NotNowError."""
    before = State(request.state)
    state = after(before, action)
    fields |= {"state": state.value, "ended_at": timezone.now() if state.over else None}
    if not SigningRequest.objects.filter(id=request.id, state=before.value).update(**fields):
        remedy = "look at the page again"
        raise NotNowError("something else happened to this request meanwhile", where="request", remedy=remedy)
    if state.over:
        outbox.withdraw(_notice_key(request))
    return SigningRequest.objects.select_related("account", "key").get(id=request.id)


def _tell(request: SigningRequest, parsed: Parsed) -> None:
    kind = parsed.kind.name if parsed.kind else "other"
    words: dict[str, str | int] = {"kind": kind, "statement": parsed.id, "expires": int(request.expires_at.timestamp())}
    notice = Notice(NoticeKind.SIGNATURE_WANTED, _notice_key(request), f"/signing/{request.id}", words)
    outbox.post(notice, (request.account_id,))


def _notice_key(request: SigningRequest) -> str:
    return f"signing:{request.id}"
