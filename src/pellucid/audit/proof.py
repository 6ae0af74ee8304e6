"""What a person takes home: their events, each with its proof of inclusion in one cosigned head of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from pellucid.audit.events import Entry, PersonId
from pellucid.audit.trail import Recorded
from pellucid.errors import EvidenceError, InputError
from pellucid.statement.canonical import CanonicalError, canonical_json, parse_json
from pellucid.tlog.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.merkle import HASH_SIZE, MAX_PROOF, NodeReader, inclusion_proof, leaf_hash, verify_inclusion
from pellucid.tlog.note import MAX_NOTE, Note, Verifier, decode_base64, encode_base64

FORMAT: Literal["pellucid-audit-proof/v1"] = "pellucid-audit-proof/v1"
MOST_EVENTS = 2000
MOST_BYTES = 8 << 20
NOT_PROVEN = (
    "that these are all: entries are private, so no proof can show that the log holds no other event of this account",
    "that there are none from `since` on but these: that is the node's word",
    "that what is recorded happened, and that all that happened was recorded: the node wrote the events",
    "when it happened: the times are the node's; a cosignature proves only by when an event was in the log",
    "who the account is: the log knows its pseudonym only",
)

Index = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class ProofFileError(InputError):
    """A file is no proof of what an audit log holds."""


class ProvenEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry, where it stands, and its audit path in base64, the leaf's sibling first (RFC 6962 §2.1.1)."""

    index: Index
    entry: Entry
    proof: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=44)], ...], msgspec.Meta(max_length=MAX_PROOF)]


class AccountProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The proof file: `events` newest first, and `checkpoint`, the cosigned head that each is proven to be in.

    The node says that these are all events of `account` from the index `since` on; that is not proven.
    """

    format: Literal["pellucid-audit-proof/v1"]
    account: PersonId
    since: Index
    checkpoint: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)]
    events: Annotated[tuple[ProvenEvent, ...], msgspec.Meta(max_length=MOST_EVENTS)]
    not_proven: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Return the file: canonical JSON (RFC 8785)."""
        return canonical_json(msgspec.to_builtins(self))

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> AccountProof:
        """Read a proof file; ProofFileError if it is none. Nothing is checked yet."""
        try:
            return msgspec.convert(parse_json(data, where=where, limit=MOST_BYTES), cls)
        except (msgspec.MsgspecError, CanonicalError) as error:
            what = error.what if isinstance(error, CanonicalError) else str(error)
            raise ProofFileError(
                f"is no proof of what an audit log holds: {what}", where=where, remedy="give the file as it was fetched"
            ) from error


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof file proved: the events, the head they are in, and which of the known cosigners signed that."""

    account: str
    since: int
    checkpoint: Checkpoint
    events: tuple[ProvenEvent, ...]
    cosignatures: tuple[Cosignature, ...]


def make_proof(
    account: str, events: Sequence[Recorded], since: int, head: SignedCheckpoint, read: NodeReader
) -> AccountProof:
    """Return the proof of events of an account, all below the head's size; `read` gives the nodes of the tree."""
    size = head.checkpoint.size
    proven = tuple(
        ProvenEvent(item.index, item.entry, tuple(map(encode_base64, inclusion_proof(item.index, size, read))))
        for item in events
    )
    return AccountProof(
        format=FORMAT,
        account=account,
        since=since,
        checkpoint=head.to_bytes().decode(),
        events=proven,
        not_proven=NOT_PROVEN,
    )


def check_proof(data: bytes, log: Verifier, witnesses: Sequence[Verifier] = (), *, where: str = "proof") -> Proven:
    """Check a proof file under the audit log's key: its head, each event's place in it, and whom each concerns.

    Cosignatures are checked for the keys `witnesses`. ProofFileError for what is no such file, EvidenceError (with the
    entry) for what does not hold.
    """
    file = AccountProof.parse(data, where=where)
    if file.not_proven != NOT_PROVEN:
        raise EvidenceError("it does not say what it does not prove", where=f"{where}: not_proven")
    signed = open_checkpoint(Note.parse(file.checkpoint.encode(), where=where), log, where=where)
    found = cosignatures(signed.note, witnesses, where=where)
    indices = [event.index for event in file.events]
    if indices != sorted(set(indices), reverse=True) or any(index < file.since for index in indices):
        raise EvidenceError("its events are not in the order of the log, newest first, from `since` on", where=where)
    for event in file.events:
        _check_event(event, file.account, signed.checkpoint, f"{where}: entry {event.index}")
    return Proven(file.account, file.since, signed.checkpoint, file.events, tuple(found))


def _check_event(event: ProvenEvent, account: str, head: Checkpoint, where: str) -> None:
    if account not in event.entry.event.concerns:
        raise EvidenceError("does not concern this account", where=where)
    path = [decode_base64(item, what="a proof line", where=where) for item in event.proof]
    if event.index >= head.size or any(len(item) != HASH_SIZE for item in path):
        raise EvidenceError("its proof does not fit the head", where=where)
    try:
        verify_inclusion(leaf_hash(event.entry.to_bytes()), event.index, head.size, path, head.root)
    except EvidenceError as error:
        raise EvidenceError(error.what, where=where) from error
