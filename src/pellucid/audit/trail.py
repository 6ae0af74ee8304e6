"""The audit log of one node: events in, durable before anybody goes on; what is recorded about an account out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import TimeoutError as TookTooLongError
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from pellucid.audit.details import require_allowed
from pellucid.audit.events import Entry, Event, EventType
from pellucid.audit.index import EventIndex
from pellucid.errors import PellucidError, UnavailableError
from pellucid.storage.failures import StorageError, fatal_io
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.note import NoteSigner
from pellucid.tlog.reader import TreeView
from pellucid.tlog.recovery import read_published
from pellucid.tlog.sequencer import Log

LOG_FOLDER = "audit"
LOCK_FILE = "audit.db"
INDEX_FILE = "audit-index.db"
_RECORD_WITHIN = 30.0
_READ_AT_ONCE = 1024
_NO_INDEX = 2**62


class NotRecordedError(UnavailableError):
    """An event could not be made durable; what it would have been the record of must not happen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event and where it stands in the audit log."""

    index: int
    entry: Entry

    @property
    def event(self) -> Event:
        """What is recorded."""
        return self.entry.event


class Trail:
    """An audit log in `audit/`, `audit.db` and `audit-index.db` of a folder; safe between threads of one process.

    Nothing here publishes: `log` is what a publisher and a sequencing thread work on.
    """

    def __init__(self, folder: Path, log: Log, sequence: SqliteSequence) -> None:
        """See `open`."""
        self.folder = folder
        self.log = log
        self._sequence = sequence
        self._opening = Lock()
        self._opened: EventIndex | None = None
        self._view: TreeView | None = None

    @classmethod
    def open(cls, folder: Path, signer: NoteSigner) -> Self:
        """Open the audit log of a folder whose origin is the signer's name; make it at the first time.

        RecoveryError (fatal, with the remedy) if what is there does not fit together.
        """
        _close_to_others(folder)
        store = FileObjects(folder / LOG_FOLDER)
        sequence = SqliteSequence(folder / LOCK_FILE)
        if sequence.load(signer.name) is None:
            return cls(folder, Log.create(store, sequence, sequence, signer), sequence)
        return cls(folder, Log.open(store, sequence, sequence, signer), sequence)

    @property
    def size(self) -> int:
        """The number of events that are durable."""
        return self._sequence.next_index()

    @property
    def problem(self) -> str | None:
        """Return why nothing can be recorded any more, None while it can."""
        return str(self.log.failure) if self.log.failure is not None else self.log.frozen

    def record(self, event: Event) -> int:
        """Make an event durable and return its index; many threads share one sync of the disk.

        DetailError or InputError for an event that is not allowed, NotRecordedError if it is not durable.
        """
        event = event.checked()
        require_allowed(event)
        try:
            return self.log.submit(Entry.of(event).to_bytes()).result(_RECORD_WITHIN)[0].index
        except (PellucidError, TookTooLongError) as error:
            why = error.what if isinstance(error, PellucidError) else "the disk does not answer"
            raise NotRecordedError(
                f"it could not be recorded, so it was not done: {why}",
                remedy=(error.remedy if isinstance(error, PellucidError) else None) or "try again later",
            ) from error

    def events(
        self,
        *,
        account: str | None = None,
        types: Sequence[EventType] = (),
        before: int = _NO_INDEX,
        limit: int = 100,
    ) -> list[Recorded]:
        """Return the newest events below the index `before`, newest first: of one account and of these types, or all.

        What was just recorded is among them, though it may not be in the published tree yet.
        """
        places = self._index().entries(account=account, types=types, before=min(before, _NO_INDEX), limit=limit)
        return [Recorded(place, self._entries(place, 1)[0]) for place in places]

    def count(self, account: str) -> int:
        """Return in how many events an account stands."""
        return self._index().count(account)

    @property
    def published(self) -> SignedCheckpoint | None:
        """The published head with its cosignatures, None before the first."""
        return read_published(self.log.store, self.log.verifier)

    def tree(self) -> TreeView:
        """Return the tree that is signed now; what was read of it stays in memory until it grows."""
        signed = self.log.signed
        view = self._view
        if view is None or (view.size, view.root) != (signed.size, signed.root):
            view = self._view = self.log.view()
        return view

    def close(self) -> None:
        """Commit what is queued; the trail may be opened again afterwards."""
        self.log.close()
        self._sequence.close()
        if self._opened is not None:
            self._opened.close()

    def refresh(self) -> None:
        """Bring the index up to date, so that nobody waits for it later; UnavailableError if its disk fails."""
        self._index()

    def _index(self) -> EventIndex:
        try:
            with self._opening:
                if self._opened is None:
                    self._opened = EventIndex(self.folder / INDEX_FILE)
            self._opened.update(self.size, lambda start: [entry.event for entry in self._entries(start, _READ_AT_ONCE)])
        except StorageError as error:
            # The index is made of the log and may fail without it: what is recorded is none the less recorded.
            raise UnavailableError(error.what, where=error.where, remedy=error.remedy) from error
        return self._opened

    def _entries(self, start: int, limit: int) -> list[Entry]:
        """Return some entries that begin at `start`, at least one: from the tree, or those that wait to be in it."""
        data = self._raw(start, limit)
        return [Entry.parse(item, where=f"{LOG_FOLDER}, entry {start + at}") for at, item in enumerate(data)]

    def _raw(self, start: int, limit: int) -> list[bytes]:
        signed = self.log.signed.size
        if start >= signed:
            try:
                return next(iter(self._sequence.pending(start, limit)))[:limit]
            except StorageError:
                if self.log.signed.size == signed:
                    raise
        view = self.tree()
        return list(view.entries(start, min(start + limit, view.size)))


def _close_to_others(folder: Path) -> None:
    """Have the log and what goes with it readable for its owner alone, whoever may look into the home."""
    with fatal_io("cannot keep the audit log from others", str(folder)):
        (folder / LOG_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LOG_FOLDER).chmod(0o700)
        for name in (LOCK_FILE, INDEX_FILE):
            (folder / name).touch(mode=0o600)  # what SQLite keeps beside a file has the mode of that file
            (folder / name).chmod(0o600)
