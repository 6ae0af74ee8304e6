"""Asking nodes what a log says about some references, and believing only what their answers prove."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pellucid.errors import EvidenceError, UnavailableError
from pellucid.record.predicate import COMPLETENESS, Completeness
from pellucid.record.sources import LogAtHand, Nodes, Tell
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.predicate import Parsed, Registry, parse_statement, read_predicate
from pellucid.statement.reference import Ref
from pellucid.trust.policy import PolicyNode

_POLL = 0.25
_AT_ONCE = 32


class WrongAnswerError(EvidenceError):
    """A node's signed answer is about something else, or contradicts the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A node's signed word on one log, and the statements it lists as the log's tiles have them."""

    log: str
    by: PolicyNode
    envelope: Envelope
    statements: tuple[tuple[int, Parsed], ...]


class _Tally:
    """Which operators have answered for which log, so that nobody is waited for once there are enough."""

    def __init__(self, logs: Iterable[LogAtHand], required: int) -> None:
        self._required = required
        self._operators: dict[str, set[str]] = {log.origin: set() for log in logs}

    def count(self, answer: Answer) -> None:
        """Count an answer."""
        self._operators[answer.log].add(answer.by.operator)

    def is_enough(self, log: LogAtHand) -> bool:
        """Tell whether as many operators have answered for a log as are required."""
        return len(self._operators[log.origin]) >= self._required


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the nodes of a policy.

    A mirror may take `wait` seconds to catch up with a head; once `required` operators have answered for a log, the
    others are waited for `grace` seconds only.
    """

    nodes: Nodes
    registry: Registry
    tell: Tell
    wait: float = 30.0
    grace: float = 3.0
    required: int = 1
    clock: Callable[[], float] = time.monotonic
    _silent: set[str] = field(default_factory=set)

    def explore(self, log: LogAtHand, refs: frozenset[Ref]) -> Answer | None:
        """Ask about `refs` whoever answers first: the log's own node, then others; None if nobody does."""
        own = [node for node in self.nodes.all() if node.name == log.held.node.name]
        for node in sorted([*own, *self.nodes.answering(log.held)], key=lambda node: node.name in self._silent):
            try:
                return self.ask(log, node, refs)
            except (UnavailableError, EvidenceError) as error:
                self._silent.add(node.name)
                self.tell(f"{node.name} says nothing on {log.origin}: {error}")
        return None

    def ask_all(self, logs: Iterable[LogAtHand], refs: frozenset[Ref]) -> list[Answer]:
        """Ask every mirror of every log about `refs`; who does not answer, or not truly, is told and left out."""
        logs = list(logs)
        begun, tally = self.clock(), _Tally(logs, self.required)
        pairs = [(log, node) for log in logs for node in self.nodes.answering(log.held)]
        with ThreadPoolExecutor(max_workers=max(1, min(_AT_ONCE, len(pairs)))) as pool:
            found = list(pool.map(lambda pair: self._ask_patiently(pair[0], pair[1], refs, begun, tally), pairs))
        return [answer for answer in found if answer is not None]

    def ask(self, log: LogAtHand, node: PolicyNode, refs: frozenset[Ref]) -> Answer:
        """Ask one node; WrongAnswerError if what it signs is not about this, or not so."""
        reply = self.nodes.client(node).lookup(log.origin, log.size, refs)
        signed = self._read(log, node, reply.completeness, refs)
        statements = tuple((item.index, self._statement(log, item.index, item.id, refs)) for item in signed.statements)
        return Answer(log.origin, node, reply.completeness, statements)

    def _ask_patiently(
        self, log: LogAtHand, node: PolicyNode, refs: frozenset[Ref], begun: float, tally: _Tally
    ) -> Answer | None:
        told = False
        while True:
            try:
                answer = self.ask(log, node, refs)
            except EvidenceError as error:
                self.tell(f"{node.name}'s answer on {log.origin} is left out: {error}")
                return None
            except UnavailableError as error:
                if self.clock() >= begun + (min(self.grace, self.wait) if tally.is_enough(log) else self.wait):
                    self.tell(f"{node.name} does not answer for {log.origin}: {error}")
                    return None
                if not told:
                    self.tell(f"waiting for {node.name} to answer for the {log.size} entries of {log.origin}")
                told = True
                time.sleep(_POLL)
            else:
                tally.count(answer)
                return answer

    def _read(self, log: LogAtHand, node: PolicyNode, envelope: Envelope, refs: frozenset[Ref]) -> Completeness:
        where = f"{node.name}'s answer on {log.origin}"
        signer, key = self.nodes.keyring.lookups.get(envelope.signatures[0].keyid, (None, None))
        if key is None or signer != node or len(envelope.signatures) > 1 or not envelope.verified_by(key):
            raise WrongAnswerError("not signed by the look-up key that the policy has", where=where)
        statement = Statement.parse(envelope.payload, where=where)
        if envelope.payload_type != IN_TOTO or statement.predicate_type != COMPLETENESS.uri:
            raise WrongAnswerError("no completeness answer", where=where)
        signed: Completeness = read_predicate(statement, COMPLETENESS, where=where)
        head = log.head.checkpoint
        if (signed.log, signed.size, signed.root) != (log.origin, head.size, head.root.hex()):
            raise WrongAnswerError("about another tree than the one asked about", where=where)
        if not refs <= frozenset(signed.refs):
            raise WrongAnswerError("about less than was asked", where=where)
        return signed

    def _statement(self, log: LogAtHand, index: int, statement_id: str, refs: frozenset[Ref]) -> Parsed:
        where = f"{log.origin}, entry {index}"
        if index >= log.size:
            raise WrongAnswerError(f"it lists entry {index} of {log.size}", where=where)
        entry = log.reader.entry(index)
        envelope = Envelope.parse(entry, where=where)
        if envelope.id != statement_id or envelope.to_bytes() != entry:
            raise WrongAnswerError("it lists a statement that does not stand there", where=where)
        parsed = parse_statement(envelope, self.registry, where=where)
        if not parsed.concerns & refs:
            raise WrongAnswerError("it lists a statement about something else", where=where)
        return parsed
