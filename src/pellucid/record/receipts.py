"""Did what a receipt promised happen? The promise: this statement, at this index of that log, published by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.predicate import RECEIPT, Outcome, Receipt
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import PublicKey
from pellucid.statement.moment import format_time, parse_time
from pellucid.statement.predicate import read_predicate
from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.reader import LogReader

_COVERINGS_TRIED = 16


class ReceiptError(EvidenceError):
    """A receipt is forged or damaged."""


class Standing(StrEnum):
    """How a promise stands."""

    KEPT = "kept"
    LATE = "late"
    BROKEN = "broken"
    REFUSED = "refused"
    NOT_DUE = "not-due"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Promiser:
    """A node whose receipts can be checked: its key, its log as it and its mirrors show it, and who dates that.

    `shown` gives (words, reader, is its own) in the order of asking. `dated` returns the seconds since 1970 by which
    enough others had seen a checkpoint, None where nobody says so.
    """

    origin: str
    key: PublicKey
    shown: Callable[[], Iterable[tuple[str, LogReader, bool]]]
    dated: Callable[[SignedCheckpoint], int | None]


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What became of a promise; `published` is an upper bound on when, by others' clocks."""

    standing: Standing
    why: str
    log: str
    subject: str
    received: str
    index: int | None = None
    due: str | None = None
    published: str | None = None
    told: tuple[str, ...] = ()

    @property
    def kept(self) -> bool | None:
        """True or False where that can be told."""
        return {Standing.KEPT: True, Standing.LATE: False, Standing.BROKEN: False}.get(self.standing)

    @property
    def exit_code(self) -> int:
        """0 kept or refused, 1 late or broken, 3 where it cannot be told now."""
        if self.kept is not None:
            return 0 if self.kept else 1
        return 0 if self.standing is Standing.REFUSED else 3

    def as_json(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        return {
            "kept": self.kept,
            "standing": self.standing.value,
            "why": self.why,
            "log": self.log,
            "subject": self.subject,
            "received": self.received,
            "index": self.index,
            "due": self.due,
            "published": self.published,
            "told": list(self.told),
        }


@dataclass(frozen=True, slots=True)
class _Promise:
    receipt: Receipt
    subject: str


def check_receipt(data: bytes, promisers: Sequence[Promiser], now: int, *, where: str = "receipt") -> ReceiptReport:
    """Check a receipt and what it promised at `now`, in seconds since 1970.

    ReceiptError (or EnvelopeError, StatementError) for what no promiser's node key signed; InputError for the receipt
    of a node that is not among them.
    """
    promise, promiser = _read(data, promisers, where)
    receipt = promise.receipt
    if receipt.outcome is Outcome.REFUSED:
        reason = receipt.reason.value if receipt.reason else "no reason"
        return _report(promise, Standing.REFUSED, f"the node did refuse it, because: {reason}")
    told: list[str] = []
    asked_itself = False
    behind = None
    for words, reader, is_own in promiser.shown():
        try:
            head = reader.checkpoint()
            if head.checkpoint.size > (receipt.index or 0):
                return _judge(promise, promiser, reader, tuple(told))
        except UnavailableError as error:
            told.append(f"{words} does not answer: {error}")
            continue
        except EvidenceError as error:
            told.append(f"what {words} shows does not hold: {error}")
            continue
        asked_itself |= is_own
        behind = f"{words} shows {head.checkpoint.size} entries of the log"
        told.append(behind)
    return _not_there(promise, behind, tuple(told), asked_itself=asked_itself, now=now)


def _read(data: bytes, promisers: Sequence[Promiser], where: str) -> tuple[_Promise, Promiser]:
    envelope = Envelope.parse(data, where=where)
    statement = Statement.parse(envelope.payload, where=where)
    if envelope.payload_type != IN_TOTO or statement.predicate_type != RECEIPT.uri:
        raise InputError("this is no receipt", where=where, remedy="give the file that a submission left behind")
    receipt: Receipt = read_predicate(statement, RECEIPT, where=where)
    known = [item for item in promisers if item.origin == receipt.log]
    if not known:
        raise InputError(
            f"it claims to be from {receipt.log}, whose key is not given",
            where=where,
            remedy="give a --policy that names that node, or its address with --from URL",
        )
    promiser = next((item for item in known if envelope.verified_by(item.key)), None)
    if promiser is None:
        raise ReceiptError(
            f"it is not signed by the node key of {receipt.log}",
            where=where,
            remedy="it proves nothing; if this node gave it to you, tell others",
        )
    subjects = [subject.digest.get("sha256", "") for subject in statement.subjects]
    return _Promise(receipt, subjects[0]), promiser


def _judge(promise: _Promise, promiser: Promiser, reader: LogReader, told: tuple[str, ...]) -> ReceiptReport:
    """Tell whether the statement stands at its index, and since when; TileError and the like if what is shown fails."""
    receipt = promise.receipt
    index = receipt.index or 0
    found = Envelope.parse(reader.entry(index), where=f"{receipt.log}, entry {index}")
    if found.id != promise.subject:
        why = f"entry {index} of {receipt.log} is another statement, {found.id}"
        return _report(promise, Standing.BROKEN, why, told=told)
    published = _published(promiser, reader, index)
    if published is None:
        why = "it stands there, published; no cosignatures tell since when"
        return _report(promise, Standing.KEPT, why, told=told)
    when = format_time(published)
    if receipt.due is not None and published > parse_time(receipt.due):
        why = f"it stands there, but enough others saw it only by {when}"
        return _report(promise, Standing.LATE, why, published=when, told=told)
    return _report(
        promise, Standing.KEPT, f"it stands there, seen by enough others by {when}", published=when, told=told
    )


def _published(promiser: Promiser, reader: LogReader, index: int) -> int | None:
    """Return the earliest time by which enough others had seen a checkpoint that covers the entry."""
    for size in reader.source.kept(index, _COVERINGS_TRIED):
        kept = reader.kept_checkpoint(size)
        dated = None if kept is None else promiser.dated(kept)
        if dated is not None:
            return dated
    return promiser.dated(reader.checkpoint())


def _not_there(
    promise: _Promise, behind: str | None, told: tuple[str, ...], *, asked_itself: bool, now: int
) -> ReceiptReport:
    due = promise.receipt.due
    if due is not None and now <= parse_time(due):
        return _report(promise, Standing.NOT_DUE, "it is not published yet, and not due yet", told=told)
    if asked_itself and behind is not None:
        return _report(promise, Standing.BROKEN, f"it is due and not published: {behind}", told=told)
    why = "the node's own log cannot be read now, and no mirror shows it that far"
    return _report(promise, Standing.UNKNOWN, why, told=told)


def _report(
    promise: _Promise, standing: Standing, why: str, *, published: str | None = None, told: tuple[str, ...] = ()
) -> ReceiptReport:
    receipt = promise.receipt
    return ReceiptReport(
        standing=standing,
        why=why,
        log=receipt.log,
        subject=promise.subject,
        received=receipt.received,
        index=receipt.index,
        due=receipt.due,
        published=published,
        told=told,
    )
