"""Who must have cosigned a log, when that dates its entries, and how much failure and fraud it outlasts.

Operators are counted, not keys, and the log's own operator never counts. Times are POSIX seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import msgspec

from pellucid.statement.keys import PublicKey, Role
from pellucid.tlog.cosignature import Cosignature
from pellucid.tlog.errors import PolicyError, SharedKeyError
from pellucid.tlog.note import SignatureKind, Verifier

MAX_CLOCK_SKEW = 300
MAX_REGIONS = 12


class Cosigner(msgspec.Struct, frozen=True):
    """A witness or mirror that may count: who operates it, in which region (empty: unknown), with which key."""

    operator: str
    region: str
    verifier: Verifier


class KeyUse(msgspec.Struct, frozen=True):
    """Where a public key stands: the name and role it has there."""

    name: str
    role: Role
    public: PublicKey


class Tolerance(msgspec.Struct, frozen=True):
    """How many operators may be silent, and how many may collude with the log, before the quorum fails to help."""

    outages: int
    colluders: int


class Standing(msgspec.Struct, frozen=True):
    """How cosignatures measure up: the operators and regions that counted, who is missing, and why it is not met."""

    operators: tuple[str, ...]
    regions: tuple[str, ...]
    missing: tuple[Cosigner, ...]
    reasons: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Return whether nothing is wanting."""
        return not self.reasons


