"""The index says what the logs say, no more, however and whenever it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.record.conftest import (
    TREE,
    World,
    accreditation,
    card_of,
    foreign,
    log,
    party_key,
    release,
    review,
    unfit,
    withdrawal,
)

from pellucid.capabilities import PREDICATES
from pellucid.errors import InputError, UnavailableError
from pellucid.node import Node
from pellucid.record.index_schema import TABLES
from pellucid.record.lookup import UnknownLogError
from pellucid.record.predicate import COMPLETENESS, Completeness
from pellucid.record.views import NodeViews
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.statement.predicate import read_predicate
from pellucid.statement.reference import key_ref, release_ref, statement_ref, tree_ref

Person = Callable[[str], SecretKey]


def dump(path: Path) -> dict[str, list[tuple[tuple[str, object], ...]]]:
    """Return all rows with SQLite's own numbers replaced by what they stand for."""
    connection = sqlite3.connect(path)
    statements = dict(connection.execute("SELECT id, sid FROM statement"))
    logs = dict(connection.execute("SELECT id, hash FROM log"))
    found = {}
    for table in TABLES:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [item[0] for item in cursor.description]
        rows = []
        for row in cursor:
            values = dict(zip(names, row, strict=True))
            if table in {"statement", "log"}:
                values.pop("id")
            if "statement" in values:
                values["statement"] = statements[values["statement"]]
            if "log" in values:
                values["log"] = logs[values["log"]]
            rows.append(tuple(values.items()))
        found[table] = sorted(rows, key=repr)
    connection.close()
    return found


def answer(node: Node, refs: list[str], size: int, origin: str = "center.example") -> Completeness:
    found = node.lookup(refs, origin, size)
    assert found.completeness.verified_by(node.home.keys[Role.LOOKUP])
    predicate: Completeness = read_predicate(Statement.parse(found.completeness.payload), COMPLETENESS)
    for listed, (index, entry) in zip(predicate.statements, found.entries, strict=True):
        assert (listed.index, listed.id) == (index, Envelope.parse(entry).id)
    return predicate


def indexes(node: Node, ref: str, size: int) -> list[int]:
    return [item.index for item in answer(node, [ref], size).statements]


def fill(node: Node, reviewer: SecretKey) -> list[Envelope]:
    """Log one of everything, the reviewer's key becoming known only after a statement bears it."""
    own = party_key(node)
    first = release(own)
    early = review(reviewer)
    early_by_both = sign_payload(IN_TOTO, early.payload, reviewer, own)
    found = [first, early_by_both, foreign(own, "12" * 32), accreditation(reviewer.public, own)]
    log(node, *found[:2])
    log(node, *found[2:])
    more = [withdrawal(first, own), release(own, "2.0", "ef" * 32), review(reviewer, minutes=5)]
    log(node, *more)
    return found + more


def test_an_index_made_anew_gives_the_same_answers(node: Node, world: World, person: Person) -> None:
    fill(node, person("reviewer"))
    path = node.home.path / "index.db"
    before = dump(path)
    assert len(before["place"]) == 7
    node.reindex()
    assert dump(path) == before
    home = node.home
    world.close(node)
    for file in home.path.glob("index.db*"):
        file.unlink()
    world.open(home)
    assert dump(path) == before


