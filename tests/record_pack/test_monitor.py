"""Whoever follows the logs learns what is new, and is alarmed by what should never be; each alarm has its control."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from tests.record_pack.answering import Answering, MemoryTiles
from tests.trust.world_pack import NOW, START, World, WorldNode, payload, review, secret

from pellucid.capabilities import PREDICATES
from pellucid.commands.monitor import _doubled
from pellucid.errors import UnavailableError
from pellucid.record.client import NodeClient
from pellucid.record.monitor import Kind, Monitor, Pass, evidence_files
from pellucid.record.monitor_state import MonitorState, MonitorStateError, load_state, save_state
from pellucid.record.sources import Nodes
from pellucid.source.predicate import Result
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.keys import Role
from pellucid.tlog.checkpoint import open_checkpoint, sign_checkpoint
from pellucid.trust.predicate import WITHDRAWAL, Withdrawal, WithdrawalReason, statement_subject


class Showing(Answering):
    """A node that may show other versions of some logs."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.shown: dict[str, WorldNode] = {}

    def tiles(self, origin: str, *, mirrored: bool) -> MemoryTiles:
        """Return the version that is shown."""
        found = super().tiles(origin, mirrored=mirrored)
        return MemoryTiles(self.shown.get(origin, found.node), self.down)


class Watch:
    """A monitor over the world's nodes, with what it remembers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.nodes = {name: Showing(world, name) for name in world.nodes}
        self.state = MonitorState()
        self.now = NOW

    def look(self) -> Pass:
        """Make one pass."""
        rules = self.world.rules()
        nodes = Nodes(rules.policy, rules.keyring, self._connect)
        monitor = Monitor(
            rules.policy, nodes, PREDICATES, lambda judged: _doubled(rules, judged), clock=lambda: self.now
        )
        found, self.state = monitor.look(self.state)
        return found

    def _connect(self, url: str) -> NodeClient:
        return cast("NodeClient", self.nodes[url.removeprefix("http://").removesuffix(".example")])


def kinds(found: Pass) -> set[Kind]:
    return {notice.kind for notice in found.alarms}


def rewritten(world: World, name: str, *, longer: bool = False) -> WorldNode:
    """Return another version of a log, signed by its true key: its last entry is something else."""
    true = world.nodes[name]
    other = WorldNode(true.name, true.role, entries=[*true.entries])
    other.entries[-1] = sign_payload(IN_TOTO, review(Result.FAIL), world.reviewer).to_bytes()
    if longer:
        other.entries.append(sign_payload(IN_TOTO, review(Result.PASS), world.reviewer).to_bytes())
    other.publish(world.nodes.values(), world.clock)
    return other


def test_the_first_look_remembers_and_the_second_tells_what_is_new() -> None:
    watch = Watch(World())
    first = watch.look()
    assert (first.alarms, first.new, len(first.seen)) == ([], 0, 4)
    said = watch.world.log(watch.world.nodes["asia"], review(Result.FAIL), watch.world.reviewer)
    second = watch.look()
    assert second.alarms == []
    assert [(n.kind, n.statement, n.index) for n in second.notices] == [(Kind.NEW, said.id, 2)]
    assert watch.look().notices == []


def test_a_log_that_shrinks_is_missing_entries_with_proof() -> None:
    watch = Watch(World())
    watch.look()
    asia = watch.world.nodes["asia"]
    short = WorldNode(asia.name, asia.role, asia.entries[:1], {1: asia.notes[1]})
    for node in watch.nodes.values():
        node.shown[asia.origin] = short
    found = watch.look()
    assert Kind.MISSING in kinds(found)
    log = asia.signer(Role.LOG).verifier
    sizes = {open_checkpoint(note, log).checkpoint.size for note in evidence_files(found).values()}
    assert sizes == {1, 2}
    assert kinds(watch.look()) == kinds(found)


def test_a_node_that_shows_less_than_its_mirrors_is_missing_entries() -> None:
    watch = Watch(World())
    asia = watch.world.nodes["asia"]
    watch.nodes["asia"].shown[asia.origin] = WorldNode(asia.name, asia.role, asia.entries[:1], {1: asia.notes[1]})
    assert Kind.MISSING in kinds(watch.look())


@pytest.mark.parametrize("longer", [False, True])
def test_a_log_that_shows_two_versions_is_inconsistent_and_both_are_kept(longer: bool) -> None:
    watch = Watch(World())
    asia = watch.world.nodes["asia"]
    watch.nodes["europe"].shown[asia.origin] = rewritten(watch.world, "asia", longer=longer)
    found = watch.look()
    assert Kind.INCONSISTENT in kinds(found)
    log = asia.signer(Role.LOG).verifier
    roots = {open_checkpoint(note, log).checkpoint.root for note in evidence_files(found).values()}
    assert len(roots) == 2


def test_a_log_that_rewrites_what_was_seen_is_inconsistent_at_every_later_pass() -> None:
    watch = Watch(World())
    watch.look()
    asia = watch.world.nodes["asia"]
    for node in watch.nodes.values():
        node.shown[asia.origin] = rewritten(watch.world, "asia", longer=True)
    assert kinds(watch.look()) == {Kind.INCONSISTENT}
    assert kinds(watch.look()) == {Kind.INCONSISTENT}


def test_damaged_tiles_are_missing_entries() -> None:
    watch = Watch(World())
    asia = watch.world.nodes["asia"]
    damaged = WorldNode(asia.name, asia.role, [b"something else", *asia.entries[1:]], asia.notes)
    for node in watch.nodes.values():
        node.shown[asia.origin] = damaged
    assert kinds(watch.look()) == {Kind.MISSING}


def test_a_head_that_too_few_cosigned_or_long_ago_is_stale() -> None:
    watch = Watch(World())
    assert watch.look().alarms == []
    watch.now = START + 3 * 86_400
    assert kinds(watch.look()) == {Kind.STALE}
    lonely = Watch(World())
    asia = lonely.world.nodes["asia"]
    asia.notes[2] = sign_checkpoint(asia.checkpoint(2), asia.signer(Role.LOG))
    assert [(n.kind, n.log) for n in lonely.look().alarms] == [(Kind.STALE, asia.origin)]


def test_a_node_that_is_down_alarms_only_if_nobody_shows_its_log() -> None:
    watch = Watch(World())
    watch.nodes["asia"].down = True
    found = watch.look()
    assert found.alarms == []
    assert {n.kind for n in found.notices} == {Kind.UNREACHABLE}
    for node in watch.nodes.values():
        node.down = True
    with pytest.raises(UnavailableError, match="no node of the policy"):
        watch.look()


def test_a_second_live_release_of_one_place_is_doubled_until_it_is_withdrawn() -> None:
    watch = Watch(World())
    assert watch.look().alarms == []
    world = watch.world
    second = world.log(world.vendor, world.release_statement(digest="ab" * 32), world.vendor.secret(Role.PARTY))
    found = watch.look()
    assert {n.statement for n in found.alarms} == {world.release.id, second.id}
    assert kinds(watch.look()) == {Kind.DOUBLED}
    taken_back = payload([statement_subject(second.id)], WITHDRAWAL, Withdrawal(reason=WithdrawalReason.MISTAKE))
    world.log(world.vendor, taken_back, world.vendor.secret(Role.PARTY))
    assert watch.look().alarms == []


def test_a_release_by_somebody_else_doubles_nothing() -> None:
    watch = Watch(World())
    world = watch.world
    stranger = secret(Role.PARTY, "europe")
    world.log(world.nodes["europe"], world.release_statement(digest="ab" * 32), stranger)
    assert watch.look().alarms == []


def test_the_state_survives_in_its_file_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    watch = Watch(World())
    watch.look()
    path = tmp_path / "seen.json"
    assert load_state(path) is None
    save_state(path, watch.state)
    assert load_state(path) == watch.state
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(MonitorStateError) as found:
        load_state(path)
    assert found.value.exit_code == 2
    assert found.value.remedy
    assert list(tmp_path.iterdir()) == [path]
