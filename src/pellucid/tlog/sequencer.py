"""One log of our own: entries in, in order and durable; trees out, signed and locked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from pellucid.errors import EvidenceError, FatalError
from pellucid.storage.failures import RESTART
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import CheckpointLock, Locked, NewEntry, Sequenced, SequenceStore
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.errors import EntryError
from pellucid.tlog.group_commit import GroupCommit
from pellucid.tlog.note import NoteSigner, Verifier
from pellucid.tlog.reader import TreeView
from pellucid.tlog.recovery import Recovered, create_lock, recover
from pellucid.tlog.sources import FileTiles
from pellucid.tlog.tiles import MAX_ENTRY

_INTEGRATE_ENTRIES = 65_536
_INTEGRATE_BYTES = 64 << 20


class FrozenError(EvidenceError):
    """The log has stopped signing for ever, because somebody holds a checkpoint of it that contradicts its own."""


class Log:
    """A log on a store, a sequence and a lock, for any number of threads.

    An entry is acknowledged when it is durable in the sequence; it is in the tree after the next `integrate`, which
    makes its files durable before it moves the lock. After a FatalError every call raises it: the process should end,
    and opening the log again recovers.
    """

    def __init__(
        self,
        store: ObjectStore,
        sequence: SequenceStore,
        lock: CheckpointLock,
        signer: NoteSigner,
        recovered: Recovered,
    ) -> None:
        self.store = store
        self.signer = signer
        self._sequence = sequence
        self._lock = lock
        self._writer = recovered.writer
        self._signed = recovered.locked
        self._frozen = lock.frozen(signer.name)
        self._failure: FatalError | None = None
        self._integrating = threading.Lock()
        self._changed = threading.Condition()
        self._arrived = threading.Event()
        self._commits = GroupCommit(sequence)
        if sequence.next_index() > recovered.locked.size:
            self._arrived.set()

    @classmethod
    def create(cls, store: ObjectStore, sequence: SequenceStore, lock: CheckpointLock, signer: NoteSigner) -> Self:
        """Make a new log whose origin is the signer's name; RecoveryError if there is something of one already."""
        create_lock(store, sequence, lock, signer)
        return cls.open(store, sequence, lock, signer)

    @classmethod
    def open(cls, store: ObjectStore, sequence: SequenceStore, lock: CheckpointLock, signer: NoteSigner) -> Self:
        """Open a log as after a crash; RecoveryError (fatal, with the remedy) if its parts do not fit together.

        Entries that are durable but not in the tree are integrated by the next `integrate`.
        """
        return cls(store, sequence, lock, signer, recover(store, sequence, lock, signer.verifier))

    @property
    def origin(self) -> str:
        """Return the log's name."""
        return self.signer.name

    @property
    def verifier(self) -> Verifier:
        """Return the key under which others read the log."""
        return self.signer.verifier

    @property
    def signed(self) -> Locked:
        """Return the newest signed checkpoint, published or not."""
        return self._signed

    @property
    def failure(self) -> FatalError | None:
        """Return what ended the log, None while it works."""
        return self._failure or self._commits.failure

    @property
    def frozen(self) -> str | None:
        """Return why the log does not sign any more, None if it does."""
        return self._frozen

    def submit(self, entry: bytes, key: bytes | None = None) -> Future[list[Sequenced]]:
        """Queue one entry; the future gives a list of its one place, when that is durable. See `submit_batch`."""
        return self.submit_batch([NewEntry(entry, key)])

    def submit_batch(self, entries: Sequence[NewEntry]) -> Future[list[Sequenced]]:
        """Queue entries; the future gives their places, when they are durable.

        The same bytes, or another entry under a `key` that is known, get the place that the first one has.
        EntryError above 65,535 bytes, UnavailableError if too much is waiting, FrozenError, or what ended the log;
        then nothing was queued.
        """
        self._require_usable()
        for entry in entries:
            if len(entry.data) > MAX_ENTRY:
                raise EntryError(
                    f"an entry of {len(entry.data)} bytes; a log takes {MAX_ENTRY} at most",
                    remedy="log the digest of what is large and keep the bytes beside the log",
                )
        future = self._commits.submit(entries)
        future.add_done_callback(lambda _: self._arrived.set())
        return future

    def add_batch(self, entries: Sequence[bytes | NewEntry]) -> list[Sequenced]:
        """Log entries and wait until they are durable; see `submit_batch`."""
        return self.submit_batch(
            [entry if isinstance(entry, NewEntry) else NewEntry(entry) for entry in entries]
        ).result()

    def find(self, digest: bytes) -> int | None:
        """Return the index of the entry whose bytes have this SHA-256 (32 bytes), None if it is not logged."""
        return self._sequence.find(digest)

    def find_key(self, key: bytes) -> int | None:
        """Return the index of the entry that was logged under this key, None if there is none."""
        return self._sequence.find_key(key)

    def view(self) -> TreeView:
        """Return the tree that is signed now, checked against its root as it is read back."""
        signed = self._signed
        return TreeView(FileTiles(self.store), signed.size, signed.root)

    def integrate(self) -> Locked:
        """Put what is pending, at most about 65,536 entries or 64 MiB, into the tree; return what is signed then.

        Files, one sync, then the lock: whatever the lock has signed can be served.
        """
        with self._integrating:
            self._require_usable()
            self._arrived.clear()
            try:
                self._extend(self._signed, self._pending(self._signed.size))
            except Exception as error:
                raise self.fail(error) from error
        return self._signed

    def fail(self, error: Exception) -> FatalError:
        """End the log: whatever `error` interrupted, what is on disk is unknown now. Return what callers get."""
        if self._failure is None:
            self._failure = (
                error if isinstance(error, FatalError) else FatalError(f"the log stopped: {error}", remedy=RESTART)
            )
        with self._changed:
            self._changed.notify_all()
        return self._failure

    def freeze(self, reason: str) -> None:
        """Stop signing for ever, durably; every later submission and integration raises FrozenError."""
        self._lock.freeze(self.origin, reason)
        self._frozen = reason

    def wait_for_entries(self, seconds: float) -> bool:
        """Wait until there may be entries to integrate; return whether there may."""
        return self._arrived.wait(seconds)

    def wait_for_signed(self, size: int, seconds: float) -> Locked:
        """Wait until more than `size` entries are signed, or the time is over; return what is signed."""
        with self._changed:
            self._changed.wait_for(lambda: self._signed.size > size or self.failure is not None, seconds)
        return self._signed

    def run(self, stop: threading.Event, *, interval: float = 0.2) -> None:
        """Integrate what arrives until `stop` is set, at most once in `interval` seconds; the body of a thread.

        Raises the FatalError that ended the log, or FrozenError.
        """
        while not stop.is_set():
            if self.wait_for_entries(0.5):
                self.integrate()
                stop.wait(interval)
            self._require_usable()

    def close(self) -> None:
        """Commit what is queued; the log may be opened again afterwards."""
        self._commits.close()

    def _require_usable(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self._frozen is not None:
            raise FrozenError(
                f"the log is frozen: {self._frozen}",
                where=self.origin,
                remedy="look at the alarms, tell the log's witnesses, and start a new origin that links to this one",
            )

    def _pending(self, start: int) -> list[bytes]:
        entries: list[bytes] = []
        size = 0
        for batch in self._sequence.pending(start, _INTEGRATE_ENTRIES):
            entries += batch
            size += sum(map(len, batch))
            if size > _INTEGRATE_BYTES:
                self._arrived.set()
                break
        if len(entries) >= _INTEGRATE_ENTRIES:
            self._arrived.set()
        return entries

    def _extend(self, old: Locked, entries: list[bytes]) -> None:
        if not entries:
            return
        for file in self._writer.extend(entries):
            self.store.create(file.path, file.data)
        self.store.sync()
        checkpoint = Checkpoint(self.origin, self._writer.size, self._writer.root())
        note = sign_checkpoint(checkpoint, self.signer)
        new = Locked(checkpoint.size, checkpoint.root, note.to_bytes())
        self._lock.swap(self.origin, old, new)
        with self._changed:
            self._signed = new
            self._changed.notify_all()
        self._sequence.integrated(new.size)
