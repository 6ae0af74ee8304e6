"""Was anything left out of the pack? What mirrors signed about it, held against what the pack shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pellucid.statement import types
from pellucid.statement.dsse import Envelope
from pellucid.statement.predicate import Registry, parse_statement
from pellucid.statement.reference import Ref
from pellucid.trust.closure import closure
from pellucid.trust.evidence import Evidence
from pellucid.trust.keyring import Keyring
from pellucid.trust.pack import Pack, PackError
from pellucid.trust.policy import PolicyNode


class Answer(msgspec.Struct, frozen=True):
    """One mirror's signed word on one log; `is_timely` if the policy believes its key when the log was seen so."""

    node: PolicyNode
    log: str
    refs: frozenset[Ref]
    statements: Mapping[int, str]
    is_timely: bool


class LogCompleteness(msgspec.Struct, frozen=True):
    """Which mirrors say that the pack leaves out nothing of a log, and what they say it leaves out."""

    log: str
    size: int
    answered_by: tuple[PolicyNode, ...]
    withheld: tuple[tuple[int, str], ...]

    def operators(self) -> frozenset[str]:
        """Return the distinct operators that answered."""
        return frozenset(node.operator for node in self.answered_by)


def judge_completeness(
    pack: Pack, evidence: Evidence, keyring: Keyring, kinds: Registry, start: Ref
) -> Sequence[LogCompleteness]:
    """Return, log by log, what independent mirrors' answers say; an answer about too little counts for nothing."""
    asked = closure(start, ((t.parsed, t.signers | t.claimed) for t in evidence.testimonies))
    answers = [_read(envelope, evidence, keyring, kinds) for envelope in pack.completeness]
    found = []
    for origin, log in evidence.logs.items():
        own = keyring.logs[origin].node.operator
        about = [a for a in answers if a.log == origin and a.node.operator != own and a.refs >= asked and a.is_timely]
        withheld = {
            item for a in about for item in a.statements.items() if evidence.entries.get((origin, item[0])) is None
        }
        full = tuple(a.node for a in about if _lists_all(a, evidence, origin))
        found.append(LogCompleteness(origin, log.head.checkpoint.size, full, tuple(sorted(withheld))))
    return found


def _lists_all(answer: Answer, evidence: Evidence, origin: str) -> bool:
    """Tell whether the answer names every entry of the pack that it was asked about; else the mirror leaves out."""
    shown = set(_concerned(answer, evidence, origin))
    return shown <= set(answer.statements.items())


def _concerned(answer: Answer, evidence: Evidence, origin: str) -> Iterator[tuple[int, str]]:
    for testimony in evidence.testimonies:
        if testimony.parsed.concerns & answer.refs:
            yield from ((place.index, testimony.id) for place in testimony.places if place.log == origin)


def _read(value: Mapping[str, object], evidence: Evidence, keyring: Keyring, kinds: Registry) -> Answer:
    envelope = Envelope.from_json(value, where="completeness answer")
    parsed = parse_statement(envelope, kinds, where="completeness answer")
    if parsed.statement.predicate_type != types.COMPLETENESS or parsed.predicate is None:
        raise PackError("not a completeness answer", where="completeness")
    signer, key = keyring.lookups.get(envelope.signatures[0].keyid, (None, None))
    if signer is None or key is None or len(envelope.signatures) > 1 or not envelope.verified_by(key):
        raise PackError("no look-up key of the policy signed it, alone", where="completeness answer")
    answer = parsed.predicate
    log = evidence.logs.get(answer.log)
    if log is None or (answer.size, answer.root) != (log.head.checkpoint.size, log.head.checkpoint.root.hex()):
        raise PackError("it speaks of another tree than the head in the pack", where=f"completeness of {answer.log}")
    listed = {item.index: item.id for item in answer.statements}
    timely = keyring.answers_at(key.id, log.seen_at)
    return Answer(signer, answer.log, frozenset(answer.refs), listed, timely)
