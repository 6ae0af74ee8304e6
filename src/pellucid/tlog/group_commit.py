"""Group commit: what queued while the last commit ran goes into the next one, so the disk sets the pace."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from pellucid.errors import FatalError, UnavailableError
from pellucid.storage.failures import RESTART
from pellucid.storage.sequence import NewEntry, Sequenced, SequenceStore

_BATCH_ENTRIES = 8192
_BATCH_BYTES = 32 << 20
_QUEUE_ENTRIES = 65_536
_QUEUE_BYTES = 256 << 20


class GroupCommit:
    """A thread that appends queued entries to a sequence, one durable transaction at a time.

    The first failure ends it: the entries of that batch and all later ones get the same FatalError.
    """

    def __init__(self, sequence: SequenceStore) -> None:
        self._sequence = sequence
        self._wake = threading.Condition()
        self._queue: list[tuple[Sequence[NewEntry], Future[list[Sequenced]]]] = []
        self._entries = 0
        self._bytes = 0
        self._closed = False
        self._failure: FatalError | None = None
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> FatalError | None:
        """Return what ended the thread, None while it works."""
        return self._failure

    def submit(self, entries: Sequence[NewEntry]) -> Future[list[Sequenced]]:
        """Queue entries that belong together; the future is done when they are durable.

        UnavailableError, and nothing queued, if too much is waiting already.
        """
        size = sum(len(entry.data) for entry in entries)
        future: Future[list[Sequenced]] = Future()
        with self._wake:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise UnavailableError("the log is shutting down", remedy="submit again after the restart")
            if self._queue and (self._entries + len(entries) > _QUEUE_ENTRIES or self._bytes + size > _QUEUE_BYTES):
                raise UnavailableError("too many entries are waiting for the disk", remedy="submit again in a second")
            self._queue.append((entries, future))
            self._entries += len(entries)
            self._bytes += size
            self._wake.notify()
        return future

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            futures = [future for _, future in batch]
            try:
                answers = self._sequence.append([entry for entries, _ in batch for entry in entries])
            except UnavailableError as error:
                _refuse(futures, error)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is on disk is unknown now
                self._fail(error, futures)
                return
            else:
                start = 0
                for entries, future in batch:
                    future.set_result(answers[start : start + len(entries)])
                    start += len(entries)

    def _take(self) -> list[tuple[Sequence[NewEntry], Future[list[Sequenced]]]] | None:
        """Wait for work; return about one transaction's worth, None when closed and empty."""
        with self._wake:
            while not self._queue and not self._closed:
                self._wake.wait()
            taken, entries, size = 0, 0, 0
            for group, _ in self._queue:
                if taken and (entries >= _BATCH_ENTRIES or size >= _BATCH_BYTES):
                    break
                taken, entries = taken + 1, entries + len(group)
                size += sum(len(entry.data) for entry in group)
            batch, self._queue = self._queue[:taken], self._queue[taken:]
            self._entries -= entries
            self._bytes -= size
            return [item for item in batch if item[1].set_running_or_notify_cancel()] if batch else None

    def _fail(self, error: Exception, futures: list[Future[list[Sequenced]]]) -> None:
        failure = error if isinstance(error, FatalError) else FatalError(f"append failed: {error}", remedy=RESTART)
        with self._wake:
            self._failure = failure
            futures += [future for _, future in self._queue if future.set_running_or_notify_cancel()]
            self._queue = []
        _refuse(futures, failure)


def _refuse(futures: list[Future[list[Sequenced]]], error: Exception) -> None:
    for future in futures:
        future.set_exception(error)
