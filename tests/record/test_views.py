"""What pages are told: records with their places, endings and openings; proofs; alarms; never an exception."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.record.conftest import (
    START,
    TREE,
    World,
    accreditation,
    card_of,
    ending,
    log,
    party_key,
    release,
    review,
    signed,
    withdrawal,
)

from pellucid.capabilities import PREDICATES
from pellucid.node import Node
from pellucid.record.facts import Ending, Views
from pellucid.record.openings import Openings
from pellucid.record.views import NodeViews
from pellucid.release.predicate import Release
from pellucid.statement.commitment import CommitmentError, commit
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.keys import Role, SecretKey
from pellucid.statement.reference import key_ref, release_ref, statement_ref, tree_ref
from pellucid.storage.alarms import Alarm, AlarmFolder
from pellucid.tlog.cosigners import CosignRequest, CosignResult
from pellucid.tlog.merkle import verify_consistency, verify_inclusion
from pellucid.tlog.witness_protocol import AddCheckpoint, decode_signatures
from pellucid.trust.predicate import Party, PartyAction

Person = Callable[[str], SecretKey]


@pytest.fixture
def center(world: World) -> Node:
    """A center whose log a vendor's witness has cosigned, so that its entries have times."""
    vendor, center = world.open(world.home("vendor.example", role="vendor")), world.open(world.home("center.example"))
    center.home.add_peer(card_of(vendor))
    vendor.home.add_peer(card_of(center))
    center.home.change(quorum=1)
    for node in (vendor, center):
        node._configure(node.logs.now())
    center._publisher.configure(center.home.quorum(), _Direct(vendor, center))
    return center


class _Direct:
    """Asks a witness in this process."""

    def __init__(self, witness: Node, log: Node) -> None:
        self.witness = witness
        self.log = log
        self.size = 0

    def __call__(self, request: CosignRequest, enough: object) -> list[CosignResult]:  # noqa: ARG002 - the port's
        proof = tuple(request.proof(self.size))
        body = AddCheckpoint(self.size, proof, request.signed.note).to_bytes()
        reply = self.witness.doors.add_checkpoint(body)
        assert reply.status == 200, reply.body
        self.size = request.signed.checkpoint.size
        return [CosignResult("vendor.example", "vendor.example", tuple(decode_signatures(reply.body)))]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_views_are_what_pages_ask_for(node: Node) -> None:
    views: Views = node.views
    assert views.node().name == "center.example"
    roles = {key.role for key in views.node().keys}
    assert roles == {role.value for role in Role}
    assert [key.vkey is not None for key in views.node().keys if key.role in {"log", "mirror", "party"}] == [
        True,
        True,
        False,
    ]


def test_a_record_says_where_and_by_when_it_was_logged(center: Node) -> None:
    envelope = release(party_key(center))
    log(center, envelope)
    record = center.views.statement(envelope.id)
    assert record is not None
    assert (record.kind, record.logged_at, record.problem) == ("release", at(START), None)
    assert isinstance(record.model, Release)
    assert record.authors == (party_key(center).public.id,)
    [place] = record.places
    assert (place.origin, place.own, place.index, place.covered_by, place.logged_at) == (
        "center.example",
        True,
        0,
        1,
        at(START),
    )
    assert record.subjects[0].refs == ("sha256:" + "cd" * 32,)


def test_without_a_quorum_nothing_has_a_time(node: Node) -> None:
    envelope = release(party_key(node))
    log(node, envelope)
    record = node.views.statement(envelope.id)
    assert record is not None
    assert (record.logged_at, record.places[0].covered_by) == (None, 1)
    [fact] = node.views.logs()
    assert (fact.required, fact.outages, fact.colluders) == (0, 0, 0)
    assert fact.head is not None
    assert fact.head.cosignatures == ()


