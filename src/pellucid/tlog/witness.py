"""A witness, C2SP tlog-witness: cosigns a log's checkpoint if its tree extends the last one it cosigned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pellucid.storage.alarms import Alarm, Alarms
from pellucid.storage.witness_state import Witnessed, WitnessState
from pellucid.tlog.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import cosign
from pellucid.tlog.errors import CheckpointError, MalformedNoteError, NoteError, ProofError
from pellucid.tlog.merkle import EMPTY_ROOT, verify_consistency
from pellucid.tlog.note import Note, NoteSigner, Verifier
from pellucid.tlog.witness_protocol import SIZE_TYPE, AddCheckpoint, WitnessStatus, encode_signatures, encode_size

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WitnessResponse:
    """The HTTP answer to `add-checkpoint`: status, content type, body."""

    status: int
    content_type: str
    body: bytes


class _RefusedError(Exception):
    """Carries an answer out of the transaction, which then stores nothing."""

    def __init__(self, response: WitnessResponse, alarm: Alarm | None = None) -> None:
        super().__init__(response.status)
        self.response = response
        self.alarm = alarm


class Witness:
    """Answers for the logs that `logs` knows, by origin; safe between threads and processes that share `state`.

    Its cosignature says only that it has seen no other tree of that log. Its times never go back. Contradictions that
    a log signed go to `alarms` and are not cosigned.
    """

    def __init__(
        self,
        state: WitnessState,
        signer: NoteSigner,
        logs: Callable[[str], Verifier | None],
        *,
        alarms: Alarms,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.signer = signer
        self._state = state
        self._logs = logs
        self._alarms = alarms
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> WitnessResponse:
        """Answer one request; what is answered with 200 is durable. StorageError if the disk fails."""
        try:
            request, signed = self._open(body)
            held = self._state.advance(signed.checkpoint.origin, lambda held: self._step(request, signed, held))
        except _RefusedError as refused:
            if refused.alarm is not None:
                self._alarms(refused.alarm)
            return refused.response
        own = [line for line in Note.parse(held.note).signatures if self.signer.verifier.owns(line)]
        return WitnessResponse(WitnessStatus.COSIGNED, TEXT, encode_signatures(own))

    def latest(self, origin_hash: str) -> bytes | None:
        """Return the newest checkpoint cosigned of the log whose origin has this SHA-256 in hex, as it is served.

        It carries the log's signature and the witness's cosignature.
        """
        known = self._state.known_by_hash(origin_hash)
        return None if known is None else known.note

    def _open(self, body: bytes) -> tuple[AddCheckpoint, SignedCheckpoint]:
        try:
            request = AddCheckpoint.parse(body)
            checkpoint = Checkpoint.parse(request.note.text)
        except (MalformedNoteError, CheckpointError) as error:
            raise _refused(WitnessStatus.MALFORMED, str(error)) from error
        log = self._logs(checkpoint.origin)
        if log is None:
            raise _refused(WitnessStatus.UNKNOWN_ORIGIN, "this log is not witnessed here")
        try:
            open_checkpoint(request.note, log)
        except NoteError as error:
            raise _refused(WitnessStatus.UNTRUSTED, str(error)) from error
        if request.old_size > checkpoint.size:
            raise _refused(WitnessStatus.MALFORMED, "the old size is above the checkpoint's")
        # Lines of strangers are not ours to store: anybody may have added them.
        by_log = tuple(line for line in request.note.signatures if log.owns(line))
        return request, SignedCheckpoint(checkpoint, Note(request.note.text, by_log))

    def _step(self, request: AddCheckpoint, signed: SignedCheckpoint, held: Witnessed | None) -> Witnessed:
        """Return what to store for a request that may be cosigned; runs alone, between reading and writing."""
        new = signed.checkpoint
        size, root = (held.size, held.root) if held is not None else (0, EMPTY_ROOT)
        different = new.size == size and new.root != root
        if request.old_size != size:
            alarm = _alarm(f"two trees of {size} entries", signed, held, proven=True) if different else None
            raise _RefusedError(WitnessResponse(WitnessStatus.CONFLICT, SIZE_TYPE, encode_size(size)), alarm)
        try:
            verify_consistency(size, root, new.size, new.root, request.proof)
        except ProofError as error:
            alarm = _alarm(str(error), signed, held, proven=different)
            raise _refused(WitnessStatus.INCONSISTENT, str(error), alarm) from error
        timestamp = max(int(self._clock()), held.timestamp if held is not None else 1)
        note = signed.note.with_signatures([cosign(signed.note, self.signer, timestamp)])
        return Witnessed(new.size, new.root, timestamp, note.to_bytes())


def _alarm(why: str, signed: SignedCheckpoint, held: Witnessed | None, *, proven: bool) -> Alarm:
    before = held.note.decode() if held is not None else ""
    return Alarm(signed.checkpoint.origin, why, proven, before, signed.to_bytes().decode())


def _refused(status: WitnessStatus, why: str, alarm: Alarm | None = None) -> _RefusedError:
    return _RefusedError(WitnessResponse(status, TEXT, f"{why}\n".encode()), alarm)
