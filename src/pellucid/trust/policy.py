"""The acceptance policy: whose logs, keys, roles and numbers a verifier goes by. It is the verifier's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import product
from typing import Annotated, Any, Literal

import msgspec

from pellucid.errors import InputError
from pellucid.statement.moment import parse_time
from pellucid.statement.predicate import Count, Sha256
from pellucid.toml_file import TomlError, find_place, parse_toml
from pellucid.trust.predicate import Custody, PartyRole

_Place = tuple[str | int, ...]
_Problem = tuple[_Place, str, str]

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Duration = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,5}[smhd]$(?!\n)", max_length=7)]


class KeyUse(StrEnum):
    """What a node's key signs."""

    LOG = "log"
    WITNESS = "witness"
    MIRROR = "mirror"
    LOOKUP = "lookup"
    NODE = "node"
    PARTY = "party"


class Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a log that signs no more: its last size and root hash (hexadecimal)."""

    size: Count
    root: Sha256


class NodeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """One key of a node with the time it may be believed in; `frozen` marks a log that has ended."""

    use: KeyUse
    key: Annotated[str, msgspec.Meta(min_length=40, max_length=500)]
    since: str | None = None
    until: str | None = None
    frozen: Frozen | None = None


class PolicyNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node: whose it is, where, how its keys were obtained, and the keys."""

    name: Name
    role: Literal["vendor", "center"]
    region: Name
    operator: Name
    obtained: Name
    key: tuple[NodeKey, ...]
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$(?!\n)", max_length=300)] | None = None

    def keys(self, use: KeyUse) -> Iterator[NodeKey]:
        """Yield the node's keys for one use."""
        return (key for key in self.key if key.use is use)


class PolicyParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """A person or organisation that the verifier believes in the roles named."""

    name: Name
    key: Annotated[str, msgspec.Meta(min_length=60, max_length=60)]
    roles: Annotated[tuple[PartyRole, ...], msgspec.Meta(min_length=1)]
    operator: Name | None = None
    region: Name | None = None
    since: str | None = None
    until: str | None = None


class QuorumRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many independent others must have seen each log, from how many regions, and how fresh.

    `witnesses` counts distinct operators, the log's own not among them; `mirrors` those whose completeness answers must
    be in the pack; `max_age` bounds the age of the head.
    """

    witnesses: Annotated[int, msgspec.Meta(ge=0, le=100)]
    regions: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    mirrors: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    max_age: Duration = "7d"

    @property
    def max_age_seconds(self) -> int:
        """The bound in seconds."""
        return duration_seconds(self.max_age)


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An acceptance policy; `require` is read by the capabilities that its tables name.

    A key that its holder or an accreditor says is kept in another way than `custody` allows speaks for nothing.
    """

    node: Annotated[tuple[PolicyNode, ...], msgspec.Meta(min_length=1, max_length=200)]
    quorum: QuorumRule
    party: tuple[PolicyParty, ...] = ()
    accreditors: tuple[Name, ...] = ()
    custody: Annotated[tuple[Custody, ...], msgspec.Meta(min_length=1, max_length=3)] = tuple(Custody)
    require: Mapping[str, Mapping[str, Any]] = {}


def duration_seconds(text: str) -> int:
    """Return the seconds of `90s`, `15m`, `24h` or `7d`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise TomlError(f"{text!r} is not a duration", remedy="write it as 90s, 15m, 24h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def parse_policy(data: bytes, *, where: str = "policy.toml") -> Policy:
    """Read a policy; raises TomlError at the line of what is unknown, missing, doubled or contradictory."""
    policy = parse_toml(data, Policy, where=where)
    for place, problem, remedy in _problems(policy):
        line, column = find_place(data.decode(), place)
        raise TomlError(problem, where=f"{where}:{line}:{column}", remedy=remedy)
    return policy


def _problems(policy: Policy) -> Iterator[_Problem]:
    yield from _name_problems(policy)
    yield from _spelling_problems(policy)
    yield from _key_problems(policy)
    yield from _time_problems(policy)
    names = {node.name for node in policy.node} | {party.name for party in policy.party}
    for accreditor in policy.accreditors:
        if accreditor not in names:
            yield ("accreditors",), f"{accreditor!r} is no node or party of this policy", "name one that stands here"


def _name_problems(policy: Policy) -> Iterator[_Problem]:
    seen: set[str] = set()
    for place, name in _named(policy):
        if name in seen:
            yield place, f"the name {name!r} stands twice", "give each node and party its own name"
        seen.add(name)


def _named(policy: Policy) -> Iterator[tuple[_Place, str]]:
    for at, node in enumerate(policy.node):
        yield ("node", at, "name"), node.name
    for at, party in enumerate(policy.party):
        yield ("party", at, "name"), party.name


def _spelling_problems(policy: Policy) -> Iterator[_Problem]:
    """Yield operators and regions that differ only in spelling: each would count as independent of the other."""
    first: dict[tuple[str, str], str] = {}
    for table, entries in (("node", policy.node), ("party", policy.party)):
        for (at, entry), field in product(enumerate(entries), ("operator", "region")):
            text: str = getattr(entry, field) or ""
            plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
            other = first.setdefault((field, plain), text)
            if other != text:
                problem = f"the {field}s {other!r} and {text!r} differ only in spelling"
                yield (table, at, field), problem, "write one in one way, and tell two apart by more than that"


def _key_problems(policy: Policy) -> Iterator[_Problem]:
    for at, node in enumerate(policy.node):
        seen = set()
        for number, key in enumerate(node.key):
            if (key.use, key.key) in seen:
                yield ("node", at, "key", number), "this key stands twice", "give each key once, with one validity"
            seen.add((key.use, key.key))


def _time_problems(policy: Policy) -> Iterator[_Problem]:
    for at, node in enumerate(policy.node):
        for number, key in enumerate(node.key):
            if key.frozen is not None and key.use is not KeyUse.LOG:
                yield ("node", at, "key", number, "frozen"), "only a log can be frozen", "take `frozen` away"
            yield from _bad_times(("node", at, "key", number), key.since, key.until)
    for at, party in enumerate(policy.party):
        yield from _bad_times(("party", at), party.since, party.until)


def _bad_times(place: _Place, since: str | None, until: str | None) -> Iterator[_Problem]:
    times = []
    for field, value in (("from", since), ("until", until)):
        if value is not None:
            try:
                times.append(parse_time(value))
            except InputError:
                yield (*place, field), f"{value[:60]!r} is not a time", "write it as 2026-11-21T14:02:00Z"
    if len(times) == 2 and times[0] > times[1]:
        yield (*place, "until"), "its validity ends before it begins", "exchange `from` and `until`"
