"""Disks and locks that fail: before they have done what they were asked, or after; and a power cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pellucid.storage.failures import StorageError
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import MAX_OBJECT, ObjectStore
from pellucid.storage.sequence import CheckpointLock, Locked


@dataclass
class Fault:
    """Fails the `at`-th operation, and every later one: `persisted` says whether that one was done nevertheless."""

    at: int
    persisted: bool
    what: str = "cannot write: the disk is full"
    operations: int = 0

    def around(self, act: Callable[[], None]) -> None:
        """Do what was asked, or fail."""
        self.operations += 1
        if self.operations < self.at:
            act()
            return
        if self.operations == self.at and self.persisted:
            act()
        raise StorageError(self.what, where="the simulated disk", remedy="free some space")


class FaultyObjects:
    """An object store with a `Fault`, that knows what a power cut may take."""

    def __init__(self, inner: ObjectStore, fault: Fault) -> None:
        self.inner = inner
        self.fault = fault
        self.unsynced: list[str] = []

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        return self.inner.fetch(path, limit)

    def children(self, prefix: str) -> list[str]:
        return self.inner.children(prefix)

    def walk(self, prefix: str = "") -> Iterator[str]:
        return self.inner.walk(prefix)

    def create(self, path: str, data: bytes) -> None:
        if self.inner.fetch(path) is None:
            self.unsynced.append(path)
        self.fault.around(lambda: self.inner.create(path, data))

    def replace(self, path: str, data: bytes) -> None:
        self.fault.around(lambda: self.inner.replace(path, data))

    def delete(self, path: str) -> None:
        self.fault.around(lambda: self.inner.delete(path))

    def sync(self) -> None:
        def act() -> None:
            self.inner.sync()
            self.unsynced.clear()

        self.fault.around(act)

    def lose_power(self, files: FileObjects, dice: random.Random) -> None:
        """Let each file that was not synced stay, vanish, or be torn."""
        for path in self.unsynced:
            target = files.root / path
            fate = dice.randrange(4)
            if not target.exists() or fate == 0:
                continue
            if fate == 1:
                target.unlink()
            else:
                data = target.read_bytes()
                target.write_bytes(data[: dice.randrange(len(data))] if fate == 2 else b"\0" * len(data))


class FaultyLock:
    """A checkpoint lock with a `Fault`."""

    def __init__(self, inner: CheckpointLock, fault: Fault) -> None:
        self.inner = inner
        self.fault = fault

    def load(self, origin: str) -> Locked | None:
        return self.inner.load(origin)

    def create(self, origin: str, first: Locked) -> None:
        self.fault.around(lambda: self.inner.create(origin, first))

    def swap(self, origin: str, old: Locked, new: Locked) -> None:
        self.fault.around(lambda: self.inner.swap(origin, old, new))

    def freeze(self, origin: str, reason: str) -> None:
        self.inner.freeze(origin, reason)

    def frozen(self, origin: str) -> str | None:
        return self.inner.frozen(origin)
