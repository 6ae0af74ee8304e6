"""Publishing what a log has signed, once enough independent operators have cosigned it, and never before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pellucid.errors import EvidenceError
from pellucid.storage.alarms import Alarm, Alarms
from pellucid.storage.failures import ConflictError
from pellucid.storage.sequence import Locked
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.cosigners import Cosigners, CosignRequest, CosignResult, Enough
from pellucid.tlog.listing import clear_superseded, kept_path, last_kept_size
from pellucid.tlog.merkle import consistency_proof
from pellucid.tlog.note import MAX_NOTE, Note
from pellucid.tlog.quorum import Quorum, Standing
from pellucid.tlog.recovery import read_published
from pellucid.tlog.sequencer import FrozenError, Log


@dataclass(frozen=True, slots=True)
class Absent:
    """A cosigner that did not cosign, and why."""

    name: str
    operator: str
    why: str


@dataclass(frozen=True, slots=True)
class PublicationStatus:
    """How publication stands: sizes in entries, operators by name, `tried_at` in Unix seconds by this machine's clock.

    `wanting` says what the quorum still lacks; it is empty when the last attempt was published. `published_size` is
    None before the first publication.
    """

    signed_size: int
    published_size: int | None
    required: int
    cosigned_by: tuple[str, ...]
    missing: tuple[Absent, ...]
    wanting: tuple[str, ...]
    frozen: str | None
    tried_at: int

    @property
    def behind(self) -> bool:
        """Return whether something signed is not published."""
        return self.published_size is None or self.published_size < self.signed_size


class Publisher:
    """Publishes one log. `publish` from any thread; `run` is the body of a thread.

    `checkpoint` is replaced at every publication; `checkpoints/<size>`, written first, stays as it was when that size
    was first published. Below the quorum neither changes, and the newest signed checkpoint is tried again.
    """

    def __init__(
        self,
        log: Log,
        quorum: Quorum,
        cosigners: Cosigners,
        *,
        alarms: Alarms,
        clock: Callable[[], float] = time.time,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self.log = log
        self._quorum = quorum
        self._cosigners = cosigners
        self._alarms = alarms
        self._clock = clock
        self._before = before
        self._mutex = threading.Lock()
        self._reconfigured = threading.Event()
        self._news = threading.Condition()
        self._published = read_published(log.store, log.verifier)
        published_size = self._published.checkpoint.size if self._published else None
        self._cleared = last_kept_size(log.store, below=published_size or 0) or 0
        self._status = PublicationStatus(
            log.signed.size, published_size, quorum.required, (), (), ("not tried yet",), log.frozen, 0
        )

    @property
    def published(self) -> SignedCheckpoint | None:
        """Return what is published, with its cosignatures."""
        return self._published

    @property
    def status(self) -> PublicationStatus:
        """Return how the last attempt went."""
        return self._status

    def configure(self, quorum: Quorum, cosigners: Cosigners) -> None:
        """Use another quorum and other cosigners; `run` makes an attempt with them at once."""
        with self._mutex:
            self._quorum, self._cosigners = quorum, cosigners
        self._reconfigured.set()

    def publish(self, *, patient: bool = False) -> PublicationStatus:
        """Have the newest signed checkpoint cosigned and, if the quorum is met, publish it; return how that went.

        At a size that is published already it renews the cosignatures. StorageError if the disk fails, which ends the
        log. Contradictions that cosigners hold freeze it, and nothing is published then; `patient` waits for all of
        them, as a node should when it starts, before it signs anything new. `before` is called first: it may configure.
        """
        self._before()
        with self._mutex:
            if self.log.failure is not None:
                raise self.log.failure
            locked = self.log.signed
            signed = open_checkpoint(locked.note, self.log.verifier)
            view = self.log.view()
            request = CosignRequest(signed, lambda old: consistency_proof(old, locked.size, view.read))
            results = [] if self.log.frozen else self._cosigners(request, self._enough(signed, patient))
            results = [self._judge(result) for result in results]
            note, standing = self._weigh(signed, results)
            if standing.met and not self.log.frozen:
                self._release(locked, SignedCheckpoint(signed.checkpoint, note))
            self._status = self._describe(locked, standing, results)
        with self._news:
            self._news.notify_all()
        return self._status

    def wait_published(self, index: int, seconds: float) -> SignedCheckpoint | None:
        """Wait until a published checkpoint covers the entry; return it, or None if the time is over first."""
        with self._news:
            self._news.wait_for(lambda: self._covers(index), seconds)
        return self._published if self._covers(index) else None

    def run(self, stop: threading.Event, *, interval: float = 1.0, refresh: float = 600.0, retry: float = 5.0) -> None:
        """Publish until `stop` is set; the body of a thread. Times are in seconds.

        A new size is published at most once in `interval`, failed attempts are repeated after `retry`, and the same
        size is published anew, with fresh cosignatures, after `refresh`. Raises what ended the log, or FrozenError.
        """
        tried: float | None = None
        while not stop.is_set():
            behind = self._status.behind or self.log.signed.size > self._status.signed_size
            pause = retry if self._status.wanting else interval if behind else refresh
            if tried is None or time.monotonic() - tried >= pause or self._reconfigured.is_set():
                self._reconfigured.clear()
                self.publish()
                tried = time.monotonic()
            if self.log.failure is not None:
                raise self.log.failure
            if self.log.frozen is not None:
                raise FrozenError(f"the log is frozen: {self.log.frozen}", where=self.log.origin)
            if self._status.behind or self.log.signed.size > self._status.signed_size:
                stop.wait(min(interval, 0.25))
            else:
                self.log.wait_for_signed(self._status.signed_size, 0.25)

    def _covers(self, index: int) -> bool:
        return self._published is not None and self._published.checkpoint.size > index

    def _enough(self, signed: SignedCheckpoint, patient: bool) -> Enough:
        return lambda results: not patient and self._weigh(signed, results)[1].met

    def _weigh(self, signed: SignedCheckpoint, results: Sequence[CosignResult]) -> tuple[Note, Standing]:
        lines = [line for result in results for line in result.signatures]
        note = signed.note.with_signatures(lines)
        return note, self._quorum.standing(cosignatures(note, self._quorum.verifiers))

    def _judge(self, result: CosignResult) -> CosignResult:
        """Freeze the log if what a cosigner holds against it is true; otherwise say that the cosigner is at fault."""
        if result.contradiction is None:
            return result
        held = self.log.signed
        offered = open_checkpoint(result.contradiction, self.log.verifier).checkpoint
        try:
            larger = offered.size > held.size
            different = not larger and self.log.view().root_at(offered.size) != offered.root
        except EvidenceError as error:
            return CosignResult(
                result.name, result.operator, problem=f"cannot be answered, our own file is damaged: {error}"
            )
        if not larger and not different:
            problem = f"{result.problem}, but shows a tree of {offered.size} entries that this log extends"
            return CosignResult(result.name, result.operator, problem=problem)
        kind = "a larger tree than the lock knows" if larger else "another tree"
        why = f"{result.name} holds {kind}, of {offered.size} entries, signed by this log"
        proven = offered.size == held.size
        self._alarms(
            Alarm(self.log.origin, why, proven, held.note.decode(), result.contradiction.decode("utf-8", "replace"))
        )
        self.log.freeze(why)
        return result

    def _release(self, locked: Locked, published: SignedCheckpoint) -> None:
        store, size = self.log.store, locked.size
        previous = self._published.checkpoint.size if self._published else -1
        try:
            if size > previous:
                self._keep(published)
            store.replace("checkpoint", published.to_bytes())
            self._published = published
            if size > previous:
                clear_superseded(store, self._cleared, size)
                self._cleared = size
        except Exception as error:
            raise self.log.fail(error) from error

    def _keep(self, published: SignedCheckpoint) -> None:
        path = kept_path(published.checkpoint.size)
        earlier = self.log.store.fetch(path, MAX_NOTE)
        if earlier is None:
            self.log.store.replace(path, published.to_bytes())
            return
        # A crash came between keeping and publishing: the cosignatures of that first time stay.
        if open_checkpoint(earlier, self.log.verifier, where=path).checkpoint != published.checkpoint:
            raise ConflictError("another checkpoint is kept for this size", where=path, remedy="run `pellucid fsck`")

    def _describe(self, locked: Locked, standing: Standing, results: Sequence[CosignResult]) -> PublicationStatus:
        absent = [Absent(item.name, item.operator, item.problem) for item in results if item.problem is not None]
        answered = {item.name for item in results}
        absent += [
            Absent(item.verifier.name, item.operator, "is not asked: no address is known")
            for item in standing.missing
            if not any(item.operator == result.operator for result in results) and item.verifier.name not in answered
        ]
        return PublicationStatus(
            signed_size=locked.size,
            published_size=self._published.checkpoint.size if self._published else None,
            required=self._quorum.required,
            cosigned_by=standing.operators,
            missing=tuple(absent),
            wanting=standing.reasons,
            frozen=self.log.frozen,
            tried_at=int(self._clock()),
        )
