"""Offline proofs that an entry is logged, C2SP tlog-proof (`.tlog-proof`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.errors import MalformedNoteError
from pellucid.tlog.merkle import leaf_hash, verify_inclusion
from pellucid.tlog.note import MAX_NOTE, Note, Verifier, decode_base64, decode_decimal, decode_text, encode_base64
from pellucid.tlog.witness_protocol import decode_proof, encode_proof

HEADER = "c2sp.org/tlog-proof@v1"
MAX_EXTRA = 1 << 16
_MAX_HEAD = 2 * MAX_EXTRA
MAX_TLOG_PROOF = MAX_NOTE + _MAX_HEAD


@dataclass(frozen=True, slots=True)
class Logged:
    """What a tlog-proof proved: the entry's index, the checkpoint that covers it, who cosigned that and when."""

    index: int
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Index, audit path (leaf's sibling first), signed checkpoint, and `extra` bytes that nothing authenticates."""

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes, *, where: str = "tlog-proof") -> TlogProof:
        """Read a proof; MalformedNoteError if it is not one. Nothing is verified yet."""
        if len(data) > MAX_TLOG_PROOF:
            raise MalformedNoteError(f"a proof of more than {MAX_TLOG_PROOF} bytes", where=where)
        head, empty_line, note = data.partition(b"\n\n")
        lines = decode_text(head, where=where).split("\n")
        if not empty_line or lines.pop(0) != HEADER:
            raise MalformedNoteError(f"no line {HEADER!r} first, or no empty line before the checkpoint", where=where)
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), what="the extra data", where=where)
            if len(extra) > MAX_EXTRA:
                raise MalformedNoteError(f"extra data of more than {MAX_EXTRA} bytes", where=where)
        if not lines or not lines[0].startswith("index "):
            raise MalformedNoteError("no index line", where=where)
        index = decode_decimal(lines.pop(0).removeprefix("index "), what="the index", where=where)
        return cls(index, decode_proof(lines, where=where), Note.parse(note, where=where), extra)

    def to_bytes(self) -> bytes:
        """Return the proof as it is stored."""
        extra = "" if self.extra is None else f"extra {encode_base64(self.extra)}\n"
        head = f"{HEADER}\n{extra}index {self.index}\n{encode_proof(self.path)}\n"
        return head.encode() + self.note.to_bytes()

    def verify(
        self, entry: bytes, log: Verifier, cosigners: Sequence[Verifier] = (), *, where: str = "tlog-proof"
    ) -> Logged:
        """Check that the log holds `entry` at the index, and the cosignatures by known cosigners.

        Whether those are enough is for the caller's quorum. Raises the errors of `open_checkpoint`, `cosignatures`
        and `verify_inclusion`.
        """
        signed = open_checkpoint(self.note, log, where=where)
        found = cosignatures(self.note, cosigners, where=where)
        checkpoint = signed.checkpoint
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return Logged(self.index, checkpoint, tuple(found))
