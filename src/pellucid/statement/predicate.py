"""What kinds of predicates there are, as seen by code that must not know them one by one.

Each capability describes its own kinds in its `predicate.py`; the index and the verdict get them as a registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import msgspec

from pellucid.errors import InputError
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.intoto import Statement, StatementError
from pellucid.statement.moment import parse_time
from pellucid.statement.reference import Ref, subject_refs

# msgspec searches with `$`, which also matches before a final newline: a fixed length or `(?!\n)` closes that door.
Sha256 = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{64}$", min_length=64, max_length=64, description="SHA-256 in lowercase hexadecimal"
    ),
]
Sha1 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}$", min_length=40, max_length=40)]
Time = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        min_length=20,
        max_length=20,
        description="UTC, RFC 3339",
    ),
]
Identifier = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._+:~!@/-]*[A-Za-z0-9+])?$(?!\n)",
        min_length=1,
        max_length=100,
        description="a public identifier, never a person's name",
    ),
]
Word = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$(?!\n)", min_length=2, max_length=60, description="lowercase word"
    ),
]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Predicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The base of all predicate models: unknown fields are refused, absent optional ones are left out."""


class PredicateKind(msgspec.Struct, frozen=True):
    """One predicate type: its name for people, its URI, its model, and what it makes a look-up follow.

    `leads_to` gives the references that whoever asks about a subject must follow too (the source tree of a release, the
    base of a delta). `concerns` gives references under which the statement is found beside its subjects' digests.
    `spoken_by` are the roles of which its author needs one for it to count with anybody; none where every role may.
    """

    name: str
    uri: str
    model: type[Predicate]
    leads_to: Callable[[Statement, Any], Iterable[Ref]] = lambda _s, _p: ()
    concerns: Callable[[Statement, Any], Iterable[Ref]] = lambda _s, _p: ()
    check: Callable[[Statement, Any], None] = lambda _s, _p: None
    spoken_by: frozenset[str] = frozenset()


Registry = Mapping[str, PredicateKind]


class Parsed(msgspec.Struct, frozen=True):
    """A statement read by the registry: `predicate` is its model, or None for a type made elsewhere."""

    id: str
    envelope: Envelope
    statement: Statement
    kind: PredicateKind | None
    predicate: Any
    concerns: frozenset[Ref]
    leads_to: frozenset[Ref]


def parse_statement(envelope: Envelope, registry: Registry, *, where: str = "statement") -> Parsed:
    """Read the statement in `envelope`: own types strictly and in canonical form, others as they are.

    No signature is checked here. Raises StatementError.
    """
    if envelope.payload_type != IN_TOTO:
        raise StatementError(f"its payload type is not {IN_TOTO}", where=where)
    statement = Statement.parse(envelope.payload, where=where)
    concerns = subject_refs(statement.subjects)
    kind = registry.get(statement.predicate_type)
    if kind is None:
        return Parsed(envelope.id, envelope, statement, None, None, concerns, frozenset())
    if statement.payload() != envelope.payload:
        raise StatementError("its payload is not canonical JSON (RFC 8785)", where=where)
    model = read_predicate(statement, kind, where=where)
    concerns |= frozenset(kind.concerns(statement, model))
    return Parsed(envelope.id, envelope, statement, kind, model, concerns, frozenset(kind.leads_to(statement, model)))


def read_predicate(statement: Statement, kind: PredicateKind, *, where: str = "statement") -> Any:
    """Return the predicate as its model; raises StatementError naming the field."""
    try:
        model = msgspec.convert(statement.predicate, kind.model)
    except msgspec.ValidationError as error:
        raise StatementError(
            f"{kind.name}: {error}", where=where, remedy="see the predicate's page in the docs"
        ) from None
    kind.check(statement, model)
    return model


def make_statement(subjects: Iterable[Any], kind: PredicateKind, predicate: Predicate) -> Statement:
    """Put a predicate about `subjects` together, refusing what its own kind would refuse when it is read."""
    statement = Statement(tuple(subjects), kind.uri, msgspec.to_builtins(predicate))
    read_predicate(statement, kind)
    return statement


def require_times(**times: str | None) -> None:
    """Raise StatementError unless each of the times given is one: a pattern does not know that February ends."""
    for name, text in times.items():
        if text is not None:
            try:
                parse_time(text)
            except InputError as error:
                raise StatementError(f"`{name}`: {error.what}") from None


def registry_of(*kinds: PredicateKind) -> Registry:
    """Return the registry of `kinds` by their URI."""
    return {kind.uri: kind for kind in kinds}