def test_a_signature_counts_once_its_key_is_known(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    own = party_key(node)
    early = sign_payload(IN_TOTO, review(reviewer).payload, reviewer, own)
    log(node, early)
    assert node.views.statement(early.id).authors == (own.public.id,)  # type: ignore[union-attr]
    log(node, accreditation(reviewer.public, own))
    assert node.views.statement(early.id).authors == (reviewer.public.id, own.public.id)  # type: ignore[union-attr]
    assert [r.id for r in node.views.by_author(reviewer.public.id)] == [early.id]


def test_an_index_that_cannot_be_opened_is_made_anew(node: Node, world: World, person: Person) -> None:
    fill(node, person("reviewer"))
    home, before = node.home, dump(node.home.path / "index.db")
    world.close(node)
    (home.path / "index.db").write_bytes(b"not a database, but quite long enough to be taken for one" * 100)
    world.open(home)
    assert dump(home.path / "index.db") == before


def test_lookups_name_exactly_what_concerns_a_reference(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    statements = fill(node, reviewer)
    size = len(statements)
    assert indexes(node, "sha256:" + "cd" * 32, size) == [0]
    assert indexes(node, tree_ref(TREE), size) == [1, 6], "the release leads to the tree, it is not about it"
    assert indexes(node, release_ref("Example Shield", "1.0", "shield.tar.gz"), size) == [0]
    assert indexes(node, "sha256:" + "12" * 32, size) == [2], "types made elsewhere are found too"
    assert indexes(node, key_ref(reviewer.public.id), size) == [3]
    assert indexes(node, statement_ref(statements[0].id), size) == [4]
    assert indexes(node, "sha256:" + "00" * 32, size) == []


def test_a_lookup_speaks_only_up_to_the_size_asked_for(node: Node, person: Person) -> None:
    fill(node, person("reviewer"))
    found = answer(node, [tree_ref(TREE)], 6)
    assert ([item.index for item in found.statements], found.size) == ([1], 6)
    assert found.root == node.views.root(node.views.logs()[0].id, 6)
    assert answer(node, [tree_ref(TREE)], 0).statements == ()
    with pytest.raises(UnavailableError, match="7 entries of this log are known here, not 8"):
        node.lookup([tree_ref(TREE)], "center.example", 8)


def test_what_is_durable_but_not_published_is_not_spoken_of(node: Node) -> None:
    log(node, release(party_key(node)))
    node.submit(release(party_key(node), "2.0").to_bytes())
    with pytest.raises(UnavailableError):
        node.lookup(["sha256:" + "cd" * 32], "center.example", 2)
    assert node.views.logs()[0].pending == 1


@pytest.mark.parametrize(
    ("refs", "origin", "size"),
    [([], "center.example", 0), (["nonsense"], "center.example", 0), (["sha256:" + "0" * 64], "center.example", -1)],
)
def test_questions_that_make_no_sense_are_refused(node: Node, refs: list[str], origin: str, size: int) -> None:
    from pellucid.errors import PellucidError

    with pytest.raises(PellucidError):
        node.lookup(refs, origin, size)


def test_an_unknown_log_is_said_to_be_unknown(node: Node) -> None:
    with pytest.raises(UnknownLogError):
        node.lookup(["sha256:" + "0" * 64], "elsewhere.example", 0)
    assert issubclass(UnknownLogError, InputError)


def test_lookups_leave_out_what_does_not_fit_its_own_type_and_pages_show_it(node: Node, world: World) -> None:
    own = party_key(node)
    node._log.add_batch([unfit(own, "12" * 32).to_bytes(), b"no statement at all"])
    node.publish()
    assert indexes(node, "sha256:" + "12" * 32, 2) == []
    [record] = node.views.about("sha256:" + "12" * 32)
    assert (record.kind, record.model) == ("release", None)
    assert record.problem is not None
    assert [i for i, r in node.views.newest(node.views.logs()[0].id, before=None, limit=5) if r is None] == [1]


def test_readers_work_beside_the_writer(node: Node, person: Person) -> None:
    beside = NodeViews(node.home, PREDICATES)
    assert beside.counts() == {}
    fill(node, person("reviewer"))
    assert beside.counts()["release"] == 2
    log(node, release(party_key(node), "3.0", "aa" * 32))
    assert beside.releases("Example Shield")[0].predicate["version"] == "3.0"


def test_a_home_never_opened_reads_as_empty(world: World) -> None:
    views = NodeViews(world.home("new.example"), PREDICATES)
    assert (views.counts(), views.products(), views.alarms()) == ({}, (), ())
    [only] = views.logs()
    assert (only.head, only.pending, only.own) == (None, 0, True)
    assert views.node().name == "new.example"


def test_the_times_of_entries_follow_the_quorum_that_is_asked_for(world: World) -> None:
    vendor = world.open(world.home("vendor.example", role="vendor"))
    center = world.open(world.home("center.example"))
    for one, other in ((vendor, center), (center, vendor)):
        one.home.add_peer(card_of(other))
        one._configure(one.logs.now())
    vendor.home.change(quorum=1)
    vendor._configure(vendor.logs.now())
    vendor.submit(release(party_key(vendor)).to_bytes())
    status = vendor.publish()
    assert status.wanting, "the center's witness has no address: nothing is published"
    assert vendor.views.logs()[0].head is None
    assert vendor.views.logs()[0].pending == 1


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(7)), st.sets(st.integers(0, 6)))
def test_in_whatever_order_and_steps_it_came_the_index_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], published_after: set[int]
) -> None:
    world = World(tmp_path_factory.mktemp("order"))
    node = world.open(world.home("center.example"))
    own, reviewer = party_key(node), generate_key(Role.PARTY, "reviewer")
    first = release(own)
    entries = [
        first,
        withdrawal(first, own),
        accreditation(reviewer.public, own),
        sign_payload(IN_TOTO, review(reviewer).payload, reviewer, own),
        sign_payload(IN_TOTO, review(reviewer).payload, own),
        unfit(own, "12" * 32),
        foreign(own, "34" * 32),
    ]
    for step, number in enumerate(order):
        node._log.add_batch([entries[number].to_bytes()])
        if step in published_after:
            node.publish()
    node.publish()
    before = dump(node.home.path / "index.db")
    node.reindex()
    assert dump(node.home.path / "index.db") == before
    record = node.views.statement(review(reviewer).id)
    assert record is not None
    assert set(record.authors) == {own.public.id, reviewer.public.id}
    world.close(node)
