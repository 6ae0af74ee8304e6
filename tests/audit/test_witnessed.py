"""Others see the heads of an audit log and nothing else of it, and whoever writes it anew is caught by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.node.conftest import PASSPHRASE, Town, quick_keys, town, until
from tests.record.conftest import release

from pellucid.audit.events import Event, EventType
from pellucid.audit.portal.proofs import proof_of
from pellucid.audit.proof import check_proof
from pellucid.audit.trail import NotRecordedError, Trail
from pellucid.cli import main
from pellucid.node import Home, Node, create_home
from pellucid.record.card import CardError, make_card, note_signer, read_card
from pellucid.record.home import HomeError, PeerError
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, generate_key
from pellucid.storage.alarms import AlarmFolder
from pellucid.tlog.checkpoint import open_checkpoint, origin_hash
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.errors import SharedKeyError

__all__ = ["quick_keys", "town"]

RITA = "aa" * 16


def look(node: Node, number: int = 0) -> int:
    return node.trail.record(Event(EventType.ACCESS_GRANTED, number, RITA, (RITA,), "page:/account/record"))


def head(node: Node) -> bytes:
    reply = node.doors.audit_checkpoint()
    assert reply.status == 200
    return reply.body


def published(node: Node) -> int:
    return node.auditing.publication.published_size or 0


def cosigned_by(town: Town, name: str, *witnesses: str) -> set[str]:
    signed = open_checkpoint(head(town.nodes[name]), town.homes[name].verifier(Role.AUDIT))
    known = [town.homes[witness].verifier(Role.WITNESS) for witness in witnesses]
    return {item.verifier.name for item in cosignatures(signed.note, known)}


def fsck(home: Home) -> int:
    return main(["fsck", str(home.path), "--json"])


def two(town: Town) -> tuple[Node, Node]:
    town.build("vendor", quorum=1)
    town.build("asia", quorum=1)
    town.join("vendor", "asia")
    town.start("asia", "vendor")
    return town.nodes["vendor"], town.nodes["asia"]


def without_audit_key(home: Home) -> Envelope:
    """The card of a node of before there were audit logs."""
    card = Statement.parse(home.card(PASSPHRASE).payload)
    told = {name: value for name, value in card.predicate.items() if name != "audit"}
    node, party = home.secret(Role.NODE, PASSPHRASE), home.secret(Role.PARTY, PASSPHRASE)
    return sign_payload(IN_TOTO, Statement(card.subjects, card.predicate_type, told).payload(), node, party)


def test_a_head_is_published_once_the_others_have_cosigned_it(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    vendor, asia = two(town)
    look(vendor)
    until(lambda: published(vendor) == 1)
    assert cosigned_by(town, "vendor", "asia") == {"asia.example/witness"}
    proven = check_proof(proof_of(vendor.trail, RITA, None).to_bytes(), town.homes["vendor"].verifier(Role.AUDIT))
    assert len(proven.events) == 1
    seen = asia.doors.witness_checkpoint(origin_hash("vendor.example/audit"))
    assert seen.status == 200
    assert seen.body.split(b"\n")[:2] == [b"vendor.example/audit", b"1"]
    assert asia.doors.mirror_file(origin_hash("vendor.example/audit"), "tile/entries/000.p/1").status == 404
    for name in ("vendor", "asia"):
        town.stop(name)
        assert fsck(town.homes[name]) == 0, capsys.readouterr().out


@pytest.mark.full  # it waits until those who were away are asked again
def test_below_the_quorum_nothing_is_published_but_everything_is_recorded(town: Town) -> None:
    town.build("vendor", quorum=1)
    town.build("asia")
    town.join("vendor", "asia")
    town.start("vendor")
    vendor = town.nodes["vendor"]
    assert look(vendor) == 0
    until(lambda: vendor.auditing.publication.wanting != ("not tried yet",))
    assert vendor.doors.audit_checkpoint().status == 404
    town.start("asia")
    until(lambda: published(vendor) == 1, 30)


@pytest.mark.parametrize("how", [pytest.param("gone", marks=pytest.mark.full), "rewritten"])
def test_a_node_that_writes_its_audit_log_anew_is_caught(town: Town, how: str) -> None:
    vendor, asia = two(town)
    for number in range(3):
        look(vendor, number)
    until(lambda: published(vendor) == 3)
    town.stop("vendor")
    home = town.homes["vendor"]
    shutil.rmtree(home.path / "audit")
    for file in home.path.glob("audit*.db*"):
        file.unlink()
    if how == "rewritten":
        trail = Trail.open(home.path, note_signer("vendor.example", home.secret(Role.AUDIT, PASSPHRASE)))
        for number in range(3):
            trail.record(Event(EventType.ACCESS_GRANTED, number, "bb" * 16, (), "page:/account/record"))
        trail.log.integrate()
        trail.close()
    town.start("vendor")
    vendor = town.nodes["vendor"]
    until(lambda: vendor.trail.problem is not None)
    with pytest.raises(NotRecordedError, match="frozen"):
        look(vendor)
    assert [alarm.origin for alarm in AlarmFolder(home.path / "alarms").all()] == ["vendor.example/audit"]
    if how == "rewritten":
        until(lambda: AlarmFolder(town.homes["asia"].path / "alarms").all() != [])
        alarm = AlarmFolder(town.homes["asia"].path / "alarms").all()[0]
        assert alarm.proven, "both heads bear the signature of that log"
    receipt = vendor.submit(release(home.secret(Role.PARTY, PASSPHRASE)).to_bytes())
    assert receipt is not None
    assert vendor.wait_published(0, 20), "the public log goes on"
    assert asia.trail.problem is None


def test_an_audit_log_that_only_grew_is_no_alarm(town: Town) -> None:
    vendor, _ = two(town)
    look(vendor, 1)
    until(lambda: published(vendor) == 1)
    town.stop("vendor")
    town.start("vendor")
    vendor = town.nodes["vendor"]
    look(vendor, 2)
    until(lambda: published(vendor) == 2)
    assert AlarmFolder(town.homes["vendor"].path / "alarms").all() == []
    assert AlarmFolder(town.homes["asia"].path / "alarms").all() == []


def test_a_peer_from_before_there_were_audit_logs_is_not_asked(town: Town) -> None:
    for name in ("vendor", "asia", "old"):
        town.build(name, quorum=1 if name == "vendor" else 0)
    town.join("vendor", "asia")
    town.homes["vendor"].add_peer(read_card(without_audit_key(town.homes["old"]).to_bytes()))
    town.start("asia", "old", "vendor")
    vendor = town.nodes["vendor"]
    look(vendor)
    until(lambda: published(vendor) == 1)
    assert cosigned_by(town, "vendor", "asia", "old") == {"asia.example/witness"}
    assert town.nodes["old"].doors.witness_checkpoint(origin_hash("vendor.example/audit")).status == 404


def test_a_new_card_that_adds_the_audit_key_is_taken_and_another_one_is_not(town: Town) -> None:
    vendor, old = town.build("vendor"), town.build("old")
    before, now = read_card(without_audit_key(old).to_bytes()), read_card(old.card(PASSPHRASE).to_bytes())
    assert Role.AUDIT not in before.keys
    assert vendor.add_peer(before)
    assert vendor.add_peer(now)
    assert vendor.peers()[0].verifier(Role.AUDIT) == old.verifier(Role.AUDIT)
    with pytest.raises(PeerError, match="other keys"):
        vendor.add_peer(before)
    node, party = old.secret(Role.NODE, PASSPHRASE), old.secret(Role.PARTY, PASSPHRASE)
    other = {**old.keys, Role.AUDIT: generate_key(Role.AUDIT, "other").public}
    with pytest.raises(PeerError, match="other keys"):
        vendor.add_peer(read_card(make_card(old.settings, other, node, party).to_bytes()))


@pytest.mark.parametrize("role", [Role.LOG, Role.WITNESS, Role.MIRROR, Role.LOOKUP, Role.NODE, Role.PARTY])
def test_an_audit_key_that_has_another_role_too_is_refused(town: Town, role: Role) -> None:
    home = town.build("vendor")
    node, party = home.secret(Role.NODE, PASSPHRASE), home.secret(Role.PARTY, PASSPHRASE)
    keys = {**home.keys, Role.AUDIT: home.keys[role]}
    with pytest.raises(SharedKeyError):
        read_card(make_card(home.settings, keys, node, party).to_bytes())


def test_no_node_can_have_the_name_of_an_audit_log(town: Town, tmp_path: Path) -> None:
    home = town.build("vendor")
    settings = type(home.settings)("vendor.example/audit", "center", "asia", "Mallory")
    with pytest.raises(HomeError, match="origin of an audit log"):
        create_home(tmp_path / "mallory", settings, PASSPHRASE)
    node, party = home.secret(Role.NODE, PASSPHRASE), home.secret(Role.PARTY, PASSPHRASE)
    with pytest.raises(CardError, match="origin of an audit log"):
        read_card(make_card(settings, home.keys, node, party).to_bytes())
