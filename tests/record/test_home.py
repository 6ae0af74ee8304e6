"""Making a node, joining with others, and refusing keys that stand where they must not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.record.conftest import PASSPHRASE, World, card_of

from pellucid.errors import UnavailableError
from pellucid.node import Home, Node, create_home
from pellucid.record.card import CardError, fingerprint, make_card, read_card
from pellucid.record.home import HomeError, PeerError
from pellucid.record.predicate import CARD
from pellucid.record.settings import load_settings
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import KeyFileError, Role, generate_key
from pellucid.tlog.errors import SharedKeyError, VkeyError
from pellucid.toml_file import TomlError


def test_a_home_has_a_sealed_key_for_each_role_and_no_two_are_alike(world: World) -> None:
    home = world.home("center.example")
    assert len({key.raw for key in home.keys.values()}) == len(Role)
    for role in Role:
        path = home.path / "keys" / f"{role.value}.key"
        assert path.stat().st_mode & 0o777 == 0o600
        assert home.secret(role, PASSPHRASE).public == home.keys[role]
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        home.secret(Role.LOG, b"wrong")
    assert home.verifier(Role.LOG).name == "center.example"
    assert home.verifier(Role.MIRROR).name == "center.example/mirror"


def test_a_key_file_in_another_roles_place_is_refused(world: World) -> None:
    home = world.home("center.example")
    keys = home.path / "keys"
    (keys / "log.key").write_bytes((keys / "witness.key").read_bytes())
    with pytest.raises(KeyFileError, match="'witness', not 'log'"):
        home.secret(Role.LOG, PASSPHRASE)
    with pytest.raises(HomeError, match="role 'witness'"):
        _ = Home(home.path).keys


def test_an_existing_home_is_refused_with_the_remedy_and_stays_as_it_is(world: World) -> None:
    home = world.home("center.example")
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    with pytest.raises(HomeError) as caught:
        world.home("center.example")
    assert caught.value.remedy is not None
    assert before == {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    (world.root / "full").mkdir()
    (world.root / "full" / "letter.txt").write_text("dear")
    with pytest.raises(HomeError, match="not empty"):
        create_home(world.root / "full", home.settings, PASSPHRASE)
    assert [path.name for path in world.root.iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_is_no_home_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="not the home of a node"):
        Home.find(tmp_path)


def test_settings_keep_their_comments_when_one_is_changed(world: World) -> None:
    home = world.home("center.example")
    path = home.path / "node.toml"
    path.write_text("# ours\n" + path.read_text())
    home.change(quorum=2, url="https://center.example")
    assert path.read_text().startswith("# ours\n")
    assert (home.settings.quorum, home.settings.url) == (2, "https://center.example")
    home.change(url=None)
    assert home.settings.url is None
    with pytest.raises(HomeError, match="never changes"):
        home.change(name="other.example")


def test_a_mistake_in_the_settings_is_named_by_its_line(world: World) -> None:
    home = world.home("center.example")
    path = home.path / "node.toml"
    path.write_text(path.read_text().replace("quorum = 0", 'quorum = "two"'))
    with pytest.raises(TomlError) as caught:
        load_settings(home.path)
    assert caught.value.where is not None
    assert ":6:1" in caught.value.where


def test_a_card_reads_back_and_its_fingerprint_is_eight_groups_of_five_digits(world: World) -> None:
    home = world.home("center.example", listen="127.0.0.1:8401")
    envelope = home.card(PASSPHRASE)
    card = read_card(envelope.to_bytes())
    assert (card.name, card.card.url, card.keys[Role.PARTY]) == (
        "center.example",
        "http://127.0.0.1:8401",
        home.keys[Role.PARTY],
    )
    groups = card.fingerprint.split(" ")
    assert [len(group) for group in groups] == [5] * 8
    assert all(group.isdigit() for group in groups)
    assert home.card(PASSPHRASE) == envelope, "the same settings give the same card"
    home.change(operator="Somebody else")
    assert fingerprint(home.card(PASSPHRASE)) != card.fingerprint


def test_a_card_that_its_own_keys_did_not_sign_is_refused(world: World) -> None:
    home, other = world.home("center.example"), world.home("other.example")
    payload = home.card(PASSPHRASE).payload
    node, party = home.secret(Role.NODE, PASSPHRASE), home.secret(Role.PARTY, PASSPHRASE)
    read_card(sign_payload(IN_TOTO, payload, node, party).to_bytes())
    with pytest.raises(CardError, match="own party key"):
        read_card(sign_payload(IN_TOTO, payload, node).to_bytes())
    with pytest.raises(CardError, match="own node key"):
        read_card(sign_payload(IN_TOTO, payload, other.secret(Role.NODE, PASSPHRASE), party).to_bytes())


def test_a_card_with_one_key_in_two_roles_is_refused(world: World) -> None:
    home = world.home("center.example")
    node = home.secret(Role.NODE, PASSPHRASE)
    party = home.secret(Role.PARTY, PASSPHRASE)
    keys = {**home.keys, Role.LOOKUP: home.keys[Role.PARTY]}
    with pytest.raises(SharedKeyError):
        read_card(make_card(home.settings, keys, node, party).to_bytes())


def test_a_card_whose_keys_have_other_names_than_their_roles_is_refused(world: World) -> None:
    home = world.home("center.example")
    statement = Statement.parse(home.card(PASSPHRASE).payload)
    node, party = home.secret(Role.NODE, PASSPHRASE), home.secret(Role.PARTY, PASSPHRASE)

    def with_fields(**fields: str) -> bytes:
        changed = Statement(statement.subjects, CARD.uri, {**statement.predicate, **fields})
        return sign_payload(IN_TOTO, changed.payload(), node, party).to_bytes()

    with pytest.raises(CardError, match="name or type"):
        read_card(with_fields(witness=statement.predicate["mirror"]))
    with pytest.raises(VkeyError):
        read_card(with_fields(witness="nothing"))


def test_peers_are_joined_listed_and_parted_from(world: World) -> None:
    home, other = world.home("center.example"), world.home("vendor.example")
    card = read_card(other.card(PASSPHRASE).to_bytes())
    assert home.add_peer(card)
    assert not home.add_peer(card), "the same card again changes nothing"
    assert [peer.name for peer in home.peers()] == ["vendor.example"]
    assert [c.operator for c in home.quorum().candidates] == ["vendor.example"]
    assert home.remove_peer("vendor.example")
    assert not home.remove_peer("vendor.example")
    assert home.peers() == ()


def test_a_peers_new_address_is_taken_and_new_keys_are_not(world: World) -> None:
    home, other = world.home("center.example"), world.home("vendor.example")
    home.add_peer(read_card(other.card(PASSPHRASE).to_bytes()))
    other.change(url="https://new.example")
    assert home.add_peer(read_card(other.card(PASSPHRASE).to_bytes()))
    assert home.peers()[0].card.url == "https://new.example"
    (world.root / "elsewhere").mkdir()
    impostor = World(world.root / "elsewhere").home("vendor.example")
    with pytest.raises(PeerError, match="other keys"):
        home.add_peer(read_card(impostor.card(PASSPHRASE).to_bytes()))
    with pytest.raises(PeerError, match="own name"):
        home.add_peer(read_card(home.card(PASSPHRASE).to_bytes()))


def test_a_card_that_reuses_a_key_of_another_node_is_refused(world: World) -> None:
    home, first, second = (world.home(f"{name}.example") for name in ("center", "first", "second"))
    home.add_peer(read_card(first.card(PASSPHRASE).to_bytes()))
    keys = {**second.keys, Role.WITNESS: first.keys[Role.WITNESS]}
    node, party = second.secret(Role.NODE, PASSPHRASE), second.secret(Role.PARTY, PASSPHRASE)
    with pytest.raises(SharedKeyError):
        home.add_peer(read_card(make_card(second.settings, keys, node, party).to_bytes()))
    assert home.add_peer(read_card(second.card(PASSPHRASE).to_bytes()))


def test_two_writers_on_one_home_are_kept_apart(node: Node, world: World) -> None:
    with pytest.raises(UnavailableError, match=str(os.getpid())):
        Node.open(node.home, PASSPHRASE)
    world.close(node)
    world.open(node.home)


def test_a_node_is_known_to_run_only_while_it_does(node: Node, world: World) -> None:
    assert node.home.node_url() is None
    node.home.announce("http://127.0.0.1:8400/")
    assert node.home.node_url() == "http://127.0.0.1:8400"
    world.close(node)
    assert node.home.node_url() is None


def test_a_serving_file_left_by_a_killed_process_says_nothing(world: World) -> None:
    home = world.home("center.example")
    (home.path / "serving.json").write_text('{"url": "http://127.0.0.1:1", "pid": 999999999}')
    assert home.node_url() is None
    (home.path / "serving.json").write_text(f'{{"url": "http://127.0.0.1:1", "pid": {os.getpid()}}}')
    assert home.node_url() is None, "that process does not hold the lock"


def test_keys_are_made_new_each_time() -> None:
    assert generate_key(Role.LOG, "a").seed != generate_key(Role.LOG, "a").seed


def test_the_card_of_a_running_node_follows_its_settings(node: Node) -> None:
    node.home.change(url="https://center.example/log")
    assert card_of(node).card.url == "https://center.example/log"
