"""A courtroom for tests: keys, a policy, and statements that count as logged at a given second, without any log."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.release.predicate import RELEASE
from pellucid.source.predicate import DELTA, REVIEW, tree_subject
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.intoto import Subject
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.predicate import PredicateKind, make_statement, parse_statement
from pellucid.trust.authority import Authority
from pellucid.trust.keyring import read_keyring
from pellucid.trust.policy import Policy
from pellucid.trust.predicate import PARTY, WITHDRAWAL, key_subject, statement_subject
from pellucid.trust.requirement import Case, Recomputed, Result
from pellucid.trust.testimony import Place, Testimony

FILE = "f1" * 32
TREE, BASE, ROOT = "aa" * 32, "bb" * 32, "cc" * 32
NOW = 1_800_000_000
NAMES = ("vera", "carla", "cyril", "rita", "rolf", "mallory")


def key_of(name: str) -> SecretKey:
    return _KEYS[name]


_KEYS = {name: generate_key(Role.PARTY, name) for name in NAMES}


def policy(**changes: Any) -> Policy:
    """Vera is the vendor, Carla and Cyril run centers and accredit; Rita is named by the policy, Rolf is not."""
    people = (("vera", "vendor", "Europe"), ("carla", "center", "Asia"), ("cyril", "center", "Europe"))
    nodes = [
        {"name": name, "role": role, "region": region, "operator": f"{name}'s", "obtained": "in the test",
         "key": [{"use": "party", "key": key_of(name).public.spki_base64}]}
        for name, role, region in people
    ]  # fmt: skip
    rita = {"name": "rita", "key": key_of("rita").public.spki_base64, "roles": ["reviewer"], "operator": "carla's",
            "region": "Asia"}  # fmt: skip
    value = {"node": nodes, "party": [rita], "accreditors": ["carla", "cyril"], "quorum": {"witnesses": 0}}
    return msgspec.convert(value | changes, Policy)


@dataclass
class Court:
    """Statements in the order in which they were logged, one second apart unless told otherwise."""

    rules: Policy = field(default_factory=policy)
    testimonies: list[Testimony] = field(default_factory=list)
    _index: Any = field(default_factory=itertools.count)

    def say(
        self, who: str, what: PredicateKind, subjects: Iterable[Subject], at: int = NOW - 1000, /, **fields: Any
    ) -> Testimony:
        """Log what `who` says at the second `at`."""
        statement = make_statement(subjects, what, msgspec.convert(fields, what.model))
        envelope = sign_payload(IN_TOTO, statement.payload(), key_of(who))
        parsed = parse_statement(envelope, PREDICATES)
        place = Place("log", next(self._index), at)
        testimony = Testimony(parsed, frozenset({key_of(who).public.id}), (place,))
        self.testimonies.append(testimony)
        return testimony

    def release(self, who: str = "vera", file: str = FILE, tree: str | None = TREE, **changes: Any) -> Testimony:
        name, at = changes.pop("name", "a.bin"), changes.pop("at", NOW - 1000)
        source = {"sha256": tree, "sha1": "00" * 20, "files": 1, "size": 1} if tree else None
        fields: dict[str, Any] = {
            "product": "example",
            "version": "1",
            "kind": "software",
            "artifacts": [{"name": name, "size": 1}],
        }
        fields |= {"source": source} if source else {}
        return self.say(who, RELEASE, [Subject({"sha256": file}, name)], at, **(fields | changes))

    def review(self, who: str = "rita", tree: str = TREE, **changes: Any) -> Testimony:
        fields: dict[str, Any] = {
            "of": "source", "extent": "delta" if "base" in changes else "full", "result": "pass",
            "independence": "independent", "paid_by": "center", "criteria": ["no-hidden-channel"],
            "scope": {"files": 1, "lines": 10}, "minutes": 60, "expires": "2099-01-01T00:00:00Z",
        }  # fmt: skip
        file = changes.pop("file", None)
        subject = Subject({"sha256": file}, "update") if file else tree_subject(tree)
        return self.say(who, REVIEW, [subject], changes.pop("at", NOW - 1000), **(fields | changes))

    def delta(self, base: str, tree: str, lines: int, who: str = "rita", **changes: Any) -> Testimony:
        fields: dict[str, Any] = {
            "base": base, "files_added": 0, "files_removed": 0, "files_changed": 1, "lines_added": lines,
            "lines_removed": 0, "tool": {"name": "pellucid", "version": "1"},
        }  # fmt: skip
        return self.say(who, DELTA, [tree_subject(tree)], **(fields | changes))

    def party(self, who: str, about: str, action: str, at: int = NOW - 2000, **fields: Any) -> Testimony:
        if action == "accredit":
            fields = {"roles": ["reviewer"], "spki": key_of(about).public.spki_base64} | fields
        return self.say(who, PARTY, [key_subject(key_of(about).public.id)], at, action=action, **fields)

    def withdraw(self, who: str, testimony: Testimony, at: int = NOW - 10) -> Testimony:
        return self.say(who, WITHDRAWAL, [statement_subject(testimony.id)], at, reason="mistake")

    def case(self, recomputed: Recomputed | None = None) -> Case:
        authority = Authority(self.rules, read_keyring(self.rules).parties, self.testimonies, NOW)
        return Case(FILE, NOW, self.testimonies, authority, recomputed)

    def ask(self, name: str, recomputed: Recomputed | None = None, **settings: Any) -> Result:
        """Decide one requirement; it gives one result."""
        kind = REQUIREMENTS[name]
        (result,) = kind.decide(self.case(recomputed), msgspec.convert(settings, kind.model))
        return result
