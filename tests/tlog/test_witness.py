"""The witness answers as C2SP tlog-witness says, to the status and the byte, and never cosigns two trees."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from tests.tlog.homes import LOG, ORIGIN, Center, signer

from pellucid.statement.keys import Role
from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.merkle import EMPTY_ROOT, CompactRange, consistency_proof, leaf_hash
from pellucid.tlog.note import Note
from pellucid.tlog.witness import WitnessResponse
from pellucid.tlog.witness_protocol import AddCheckpoint, decode_signatures

HEX = sha256(ORIGIN.encode()).hexdigest()
TEXT = "text/plain; charset=utf-8"


def tree(size: int, flavour: bytes = b"") -> CompactRange:
    grown = CompactRange()
    grown.extend([leaf_hash(flavour + b"%d" % number) for number in range(size)])
    return grown


def note(size: int, flavour: bytes = b"", *, origin: str = ORIGIN) -> Note:
    return sign_checkpoint(Checkpoint(origin, size, tree(size, flavour).root()), LOG if origin == ORIGIN else STRANGER)


def proof(old: int, new: int, flavour: bytes = b"") -> tuple[bytes, ...]:
    def read(nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        found = []
        for level, index in nodes:
            part = CompactRange()
            part.extend([leaf_hash(flavour + b"%d" % n) for n in range(index << level, (index + 1) << level)])
            found.append(part.root())
        return found

    return tuple(consistency_proof(old, new, read))


STRANGER = signer("stranger.example/1", Role.LOG)
IMPOSTOR = signer("impostor", Role.LOG)


def ask(center: Center, old: int, new: int, flavour: bytes = b"") -> WitnessResponse:
    return center.witness.add_checkpoint(AddCheckpoint(old, proof(old, new, flavour), note(new, flavour)).to_bytes())


@pytest.fixture
def center(tmp_path: Path) -> Center:
    return Center(tmp_path, "asia")


def test_cosigns_what_extends_what_it_has_seen(center: Center) -> None:
    for old, new in ((0, 3), (3, 10), (10, 10), (10, 300)):
        response = ask(center, old, new)
        assert (response.status, response.content_type) == (200, TEXT)
        cosigned = note(new).with_signatures(decode_signatures(response.body))
        assert [item.timestamp for item in cosignatures(cosigned, [center.signer.verifier])] == [1_700_000_000]
        assert center.witness.latest(HEX) == cosigned.to_bytes()
        open_checkpoint(cosigned, LOG.verifier)
    assert center.alarms.all() == []


def test_cosigns_an_empty_log(center: Center) -> None:
    assert ask(center, 0, 0).status == 200
    assert ask(center, 0, 2).status == 200


def test_404_for_a_log_it_does_not_know(center: Center) -> None:
    body = AddCheckpoint(0, (), note(3, origin="stranger.example/1")).to_bytes()
    assert center.witness.add_checkpoint(body).status == 404
    assert center.witness.latest(HEX) is None
    assert center.witness.latest("0" * 64) is None


def test_403_for_a_note_that_the_log_did_not_sign(center: Center) -> None:
    unsigned = Note(note(3).text, (IMPOSTOR.sign(note(3).text),))
    forged = Note(note(3).text, note(4).signatures)
    for wrong in (unsigned, forged):
        assert center.witness.add_checkpoint(AddCheckpoint(0, (), wrong).to_bytes()).status == 403
    assert center.witness.latest(HEX) is None


@pytest.mark.parametrize(
    "body", [b"", b"old 0\n", b"old 00\n\n", b"old -1\n\n", b"new 0\n\n", b"old 0\n\nno note", b"\xff" * 100]
)
def test_400_for_what_is_no_request(center: Center, body: bytes) -> None:
    assert center.witness.add_checkpoint(body).status == 400


def test_400_for_an_old_size_above_the_new(center: Center) -> None:
    assert center.witness.add_checkpoint(AddCheckpoint(4, (), note(3)).to_bytes()).status == 400


def test_409_with_the_size_it_has_seen(center: Center) -> None:
    ask(center, 0, 7)
    for old, new in ((0, 9), (3, 9), (8, 9), (0, 7), (3, 5)):
        response = ask(center, old, new)
        assert (response.status, response.content_type, response.body) == (409, "text/x.tlog.size", b"7\n")


def test_422_for_a_proof_that_does_not_hold(center: Center) -> None:
    ask(center, 0, 7)
    good = proof(7, 9)
    for wrong in ((), good[:-1], (*good, good[0]), (b"\0" * 32, *good[1:])):
        assert center.witness.add_checkpoint(AddCheckpoint(7, wrong, note(9)).to_bytes()).status == 422
    assert ask(center, 7, 9).status == 200


def test_422_for_a_proof_where_none_belongs(center: Center) -> None:
    assert center.witness.add_checkpoint(AddCheckpoint(0, (b"\0" * 32,), note(9)).to_bytes()).status == 422
    ask(center, 0, 7)
    assert center.witness.add_checkpoint(AddCheckpoint(7, (b"\0" * 32,), note(7)).to_bytes()).status == 422


def test_422_for_an_empty_tree_that_is_not_empty(center: Center) -> None:
    wrong = sign_checkpoint(Checkpoint(ORIGIN, 0, b"\1" * 32), LOG)
    assert wrong.text != sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG).text
    assert center.witness.add_checkpoint(AddCheckpoint(0, (), wrong).to_bytes()).status == 422


def test_two_trees_of_one_size_are_refused_and_kept_as_evidence(center: Center) -> None:
    ask(center, 0, 7)
    held = center.witness.latest(HEX)
    assert ask(center, 7, 7, b"other").status == 422
    assert ask(center, 3, 7, b"other").status == 409
    assert center.witness.latest(HEX) == held
    (alarm,) = center.alarms.all()
    assert alarm.proven
    assert alarm.held.encode() == held
    assert alarm.offered.encode() == note(7, b"other").to_bytes()
    for text in (alarm.held, alarm.offered):
        open_checkpoint(text.encode(), LOG.verifier)


def test_replayed_checkpoints_with_false_proofs_leave_one_file(center: Center) -> None:
    ask(center, 0, 7)
    for new in range(8, 20):
        assert center.witness.add_checkpoint(AddCheckpoint(7, (), note(new)).to_bytes()).status == 422
    (alarm,) = center.alarms.all()
    assert not alarm.proven


def test_lines_of_strangers_are_not_passed_on(center: Center) -> None:
    offered = note(3).with_signatures([IMPOSTOR.sign(note(3).text)])
    assert center.witness.add_checkpoint(AddCheckpoint(0, (), offered).to_bytes()).status == 200
    latest = center.witness.latest(HEX)
    assert latest is not None
    assert b"impostor" not in latest


def test_its_clock_never_goes_back(tmp_path: Path) -> None:
    now = [2_000_000_000.0]
    center = Center(tmp_path, "asia", clock=lambda: now[0])
    times = []
    for old, new, clock in ((0, 1, 2_000_000_000), (1, 2, 1_000), (2, 3, 2_000_000_001.7), (3, 3, 0)):
        now[0] = clock
        cosigned = note(new).with_signatures(decode_signatures(ask(center, old, new).body))
        times += [item.timestamp for item in cosignatures(cosigned, [center.signer.verifier])]
    assert times == [2_000_000_000, 2_000_000_000, 2_000_000_001, 2_000_000_001]


def test_remembers_when_started_again(tmp_path: Path) -> None:
    ask(Center(tmp_path, "asia"), 0, 7)
    assert ask(Center(tmp_path, "asia"), 0, 9).status == 409
    assert ask(Center(tmp_path, "asia"), 7, 9).status == 200


def test_two_trees_racing_through_two_processes_are_not_both_cosigned(tmp_path: Path) -> None:
    for attempt in range(10):
        ask(Center(tmp_path, f"{attempt}"), 0, 5)
        statuses: list[int] = []
        start = threading.Barrier(2)

        def race(flavour: bytes, mine: Center, start: threading.Barrier, statuses: list[int]) -> None:
            start.wait()
            body = AddCheckpoint(5, proof(5, 8) if not flavour else (), note(8, flavour)).to_bytes()
            if flavour:
                body = AddCheckpoint(5, fork_proof(), fork_note()).to_bytes()
            statuses.append(mine.witness.add_checkpoint(body).status)

        threads = [
            threading.Thread(target=race, args=(flavour, Center(tmp_path, f"{attempt}"), start, statuses))
            for flavour in (b"", b"fork")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 409]


def fork_note() -> Note:
    return sign_checkpoint(Checkpoint(ORIGIN, 8, _forked().root()), LOG)


def fork_proof() -> tuple[bytes, ...]:
    leaves = _fork_leaves()

    def read(nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        found = []
        for level, index in nodes:
            part = CompactRange()
            part.extend(leaves[index << level : (index + 1) << level])
            found.append(part.root())
        return found

    return tuple(consistency_proof(5, 8, read))


def _fork_leaves() -> list[bytes]:
    return [leaf_hash(b"%d" % n) for n in range(5)] + [leaf_hash(b"fork %d" % n) for n in range(3)]


def _forked() -> CompactRange:
    grown = CompactRange()
    grown.extend(_fork_leaves())
    return grown
