"""What pages cost on a real node: a product with 200 releases, each a small step from the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest
from django.test import Client
from tests.record.conftest import World, log, party_key, quick_keys, release, review, signed, world  # noqa: F401

from pellucid.capabilities import PREDICATES
from pellucid.node import Node
from pellucid.record.index_reader import IndexReader
from pellucid.record.views import NodeViews
from pellucid.release.predicate import RELEASE, Release, SourceTree
from pellucid.site import current
from pellucid.source.predicate import DELTA, Delta, Tool, tree_subject
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import SecretKey
from pellucid.statement.predicate import make_statement, read_predicate

RELEASES = 200
QUERIES = 30


def tree(number: int) -> str:
    return hashlib.sha256(b"tree %d" % number).hexdigest()


def step(by: SecretKey, number: int) -> list[Envelope]:
    plain = Statement.parse(release(by, f"1.{number}", hashlib.sha256(b"file %d" % number).hexdigest()).payload)
    model: Release = read_predicate(plain, RELEASE)
    source = SourceTree(sha256=tree(number), sha1="ab" * 20, files=1, size=10)
    said = [signed(make_statement(plain.subjects, RELEASE, msgspec.structs.replace(model, source=source)), by)]
    if number % 10 == 0:
        return [*said, review(by, tree(number), minutes=60 + number)]
    delta = Delta(
        base=tree(number - 1), files_added=0, files_removed=0, files_changed=1, lines_added=number, lines_removed=0,
        tool=Tool(name="pellucid", version="1"),
    )  # fmt: skip
    return [*said, signed(make_statement([tree_subject(tree(number))], DELTA, delta), by)]


@pytest.fixture
def node(world: World) -> Node:  # noqa: F811 - a fixture
    node = world.open(world.home("center.example"))
    key = party_key(node)
    log(node, *(envelope for number in range(RELEASES) for envelope in step(key, number)))
    return node


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query to the index from now on."""
    queries: list[str] = []
    rows: Callable[..., list[tuple[object, ...]]] = IndexReader.rows

    def counted(self: IndexReader, query: str, *values: object) -> list[tuple[object, ...]]:
        queries.append(query)
        return rows(self, query, *values)

    monkeypatch.setattr(IndexReader, "rows", counted)
    return queries


@pytest.fixture
def wide(world: World) -> Node:  # noqa: F811 - a fixture
    """A node with 60 products, a third of them reviewed."""
    node = world.open(world.home("center.example"))
    key = party_key(node)
    said = [
        release(key, "1.0", hashlib.sha256(b"wide %d" % number).hexdigest(), f"Product {number}")
        for number in range(60)
    ]
    log(node, *said, *(review(key, tree(number), minutes=number) for number in range(20)))
    return node


def queries(node: Node, address: str, asked: list[str]) -> int:
    """Return how many queries a page takes that nobody has asked for of late."""
    current.serve(NodeViews(node.home, PREDICATES))
    Client(SERVER_NAME="localhost").get("/check")  # what Django and the reader do once
    current.serve(NodeViews(node.home, PREDICATES))
    asked.clear()
    assert Client(SERVER_NAME="localhost").get(address).status_code == 200
    current._served.clear()
    return len(asked)


def test_long_lists_are_cheap(node: Node, asked: list[str]) -> None:
    for address in ("/log", "/log?before=300", "/products/Example%20Shield", "/products/Example%20Shield?from=100"):
        assert queries(node, address, asked) <= QUERIES, (address, asked)
        current.serve(NodeViews(node.home, PREDICATES))
        page = Client(SERVER_NAME="localhost").get(address).content.decode()
        assert page.count("Example Shield 1.") >= 20
    current._served.clear()


def test_many_products_cost_no_more_than_few(wide: Node, asked: list[str]) -> None:
    for address in ("/", "/products", "/reviews", "/open", "/search?q=product"):
        assert queries(wide, address, asked) <= 2 * QUERIES, (address, len(asked), asked)
