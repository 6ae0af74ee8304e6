"""What a served node does when others write to its home, its neighbours are away, or strangers send it nonsense."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path

import pytest
from tests.interop.processes import NodeProcess, Reply, Town, sign_statement, until

from pellucid.record.home import Home
from pellucid.record.predicate import Outcome, Refusal
from pellucid.statement.digest import sha256_hex
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, generate_key
from pellucid.storage.home_lock import HomeLock
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.note import NoteSignature, NoteSigner, SignatureKind
from pellucid.tlog.witness_protocol import MAX_ADD_CHECKPOINT

LARGEST = 65_535


def verified(node: NodeProcess, reply: Reply) -> Envelope:
    """Return the receipt's envelope, signed by the node that was asked."""
    envelope = Envelope.parse(reply.body)
    assert envelope.verified_by(Home(node.home).keys[Role.NODE])
    assert not Envelope(envelope.payload_type, envelope.payload + b" ", envelope.signatures).verified_by(
        Home(node.home).keys[Role.NODE]
    )
    assert reply.receipt.log == node.name
    return envelope


def subject(envelope: Envelope) -> str:
    return Statement.parse(envelope.payload).subjects[0].digest["sha256"]


def entry(node: NodeProcess, index: int) -> str:
    """Return the id of the statement at an index of its own log."""
    data = base64.b64decode(node.get(f"/api/logs/{node.log_id}/entries/{index}").json["data"])
    return Envelope.parse(data).id


def test_a_second_serve_on_one_home_is_refused_and_the_first_goes_on(alone: NodeProcess) -> None:
    alone.start()
    second = alone.command("serve", "--listen", "127.0.0.1:0", "--json")
    assert second.code == 3
    assert str(alone.serving()) in json.loads(second.out)["error"]["what"]
    assert alone.submit(alone.statement(1)).status == 201


def test_a_command_that_writes_goes_through_the_node_that_runs(alone: NodeProcess, tmp_path: Path) -> None:
    file = tmp_path / "one.dsse.json"
    file.write_bytes(alone.statement(1).to_bytes())
    alone.start()
    submitted = alone.command("statement", "submit", file, "--json")
    assert submitted.code == 0, submitted.err
    until(lambda: alone.published() == 1)
    assert entry(alone, 0) == alone.statement(1).id
    alone.stop()
    again = alone.command("statement", "submit", file, "--json")
    assert again.code == 0, again.err
    assert alone.command("fsck").code == 0
    assert (alone.home / "log/checkpoints/001").exists()
    assert not (alone.home / "log/checkpoints/002").exists(), "the same statement keeps its index"


def test_a_command_that_writes_is_refused_while_another_process_holds_the_home(
    alone: NodeProcess, tmp_path: Path
) -> None:
    file = tmp_path / "one.dsse.json"
    file.write_bytes(alone.statement(1).to_bytes())
    with HomeLock(alone.home / "lock"):
        refused = alone.command("statement", "submit", file)
        assert refused.code == 3
        assert "another process" in refused.err
        assert "Traceback" not in refused.err
    assert alone.command("statement", "submit", file).code == 0


def test_while_too_few_cosign_nothing_is_published_and_the_missing_are_named(town: Town) -> None:
    vendor = town.vendor
    assert vendor.submit(vendor.statement(0)).status == 201
    until(lambda: vendor.published() == 1)
    for center in town.centers:
        center.kill()
    assert vendor.submit(vendor.statement(1)).status == 201
    wanting = until(lambda: vendor.health()["publication"]["wanting"])
    assert "0 of 1" in wanting[0]
    assert {item["name"] for item in vendor.health()["publication"]["missing"]} == {c.name for c in town.centers}
    assert (vendor.published(), vendor.get("/checkpoints/002").status) == (1, 404)
    assert vendor.get(f"/api/logs/{vendor.log_id}/entries/1").status == 404
    told = until(lambda: (page := vendor.get("/nodes.json").json) and "problem" in json.dumps(page) and page)
    assert all(center.name in json.dumps(told) for center in town.centers)
    vendor.stop()
    vendor.start()
    assert vendor.published() == 1, "a restart does not publish it either"
    town.asia.start()
    until(lambda: vendor.published() == 2)
    assert entry(vendor, 1) == vendor.statement(1).id
    assert [item["name"] for item in vendor.health()["publication"]["missing"]] in ([], [town.europe.name])
    town.europe.start()
    until(lambda: all(center.mirrored(vendor) == 2 for center in town.centers), 30)


