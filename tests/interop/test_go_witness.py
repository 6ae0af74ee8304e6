"""Logs written in Go have their checkpoints cosigned by our witness, and Go opens what it answers."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.interop.processes import NodeProcess, until
from tests.interop_go.build import Refused

from pellucid.record.card import read_card
from pellucid.record.predicate import CARD, Card
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.keys import Role, generate_key
from pellucid.statement.predicate import make_statement
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.note import NoteSigner, SignatureKind, Verifier
from pellucid.trust.predicate import key_subject

pytestmark = pytest.mark.full  # the judge takes half a minute to build

Judge = Callable[..., Any]


def join(node: NodeProcess, origin: str, vkey: str, folder: Path) -> None:
    """Have a node accept the card of a log of somebody who does not run our program."""
    keys = {role: generate_key(role, f"{origin}/{role.value}") for role in Role}
    vkeys = {
        role: NoteSigner(f"{origin}/{role.value}", SignatureKind.COSIGNATURE, keys[role]).vkey
        for role in (Role.WITNESS, Role.MIRROR)
    }
    card = Card(
        name=origin,
        role="center",
        region="Europe",
        operator=f"Operator of {origin}",
        log=vkey,
        witness=vkeys[Role.WITNESS],
        mirror=vkeys[Role.MIRROR],
        lookup=keys[Role.LOOKUP].public.spki_base64,
        node=keys[Role.NODE].public.spki_base64,
        party=keys[Role.PARTY].public.spki_base64,
    )
    statement = make_statement((key_subject(keys[Role.NODE].public.id),), CARD, card)
    envelope = sign_payload(IN_TOTO, statement.payload(), keys[Role.NODE], keys[Role.PARTY])
    file = folder / "go.card.json"
    file.write_bytes(envelope.to_bytes())
    fingerprint = read_card(envelope.to_bytes()).fingerprint
    accepted = node.command("peer", "accept", file, "--fingerprint", fingerprint)
    assert accepted.code == 0, accepted.err
    until(lambda: node.ask("POST", "/add-checkpoint", b"old 0\n\n" + _unsigned(origin)).status != 404)


def _unsigned(origin: str) -> bytes:
    return f"{origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {origin} AAAAAAAAAAA=\n".encode()


class GoLog:
    """A log whose trees are grown and signed in Go, and the witness it asks."""

    def __init__(self, judge: Judge, center: NodeProcess, origin: str) -> None:
        self.judge = judge
        self.center = center
        self.origin = origin
        self.key = judge("key", name=origin)

    def ask(self, old: int, size: int, *, tree: str = "entry", spoil: str = "", origin: str | None = None) -> Any:
        return self.judge(
            "cosign",
            url=self.center.url,
            witness=self.center.key(Role.WITNESS).vkey,
            secret=self.key["secret"],
            vkey=self.key["vkey"],
            origin=origin or self.origin,
            tree=tree,
            old=old,
            size=size,
            spoil=spoil,
        )

    def status(self, old: int, size: int, **options: Any) -> int:
        status: int = self.ask(old, size, **options)["status"]
        return status

    def held(self) -> int:
        """Return the size of the newest checkpoint that the witness says it has cosigned."""
        path = f"/witness/{sha256(self.origin.encode()).hexdigest()}/checkpoint"
        signed = open_checkpoint(self.center.get(path).body, Verifier.parse(self.key["vkey"]))
        return signed.checkpoint.size


@pytest.fixture
def log(judge: Judge, served: Any, tmp_path: Path) -> GoLog:
    """A Go log of its own for each test, that a center has agreed to witness."""
    log = GoLog(judge, served.europe, f"go.example/{tmp_path.name}")
    join(served.europe, log.origin, log.key["vkey"], tmp_path)
    return log


def test_a_log_that_grows_is_cosigned_each_time(log: GoLog) -> None:
    times = []
    for old, size in ((0, 1), (1, 2), (2, 255), (255, 256), (256, 257), (257, 900), (900, 900)):
        answer = log.ask(old, size)
        assert (answer["status"], log.held()) == (200, size), answer
        times.append(answer["time"])
    assert times == sorted(times)
    assert times[0] > 1_700_000_000


def test_an_empty_log_is_cosigned_and_grows_from_there(log: GoLog) -> None:
    assert [log.status(0, 0), log.status(0, 5)] == [200, 200]


def test_another_old_size_conflicts_and_the_witness_says_which_it_has(log: GoLog) -> None:
    assert log.status(0, 7) == 200
    for old in (0, 3, 8):
        answer = log.ask(old, 9)
        assert (answer["status"], answer["type"], answer["body"]) == (409, "text/x.tlog.size", "7\n")
    assert log.status(7, 9) == 200


def test_a_wrong_proof_is_refused_and_changes_nothing(log: GoLog) -> None:
    assert log.status(0, 7) == 200
    assert log.status(7, 9, spoil="proof") == 422
    assert log.held() == 7
    assert log.status(7, 9) == 200


def test_another_tree_is_never_cosigned(log: GoLog) -> None:
    assert log.status(0, 7) == 200
    assert log.status(7, 7, tree="other") == 422
    assert log.status(7, 12, tree="other") == 422
    alarms = [file.read_text() for file in (log.center.home / "alarms").iterdir() if file.is_file()]
    assert any(log.origin in alarm for alarm in alarms), "what was signed twice is kept as evidence"
    assert log.status(7, 12) == 200


def test_a_stranger_is_not_cosigned(log: GoLog, judge: Judge) -> None:
    assert log.status(0, 7, origin="go.example/never-joined") == 404
    assert log.status(0, 7, spoil="signature") == 403
    log.key["secret"] = judge("key", name=log.origin)["secret"]
    assert log.status(0, 7) == 403


def test_an_old_size_above_the_new_is_malformed(log: GoLog) -> None:
    assert log.status(0, 7) == 200
    assert log.status(9, 8) == 400
    assert log.center.ask("POST", "/add-checkpoint", b"old seven\n\n" + _unsigned(log.origin)).status == 400


def test_go_refuses_the_cosignature_under_another_witness_key(log: GoLog, served: Any) -> None:
    assert log.status(0, 7) == 200
    right = log.center
    log.center = NodeProcess(right.name, served.asia.home, right.port)  # asked here, but its key expected
    with pytest.raises(Refused, match="no cosignature"):
        log.ask(7, 8)


def test_a_log_of_tessera_publishes_only_what_our_witness_has_cosigned(log: GoLog, tmp_path: Path) -> None:
    question = {
        "url": log.center.url,
        "witness": log.center.key(Role.WITNESS).vkey,
        "secret": log.key["secret"],
        "vkey": log.key["vkey"],
        "folder": str(tmp_path / "tessera"),
        "seconds": 30,
    }
    first = log.judge("tessera", first=0, count=300, **question)
    assert (first["last"], log.held()) == (299, 300)
    grown = log.judge("tessera", first=300, count=40, **question)
    assert (grown["last"], log.held()) == (339, 340)
    assert grown["time"] >= first["time"]


def test_a_log_of_tessera_that_is_not_joined_publishes_nothing(log: GoLog, tmp_path: Path) -> None:
    other = log.judge("key", name="go.example/not-joined")
    with pytest.raises(Refused, match=r"witness policy was not satisfied(?s:.*)404"):
        log.judge(
            "tessera",
            url=log.center.url,
            witness=log.center.key(Role.WITNESS).vkey,
            secret=other["secret"],
            vkey=other["vkey"],
            folder=str(tmp_path / "tessera"),
            first=0,
            count=3,
            seconds=3,
        )