def test_a_stricter_quorum_takes_the_times_away_again(center: Node) -> None:
    envelope = release(party_key(center))
    log(center, envelope)
    assert center.views.statement(envelope.id).logged_at == at(START)  # type: ignore[union-attr]
    center.home.change(quorum=2)
    center.refresh_index()
    assert center.views.statement(envelope.id).logged_at is None  # type: ignore[union-attr]
    center.home.change(quorum=1)
    center.refresh_index()
    assert center.views.statement(envelope.id).logged_at == at(START)  # type: ignore[union-attr]


def test_about_and_referring_tell_subjects_from_what_is_named(node: Node) -> None:
    first, read = release(party_key(node)), review(party_key(node))
    log(node, first, read, withdrawal(first, party_key(node)))
    views = node.views
    assert [r.id for r in views.about(tree_ref(TREE))] == [read.id]
    assert [r.id for r in views.referring(tree_ref(TREE))] == [first.id]
    assert [r.id for r in views.referring(tree_ref(TREE), kind="review")] == []
    assert [r.kind for r in views.referring(statement_ref(first.id))] == ["withdrawal"]
    assert [r.id for r in views.about(release_ref("Example Shield", "1.0", "shield.tar.gz"))] == [first.id]


def test_only_the_author_withdraws(center: Node, person: Person) -> None:
    reviewer, other = person("reviewer"), person("other")
    grants = [accreditation(key.public, party_key(center)) for key in (reviewer, other)]
    read = review(reviewer)
    log(center, *grants, read, withdrawal(read, other))
    assert center.views.statement(read.id).withdrawn is None  # type: ignore[union-attr]
    taken_back = withdrawal(read, reviewer)
    log(center, taken_back)
    record = center.views.statement(read.id)
    assert record is not None
    assert record.withdrawn is not None
    assert (record.withdrawn.statement, record.withdrawn.reason) == (taken_back.id, "mistake")


def test_a_retired_key_voids_what_was_logged_afterwards_only(center: Node, world: World, person: Person) -> None:
    reviewer = person("reviewer")
    early, late = review(reviewer), review(reviewer, minutes=5)
    log(center, accreditation(reviewer.public, party_key(center)), early)
    world.clock.now += 100
    log(center, ending(reviewer.public, party_key(center)))
    world.clock.now += 100
    center._log.add_batch([late.to_bytes()])
    center.publish()
    assert center.views.statement(early.id).revoked is None  # type: ignore[union-attr]
    revoked = center.views.statement(late.id).revoked  # type: ignore[union-attr]
    assert revoked is not None
    assert (revoked.ending, revoked.logged_at) == (Ending.RETIRED, at(START + 100))


def test_a_compromised_key_voids_what_was_logged_since(center: Node, world: World, person: Person) -> None:
    reviewer = person("reviewer")
    early, late = review(reviewer), review(reviewer, minutes=5)
    log(center, accreditation(reviewer.public, party_key(center)), early)
    world.clock.now += 100
    log(center, late)
    world.clock.now += 100
    log(center, ending(reviewer.public, party_key(center), "2026-09-21T14:14:00Z"))
    assert center.views.statement(early.id).revoked is None  # type: ignore[union-attr]
    revoked = center.views.statement(late.id).revoked  # type: ignore[union-attr]
    assert revoked is not None
    assert (revoked.ending, revoked.since) == (Ending.COMPROMISED, at(START + 40))


def test_an_ending_by_somebody_with_no_say_changes_nothing(center: Node, person: Person) -> None:
    reviewer, other = person("reviewer"), person("other")
    read = review(reviewer)
    log(center, *(accreditation(key.public, party_key(center)) for key in (reviewer, other)), read)
    log(center, ending(reviewer.public, other, "2020-01-01T00:00:00Z"))
    assert center.views.statement(read.id).revoked is None  # type: ignore[union-attr]
    assert center.views.party(reviewer.public.id).revocation is None  # type: ignore[union-attr]