def test_a_restart_keeps_everything(town: Town) -> None:
    vendor = town.vendor
    indices = vendor.submit_all([vendor.statement(number) for number in range(300)])
    until(lambda: vendor.published() == 300)
    until(lambda: all(center.mirrored(vendor) == 300 for center in town.centers), 30)
    files = ("checkpoints/300", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000")
    paths = [*(f"/{file}" for file in files), f"/api/logs/{vendor.log_id}/checkpoints", "/api/card"]
    paths += [f"/api/statements/{vendor.statement(number).id}" for number in (0, 299)]
    before = [(reply.status, reply.body) for reply in map(vendor.get, paths)]
    assert {status for status, _ in before} == {200}
    assert vendor.stop() == 0
    vendor.start()
    assert [(reply.status, reply.body) for reply in map(vendor.get, paths)] == before
    again = [vendor.submit(vendor.statement(number)).receipt.index for number in (0, 150, 299)]
    assert again == [indices[0], indices[150], indices[299]]
    assert vendor.published() == 300


def test_the_same_statement_twice_keeps_its_index(alone: NodeProcess) -> None:
    alone.start()
    first, second = alone.statement(1), alone.statement(2)
    replies = [alone.submit(envelope) for envelope in (first, second, first, first)]
    assert [reply.status for reply in replies] == [201] * 4
    assert [reply.receipt.index for reply in replies] == [0, 1, 0, 0]
    assert {subject(verified(alone, reply)) for reply in replies} == {first.id, second.id}
    until(lambda: alone.published() == 2)


def test_an_entry_that_is_too_large_gets_a_signed_refusal(alone: NodeProcess) -> None:
    alone.start()
    room = LARGEST - len(alone.statement(1).to_bytes())
    sizes = {
        len(alone.statement(1, fill=fill).to_bytes()): fill for fill in range(room * 3 // 4 - 8, room * 3 // 4 + 8)
    }
    fits, beyond = max(size for size in sizes if size <= LARGEST), min(size for size in sizes if size > LARGEST)
    assert alone.submit(alone.statement(1, fill=sizes[fits])).status == 201
    for large in (sizes[beyond], 200_000):
        envelope = alone.statement(1, fill=large)
        refused = alone.submit(envelope)
        assert (refused.status, refused.receipt.outcome) == (413, Outcome.REFUSED)
        assert refused.receipt.reason is Refusal.TOO_LARGE
        assert subject(verified(alone, refused)) in {envelope.id, sha256_hex(envelope.to_bytes())}
    # The answer comes, and the connection ends, before the last byte is sent: who still sends may see only that.
    with suppress(BrokenPipeError, ConnectionResetError):
        assert alone.submit(b"{" + b" " * (2 << 20)).status == 413
    until(lambda: alone.published() == 1)


def test_a_stranger_gets_a_signed_refusal(alone: NodeProcess) -> None:
    alone.start()
    envelope = sign_statement(generate_key(Role.PARTY, "stranger"), 1)
    refused = alone.submit(envelope)
    assert (refused.status, refused.receipt.reason) == (403, Refusal.UNKNOWN_PARTY)
    assert subject(verified(alone, refused)) == envelope.id
    forged = Envelope(envelope.payload_type, envelope.payload, alone.statement(2).signatures)
    refused = alone.submit(forged)
    assert (refused.status, refused.receipt.reason) == (403, Refusal.UNSIGNED)
    assert subject(verified(alone, refused)) == envelope.id
    assert alone.submit(b"not json").status == 400
    assert (alone.published() or 0) == 0
    assert alone.submit(alone.statement(1)).status == 201


@pytest.fixture
def signer(town: Town) -> NoteSigner:
    """The vendor's log key, as somebody would use it who has stolen it."""
    vendor = town.vendor
    return NoteSigner(vendor.name, SignatureKind.ED25519, Home(vendor.home).secret(Role.LOG, vendor.passphrase))


def signed_by(signer: NoteSigner, text: str) -> str:
    """Return the signature line of a text that our own signer would refuse to sign."""
    signature = signer.key.sign(text.encode())
    return NoteSignature(signer.name, signer.verifier.key_id, signature).line


def test_a_witness_refuses_notes_that_are_ambiguous_though_the_log_signed_them(town: Town, signer: NoteSigner) -> None:
    note = sign_checkpoint(Checkpoint(signer.name, 0, EMPTY_ROOT), signer)
    body = b"old 0\n\n" + note.to_bytes()

    def ask(body: bytes) -> int:
        return town.europe.ask("POST", "/add-checkpoint", body).status

    assert ask(body) == 200, "as it is, it is cosigned"
    text = note.text.encode()
    for bad in ("\n\n", "extension\n\n", "\x07\n", "tab\there\n", "\x00\n", "\x1b[2J\n", "carriage\r\n", "no end"):
        signed = note.text + bad
        assert ask(f"old 0\n\n{signed}\n{signed_by(signer, signed)}\n".encode()) == 400, bad
    assert ask(b"old 0\n\n" + text + b"\xff\n" + body.partition(text)[2]) == 400
    two_empty_lines = body.replace(text + b"\n", text + b"\n\n")
    assert ask(two_empty_lines) == 400
    assert ask(body[:-1]) == 400
    assert ask(b"old 0\n\n" + b"x" * MAX_ADD_CHECKPOINT) == 413
    assert ask(body) == 200
