"""Taking statements in: judged, made durable, answered with a signed receipt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from pellucid.errors import UnavailableError
from pellucid.record.accept import Acceptance, Accepted, Refused
from pellucid.record.predicate import RECEIPT, Outcome, Receipt
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Subject
from pellucid.statement.keys import SecretKey
from pellucid.statement.moment import format_time
from pellucid.statement.predicate import make_statement
from pellucid.storage.sequence import Sequenced
from pellucid.trust.predicate import statement_subject

_DURABLE_WITHIN = 60.0


class Appender(Protocol):
    """A log's door for one entry; the future gives a list of its one place when it is durable."""

    def submit(self, entry: bytes, key: bytes | None = None) -> Future[list[Sequenced]]: ...


class Recorder:
    """Judges submissions and appends what is accepted; receipts are signed by the node key. Safe between threads."""

    def __init__(
        self,
        acceptance: Acceptance,
        log: Appender,
        *,
        origin: str,
        node_key: SecretKey,
        clock: Callable[[], float],
        due_within: Callable[[], int],
        accepted: Callable[[Accepted], None] = lambda _accepted: None,
    ) -> None:
        self._acceptance = acceptance
        self._log = log
        self._origin = origin
        self._node_key = node_key
        self._clock = clock
        self._due_within = due_within
        self._accepted = accepted

    def submit(self, data: bytes) -> Envelope:
        """Return the receipt for `data` (an envelope's JSON): accepted and durable, or refused with the reason.

        The same statement by the same parties gets the index it has, in a fresh receipt. UnavailableError if the log
        takes no entries now.
        """
        received = int(self._clock())
        judged = self._acceptance.judge(data, received)
        if isinstance(judged, Refused):
            return self._sign(
                Subject({"sha256": judged.subject}, "submission"),
                Receipt(
                    outcome=Outcome.REFUSED, log=self._origin, received=format_time(received), reason=judged.reason
                ),
            )
        index = self._append(judged)
        self._accepted(judged)
        return self._sign(
            statement_subject(judged.subject),
            Receipt(
                outcome=Outcome.ACCEPTED,
                log=self._origin,
                received=format_time(received),
                index=index,
                due=format_time(received + self._due_within()),
            ),
        )

    def _append(self, accepted: Accepted) -> int:
        try:
            return self._log.submit(accepted.entry, accepted.key).result(_DURABLE_WITHIN)[0].index
        except TimeoutError:
            raise UnavailableError(
                f"the log did not make the statement durable within {_DURABLE_WITHIN:.0f} s",
                remedy="submit it again: if it was logged, it keeps its index",
            ) from None

    def _sign(self, subject: Subject, receipt: Receipt) -> Envelope:
        return sign_payload(IN_TOTO, make_statement((subject,), RECEIPT, receipt).payload(), self._node_key)
