"""The JSON API: what it takes, what it gives, and that what it gives can be checked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from pellucid.record.card import read_card
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import PublicKey, Role, generate_key
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from pellucid.tlog.note import Verifier

Sign = Callable[..., Envelope]
LOG = sha256(b"log.vendor.example/1").hexdigest()


def receipt_of(reply: Any, node: Any) -> Any:
    """Return the predicate of a receipt whose signature by the node was checked."""
    envelope = Envelope.parse(reply.body)
    card = read_card(node.get("/api/card").body)
    assert envelope.verified_by(card.keys[Role.NODE])
    return Statement.parse(envelope.payload).predicate


@pytest.fixture(scope="module")
def filled(node: Any, sign: Sign) -> Any:
    for number in range(5):
        assert node.submit(sign(number)).status == 201
    node.until(lambda: node.size() >= 5 and node.get(f"/api/statements/{sign(4).id}").status == 200)
    return node


def test_a_partys_statement_is_logged_once_with_a_signed_receipt(filled: Any, sign: Sign) -> None:
    first, again = filled.submit(sign(3)), filled.submit(sign(3))
    assert first.status == again.status == 201
    assert receipt_of(first, filled)["outcome"] == "accepted"
    assert receipt_of(first, filled)["index"] == receipt_of(again, filled)["index"] == 3


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("stranger", 403, "unknown-party"),
        ("role", 403, "unknown-party"),
        ("changed", 403, "unsigned"),
        ("json", 400, "malformed"),
        ("bytes", 400, "malformed"),
        ("large", 413, "too-large"),
    ],
)
def test_a_refusal_is_a_signed_receipt_with_its_reason(
    filled: Any, sign: Sign, kind: str, status: int, reason: str
) -> None:
    good = sign(7)
    bodies = {
        "stranger": sign(7, key=generate_key(Role.PARTY, "stranger")).to_bytes(),
        "role": sign(7, key=generate_key(Role.WITNESS, "witness")).to_bytes(),
        "changed": Envelope(good.payload_type, good.payload.replace(b"7}", b"8}"), good.signatures).to_bytes(),
        "json": b"{}",
        "bytes": b"\xff\x00",
        "large": sign(7, fill=60_000).to_bytes(),
    }
    reply = filled.submit(bodies[kind])
    assert reply.status == status
    receipt = receipt_of(reply, filled)
    assert (receipt["outcome"], receipt["reason"]) == ("refused", reason)


def test_a_statement_is_found_by_its_id_and_by_what_it_is_about(filled: Any, sign: Sign) -> None:
    envelope = sign(2)
    found = filled.get(f"/api/statements/{envelope.id}").json
    assert Envelope.from_json(found["envelope"]) == envelope
    assert found["places"] == [{"log": LOG, "index": 2}]
    listed = filled.get(f"/api/statements?ref=sha256:{2:064x}").json["statements"]
    assert [row["id"] for row in listed] == [envelope.id]
    other = filled.get(f"/api/statements?ref=sha256:{2:064x}&type=https://example.com/other/v1").json
    assert other == {"statements": []}
    assert filled.get(f"/api/statements/{'0' * 64}").status == 404


def test_a_lookup_is_signed_and_complete(filled: Any, sign: Sign) -> None:
    size = filled.size()
    refs = [f"sha256:{1:064x}", f"sha256:{9_999:064x}"]
    body = json.dumps({"log": "log.vendor.example/1", "size": size, "refs": refs}).encode()
    answer = filled.ask("POST", "/api/lookup", body, Content_Type="application/json").json
    completeness = Envelope.from_json(answer["completeness"])
    assert completeness.verified_by(read_card(filled.get("/api/card").body).keys[Role.LOOKUP])
    said: Any = Statement.parse(completeness.payload).predicate
    assert said["size"] == size
    assert said["statements"] == [{"index": 1, "id": sign(1).id}]
    assert [row["index"] for row in answer["statements"]] == [1]
    log = Verifier.parse(filled.get("/api/logs").json["logs"][0]["vkey"])
    assert open_checkpoint(answer["checkpoint"].encode(), log).checkpoint.size >= size


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"log": "log.other.example/1"}, 404),
        ({"size": 1_000_000}, 503),
        ({"size": -1}, 400),
        ({"size": 2**63}, 400),
        ({"refs": []}, 400),
        ({"refs": ["sha256:xyz"]}, 400),
        ({"refs": ["sha256:" + "0" * 64 + "\n"]}, 400),
        ({"more": 1}, 400),
    ],
)
def test_a_lookup_that_cannot_be_is_told_in_the_shape_of_errors(filled: Any, change: Any, status: int) -> None:
    question = {"log": "log.vendor.example/1", "size": 1, "refs": [f"sha256:{1:064x}"], **change}
    reply = filled.ask("POST", "/api/lookup", json.dumps(question).encode(), Content_Type="application/json")
    assert reply.status == status
    assert set(reply.json["error"]) == {"what", "where", "remedy"}


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"\xff", b'{"a":' * 2000])
def test_what_is_no_json_is_told_in_the_shape_of_errors(filled: Any, body: bytes) -> None:
    reply = filled.ask("POST", "/api/lookup", body, Content_Type="application/json")
    assert reply.status == 400
    assert set(reply.json["error"]) == {"what", "where", "remedy"}


def test_every_proof_can_be_checked(filled: Any) -> None:
    log = Verifier.parse(filled.get("/api/logs").json["logs"][0]["vkey"])
    head = open_checkpoint(filled.get("/checkpoint").body, log).checkpoint
    entry = filled.get(f"/api/logs/{LOG}/entries/2").json
    data = base64.b64decode(entry["data"])
    assert leaf_hash(data).hex() == entry["leaf_hash"]
    proof = filled.get(f"/api/logs/{LOG}/inclusion?index=2&size={head.size}").json["proof"]
    verify_inclusion(leaf_hash(data), 2, head.size, [bytes.fromhex(item) for item in proof], head.root)
    covering = filled.get(f"/api/logs/{LOG}/checkpoints/covering/2").json
    old = open_checkpoint(covering["note"].encode(), log).checkpoint
    assert old.size == covering["size"] > 2
    proof = filled.get(f"/api/logs/{LOG}/consistency?old={old.size}&new={head.size}").json["proof"]
    verify_consistency(old.size, old.root, head.size, head.root, [bytes.fromhex(item) for item in proof])


@pytest.mark.parametrize(
    "path",
    [
        f"/api/logs/{LOG}/entries/999999",
        f"/api/logs/{LOG}/inclusion?index=5&size=2",
        f"/api/logs/{LOG}/consistency?old=3&new=2",
        f"/api/logs/{LOG}/checkpoints/covering/999999",
        f"/api/logs/{'0' * 64}/checkpoints",
        f"/api/logs/{'0' * 64}/entries/0",
        f"/api/keys/{'0' * 64}",
        "/api/nowhere",
    ],
)
def test_what_is_not_there_is_told_in_the_shape_of_errors(filled: Any, path: str) -> None:
    reply = filled.get(path)
    assert reply.status == 404
    assert set(reply.json["error"]) == {"what", "where", "remedy"}


def test_keys_are_given_by_their_id(filled: Any) -> None:
    for key in read_card(filled.get("/api/card").body).keys.values():
        spki = filled.get(f"/api/keys/{key.id}").json["spki"]
        assert PublicKey.from_base64(spki).id == key.id


def test_every_operation_is_documented(filled: Any) -> None:
    document = filled.get("/api/openapi.json").json
    operations = [item for path in document["paths"].values() for item in path.values()]
    assert len(operations) == 20
    assert all(item["summary"] and item["description"] for item in operations)
