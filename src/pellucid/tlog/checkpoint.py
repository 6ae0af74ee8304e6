"""Checkpoints, C2SP tlog-checkpoint v1.0.0: the note text that states a log's size and root."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from pellucid.tlog.errors import CheckpointError, KeyRoleError, MalformedNoteError, OriginError
from pellucid.tlog.merkle import HASH_SIZE, MAX_SIZE
from pellucid.tlog.note import (
    MAX_NAME,
    Note,
    NoteSigner,
    SignatureKind,
    Verifier,
    decode_base64,
    decode_decimal,
    encode_base64,
    require_text,
)


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of one log: origin, number of entries, 32-byte root, and extension lines, which mean nothing here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be parsed back to the same value."""
        lines = (self.origin, *self.extensions)
        if not all(lines) or any("\n" in line for line in lines) or len(self.origin.encode()) > MAX_NAME:
            raise CheckpointError(
                "origin and extension lines are non-empty single lines, the origin of 255 bytes at most"
            )
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise CheckpointError("a checkpoint has a size of 0 to 2**63 - 1 and a root of 32 bytes")

    @classmethod
    def parse(cls, text: str, *, where: str = "checkpoint") -> Checkpoint:
        """Read a note's text; CheckpointError unless it is three or more non-empty lines as the spec spells them."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise CheckpointError("not three or more non-empty lines", where=where)
        origin, size, root, *extensions = lines
        try:
            count = decode_decimal(size, what="the tree size", where=where)
            digest = decode_base64(root, what="the root hash", where=where)
            return cls(origin, count, digest, tuple(extensions))
        except CheckpointError as error:
            raise CheckpointError(error.what, where=where) from None
        except MalformedNoteError as error:
            raise CheckpointError(error.what, where=where) from None

    @property
    def text(self) -> str:
        """Return the note text, which ends in a newline."""
        return "\n".join((self.origin, str(self.size), encode_base64(self.root), *self.extensions, ""))


class SignedCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint whose log's signature was checked, with the note that carries it and any cosignatures."""

    checkpoint: Checkpoint
    note: Note

    def to_bytes(self) -> bytes:
        """Return the note as it is stored and sent."""
        return self.note.to_bytes()


def origin_hash(origin: str) -> str:
    """Return how a log is named in paths and tables: the SHA-256 of its origin in hexadecimal."""
    return sha256(origin.encode()).hexdigest()


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> Note:
    """Return the checkpoint signed by its log, whose key name is the origin."""
    _require_log(signer.verifier)
    if signer.name != checkpoint.origin:
        raise OriginError(f"the key {signer.name} does not sign for the log {checkpoint.origin}")
    require_text(checkpoint.text)
    return signer.sign_note(checkpoint.text)


def open_checkpoint(data: bytes | Note, log: Verifier, *, where: str = "checkpoint") -> SignedCheckpoint:
    """Read a checkpoint of the log and check the log's signature; cosignatures are left to `cosignatures`.

    MalformedNoteError (CheckpointError for the text), OriginError if it is another log's, UnsignedNoteError if the
    log's key did not sign, BadSignatureError if its signature fails.
    """
    _require_log(log)
    note = data if isinstance(data, Note) else Note.parse(data, where=where)
    checkpoint = Checkpoint.parse(note.text, where=where)
    if checkpoint.origin != log.name:
        raise OriginError(f"a checkpoint of {checkpoint.origin!r}, not of {log.name!r}", where=where)
    note.verify([log], where=where)
    return SignedCheckpoint(checkpoint, note)


def _require_log(verifier: Verifier) -> None:
    if verifier.kind is not SignatureKind.ED25519:
        raise KeyRoleError(f"the key {verifier.name} cosigns; it does not sign for a log", remedy="give the log's key")
