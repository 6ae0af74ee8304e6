"""What the index keeps of one log entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pellucid.errors import PellucidError
from pellucid.record.index_schema import CONCERN, LEADS_TO, SUBJECT, UNFIT
from pellucid.record.roster import PartyWord, word_of
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.predicate import Parsed, Registry, parse_statement
from pellucid.statement.reference import release_ref, subject_refs
from pellucid.statement.types import RELEASE


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a release statement claims: product, version, and for each artifact its place in the world and digest."""

    product: str
    version: str
    artifacts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Projected:
    """One entry that holds a statement; `problem` says in one line why it does not fit its own type."""

    envelope: Envelope
    statement: Statement
    kind: str | None
    problem: str | None
    references: frozenset[tuple[str, int]]
    party: PartyWord | None = None
    shipped: Shipped | None = None


def project(entry: bytes, registry: Registry) -> Projected | None:
    """Read a log entry; None if it holds no statement at all."""
    try:
        envelope = Envelope.parse(entry, where="entry")
        statement = Statement.parse(envelope.payload, where="entry")
    except PellucidError:
        return None
    kind = registry.get(statement.predicate_type)
    name = None if kind is None else kind.name
    try:
        parsed = parse_statement(envelope, registry, where="entry")
    except PellucidError as error:
        unfit = frozenset((ref, UNFIT) for ref in subject_refs(statement.subjects))
        return Projected(envelope, statement, name, " ".join(error.what.split())[:300], unfit)
    word = word_of(parsed, frozenset())
    party = word if isinstance(word, PartyWord) else None
    return Projected(envelope, statement, name, None, _references(parsed), party, _shipped(statement))


def _references(parsed: Parsed) -> frozenset[tuple[str, int]]:
    subjects = subject_refs(parsed.statement.subjects)
    found = {(ref, SUBJECT) for ref in subjects}
    found |= {(ref, CONCERN) for ref in parsed.concerns - subjects}
    return frozenset(found | {(ref, LEADS_TO) for ref in parsed.leads_to})


def _shipped(statement: Statement) -> Shipped | None:
    if statement.predicate_type != RELEASE:
        return None
    release: Mapping[str, Any] = statement.predicate
    product, version = str(release["product"]), str(release["version"])
    places = tuple(
        (release_ref(product, version, subject.name or ""), subject.digest["sha256"]) for subject in statement.subjects
    )
    return Shipped(product, version, places)
