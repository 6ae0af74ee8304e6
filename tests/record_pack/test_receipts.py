"""A receipt is a promise: whoever holds one learns whether it was kept, from the log and not from who promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.record_pack.answering import MemoryTiles
from tests.trust.world_pack import START, World, WorldNode, payload, review

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.predicate import RECEIPT, Outcome, Receipt, Refusal
from pellucid.record.receipts import Promiser, ReceiptReport, Standing, check_receipt
from pellucid.source.predicate import Result
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Subject
from pellucid.statement.keys import Role
from pellucid.statement.moment import format_time
from pellucid.storage.objects import MAX_OBJECT
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.quorum import Cosigner, Quorum
from pellucid.tlog.reader import LogReader
from pellucid.trust.predicate import statement_subject

LATER = START + 3600


class Down:
    """A source that does not answer."""

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """Fail."""
        raise UnavailableError(f"no answer to {path} of {limit} bytes")

    def kept(self, after: int, limit: int) -> Sequence[int]:
        """Fail."""
        raise UnavailableError(f"no answer to {after}, {limit}")


def receipt_of(node: WorldNode, statement: Envelope, index: int, *, due: int, **changes: Any) -> bytes:
    model = Receipt(
        outcome=Outcome.ACCEPTED, log=node.origin, received=format_time(START), index=index, due=format_time(due)
    )
    key = changes.get("key", node.secret(Role.NODE))
    return sign_payload(IN_TOTO, payload([statement_subject(statement.id)], RECEIPT, model), key).to_bytes()


def promiser(world: World, name: str, *sources: Any, required: int = 2) -> Promiser:
    """Return who promised, shown by its own node first and then by mirrors."""
    node = world.nodes[name]
    log = node.signer(Role.LOG).verifier
    others = tuple(
        Cosigner(other.name, other.name, other.signer(Role.WITNESS).verifier)
        for other in world.nodes.values()
        if other is not node
    )
    quorum = Quorum(required, others, name)
    return Promiser(
        origin=node.origin,
        key=node.secret(Role.NODE).public,
        shown=lambda: [
            (f"source {at}", LogReader(source, log), at == 0)
            for at, source in enumerate(sources or [MemoryTiles(node)])
        ],
        dated=lambda signed: quorum.logged_time(cosignatures(signed.note, quorum.verifiers)),
    )


def check(world: World, data: bytes, *promisers: Promiser, now: int = LATER) -> ReceiptReport:
    return check_receipt(data, promisers or [promiser(world, "asia")], now)


def test_a_statement_that_stands_there_in_time_is_a_kept_promise() -> None:
    world = World()
    report = check(world, receipt_of(world.nodes["asia"], world.review, 1, due=LATER))
    assert (report.standing, report.kept, report.exit_code) == (Standing.KEPT, True, 0)
    assert report.published is not None


def test_what_others_saw_too_late_is_late() -> None:
    world = World()
    report = check(world, receipt_of(world.nodes["asia"], world.review, 1, due=START + 1))
    assert (report.standing, report.kept, report.exit_code) == (Standing.LATE, False, 1)


def test_without_cosignatures_nobody_says_since_when() -> None:
    world = World()
    data = receipt_of(world.nodes["asia"], world.review, 1, due=START + 1)
    report = check(world, data, promiser(world, "asia", required=0))
    assert (report.standing, report.published) == (Standing.KEPT, None)


def test_another_statement_at_the_index_is_a_broken_promise() -> None:
    world = World()
    report = check(world, receipt_of(world.nodes["asia"], world.release, 1, due=LATER))
    assert (report.standing, report.exit_code) == (Standing.BROKEN, 1)
    assert world.review.id in report.why


def test_what_is_due_and_not_published_is_broken_and_before_that_it_is_not_due() -> None:
    world = World()
    data = receipt_of(world.nodes["asia"], world.review, 9, due=LATER)
    assert check(world, data, now=LATER + 1).standing is Standing.BROKEN
    early = check(world, data, now=LATER)
    assert (early.standing, early.kept, early.exit_code) == (Standing.NOT_DUE, None, 3)


def test_a_log_that_cannot_be_read_leaves_it_open_unless_a_mirror_shows_the_statement() -> None:
    world = World()
    data = receipt_of(world.nodes["asia"], world.review, 1, due=LATER)
    silent = check(world, data, promiser(world, "asia", Down()), now=LATER + 1)
    assert (silent.standing, silent.exit_code) == (Standing.UNKNOWN, 3)
    mirrored = check(world, data, promiser(world, "asia", Down(), MemoryTiles(world.nodes["asia"])), now=LATER + 1)
    assert mirrored.standing is Standing.KEPT
    assert "does not answer" in mirrored.told[0]


def test_a_mirror_that_lags_does_not_break_anybodys_promise() -> None:
    world = World()
    data = receipt_of(world.nodes["asia"], world.review, 9, due=LATER)
    report = check(world, data, promiser(world, "asia", Down(), MemoryTiles(world.nodes["asia"])), now=LATER + 1)
    assert report.standing is Standing.UNKNOWN


def test_a_refusal_says_that_and_why() -> None:
    world = World()
    node = world.nodes["asia"]
    model = Receipt(outcome=Outcome.REFUSED, log=node.origin, received=format_time(START), reason=Refusal.UNKNOWN_PARTY)
    data = sign_payload(
        IN_TOTO, payload([Subject({"sha256": "00" * 32}, "submission")], RECEIPT, model), node.secret(Role.NODE)
    ).to_bytes()
    report = check(world, data)
    assert (report.standing, report.kept, report.exit_code) == (Standing.REFUSED, None, 0)
    assert "unknown-party" in report.why


def test_a_receipt_that_another_key_signed_is_forged() -> None:
    world = World()
    node = world.nodes["asia"]
    data = receipt_of(node, world.review, 1, due=LATER, key=node.secret(Role.PARTY))
    with pytest.raises(EvidenceError, match="not signed by the node key") as found:
        check(world, data)
    assert found.value.exit_code == 1


def test_a_changed_receipt_is_forged() -> None:
    world = World()
    true = Envelope.parse(receipt_of(world.nodes["asia"], world.review, 1, due=LATER))
    false = Envelope(true.payload_type, true.payload.replace(b'"index":1', b'"index":0'), true.signatures)
    with pytest.raises(EvidenceError, match="not signed by the node key"):
        check(world, false.to_bytes())


def test_a_strangers_receipt_and_another_statement_are_unusable_input() -> None:
    world = World()
    data = receipt_of(world.nodes["europe"], world.review, 1, due=LATER)
    with pytest.raises(InputError, match="whose key is not given"):
        check(world, data)
    with pytest.raises(InputError, match="no receipt"):
        check(world, sign_payload(IN_TOTO, review(Result.PASS), world.reviewer).to_bytes())
