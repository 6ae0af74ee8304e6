"""A pack is gathered from whoever answers; who lies, lags or is down is told and left out, and the verifier decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from tests.record_pack.answering import Answering
from tests.trust.world_pack import FILE_SHA256, World, WorldNode, review, secret

from pellucid.capabilities import PREDICATES
from pellucid.errors import EvidenceError, UnavailableError
from pellucid.record.client import NodeClient
from pellucid.record.packing import Bounds, TooMuchError, build_pack, tlog_proofs
from pellucid.record.sources import NoSourceError
from pellucid.source.predicate import Result
from pellucid.statement.commitment import commit
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role
from pellucid.tlog.note import Note
from pellucid.trust.pack import Pack
from pellucid.trust.policy import parse_policy
from pellucid.trust.verdict import Answer, Verdict

QUICK = Bounds(wait=0.6)


class Field:
    """The world with its nodes listening; a test changes `nodes` before it packs."""

    def __init__(self, world: World, **policy: Any) -> None:
        self.world = world
        self.nodes = {name: Answering(world, name) for name in world.nodes}
        self.text = world.policy(**policy)
        self.told: list[str] = []

    def pack(self, bounds: Bounds = QUICK, **options: Any) -> Pack:
        """Build the pack about the file."""
        return build_pack(
            FILE_SHA256,
            parse_policy(self.text.encode()),
            PREDICATES,
            connect=self.connect,
            tell=self.told.append,
            bounds=bounds,
            **options,
        )

    def connect(self, url: str) -> NodeClient:
        """Return the node at an address."""
        return cast("NodeClient", self.nodes[url.removeprefix("http://").removesuffix(".example")])

    def verdict(self, pack: Pack) -> Verdict:
        """Judge the file by a pack."""
        return self.world.decide(pack.to_bytes(), policy=self.text)


def unmet(verdict: Verdict) -> dict[str, str]:
    return {result.name: result.why for result in verdict.results if not result.met}


def test_what_the_nodes_show_is_gathered_into_a_pack_that_meets_the_policy() -> None:
    field = Field(World(), witnesses=3, mirrors=3)
    pack = field.pack()
    assert field.verdict(pack).answer is Answer.MEETS
    assert pack == field.world.pack()
    assert field.told == []


def test_the_same_logs_give_the_same_pack() -> None:
    world = World()
    assert Field(world).pack().to_bytes() == Field(world).pack().to_bytes()


def test_a_node_that_is_down_is_replaced_by_mirrors_of_its_log() -> None:
    field = Field(World())
    field.nodes["vendor"].down = True
    pack = field.pack()
    assert field.verdict(pack).answer is Answer.MEETS
    assert any("log.vendor.example is not shown by vendor" in line for line in field.told)


def test_too_few_mirrors_leave_the_verdict_unmet_and_are_told() -> None:
    field = Field(World(), mirrors=2)
    field.nodes["asia"].refuses_lookups = field.nodes["europe"].refuses_lookups = True
    found = unmet(field.verdict(field.pack()))
    assert list(found) == ["completeness"]
    assert any("asia does not answer for log.vendor.example" in line for line in field.told)


def test_a_mirror_that_catches_up_is_waited_for() -> None:
    field = Field(World(), mirrors=3)
    field.nodes["europe"].lag = 2
    assert field.verdict(field.pack()).answer is Answer.MEETS
    assert any("waiting for europe" in line for line in field.told)


def test_nobody_waits_long_for_a_mirror_once_enough_have_answered() -> None:
    field = Field(World(), mirrors=2)
    field.nodes["europe"].refuses_lookups = True
    begun = time.monotonic()
    assert field.verdict(field.pack(Bounds(wait=60.0, grace=0.3))).answer is Answer.MEETS
    assert time.monotonic() - begun < 20
    assert any("europe does not answer" in line for line in field.told)


def test_nobody_shows_a_log() -> None:
    field = Field(World())
    for node in field.nodes.values():
        node.down = True
    with pytest.raises(NoSourceError, match=r"log\.vendor\.example"):
        field.pack()


Lie = Callable[[Answering, WorldNode, frozenset[str]], Envelope]


class Liar(Answering):
    """A mirror that answers something else."""

    def __init__(self, world: World, name: str, lie: Lie) -> None:
        super().__init__(world, name)
        self._lie = lie

    def answer(self, log: WorldNode, refs: frozenset[str], size: int) -> Envelope:
        """Lie."""
        assert size
        return self._lie(self, log, refs)


def by_another(node: Answering, log: WorldNode, refs: frozenset[str]) -> Envelope:
    return node.world.answer(log, node.world.nodes["asia"], refs)


def about_less(node: Answering, log: WorldNode, refs: frozenset[str]) -> Envelope:
    return node.world.answer(log, node.world.nodes[node.name], sorted(refs)[:1])


def about_another_log(node: Answering, log: WorldNode, refs: frozenset[str]) -> Envelope:
    other = node.world.nodes["vendor" if log.name != "vendor" else "asia"]
    return node.world.answer(other, node.world.nodes[node.name], refs)


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (by_another, "not signed by the look-up key"),
        (about_less, "about less than was asked"),
        (about_another_log, "about another tree"),
    ],
)
def test_a_mirror_that_lies_is_left_out(lie: Lie, told: str) -> None:
    field = Field(World())
    field.nodes["europe"] = Liar(field.world, "europe", lie)
    assert field.verdict(field.pack()).answer is Answer.MEETS
    assert any(told in line for line in field.told)


class Silent(Answering):
    """A node that hides statements of the reviewer `europe` in every answer."""

    def answer(self, log: WorldNode, refs: frozenset[str], size: int) -> Envelope:
        """Leave out what concerns the source when asked about its own log."""
        hidden = {ref for ref in refs if ref.startswith("gitTree:")} if log.name == "europe" else set()
        true = super().answer(log, refs, size)
        if not hidden or len(refs) == len(hidden):
            return true
        listed = Statement.parse(true.payload)
        short = {**listed.predicate, "statements": []}
        payload = Statement(listed.subjects, listed.predicate_type, short).payload()
        return sign_payload(IN_TOTO, payload, self.world.nodes[self.name].secret(Role.LOOKUP))


def test_a_statement_that_one_node_hides_is_found_through_the_others() -> None:
    world = World()
    bad = world.log(world.nodes["europe"], review(Result.FAIL), secret(Role.PARTY, "europe"))
    field = Field(world)
    field.nodes["europe"] = Silent(world, "europe")
    pack = field.pack()
    assert "fail" in unmet(field.verdict(pack))["review"]
    assert bad.id in {Envelope.from_json(s.envelope).id for log in pack.logs for s in log.statements}


def test_a_frozen_log_ends_where_the_policy_says() -> None:
    world = World()
    asia = world.nodes["asia"]
    end = asia.checkpoint(2)
    world.log(asia, review(Result.FAIL), world.reviewer)
    field = Field(world)
    key = f'key = "{asia.signer(Role.LOG).vkey}"\n'
    frozen = f'frozen = {{size = 2, root = "{end.root.hex()}"}}\n'
    field.text = field.text.replace(key, key + frozen)
    pack = field.pack()
    assert Note.parse(next(log.head for log in pack.logs if log.origin == asia.origin).encode()).text == end.text
    assert field.verdict(pack).answer is Answer.MEETS


def test_a_checkpoint_without_its_quorum_is_passed_over_for_a_later_one() -> None:
    world = World()
    asia = world.nodes["asia"]
    asia.notes[1] = Note(asia.notes[1].text, asia.notes[1].signatures[:1])
    pack = Field(world).pack()
    log = next(log for log in pack.logs if log.origin == asia.origin)
    assert [Note.parse(item.note.encode()).text.split("\n")[1] for item in log.checkpoints] == ["2"]
    assert Field(world).verdict(pack).answer is Answer.MEETS


def test_more_than_the_bounds_is_refused_with_a_remedy() -> None:
    with pytest.raises(TooMuchError) as found:
        Field(World()).pack(Bounds(statements=1, wait=0.1))
    assert found.value.remedy


def test_a_key_that_nobody_gives_stops_the_packing() -> None:
    world = World()
    world.log(world.nodes["europe"], review(Result.FAIL), secret(Role.PARTY, "Stranger Example"))
    with pytest.raises(UnavailableError, match="nobody gives the key"):
        Field(world).pack()


def test_openings_are_carried_and_must_fit() -> None:
    _, opening = commit({"name": "Rita Example"})
    field = Field(World())
    pack = field.pack(openings=[opening])
    assert "no statement in the pack makes this commitment" in unmet(field.verdict(pack))["evidence"]
    wrong = type(opening)(root="00" * 32, leaves=opening.leaves, fields=opening.fields)
    with pytest.raises(EvidenceError, match="another commitment"):
        field.pack(openings=[wrong])


def test_tlog_proofs_hold_for_the_entries_of_the_log() -> None:
    world = World()
    pack = Field(world).pack()
    proofs = tlog_proofs(pack, lambda envelope: envelope.id == world.release.id)
    assert [(proof.log, proof.index) for proof in proofs] == [(world.vendor.origin, 0)]
    log = world.vendor.signer(Role.LOG).verifier
    witnesses = [node.signer(Role.WITNESS).verifier for node in world.nodes.values() if node is not world.vendor]
    logged = proofs[0].proof.verify(proofs[0].envelope.to_bytes(), log, witnesses)
    assert len(logged.cosignatures) == 3
    with pytest.raises(EvidenceError):
        proofs[0].proof.verify(world.review.to_bytes(), log, witnesses)