class Quorum(msgspec.Struct, frozen=True):
    """At least `required` operators in at least `regions` regions, with cosignatures of `max_age` seconds at most."""

    required: int
    candidates: tuple[Cosigner, ...]
    own_operator: str
    regions: int = 0
    max_age: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be counted: PolicyError; SharedKeyError if one key stands there twice."""
        if min(self.required, self.regions, self.max_age or 0) < 0:
            raise PolicyError("the numbers of a quorum are not negative")
        keys = [candidate.verifier.public for candidate in self.candidates]
        if len(set(keys)) != len(keys):
            raise SharedKeyError("one public key is given for two cosigners", remedy="give each its own key")
        if any(candidate.verifier.kind is not SignatureKind.COSIGNATURE for candidate in self.candidates):
            raise PolicyError("a quorum is made of cosignature keys (type 4)")
        if len({candidate.region for candidate in self.candidates}) > MAX_REGIONS:
            raise PolicyError(f"a quorum spans at most {MAX_REGIONS} regions")

    @property
    def eligible(self) -> tuple[Cosigner, ...]:
        """Return the candidates that are not the log's own operator's."""
        return tuple(item for item in self.candidates if item.operator != self.own_operator)

    @property
    def verifiers(self) -> list[Verifier]:
        """Return the keys to look for in a note."""
        return [item.verifier for item in self.eligible]

    def met(self, cosignatures: Iterable[Cosignature], *, now: int | None = None) -> bool:
        """Tell whether the cosignatures suffice; see `standing`."""
        return self.standing(cosignatures, now=now).met

    def standing(self, cosignatures: Iterable[Cosignature], *, now: int | None = None) -> Standing:
        """Count the cosignatures of one checkpoint.

        With `now`, those more than five minutes ahead of it do not count, and the `required`-th newest must not be
        older than `max_age`; without it, age is not looked at.
        """
        counted = self._counted(cosignatures, now)
        there = [item for item, _ in counted]
        operators = sorted({item.operator for item in there})
        regions = _distinct_regions(there)
        reasons = []
        if len(operators) < self.required:
            reasons.append(f"{len(operators)} of {self.required} required independent operators cosigned")
        if len(regions) < self.regions:
            reasons.append(f"cosigned from {len(regions)} of {self.regions} required regions")
        if now is not None and self.max_age is not None and not reasons:
            newest = self.seen_time(Cosignature(item.verifier, time) for item, time in counted)
            if newest is not None and newest < now - self.max_age:
                reasons.append(f"last cosigned by enough operators {now - newest} s ago, {self.max_age} s are allowed")
        missing = tuple(item for item in self.eligible if item not in there)
        return Standing(tuple(operators), tuple(regions), missing, tuple(reasons))

    def logged_time(self, cosignatures: Iterable[Cosignature]) -> int | None:
        """Return the `required`-th earliest operator's time: what the checkpoint covers existed by then.

        None if fewer operators cosigned, or none is required.
        """
        times = sorted(_operator_times(self._counted(cosignatures, None), min))
        return times[self.required - 1] if 0 < self.required <= len(times) else None

    def seen_time(self, cosignatures: Iterable[Cosignature]) -> int | None:
        """Return the `required`-th newest operator's time: so many saw this checkpoint as the largest at or after it.

        None if fewer operators cosigned, or none is required.
        """
        times = sorted(_operator_times(self._counted(cosignatures, None), max), reverse=True)
        return times[self.required - 1] if 0 < self.required <= len(times) else None

    def without(self, operator: str) -> Quorum:
        """Return the quorum as it would be if an operator were gone for good."""
        return msgspec.structs.replace(
            self, candidates=tuple(item for item in self.candidates if item.operator != operator)
        )

    @property
    def reachable(self) -> bool:
        """Return whether it is met when every candidate cosigns."""
        return self.met(Cosignature(item.verifier, 1) for item in self.eligible)

    @property
    def overlapping(self) -> bool:
        """Return whether any two quorums share an operator; if not, a log can fork with every operator honest."""
        return 2 * self.required > len({item.operator for item in self.eligible})

    def tolerates(self) -> Tolerance:
        """Return how many operators may be out with the quorum still reachable, and how many may lie for the log.

        Of n operators, `2 * required - n` must sign twice to give two views of a log a quorum each. Where quorums are
        not `overlapping`, `colluders` is 0 and a fork needs none.
        """
        places = {(item.operator, item.region) for item in self.eligible}
        count = len({operator for operator, _ in places})
        outages = min(count - self.required, _region_outages(places, self.regions))
        return Tolerance(max(0, outages), max(0, 2 * self.required - count - 1))

    def _counted(self, cosignatures: Iterable[Cosignature], now: int | None) -> list[tuple[Cosigner, int]]:
        by_key = {item.verifier: item for item in self.eligible}
        return [
            (by_key[item.verifier], item.timestamp)
            for item in cosignatures
            if item.verifier in by_key and (now is None or item.timestamp <= now + MAX_CLOCK_SKEW)
        ]


def refuse_shared_keys(uses: Iterable[KeyUse]) -> None:
    """Raise SharedKeyError if one public key stands under two roles or two names; the same use twice is fine."""
    seen: dict[PublicKey, KeyUse] = {}
    for use in uses:
        first = seen.setdefault(use.public, use)
        if first != use:
            raise SharedKeyError(
                f"one public key stands for {first.role.value} {first.name!r} and for {use.role.value} {use.name!r}",
                where=f"key {use.public.id}",
                remedy="make a key of its own for each role and name",
            )


def _operator_times(counted: Sequence[tuple[Cosigner, int]], pick: Callable[[Iterable[int]], int]) -> list[int]:
    """Return one time for each operator, of however many keys it has."""
    times: dict[str, list[int]] = {}
    for cosigner, time in counted:
        times.setdefault(cosigner.operator, []).append(time)
    return [pick(each) for each in times.values()]


def _distinct_regions(cosigners: Sequence[Cosigner]) -> list[str]:
    """Return as many regions as can be covered with a different operator for each."""
    operators: dict[str, set[str]] = {}
    for item in cosigners:
        if item.region:
            operators.setdefault(item.region, set()).add(item.operator)
    speaks_for: dict[str, str] = {}

    def place(region: str, tried: set[str]) -> bool:
        for operator in sorted(operators[region] - tried):
            tried.add(operator)
            if operator not in speaks_for or place(speaks_for[operator], tried):
                speaks_for[operator] = region
                return True
        return False

    return [region for region in sorted(operators) if place(region, set())]


def _region_outages(places: set[tuple[str, str]], required: int) -> int:
    """Return how many operators may be out with `required` regions still covered by different operators.

    By König's theorem the regions covered are the least, over all sets of regions, of those outside the set and the
    operators that serve it; so an outage that breaks the quorum takes one such sum below `required`.
    """
    operators: dict[str, set[str]] = {}
    for operator, region in places:
        if region:
            operators.setdefault(region, set()).add(operator)
    breaking = [len({operator for operator, _ in places}) + 1]
    for count in range(max(0, len(operators) - required + 1), len(operators) + 1):
        spare = required - 1 - len(operators) + count
        served = (set().union(*regions) for regions in combinations(operators.values(), count))
        breaking += [max(0, len(each) - spare) for each in served]
    return min(breaking) - 1
