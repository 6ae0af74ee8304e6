"""Reading an audit log as it lies in a home, beside a node that runs or without one; nothing is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path

from pellucid.audit.events import Entry, EventType
from pellucid.audit.proof import MOST_EVENTS, AccountProof, make_proof
from pellucid.audit.trail import LOCK_FILE, LOG_FOLDER, Recorded
from pellucid.errors import InputError, UnavailableError
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import read_lock
from pellucid.tlog.note import Verifier
from pellucid.tlog.reader import FileTiles, TreeView
from pellucid.tlog.recovery import read_published


class SignedTrail:
    """The audit log of a folder up to what is signed; what was recorded a moment ago is not in it yet."""

    def __init__(self, folder: Path, log: Verifier) -> None:
        """Read the lock; InputError if there is no audit log of this key."""
        self._store = FileObjects(folder / LOG_FOLDER)
        self._log = log
        locked = read_lock(folder / LOCK_FILE, log.name)
        if locked is None:
            raise InputError(
                "has no audit log yet", where=str(folder), remedy="it is made when the node starts for the first time"
            )
        self.size = locked.size
        self._view = TreeView(FileTiles(self._store), locked.size, locked.root)

    def events(self, *, account: str | None = None, types: Collection[EventType] = (), last: int) -> list[Recorded]:
        """Return the newest events, newest first: of one account and of these types, or all; reads the whole log."""
        wanted = (
            item
            for item in self._all(0, self.size)
            if (account is None or account in item.event.concerns) and (not types or item.event.type in types)
        )
        return list(reversed(deque(wanted, last)))

    def proof(self, account: str) -> AccountProof:
        """Return the proof of the newest 2,000 events of an account in the published head.

        UnavailableError before the first publication.
        """
        head = read_published(self._store, self._log)
        if head is None:
            raise UnavailableError(
                "the audit log has no published head yet", remedy="try again once enough others have cosigned it"
            )
        covered = (item for item in self._all(0, head.checkpoint.size) if account in item.event.concerns)
        found = list(reversed(deque(covered, MOST_EVENTS + 1)))
        given = found[:MOST_EVENTS]
        since = given[-1].index if len(found) > MOST_EVENTS else 0
        return make_proof(account, given, since, head, self._view.read)

    def _all(self, start: int, stop: int) -> Iterator[Recorded]:
        for index, data in enumerate(self._view.entries(start, stop), start):
            yield Recorded(index, Entry.parse(data, where=f"{LOG_FOLDER}, entry {index}"))
