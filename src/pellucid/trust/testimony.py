"""What a verdict reasons about: statements whose place in a log, signers and time were checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pellucid.statement.predicate import Parsed, PredicateKind
from pellucid.statement.reference import Ref


class Window(NamedTuple):
    """Between which times something was logged, in seconds since 1970: not by `earliest` (0: no proof), by `latest`.

    Whoever makes a pack may show an entry under a later checkpoint than the first that covered it. So `latest` is what
    counts for whoever speaks in favour, `earliest` is all that counts against a statement that speaks against.
    """

    earliest: int
    latest: int


class Place(msgspec.Struct, frozen=True):
    """One entry of one log, logged by `logged_at`; at `not_before` its log was seen without it (0: no proof)."""

    log: str
    index: int
    logged_at: int
    not_before: int = 0


class Testimony(msgspec.Struct, frozen=True):
    """One statement with the ids of the keys that did sign it and every place where it is logged, earliest first.

    `claimed` are the keys that its signatures name, whether or not they are known. `signed` tells when each signer's
    own signature was logged: a later signature does not inherit the time of an earlier one.
    """

    parsed: Parsed
    signers: frozenset[str]
    places: tuple[Place, ...]
    claimed: frozenset[str] = frozenset()
    signed: Mapping[str, Window] = {}

    @property
    def id(self) -> str:
        """The statement id."""
        return self.parsed.id

    @property
    def logged_at(self) -> int:
        """The earliest logged time over all logs."""
        return self.places[0].logged_at

    @property
    def not_before(self) -> int:
        """A time by which it was surely in none of its places."""
        return min(place.not_before for place in self.places)

    def window(self, key: str) -> Window:
        """Return when the signature by a key was logged."""
        return self.signed.get(key) or Window(self.not_before, self.logged_at)

    def is_a(self, kind: PredicateKind) -> bool:
        """Tell whether its predicate is of `kind`."""
        return self.parsed.kind is not None and self.parsed.kind.uri == kind.uri

    def concerns(self, ref: Ref) -> bool:
        """Tell whether it is found under `ref`."""
        return ref in self.parsed.concerns


def of_kind(testimonies: Iterable[Testimony], kind: PredicateKind, ref: Ref | None = None) -> Sequence[Testimony]:
    """Return the statements of one kind, and concerning `ref` where one is given."""
    return [t for t in testimonies if t.is_a(kind) and (ref is None or t.concerns(ref))]
