"""The object store port: named immutable bytes and a few that are replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from pellucid.errors import EvidenceError, InputError

# The largest object of a log is an entry bundle: 256 entries of 65,535 bytes with their 2-byte lengths.
MAX_OBJECT = 256 * (2 + 65_535)

_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


class ObjectTooLargeError(EvidenceError):
    """What lies at a path is larger than anything that belongs there, or is not a plain file."""


class ObjectStore(Protocol):
    """Bytes under relative paths (`tile/0/x001/067`), written by one process and read by any number.

    A path is `/`-separated names of letters, digits, `.`, `_` and `-` that do not begin with a dot.
    Every failed write or sync raises `StorageError` and leaves unknown what was stored; it is never retried.
    """

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """Return the bytes at `path`, None where there are none; `ObjectTooLargeError` above `limit` bytes."""

    def create(self, path: str, data: bytes) -> None:
        """Write `data` unless equal bytes are there; other bytes raise `ConflictError` and stay.

        A reader sees nothing or all of it. It is durable only after the next `sync` returns.
        """

    def replace(self, path: str, data: bytes) -> None:
        """Put `data` at `path` whatever was there: atomic for readers, and durable when it returns."""

    def delete(self, path: str) -> None:
        """Remove `path` if it is there; durable after the next `sync`."""

    def sync(self) -> None:
        """Make everything created and deleted before this call durable, in one operation where there is one."""

    def children(self, prefix: str) -> list[str]:
        """Return the names directly below `prefix` (`""` or ending in `/`), sorted.

        A name with more below it ends in `/`.
        """

    def walk(self, prefix: str = "") -> Iterator[str]:
        """Yield every path below `prefix` (`""` or ending in `/`), in the order of `children`."""


def check_path(path: str) -> str:
    """Return `path`, or raise `InputError` if it is no object path (absolute, `..`, hidden, odd characters)."""
    if len(path) > 1024 or not _PATH.fullmatch(path):
        raise InputError(f"not an object path: {path[:200]!r}", remedy="paths are relative names joined by /")
    return path
