"""A log has its checkpoint cosigned over HTTP by witnesses that it does not trust."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.tlog.homes import LOG, ORIGIN, Center, LogHome, grow, quorum_of, signer
from tests.tlog.served import Answer, Responder, node, serving

from pellucid.statement.keys import Role
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosign, cosignatures
from pellucid.tlog.note import Note
from pellucid.tlog.publisher import Publisher
from pellucid.tlog.witness_client import WitnessClient
from pellucid.tlog.witness_protocol import AddCheckpoint, encode_signatures


@pytest.fixture
def center(tmp_path: Path) -> Center:
    return Center(tmp_path, "asia")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def client(stack: ExitStack, center: Center, respond: Responder) -> WitnessClient:
    url = stack.enter_context(serving(respond))
    made = WitnessClient(
        center.name, center.operator, "asia", [center.signer.verifier], url, log=LOG.verifier, timeout=2, deadline=3
    )
    stack.callback(made.close)
    return made


def published_through(home: LogHome, center: Center, asked: WitnessClient) -> Publisher:
    return home.open(quorum=quorum_of(1, center), clients=[asked])


def test_cosigned_over_http(home: LogHome, center: Center, stack: ExitStack) -> None:
    publisher = published_through(home, center, client(stack, center, node(witness=center.witness)))
    for entry in (b"a", b"b", b"c"):
        published = grow(publisher, entry)
        assert cosignatures(published.note, [center.signer.verifier])
    assert published.checkpoint.size == 3


def test_a_witness_is_asked_once_for_each_checkpoint(home: LogHome, center: Center, stack: ExitStack) -> None:
    asked: list[str] = []
    answer = node(witness=center.witness)

    def respond(method: str, target: str, body: bytes) -> Answer | None:
        asked.append(target)
        return answer(method, target, body)

    publisher = published_through(home, center, client(stack, center, respond))
    for entry in (b"a", b"b", b"c"):
        grow(publisher, entry)
    assert asked == ["/add-checkpoint"] * 3


def test_a_new_client_learns_what_the_witness_has_seen(home: LogHome, center: Center, stack: ExitStack) -> None:
    grow(published_through(home, center, client(stack, center, node(witness=center.witness))), b"a", b"b")
    home.close()
    publisher = published_through(home, center, client(stack, center, node(witness=center.witness)))
    assert grow(publisher, b"c").checkpoint.size == 3
    assert publisher.status.wanting == ()


def test_a_witness_that_has_seen_our_own_larger_checkpoint_freezes_the_log(
    home: LogHome, center: Center, stack: ExitStack
) -> None:
    larger = sign_checkpoint(Checkpoint(ORIGIN, 50, b"\7" * 32), LOG)
    assert center.witness.add_checkpoint(AddCheckpoint(0, (), larger).to_bytes()).status == 200
    publisher = published_through(home, center, client(stack, center, node(witness=center.witness)))
    publisher.log.add_batch([b"a"])
    publisher.log.integrate()
    publisher.publish()
    assert publisher.status.frozen is not None
    assert home.alarms.all()[0].offered.startswith(larger.text)


def test_a_witness_that_has_seen_another_tree_of_ours_freezes_the_log(
    home: LogHome, center: Center, stack: ExitStack
) -> None:
    other = sign_checkpoint(Checkpoint(ORIGIN, 1, b"\7" * 32), LOG)
    assert center.witness.add_checkpoint(AddCheckpoint(0, (), other).to_bytes()).status == 200
    publisher = published_through(home, center, client(stack, center, node(witness=center.witness)))
    publisher.log.add_batch([b"a", b"b"])
    publisher.log.integrate()
    publisher.publish()
    assert publisher.status.frozen is not None
    assert publisher.published is None


def answering(post: Answer, get: Answer | None = None) -> Responder:
    return lambda method, _target, _body: post if method == "POST" else get


def size_answer(size: int) -> Answer:
    return 409, "text/x.tlog.size", b"%d\n" % size


STRANGER = sign_checkpoint(Checkpoint(ORIGIN, 50, b"\7" * 32), signer(ORIGIN, Role.LOG))
FOREIGN = signer("foreign", Role.WITNESS)


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (answering(size_answer(99)), "does not show it"),
        (answering(size_answer(99), (200, "text/plain", b"nonsense")), "not signed by this log"),
        (answering((422, "text/plain", b"no")), "does not show it"),
        (answering((404, "text/plain", b"unknown \x1b[31mlog")), "answered 404: unknown  [31mlog"),
        (answering((500, "text/plain", b"")), "answered 500: nothing more"),
        (answering((200, "text/plain", b"thanks")), "signature"),
        (answering((302, "text/plain", b"http://127.0.0.1:1/")), "answered 302"),
        (answering((409, "text/plain", b"many\n")), "size"),
        (answering((200, "text/plain", b"x" * 1_000_000)), "more than"),
    ],
)
def test_a_faulty_witness_is_reported_and_not_obeyed(
    home: LogHome, center: Center, stack: ExitStack, respond: Responder, said: str
) -> None:
    publisher = published_through(home, center, client(stack, center, respond))
    publisher.log.add_batch([b"a"])
    publisher.log.integrate()
    status = publisher.publish()
    assert said in status.missing[0].why
    assert status.frozen is None
    assert publisher.published is None
    assert home.alarms.all() == []


def test_a_cosignature_by_another_key_or_of_another_text_does_not_count(
    home: LogHome, center: Center, stack: ExitStack
) -> None:
    def respond(method: str, _target: str, body: bytes) -> Answer:
        note = AddCheckpoint.parse(body).note
        other = Note(note.text.replace(ORIGIN, "else"), note.signatures)
        wrong = cosign(other, center.signer, 1_700_000_000) if b"old 0" in body else cosign(note, FOREIGN, 5)
        return 200, "text/plain", encode_signatures([wrong])

    publisher = published_through(home, center, client(stack, center, respond))
    publisher.log.add_batch([b"a"])
    publisher.log.integrate()
    assert "wrong" in publisher.publish().missing[0].why
    assert publisher.published is None


def test_a_witness_that_names_another_size_each_time_is_given_up(
    home: LogHome, center: Center, stack: ExitStack
) -> None:
    asked: list[int] = []

    def respond(method: str, _target: str, body: bytes) -> Answer:
        asked.append(len(asked) % 3)
        return size_answer(asked[-1] + 1)

    publisher = published_through(home, center, client(stack, center, respond))
    publisher.log.add_batch([b"a", b"b", b"c", b"d"])
    publisher.log.integrate()
    assert "another size each time" in publisher.publish().missing[0].why
    assert len(asked) == 3


def test_a_witness_that_is_not_there_or_does_not_answer(home: LogHome, center: Center, stack: ExitStack) -> None:
    def silent(method: str, _target: str, _body: bytes) -> Answer:
        time.sleep(2.5)
        return 200, "text/plain", b""

    hanging = client(stack, center, silent)
    nobody = WitnessClient("x", "y", "z", [FOREIGN.verifier], "http://127.0.0.1:9", log=LOG.verifier)
    publisher = home.open(quorum=quorum_of(1, center), clients=[hanging, nobody])
    publisher.log.add_batch([b"a"])
    publisher.log.integrate()
    assert [item.why.split(":")[-1].strip()[:9] for item in publisher.publish().missing] == ["timed out", "[Errno 11"]
