"""What travels between a log and a witness, C2SP tlog-witness: requests, answers, statuses. No network here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pellucid.tlog.errors import MalformedNoteError
from pellucid.tlog.merkle import HASH_SIZE, MAX_PROOF
from pellucid.tlog.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    decode_base64,
    decode_decimal,
    decode_text,
    encode_base64,
)

MAX_ADD_CHECKPOINT = MAX_NOTE + 4096
SIZE_TYPE = "text/x.tlog.size"


class WitnessStatus(IntEnum):
    """The HTTP statuses of `add-checkpoint`."""

    COSIGNED = 200
    MALFORMED = 400
    UNTRUSTED = 403
    UNKNOWN_ORIGIN = 404
    CONFLICT = 409
    INCONSISTENT = 422


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: the size that the witness should have, the proof from there, the signed checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes, *, where: str = "add-checkpoint") -> AddCheckpoint:
        """Read a request body; MalformedNoteError if it is not one. Nothing is verified yet."""
        if len(body) > MAX_ADD_CHECKPOINT:
            raise MalformedNoteError(f"a request of more than {MAX_ADD_CHECKPOINT} bytes", where=where)
        head, empty_line, note = body.partition(b"\n\n")
        first, *lines = decode_text(head, where=where).split("\n")
        if not empty_line or not first.startswith("old "):
            raise MalformedNoteError("no old size line, or no empty line before the checkpoint", where=where)
        old_size = decode_decimal(first.removeprefix("old "), what="the old size", where=where)
        return cls(old_size, decode_proof(lines, where=where), Note.parse(note, where=where))

    def to_bytes(self) -> bytes:
        """Return the request body."""
        return f"old {self.old_size}\n{encode_proof(self.proof)}\n".encode() + self.note.to_bytes()


def encode_size(size: int) -> bytes:
    """Return the body of a 409 answer: the size of the latest checkpoint that the witness cosigned."""
    return b"%d\n" % size


def decode_size(body: bytes, *, where: str = "witness answer") -> int:
    """Read the body of a 409 answer; MalformedNoteError if it is not one."""
    text = decode_text(body[:32], where=where)
    if not text.endswith("\n"):
        raise MalformedNoteError("not a size line", where=where)
    return decode_decimal(text.removesuffix("\n"), what="the size", where=where)


def encode_signatures(signatures: Iterable[NoteSignature]) -> bytes:
    """Return the body of a 200 answer: signature lines and nothing else."""
    return "".join(f"{signature.line}\n" for signature in signatures).encode()


def decode_signatures(body: bytes, *, where: str = "witness answer") -> list[NoteSignature]:
    """Read the body of a 200 answer, 1 to 100 signature lines, unverified; MalformedNoteError if it is not one."""
    if len(body) > MAX_NOTE or not 1 <= body.count(b"\n") <= MAX_SIGNATURES or not body.endswith(b"\n"):
        raise MalformedNoteError(f"not 1 to {MAX_SIGNATURES} signature lines", where=where)
    lines = decode_text(body, where=where).removesuffix("\n").split("\n")
    return [NoteSignature.parse(line, where=where) for line in lines]


def encode_proof(proof: Iterable[bytes]) -> str:
    """Return the lines of a Merkle proof, one base64 hash each."""
    return "".join(f"{encode_base64(item)}\n" for item in proof)


def decode_proof(lines: Sequence[str], *, where: str) -> tuple[bytes, ...]:
    """Read up to 63 lines of a Merkle proof; MalformedNoteError if one is not a 32-byte hash."""
    if len(lines) > MAX_PROOF:
        raise MalformedNoteError(f"a proof of more than {MAX_PROOF} hashes", where=where)
    proof = tuple(decode_base64(line, what="a proof line", where=where) for line in lines)
    if any(len(item) != HASH_SIZE for item in proof):
        raise MalformedNoteError("a proof line is not a 32-byte hash", where=where)
    return proof
