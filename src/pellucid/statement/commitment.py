"""Salted commitments: fields that are bound now and may be opened, one by one, later or never.

Leaf i is SHA-256 of `domain || salt_i (32 random bytes) || canonical JSON of [name, value]`; the leaves, in order of
name, are hashed up a tree of RFC 6962's shape with own domains for inner nodes and for the root, which also binds their
count. Without its salt a leaf says nothing; erasing salts and values erases what was said, and the root stays, mute.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json

_LEAF = b"pellucid commitment leaf v1\x00"
_NODE = b"pellucid commitment node v1\x00"
_ROOT = b"pellucid commitment root v1\x00"
_FIELDS_MOST = 1024

Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]


class CommitmentError(EvidenceError):
    """An opening does not fit its commitment."""


class OpenedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field in the clear with the salt that binds it."""

    name: str
    value: Any
    salt: Hex32


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opens a commitment: the fields shown, and the leaves (hexadecimal, in order) of those that are not.

    `leaves` lists every leaf; the fields shown must hash to the leaf at their place in the order of all names.
    """

    root: Hex32
    leaves: tuple[Hex32, ...]
    fields: Mapping[str, OpenedField]

    def only(self, names: Iterable[str]) -> Opening:
        """Return an opening that shows just the fields called `names`."""
        wanted = set(names)
        return Opening(
            root=self.root,
            leaves=self.leaves,
            fields={k: f for k, f in self.fields.items() if f.name in wanted},
        )


def commit(fields: Mapping[str, Any]) -> tuple[str, Opening]:
    """Bind `fields` (name to JSON value) under fresh salts; return the root (hexadecimal) and the full opening."""
    if not 0 < len(fields) <= _FIELDS_MOST:
        raise CommitmentError(f"a commitment has 1 to {_FIELDS_MOST} fields")
    opened = [OpenedField(name=name, value=fields[name], salt=os.urandom(32).hex()) for name in sorted(fields)]
    leaves = [_leaf(field) for field in opened]
    root = _root(leaves).hex()
    shown = {str(place): field for place, field in enumerate(opened)}
    return root, Opening(root=root, leaves=tuple(leaf.hex() for leaf in leaves), fields=shown)


def open_commitment(root: str, opening: Opening, *, where: str = "opening") -> dict[str, Any]:
    """Return the fields that `opening` shows of the commitment `root`; raises CommitmentError where it does not fit."""
    leaves = [bytes.fromhex(leaf) for leaf in opening.leaves]
    if not 0 < len(leaves) <= _FIELDS_MOST or opening.root != root or _root(leaves).hex() != root:
        raise CommitmentError("the opening belongs to another commitment", where=where)
    found: dict[str, Any] = {}
    for place, field in opening.fields.items():
        if not place.isdecimal() or int(place) >= len(leaves) or _leaf(field) != leaves[int(place)]:
            raise CommitmentError(f"the field {field.name!r} was changed", where=where)
        if field.name in found:
            raise CommitmentError(f"the field {field.name!r} stands twice", where=where)
        found[field.name] = field.value
    return found


def _leaf(field: OpenedField) -> bytes:
    return hashlib.sha256(_LEAF + bytes.fromhex(field.salt) + canonical_json([field.name, field.value])).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    return hashlib.sha256(_ROOT + len(leaves).to_bytes(4) + _subtree(leaves)).digest()


def _subtree(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(_NODE + _subtree(leaves[:split]) + _subtree(leaves[split:])).digest()
