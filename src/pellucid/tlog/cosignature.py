"""Cosignatures, C2SP tlog-cosignature v1.0.1: when a witness or mirror saw a checkpoint as the largest of its log."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pellucid.tlog.checkpoint import Checkpoint
from pellucid.tlog.errors import KeyRoleError
from pellucid.tlog.note import Note, NoteSignature, NoteSigner, SignatureKind, Verifier


class Cosignature(msgspec.Struct, frozen=True):
    """A cosignature that holds: whose it is, and the POSIX time at which the cosigner says it was made."""

    verifier: Verifier
    timestamp: int


def cosign(note: Note, signer: NoteSigner, timestamp: int) -> NoteSignature:
    """Return the cosigner's signature line on a checkpoint; CheckpointError if the note is none.

    The caller has checked the log's signature and that the tree extends what was cosigned before.
    """
    Checkpoint.parse(note.text)
    _require_cosigner(signer.verifier)
    return signer.sign(note.text, timestamp=timestamp)


def cosignatures(note: Note, verifiers: Sequence[Verifier], *, where: str = "note") -> list[Cosignature]:
    """Return the cosignatures by known cosigners, in the note's order; unknown ones are ignored.

    BadSignatureError if one that claims a known cosigner fails, has no time, or stands there twice.
    """
    for verifier in verifiers:
        _require_cosigner(verifier)
    found = note.verified_by(verifiers, where=where)
    return [Cosignature(item.verifier, item.timestamp) for item in found if item.timestamp is not None]


def _require_cosigner(verifier: Verifier) -> None:
    if verifier.kind is not SignatureKind.COSIGNATURE:
        raise KeyRoleError(
            f"the key {verifier.name} signs for a log; it does not cosign", remedy="give a witness's or mirror's key"
        )
