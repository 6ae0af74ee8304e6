"""Asking one witness to cosign, C2SP tlog-witness, as somebody who does not trust it either."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pellucid.errors import EvidenceError, PellucidError
from pellucid.tlog.checkpoint import open_checkpoint, origin_hash
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.cosigners import CosignRequest, CosignResult
from pellucid.tlog.note import MAX_NOTE, Note, NoteSignature, Verifier
from pellucid.tlog.web import Reply, WebClient
from pellucid.tlog.witness_protocol import AddCheckpoint, WitnessStatus, decode_signatures, decode_size

_MOST_ATTEMPTS = 3
_MOST_SAID = 200


class WitnessClient:
    """A `CosignClient` for the witness served at `url`, which signs with one of `verifiers`.

    It remembers the size that the witness has seen and learns it anew when the witness disagrees. A witness that
    holds something against the log must show it with the log's own signature; otherwise it is reported, not obeyed.
    `log` is the verifier of the log that is to be cosigned.
    """

    def __init__(
        self,
        name: str,
        operator: str,
        region: str,
        verifiers: Sequence[Verifier],
        url: str,
        *,
        log: Verifier,
        timeout: float = 5.0,
        deadline: float = 15.0,
    ) -> None:
        self.name = name
        self.operator = operator
        self.region = region
        self.verifiers = tuple(verifiers)
        self.log = log
        self._web = WebClient(url, timeout=timeout, deadline=deadline)
        self._mutex = threading.Lock()
        self._old_size = 0

    def cosign(self, request: CosignRequest) -> CosignResult:
        """Ask for a cosignature of the checkpoint; every failure is told in the result."""
        with self._mutex:
            try:
                return self._ask(request)
            except PellucidError as error:
                return self._problem(str(error))

    def _ask(self, request: CosignRequest) -> CosignResult:
        size = request.signed.checkpoint.size
        old_size = min(self._old_size, size)
        for _ in range(_MOST_ATTEMPTS):
            body = AddCheckpoint(old_size, tuple(request.proof(old_size)), request.signed.note).to_bytes()
            reply = self._web.post("add-checkpoint", body, limit=MAX_NOTE)
            if reply.status == WitnessStatus.COSIGNED:
                lines = self._checked(request.signed.note, reply.body)
                self._old_size = size
                return CosignResult(self.name, self.operator, lines)
            if reply.status == WitnessStatus.INCONSISTENT:
                return self._dispute("says that the tree does not extend what it has seen")
            if reply.status != WitnessStatus.CONFLICT:
                return self._problem(f"answered {reply.status}: {_said(reply)}")
            held = decode_size(reply.body)
            if held > size:
                return self._dispute(f"says that it has seen {held} entries, {size} are signed")
            if held == old_size:
                return self._dispute(f"says that it has seen another tree of {held} entries")
            self._old_size = old_size = held
        return self._problem("names another size each time it is asked")

    def _checked(self, note: Note, body: bytes) -> tuple[NoteSignature, ...]:
        """Return the lines of the answer that are by this witness and hold; EvidenceError if there is none."""
        lines = [line for line in decode_signatures(body) if any(key.owns(line) for key in self.verifiers)]
        if not cosignatures(Note(note.text, tuple(lines)), self.verifiers):
            raise EvidenceError("answered without a cosignature by its known key")
        return tuple(lines)

    def _dispute(self, claim: str) -> CosignResult:
        path = f"witness/{origin_hash(self.log.name)}/checkpoint"
        reply = self._web.get(path, limit=MAX_NOTE)
        if reply.status != 200:
            return self._problem(f"{claim}, but does not show it (status {reply.status})")
        try:
            open_checkpoint(reply.body, self.log)
        except EvidenceError as error:
            return self._problem(f"{claim}, but what it shows is not signed by this log: {error}")
        return CosignResult(self.name, self.operator, problem=claim, contradiction=reply.body)

    def _problem(self, problem: str) -> CosignResult:
        return CosignResult(self.name, self.operator, problem=problem)

    def close(self) -> None:
        """Drop the connection."""
        self._web.close()


def _said(reply: Reply) -> str:
    text = reply.body[:_MOST_SAID].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text).strip() or "nothing more"
