"""The ports that give a log its order: the sequence of entries, and the lock on its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be logged, at most 65,535 bytes, and optionally a `key` (any bytes) that makes it the same entry."""

    data: bytes
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Where an entry stands in the log, and whether it already stood there."""

    index: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Locked:
    """The newest signed checkpoint of a log: its size, its 32-byte root, the note as signed by the log alone."""

    size: int
    root: bytes
    note: bytes


class SequenceStore(Protocol):
    """The entries of one log in their order; the bytes are kept until they are integrated, the digests for ever."""

    def append(self, entries: Sequence[NewEntry]) -> list[Sequenced]:
        """Give each entry an index, all in one transaction; durable when it returns.

        An entry whose bytes (by SHA-256), else whose key, is known gets the index it has. New entries get
        consecutive indices in the order given. On `StorageError` none or all are stored.
        """

    def next_index(self) -> int:
        """Return the index that the next new entry gets."""

    def find(self, digest: bytes) -> int | None:
        """Return the index of the entry with this SHA-256 (32 bytes), None if it is not logged."""

    def find_key(self, key: bytes) -> int | None:
        """Return the index of the entry that was logged with this key, None if there is none."""

    def pending(self, start: int, limit: int) -> Iterator[list[bytes]]:
        """Yield the entries from index `start` on, in order, in the batches they came in, about `limit` at most."""

    def integrated(self, size: int) -> None:
        """Allow the bytes of entries below `size` to be dropped; need not be durable when it returns."""


class CheckpointLock(Protocol):
    """The newest signed checkpoint per origin, moved only by compare-and-swap.

    It must never be restored from a backup: it is what keeps a log from signing two histories.
    """

    def load(self, origin: str) -> Locked | None:
        """Return the lock, None if this log was never made."""

    def create(self, origin: str, first: Locked) -> None:
        """Make the lock, durable when it returns; `ConflictError` if there is one."""

    def swap(self, origin: str, old: Locked, new: Locked) -> None:
        """Put `new` if the lock has the size and root of `old`, durable when it returns; else `ConflictError`."""

    def freeze(self, origin: str, reason: str) -> None:
        """Keep for ever that this log must not sign any more, and why; durable when it returns."""

    def frozen(self, origin: str) -> str | None:
        """Return why the log is frozen, None if it is not."""
