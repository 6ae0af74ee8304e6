"""A node on a scratch disk, and people who sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pellucid.node import Home, Node, Settings, create_home
from pellucid.record.card import NodeCard, read_card
from pellucid.record.predicate import RECEIPT, Receipt
from pellucid.release.predicate import RELEASE, Artifact, Release, ReleaseKind, SourceTree
from pellucid.source.predicate import REVIEW, Extent, Independence, Payer, Result, Review, ReviewOf, Scope, tree_subject
from pellucid.statement import keys as key_files
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import PublicKey, Role, SecretKey, generate_key
from pellucid.statement.predicate import PredicateKind, make_statement, read_predicate
from pellucid.trust.predicate import (
    PARTY,
    WITHDRAWAL,
    Party,
    PartyAction,
    PartyRole,
    Withdrawal,
    WithdrawalReason,
    key_subject,
    statement_subject,
)

PASSPHRASE = b"correct horse"
START = 1_790_000_000
TREE = "ab" * 32


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key files are sealed with the least work that they may have."""
    monkeypatch.setattr(key_files, "_SCRYPT_N", 1024)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: float = float(START)

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Homes and keys of one test."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    nodes: list[Node] = field(default_factory=list)

    def home(self, name: str, **changes: object) -> Home:
        values = {"name": name, "role": "center", "region": "eu", "operator": name, "listen": "127.0.0.1:0"}
        return create_home(self.root / name, Settings(**{**values, **changes}), PASSPHRASE)  # type: ignore[arg-type]

    def open(self, home: Home) -> Node:
        node = Node.open(home, PASSPHRASE, clock=self.clock, on_fatal=_raise)
        self.nodes.append(node)
        return node

    def close(self, node: Node) -> None:
        self.nodes.remove(node)
        node.stop()


def _raise(error: BaseException) -> None:
    raise error


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    for node in found.nodes:
        node.stop()


@pytest.fixture
def node(world: World) -> Node:
    return world.open(world.home("center.example"))


@pytest.fixture
def person() -> Callable[[str], SecretKey]:
    return lambda name: generate_key(Role.PARTY, name)


def party_key(node: Node) -> SecretKey:
    return node.home.secret(Role.PARTY, PASSPHRASE)


def card_of(node: Node) -> NodeCard:
    return read_card(node.card().to_bytes())


def signed(statement: Statement, *keys: SecretKey) -> Envelope:
    return sign_payload(IN_TOTO, statement.payload(), *keys)


def accreditation(key: PublicKey, by: SecretKey, expires: str | None = None, identity: str | None = None) -> Envelope:
    party = Party(
        action=PartyAction.ACCREDIT,
        roles=(PartyRole.REVIEWER,),
        spki=key.spki_base64,
        expires=expires,
        identity=identity,
    )
    return signed(make_statement([key_subject(key.id)], PARTY, party), by)


def ending(key: PublicKey, by: SecretKey, since: str | None = None) -> Envelope:
    action = PartyAction.RETIRE if since is None else PartyAction.COMPROMISED
    return signed(make_statement([key_subject(key.id)], PARTY, Party(action=action, since=since)), by)


def withdrawal(statement: Envelope, by: SecretKey) -> Envelope:
    predicate = Withdrawal(reason=WithdrawalReason.MISTAKE)
    return signed(make_statement([statement_subject(statement.id)], WITHDRAWAL, predicate), by)


def release(by: SecretKey, version: str = "1.0", digest: str = "cd" * 32, product: str = "Example Shield") -> Envelope:
    predicate = Release(
        product=product,
        version=version,
        kind=ReleaseKind.SOFTWARE,
        artifacts=(Artifact(name="shield.tar.gz", size=10),),
        source=SourceTree(sha256=TREE, sha1="ab" * 20, files=1, size=10),
    )
    return signed(make_statement([Subject({"sha256": digest}, "shield.tar.gz")], RELEASE, predicate), by)


def review(by: SecretKey, tree: str = TREE, details: str | None = None, minutes: int = 60) -> Envelope:
    predicate = Review(
        of=ReviewOf.SOURCE,
        extent=Extent.FULL,
        result=Result.PASS,
        independence=Independence.INDEPENDENT,
        paid_by=Payer.CUSTOMER,
        criteria=("memory-safety",),
        scope=Scope(files=1, lines=10),
        minutes=minutes,
        expires="2030-01-01T00:00:00Z",
        details=details,
    )
    return signed(make_statement([tree_subject(tree)], REVIEW, predicate), by)


def foreign(by: SecretKey, digest: str, kind: str = "https://slsa.dev/provenance/v1") -> Envelope:
    """A statement of a type that nobody here knows."""
    return signed(Statement((Subject({"sha256": digest}, "x"),), kind, {"anything": [1, "two"]}), by)


def unfit(by: SecretKey, digest: str, kind: PredicateKind = RELEASE) -> Envelope:
    """A statement that claims one of our types and does not fit it."""
    return signed(Statement((Subject({"sha256": digest}, "x"),), kind.uri, {"product": "Example"}), by)


def receipt_of(envelope: Envelope, node: Node) -> Receipt:
    """Read a receipt whose signature by the node key is checked."""
    assert envelope.verified_by(node.home.keys[Role.NODE])
    statement = Statement.parse(envelope.payload)
    receipt: Receipt = read_predicate(statement, RECEIPT)
    return receipt


def log(node: Node, *envelopes: Envelope) -> list[int]:
    """Submit what must be accepted, and publish it."""
    found = []
    for envelope in envelopes:
        index = receipt_of(node.submit(envelope.to_bytes()), node).index
        assert index is not None
        found.append(index)
    node.publish()
    return found
