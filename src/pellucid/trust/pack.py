"""The evidence pack: everything said about one file, with proofs, in one canonical JSON file.

For every log of the policy it holds a fresh head, the checkpoints that first covered its statements with consistency
proofs to that head, and the statements with inclusion proofs in those checkpoints. Nothing in it is believed: the
policy brings the keys, and `evidence` checks every byte. Hashes in proofs are base64, as in C2SP's notes and proofs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json, parse_canonical
from pellucid.statement.commitment import Opening
from pellucid.statement.predicate import Count, Sha256

PACK_LIMIT = 256 << 20

NOT_PROVEN = (
    "why the code does what it does, or what anybody intends",
    "under which laws its makers and reviewers live",
    "that hardware, firmware or the compiler below the declared trust base are honest",
    "what a service on the network does at run time",
)

_Hash = Annotated[str, msgspec.Meta(min_length=44, max_length=44)]
_Path = Annotated[tuple[_Hash, ...], msgspec.Meta(max_length=63)]


class PackError(EvidenceError):
    """A pack is damaged or is not one."""


class Covering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint that first covered statements, with the consistency proof from it to the log's head."""

    note: Annotated[str, msgspec.Meta(max_length=65_536)]
    consistency: _Path


class PackedStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log entry: the envelope, its index, and its inclusion proof in the smallest covering checkpoint of the pack."""

    index: Count
    envelope: Mapping[str, Any]
    inclusion: _Path


class PackedLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one log says: its head, the checkpoints that matter, the statements."""

    origin: Annotated[str, msgspec.Meta(max_length=200)]
    head: Annotated[str, msgspec.Meta(max_length=65_536)]
    checkpoints: tuple[Covering, ...]
    statements: tuple[PackedStatement, ...]


class PackSubject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that the pack is about."""

    sha256: Sha256


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An evidence pack; `keys` are base64 SubjectPublicKeyInfos, referenced by their SHA-256.

    One body of evidence has one spelling: keys ascend as texts, logs by origin, statements by index, completeness
    answers as canonical JSON, openings by root, and nothing stands twice.
    """

    format: Literal["pellucid-evidence/v1"]
    subject: PackSubject
    keys: tuple[str, ...]
    logs: tuple[PackedLog, ...]
    completeness: tuple[Mapping[str, Any], ...]
    openings: tuple[Opening, ...]
    not_proven: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Return the pack as RFC 8785 JSON."""
        return canonical_json(msgspec.to_builtins(self))

    @classmethod
    def parse(cls, data: bytes, *, where: str = "pack") -> Pack:
        """Read a pack; raises NotJsonError when it is not JSON, PackError or CanonicalError when it was damaged."""
        value = parse_canonical(data, where=where, limit=PACK_LIMIT)
        try:
            pack = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise PackError(str(error), where=where, remedy="get the pack again from where it was published") from None
        if pack.not_proven != NOT_PROVEN:
            raise PackError("its text on what is not proven was changed", where=where)
        for name, values in _ordered(pack):
            if any(one >= other for one, other in pairwise(values)):
                raise PackError(f"its {name} are not in order, or one stands twice", where=where)
        return pack


def _ordered(pack: Pack) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "keys", pack.keys
    yield "logs", [log.origin for log in pack.logs]
    yield "completeness answers", [canonical_json(answer) for answer in pack.completeness]
    yield "openings", [opening.root for opening in pack.openings]
    for log in pack.logs:
        yield f"statements of {log.origin}", [statement.index for statement in log.statements]


def decode_path(path: Sequence[str], *, where: str) -> list[bytes]:
    """Return the 32-byte hashes of a proof."""
    try:
        hashes = [base64.b64decode(text, validate=True) for text in path]
    except (binascii.Error, ValueError):
        raise PackError("a hash in a proof is not base64", where=where) from None
    if any(len(found) != 32 for found in hashes):
        raise PackError("a hash in a proof has not 32 bytes", where=where)
    return hashes


def encode_path(hashes: Sequence[bytes]) -> tuple[str, ...]:
    """Return the hashes of a proof as they stand in a pack."""
    return tuple(base64.b64encode(found).decode() for found in hashes)