def test_names_are_shown_while_their_opening_is_published_and_gone_when_erased(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    root, opening = commit({"name": "Rosa Example", "affiliation": "Example Lab", "papers": ["1", "2"]})
    log(node, accreditation(reviewer.public, party_key(node), identity=root))
    openings = Openings(node.home.path / "openings")
    assert node.views.party(reviewer.public.id).name is None  # type: ignore[union-attr]
    openings.publish(opening.only(["name"]))
    fact = node.views.party(reviewer.public.id)
    assert fact is not None
    assert (fact.name, fact.affiliation) == ("Rosa Example", None)
    openings.publish(opening)
    [record] = node.views.about(key_ref(reviewer.public.id))
    assert record.opened == {"name": "Rosa Example", "affiliation": "Example Lab"}
    openings.erase(root)
    assert node.views.party(reviewer.public.id).name is None  # type: ignore[union-attr]
    assert b"Rosa" not in b"".join(p.read_bytes() for p in node.home.path.rglob("*") if p.is_file())
    other, _ = commit({"name": "Somebody"})
    with pytest.raises(CommitmentError):
        openings.publish(type(opening)(root=other, leaves=opening.leaves, fields=opening.fields))


def test_a_party_is_known_by_who_accredited_it(node: Node, person: Person) -> None:
    reviewer = person("reviewer")
    granted = accreditation(reviewer.public, party_key(node))
    log(node, granted, review(reviewer))
    fact = node.views.party(reviewer.public.id)
    assert fact is not None
    assert [(a.role, a.by, a.statement) for a in fact.accreditations] == [
        ("reviewer", party_key(node).public.id, granted.id)
    ]
    assert (fact.statements, fact.revocation) == (1, None)
    own = node.views.party(party_key(node).public.id)
    assert own is not None
    assert own.name == "center.example"
    assert node.views.party("0" * 64) is None
    assert node.views.key(reviewer.public.id) == reviewer.public
    assert node.views.key("0" * 64) is None


def test_products_are_listed_with_their_latest_release(center: Node, world: World) -> None:
    own = party_key(center)
    log(center, release(own, "1.0"), release(own, product="Other Tool", digest="11" * 32))
    world.clock.now += 10
    log(center, release(own, "2.0", "ef" * 32))
    rows = center.views.products()
    assert [(r.product, r.releases, r.latest_version) for r in rows] == [
        ("Example Shield", 2, "2.0"),
        ("Other Tool", 1, "1.0"),
    ]
    assert [r.product for r in center.views.products(matching="SHIELD")] == ["Example Shield"]
    assert [r.predicate["version"] for r in center.views.releases("Example Shield")] == ["2.0", "1.0"]
    assert center.views.products(matching="%") == ()


def test_digits_find_ids_and_digests(node: Node) -> None:
    envelope = release(party_key(node))
    log(node, envelope, review(party_key(node)))
    assert [r.id for r in node.views.starting_with(envelope.id[:8])] == [envelope.id]
    assert [r.id for r in node.views.starting_with("cdcdcd")] == [envelope.id]
    assert [r.kind for r in node.views.starting_with("abababab")] == ["review"]
    for nonsense in ("", "cd", "xyz!", "CDCD", "c" * 65, "%%%%"):
        assert node.views.starting_with(nonsense) == ()


def test_entries_and_proofs_lead_to_the_published_root(node: Node) -> None:
    own, views = party_key(node), node.views
    log(node, release(own))
    log(node, *(release(own, f"{i}.0", f"{i:02x}" * 32) for i in range(2, 9)))
    [fact] = views.logs()
    assert fact.head is not None
    root = bytes.fromhex(fact.head.root)
    for index in range(8):
        entry, path = views.entry(fact.id, index), views.inclusion(fact.id, index, 8)
        assert entry is not None
        assert path is not None
        verify_inclusion(bytes.fromhex(entry.leaf_hash), index, 8, [bytes.fromhex(h) for h in path], root)
    proof, old = views.consistency(fact.id, 1, 8), views.root(fact.id, 1)
    assert proof is not None
    assert old is not None
    verify_consistency(1, bytes.fromhex(old), 8, root, [bytes.fromhex(h) for h in proof])
    covering = [views.covering(fact.id, index) for index in (0, 1, 7)]
    assert [c.size for c in covering if c is not None] == [1, 8, 8]


def test_what_is_not_there_is_none_and_never_an_exception(node: Node) -> None:
    log(node, release(party_key(node)))
    views, own = node.views, node.views.logs()[0].id
    node.submit(release(party_key(node), "2.0").to_bytes())
    for log_id in (own, "0" * 64, "", "../.."):
        for number in (-1, 1, 2**70):
            assert views.entry(log_id, number) is None
            assert views.covering(log_id, number) is None
            assert views.inclusion(log_id, number, 1) is None
            assert views.inclusion(log_id, 0, number + 2**71) is None
            assert views.consistency(log_id, number, 2) is None
            assert views.root(log_id, number + 1 if number > 0 else number) is None
    assert views.log("0" * 64) is None
    assert views.statement("0" * 64) is None
    assert views.statement("") is None
    assert views.about("nonsense") == views.referring("") == views.by_author("") == views.releases("") == ()
    assert views.newest("0" * 64, before=None, limit=5) == ()
    assert [i for i, _ in views.newest(own, before=None, limit=5)] == [0]
    assert views.newest(own, before=0, limit=5) == views.newest(own, before=None, limit=0) == ()


def test_newest_counts_down(node: Node) -> None:
    own = party_key(node)
    log(node, *(release(own, f"{i}.0", f"{i:02x}" * 32) for i in range(10)))
    [fact] = node.views.logs()
    found = node.views.newest(fact.id, before=7, limit=3)
    assert [(i, r.predicate["version"]) for i, r in found if r is not None] == [(6, "6.0"), (5, "5.0"), (4, "4.0")]


def test_two_live_releases_of_one_artifact_are_an_alarm_until_one_is_withdrawn(node: Node) -> None:
    first, second = release(party_key(node)), release(party_key(node), digest="ef" * 32)
    log(node, first)
    assert node.views.alarms() == ()
    log(node, second)
    [alarm] = node.views.alarms()
    assert (alarm.kind, set(alarm.statements)) == ("doubled-release", {first.id, second.id})
    log(node, withdrawal(second, party_key(node)))
    assert node.views.alarms() == ()


def test_kept_contradictions_and_old_cosignatures_are_alarms(center: Node) -> None:
    log(center, release(party_key(center)))
    kinds = [alarm.kind for alarm in center.views.alarms()]
    stale = datetime.now(UTC).timestamp() - START > 3600
    assert kinds == (["stale-log"] if stale else [])
    AlarmFolder(center.home.path / "alarms")(Alarm("vendor.example", "two trees of 5 entries", True, "a", "b"))
    assert "inconsistent-log" in {alarm.kind for alarm in center.views.alarms()}


def test_counts_name_what_is_not_known_here_other(node: Node) -> None:
    own = party_key(node)
    other = signed(Statement((Subject({"sha256": "12" * 32}),), "https://example.com/x/v1", {}), own)
    log(node, release(own), other)
    assert node.views.counts() == {"release": 1, "other": 1}


def test_views_of_a_home_whose_node_does_not_run(center: Node, world: World) -> None:
    envelope = release(party_key(center))
    log(center, envelope)
    home = center.home
    world.close(center)
    views = NodeViews(home, PREDICATES)
    assert views.statement(envelope.id) is not None
    [peer] = views.peers()
    assert (peer.witnesses_us, peer.mirrors_us, peer.last_answer) == (True, False, None)


def test_a_mistake_in_the_settings_does_not_take_a_running_node_down(node: Node) -> None:
    path = node.home.path / "node.toml"
    good = path.read_text()
    path.write_text(good + "nonsense = = 3\n")
    assert node.views.node().name == "center.example"
    log(node, release(party_key(node)))
    assert node.logs.problem is not None
    path.write_text(good + "# mended\n")
    assert node.views.node().name == "center.example"
    assert node.logs.problem is None


def test_a_grant_carries_its_roles(node: Node, person: Person) -> None:
    key = person("reviewer")
    log(node, accreditation(key.public, party_key(node)))
    [record] = node.views.about(key_ref(key.public.id), kind="party")
    assert isinstance(record.model, Party)
    assert record.model.action is PartyAction.ACCREDIT
