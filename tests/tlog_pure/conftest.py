"""A log, two witnesses and a mirror with fixed keys, and a tree kept in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest

from pellucid.statement.keys import Role, SecretKey
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.merkle import leaf_hash
from pellucid.tlog.note import Note, NoteSigner, SignatureKind


def signer(role: Role, name: str) -> NoteSigner:
    """Return the signer of a name, always with the same key."""
    kind = SignatureKind.ED25519 if role is Role.LOG else SignatureKind.COSIGNATURE
    return NoteSigner(name, kind, SecretKey(role, name, sha256(f"{role} {name}".encode()).digest()))


def reference_root(entries: Sequence[bytes]) -> bytes:
    """Return the root by the recursive definition of RFC 6962 §2.1, written from the text of the RFC."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + reference_root(entries[:k]) + reference_root(entries[k:])).digest()


@dataclass
class Tree:
    """Entries, and the roots and nodes that the recursive definition gives for them."""

    entries: list[bytes]

    def forked(self, index: int) -> Tree:
        return Tree([*self.entries[:index], b"another entry", *self.entries[index + 1 :]])

    def root(self, size: int | None = None) -> bytes:
        return reference_root(self.entries[:size])

    def leaf(self, index: int) -> bytes:
        return leaf_hash(self.entries[index])

    def read(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        return [reference_root(self.entries[i << level : (i + 1) << level]) for level, i in nodes]


@pytest.fixture(scope="session")
def tree() -> Tree:
    return Tree([b"entry %d" % number for number in range(70)])


@pytest.fixture(scope="session")
def log() -> NoteSigner:
    return signer(Role.LOG, "vendor.example/log")


@pytest.fixture(scope="session")
def asia() -> NoteSigner:
    return signer(Role.WITNESS, "asia.example/witness")


@pytest.fixture(scope="session")
def europe() -> NoteSigner:
    return signer(Role.WITNESS, "europe.example/witness")


@pytest.fixture(scope="session")
def mirror() -> NoteSigner:
    return signer(Role.MIRROR, "asia.example/mirror")


@pytest.fixture(scope="session")
def note(log: NoteSigner, tree: Tree) -> Note:
    return sign_checkpoint(Checkpoint(log.name, 70, tree.root()), log)
