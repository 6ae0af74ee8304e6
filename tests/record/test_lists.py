"""What the pages that answer a question read: all of one kind, who said it, what is newest, how much on which day."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from tests.record.conftest import (
    START,
    TREE,
    World,
    accreditation,
    card_of,
    log,
    party_key,
    release,
    review,
    withdrawal,
)

from pellucid.node import Node
from pellucid.record.openings import Openings
from pellucid.statement.commitment import commit
from pellucid.statement.keys import SecretKey
from pellucid.statement.reference import tree_ref

Person = Callable[[str], SecretKey]


@pytest.fixture
def reviewers(node: Node, person: Person) -> tuple[SecretKey, SecretKey]:
    """Two reviewers, of whom the second has said the newer thing."""
    first, second = person("first"), person("second")
    log(node, *(accreditation(key.public, party_key(node)) for key in (first, second)))
    log(node, review(first, minutes=1), review(first, minutes=2), review(second, minutes=3))
    return first, second


@pytest.mark.usefixtures("reviewers")
def test_all_of_one_kind_come_newest_first_and_in_pages(node: Node) -> None:
    minutes = [record.model.minutes for record in node.views.of_kind("review")]
    assert minutes == [3, 2, 1]
    assert [record.model.minutes for record in node.views.of_kind("review", limit=1, offset=1)] == [2]
    assert node.views.of_kind("delta") == ()


def test_authors_are_counted_for_one_kind_only(node: Node, reviewers: tuple[SecretKey, SecretKey]) -> None:
    rows = {row.key: row.statements for row in node.views.authors("review")}
    assert rows == {reviewers[0].public.id: 2, reviewers[1].public.id: 1}
    assert [row.key for row in node.views.authors("party")] == [party_key(node).public.id]
    assert len(node.views.authors("review", limit=1)) == 1


def test_each_product_has_one_newest_release_ended_or_not(node: Node) -> None:
    key = party_key(node)
    old, new = release(key, "1.0"), release(key, "1.1", "ce" * 32)
    log(node, old, release(key, "7", "cf" * 32, "Example Rules"), new, withdrawal(new, key))
    found = [(record.model.product, record.model.version) for record in node.views.newest_releases()]
    assert found == [("Example Shield", "1.1"), ("Example Rules", "7")]
    assert node.views.newest_releases()[0].withdrawn is not None
    assert len(node.views.newest_releases(limit=5, offset=1)) == 1


def test_days_count_only_what_has_a_logged_time(node: Node) -> None:
    log(node, release(party_key(node)))
    assert node.views.activity(datetime(2020, 1, 1, tzinfo=UTC), ("release", "review")) == ()
    with sqlite3.connect(node.home.path / "index.db") as index:
        index.execute("UPDATE statement SET logged = ?", (START,))
    [counted] = node.views.activity(datetime(2020, 1, 1, tzinfo=UTC), ("release", "review"))
    assert (counted.day, counted.kind, counted.statements) == (date(2026, 9, 21), "release", 1)
    assert node.views.activity(datetime(2020, 1, 1, tzinfo=UTC), ("review",)) == ()
    assert node.views.activity(datetime(2027, 1, 1, tzinfo=UTC), ("release",)) == ()


def test_parties_are_found_by_an_opened_name_until_it_is_erased_and_by_their_key(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    root, opening = commit({"name": "Rosa Example", "affiliation": "Example Lab"})
    log(node, accreditation(reviewer.public, party_key(node), identity=root))
    openings = Openings(node.home.path / "openings")
    assert node.views.parties("rosa") == ()
    openings.publish(opening)
    assert [party.key for party in node.views.parties("rosa EX")] == [reviewer.public.id]
    assert [party.key for party in node.views.parties("example lab")] == [reviewer.public.id]
    openings.erase(root)
    assert node.views.parties("rosa") == ()
    assert [party.key for party in node.views.parties(reviewer.public.id[:8])] == [reviewer.public.id]
    assert node.views.parties(reviewer.public.id[:3]) == ()
    assert node.views.parties("") == ()


def test_nodes_are_parties_by_the_name_on_their_card(world: World, node: Node) -> None:
    other = world.open(world.home("vendor.example", role="vendor"))
    node.home.add_peer(card_of(other))
    node._configure(node.logs.now())
    assert [party.name for party in node.views.parties("vendor.ex")] == ["vendor.example"]


def test_many_trees_are_asked_for_at_once(node: Node) -> None:
    envelope = release(party_key(node))
    log(node, envelope)
    refs = (tree_ref(TREE), tree_ref("00" * 32))
    found = node.views.referring_each(refs, kind="release")
    assert [[record.id for record in found[ref]] for ref in refs] == [[envelope.id], []]
    assert node.views.referring_each(refs, kind="review")[refs[0]] == ()
