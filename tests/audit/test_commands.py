"""`pellucid audit` and `fsck`: a proof is checked offline, a home is read, and damage is named."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pellucid.audit.events import Event, EventType
from pellucid.cli import main
from pellucid.node import Home, Node, Settings, create_home
from pellucid.record.card import note_signer
from pellucid.statement import keys as key_files
from pellucid.statement.keys import Role, generate_key

PASSPHRASE = b"correct horse"
RITA, OTTO = "aa" * 16, "bb" * 16


def run(*words: object) -> tuple[int, Any]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*(str(word) for word in words), "--json"])
    return code, json.loads(out.getvalue())


def fill(home: Home, count: int = 5) -> None:
    with Node.open(home, PASSPHRASE) as node:
        for number in range(count):
            actor, about = (OTTO, (RITA,)) if number % 2 else (RITA, ())
            node.trail.record(Event(EventType.ACCESS_GRANTED, number * 1000, actor, about, "page:/people"))
        node.trail.record(Event(EventType.JOB_STARTED, 1, OTTO, (), "job:reindex-1", {"job": "reindex"}))
        node.publish()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(key_files, "_SCRYPT_N", 1024)
    settings = Settings("log.vendor.example/1", "vendor", "europe", "Example Vendor")
    made = create_home(tmp_path / "vendor", settings, PASSPHRASE)
    fill(made)
    return made


def vkey(home: Home) -> str:
    return home.verifier(Role.AUDIT).vkey


def test_the_home_shows_what_is_recorded(home: Home) -> None:
    code, said = run("--home", home.path, "audit", "show")
    assert code == 0
    assert [event["index"] for event in said["events"]] == [5, 4, 3, 2, 1, 0]
    assert said["events"][1] == {
        "index": 4,
        "at": "1970-01-01T00:00:04Z",
        "type": "access.granted",
        "actor": RITA,
        "about": [],
        "target": "page:/people",
        "details": {},
    }
    assert [event["index"] for event in run("--home", home.path, "audit", "show", "--account", OTTO)[1]["events"]] == [
        5,
        3,
        1,
    ]
    found = run("--home", home.path, "audit", "show", "--type", "job.started", "--last", 1)[1]["events"]
    assert [event["details"] for event in found] == [{"job": "reindex"}]


def test_a_proof_made_on_the_home_is_accepted_and_a_changed_one_is_not(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    assert run("--home", home.path, "audit", "proof", RITA, "-o", file)[0] == 0
    witness = note_signer("log.center.example/1", generate_key(Role.WITNESS, "center")).vkey
    code, said = run("audit", "check", file, "--key", vkey(home), "--witness", witness)
    assert code == 0
    assert (said["account"], said["size"], said["cosigned_by"]) == (RITA, 6, [])
    assert [event["index"] for event in said["events"]] == [4, 3, 2, 1, 0]
    assert any("holds no other event" in text for text in said["not_proven"])
    file.write_bytes(file.read_bytes().replace(b"page:/people", b"page:/nowhere"))
    code, said = run("audit", "check", file, "--key", vkey(home))
    assert code == 1
    assert "entry 4" in said["error"]["where"]


def test_bad_input_is_told_in_plain_words(home: Home, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}")
    for words in (
        ("audit", "check", tmp_path / "none.json", "--key", vkey(home)),
        ("audit", "check", tmp_path / "odd.json", "--key", vkey(home)),
        ("audit", "check", tmp_path / "odd.json", "--key", "odd"),
        ("--home", home.path, "audit", "show", "--account", "rita"),
        ("--home", home.path, "audit", "show", "--type", "no.such"),
        ("--home", home.path, "audit", "show", "--last", 0),
        ("--home", home.path, "audit", "proof", "rita", "-o", tmp_path / "x"),
        ("--home", home.path, "audit", "proof", RITA, "-o", tmp_path / "no/such/x"),
    ):
        code, said = run(*words)
        assert code in {1, 2}, words
        assert said["error"]["what"]


def test_fsck_checks_the_audit_log_too(home: Home) -> None:
    code, said = run("fsck", home.path)
    assert code == 0
    assert [log["origin"] for log in said["logs"]] == ["log.vendor.example/1", "log.vendor.example/1/audit"]
    assert said["logs"][1]["size"] == 6


@pytest.mark.parametrize("file", ["tile/entries/000.p/6", "tile/0/000.p/6", "checkpoint", "checkpoints/006"])
def test_fsck_names_what_is_damaged_in_the_audit_log(home: Home, file: str) -> None:
    path = home.path / "audit" / file
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    code, said = run("fsck", home.path)
    assert code == 1
    assert str(path) in {problem["path"] for problem in said["problems"]}


def test_fsck_names_an_audit_log_that_was_set_back(home: Home) -> None:
    older = (home.path / "audit.db").read_bytes()
    fill(home)
    (home.path / "audit.db").write_bytes(older)
    code, said = run("fsck", home.path)
    assert code == 1
    assert {problem["log"] for problem in said["problems"]} == {"log.vendor.example/1/audit"}


def test_fsck_names_an_entry_that_is_no_event(home: Home) -> None:
    with Node.open(home, PASSPHRASE) as node:
        node.trail.log.add_batch([b'{"event":{"at":1,"type":"no.such"},"salt":"00"}'])
        node.publish()
    code, said = run("fsck", home.path)
    assert code == 1
    assert ["no audit event" in problem["what"] for problem in said["problems"]] == [True]
