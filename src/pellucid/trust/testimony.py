"""What a verdict reasons about: statements whose place in a log, signers and time were checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pellucid.statement.predicate import Parsed, PredicateKind
from pellucid.statement.reference import Ref


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of one log; `logged_at` is an upper bound on when it was made, in seconds since 1970."""

    log: str
    index: int
    logged_at: int


@dataclass(frozen=True, slots=True)
class Testimony:
    """One statement with the ids of the keys that did sign it and every place where it is logged, earliest first.

    `claimed` are the keys that its signatures name, whether or not they are known.
    """

    parsed: Parsed
    signers: frozenset[str]
    places: tuple[Place, ...]
    claimed: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The statement id."""
        return self.parsed.id

    @property
    def logged_at(self) -> int:
        """The earliest logged time over all logs."""
        return self.places[0].logged_at

    def is_a(self, kind: PredicateKind) -> bool:
        """Tell whether its predicate is of `kind`."""
        return self.parsed.kind is not None and self.parsed.kind.uri == kind.uri

    def concerns(self, ref: Ref) -> bool:
        """Tell whether it is found under `ref`."""
        return ref in self.parsed.concerns


def of_kind(testimonies: Iterable[Testimony], kind: PredicateKind, ref: Ref | None = None) -> Sequence[Testimony]:
    """Return the statements of one kind, and concerning `ref` where one is given."""
    return [t for t in testimonies if t.is_a(kind) and (ref is None or t.concerns(ref))]
