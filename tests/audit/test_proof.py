"""The file that a person takes home holds for what it says, and for nothing that somebody changed in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.audit.events import Event, EventType
from pellucid.audit.portal.proofs import proof_of
from pellucid.audit.proof import NOT_PROVEN, check_proof
from pellucid.audit.reading import SignedTrail
from pellucid.audit.trail import Trail
from pellucid.errors import EvidenceError, InputError, PellucidError, UnavailableError
from pellucid.record.card import note_signer
from pellucid.statement.keys import Role, generate_key
from pellucid.tlog.cosignature import cosign
from pellucid.tlog.cosigners import CosignRequest, CosignResult, Enough
from pellucid.tlog.note import NoteSigner
from pellucid.tlog.publisher import Publisher
from pellucid.tlog.quorum import Cosigner, Quorum

RITA, OTTO = "aa" * 16, "bb" * 16
WITNESS = note_signer("log.center.example/1", generate_key(Role.WITNESS, "log.center.example/1/witness"))
STRANGER = note_signer("log.other.example/1", generate_key(Role.WITNESS, "log.other.example/1/witness"))


def publish(trail: Trail, witness: NoteSigner = WITNESS) -> None:
    """Sign what is there and publish it as a witness cosigned it."""

    def ask(request: CosignRequest, enough: Enough) -> list[CosignResult]:
        line = cosign(request.signed.note, witness, 1_700_000_000)
        return [CosignResult("center", "Center operator", (line,))]

    quorum = Quorum(1, (Cosigner("Center operator", "Asia", witness.verifier),), "Vendor operator")
    trail.log.integrate()
    status = Publisher(trail.log, quorum, ask, alarms=lambda _: None).publish()
    assert status.published_size == trail.size


def fill(trail: Trail, count: int = 9) -> None:
    for number in range(count):
        actor, about = (OTTO, (RITA,)) if number % 3 else (RITA, ())
        trail.record(Event(EventType.ACCESS_GRANTED, number, actor, about, "page:/people"))
    trail.record(Event(EventType.ACCOUNT_SIGNED_IN, 99, OTTO, (), None, {"by": "password"}))


def test_a_proof_holds_for_every_event_of_the_account(trail: Trail) -> None:
    fill(trail, 700)
    publish(trail)
    proven = check_proof(proof_of(trail, RITA, None).to_bytes(), trail.log.verifier, [WITNESS.verifier])
    assert [event.index for event in proven.events] == list(range(699, -1, -1))
    assert [item.verifier for item in proven.cosignatures] == [WITNESS.verifier]
    assert (proven.checkpoint.size, proven.since) == (701, 0)
    others = check_proof(proof_of(trail, OTTO, None).to_bytes(), trail.log.verifier)
    assert others.events[0].entry.event.type is EventType.ACCOUNT_SIGNED_IN
    assert others.cosignatures == (), "cosignatures are told only of witnesses whose keys were given"


def test_a_proof_is_to_what_is_published_and_says_what_it_does_not_prove(trail: Trail) -> None:
    fill(trail)
    with pytest.raises(UnavailableError, match="no published head"):
        proof_of(trail, RITA, None)
    publish(trail)
    trail.record(Event(EventType.ACCESS_GRANTED, 100, RITA))
    file = json.loads(proof_of(trail, RITA, None).to_bytes())
    assert [event["index"] for event in file["events"]] == list(range(8, -1, -1))
    assert file["not_proven"] == list(NOT_PROVEN)
    trail.log.integrate()
    assert check_proof(proof_of(trail, RITA, None).to_bytes(), trail.log.verifier).checkpoint.size == 10


def test_a_proof_of_nobody_holds_and_is_empty(trail: Trail) -> None:
    fill(trail)
    publish(trail)
    assert check_proof(proof_of(trail, "dd" * 16, None).to_bytes(), trail.log.verifier).events == ()


def test_the_home_gives_the_same_proof_as_the_page(trail: Trail) -> None:
    fill(trail)
    publish(trail)
    home = SignedTrail(trail.folder, trail.log.verifier)
    assert home.proof(RITA) == proof_of(trail, RITA, None)
    assert home.events(account=RITA, last=100) == trail.events(account=RITA)
    assert [item.index for item in home.events(types=[EventType.ACCOUNT_SIGNED_IN], last=5)] == [9]


def _drop(file: dict[str, Any]) -> None:
    del file["not_proven"][0]


def _reverse(file: dict[str, Any]) -> None:
    file["events"].reverse()


TAMPERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another-target": lambda file: file["events"][0]["entry"]["event"].update(target="page:/jobs"),
    "another-time": lambda file: file["events"][0]["entry"]["event"].update(at=7_000),
    "another-actor": lambda file: file["events"][0]["entry"]["event"].update(actor=RITA),
    "another-salt": lambda file: file["events"][0]["entry"].update(salt="00" * 16),
    "another-index": lambda file: file["events"][0].update(index=9),
    "no-such-index": lambda file: file["events"][0].update(index=10_000),
    "another-account": lambda file: file.update(account=OTTO),
    "a-longer-path": lambda file: file["events"][0]["proof"].append("A" * 43 + "="),
    "a-shorter-path": lambda file: file["events"][0]["proof"].pop(),
    "no-hash": lambda file: file["events"][0]["proof"].__setitem__(0, "AAAA"),
    "no-base64": lambda file: file["events"][0]["proof"].__setitem__(0, "?"),
    "another-order": _reverse,
    "twice": lambda file: file["events"].insert(0, file["events"][0]),
    "before-since": lambda file: file.update(since=5),
    "another-size": lambda file: file.update(checkpoint=file["checkpoint"].replace("\n10\n", "\n11\n")),
    "another-log": lambda file: file.update(checkpoint=file["checkpoint"].replace("vendor", "seller")),
    "unsaid": _drop,
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS)
def test_a_file_that_was_changed_does_not_hold(trail: Trail, tamper: Callable[[dict[str, Any]], object]) -> None:
    fill(trail)
    publish(trail)
    data = proof_of(trail, RITA, None).to_bytes()
    check_proof(data, trail.log.verifier)
    file = json.loads(data)
    tamper(file)
    with pytest.raises(EvidenceError):
        check_proof(json.dumps(file).encode(), trail.log.verifier)


def test_a_head_of_somebody_elses_log_does_not_hold(trail: Trail) -> None:
    fill(trail)
    publish(trail)
    data = proof_of(trail, RITA, None).to_bytes()
    other = note_signer("log.vendor.example/1", generate_key(Role.AUDIT, "another"))
    with pytest.raises(EvidenceError):
        check_proof(data, other.verifier)
    with pytest.raises(PellucidError):
        check_proof(data, WITNESS.verifier)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff", b'{"format":"pellucid-audit-proof/v2"}', b'{"a":1,"a":1}', b"9" * 20, b"[" * 5000],
    ids=["empty", "list", "cut", "no-text", "other-format", "double", "number", "deep"],
)
def test_what_is_no_proof_is_unusable_input(trail: Trail, data: bytes) -> None:
    with pytest.raises(InputError) as told:
        check_proof(data, trail.log.verifier)
    assert told.value.exit_code == 2


@settings(deadline=None)
@given(at=st.integers(0, 3000), byte=st.integers(0, 255))
def test_no_changed_byte_goes_unseen(example: tuple[bytes, Trail], at: int, byte: int) -> None:
    data, trail = example
    changed = bytearray(data)
    changed[at % len(data)] = byte
    if bytes(changed) == data:
        return
    try:
        proven = check_proof(bytes(changed), trail.log.verifier, [WITNESS.verifier])
    except (EvidenceError, InputError):
        return
    # Spaces, and the lines of cosigners whose keys were not given, say nothing; everything that is said holds.
    assert [(event.index, event.entry) for event in proven.events] == [
        (item.index, item.entry) for item in trail.events(account=RITA)
    ]
    assert proven.checkpoint.size == trail.size


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Any:
    key = generate_key(Role.AUDIT, "log.vendor.example/1/audit")
    trail = Trail.open(tmp_path_factory.mktemp("example"), note_signer("log.vendor.example/1", key))
    fill(trail, 3)
    publish(trail)
    yield proof_of(trail, RITA, None).to_bytes(), trail
    trail.close()
