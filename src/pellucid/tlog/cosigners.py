"""The port through which a log asks others to cosign, and asking many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.note import NoteSignature


@dataclass(frozen=True, slots=True)
class CosignRequest:
    """A signed checkpoint, and `proof`, which gives the consistency proof from any smaller size to it."""

    signed: SignedCheckpoint
    proof: Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class CosignResult:
    """What one cosigner answered: signature lines that hold, else the `problem`.

    `contradiction` is a checkpoint note with our own log's valid signature that the cosigner holds against us.
    """

    name: str
    operator: str
    signatures: tuple[NoteSignature, ...] = ()
    problem: str | None = None
    contradiction: bytes | None = None


Enough = Callable[[Sequence[CosignResult]], bool]


class Cosigners(Protocol):
    """Asks everybody who may cosign a log, and returns one result for each, whatever happens."""

    def __call__(self, request: CosignRequest, enough: Enough) -> list[CosignResult]:
        """Ask all; once `enough` says so of the results there are, the rest may be given up soon."""


class CosignClient(Protocol):
    """One cosigner that can be asked; failures are in the result, not raised."""

    @property
    def name(self) -> str:
        """Return the cosigner's name."""

    @property
    def operator(self) -> str:
        """Return who operates it."""

    def cosign(self, request: CosignRequest) -> CosignResult:
        """Ask for a cosignature."""


class Parallel:
    """`Cosigners` that asks all clients at once.

    It waits `timeout` seconds at most, and `grace` seconds from when there is enough. A client that has not answered
    by then is reported so, and is not asked again before it has.
    """

    def __init__(self, clients: Sequence[CosignClient], *, timeout: float = 10.0, grace: float = 0.5) -> None:
        self.clients = tuple(clients)
        self._timeout = timeout
        self._grace = grace
        self._busy: dict[int, Future[CosignResult]] = {}
        self._pool = ThreadPoolExecutor(max(1, len(self.clients)), thread_name_prefix="cosign")

    def __call__(self, request: CosignRequest, enough: Enough) -> list[CosignResult]:
        """See `Cosigners`; from one thread at a time."""
        late = {number for number, future in self._busy.items() if not future.done()}
        asked = {
            number: self._pool.submit(client.cosign, request)
            for number, client in enumerate(self.clients)
            if number not in late
        }
        self._busy.update(asked)
        self._await(set(asked.values()), enough)
        return [self._result(number, asked.get(number)) for number in range(len(self.clients))]

    def close(self) -> None:
        """Stop asking; requests under way end by their own deadlines."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _await(self, waiting: set[Future[CosignResult]], enough: Enough) -> None:
        results: list[CosignResult] = []
        satisfied = enough(results)
        end = monotonic() + (self._grace if satisfied else self._timeout)
        while waiting and (left := end - monotonic()) > 0:
            done, waiting = wait(waiting, left, FIRST_COMPLETED)
            results += [future.result() for future in done if future.exception() is None]
            if not satisfied and enough(results):
                satisfied, end = True, min(end, monotonic() + self._grace)

    def _result(self, number: int, future: Future[CosignResult] | None) -> CosignResult:
        client = self.clients[number]
        if future is None:
            return CosignResult(client.name, client.operator, problem="still has not answered an earlier request")
        if not future.done():
            return CosignResult(client.name, client.operator, problem="has not answered in time")
        error = future.exception()
        if error is not None:
            return CosignResult(client.name, client.operator, problem=f"could not be asked: {error}")
        return future.result()
