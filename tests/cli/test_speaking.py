"""Statements of any kind: signed, submitted, withdrawn, by whom the log lets speak."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.statement.dsse import Envelope
from pellucid.statement.types import PARTY, REVIEW

Run = Callable[..., Any]
ELSEWHERE = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "thing", "digest": {"sha256": "ab" * 32}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {"buildDefinition": {"buildType": "https://example.com/build/v1"}},
}


@pytest.fixture
def provenance(tmp_path: Path) -> Path:
    """A statement that another program made, in its own spelling."""
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps(ELSEWHERE, indent=4))
    return path


@pytest.fixture
def reviewer(run: Run, center: Path, tmp_path: Path) -> Path:
    """The key of a reviewer whom nobody accredited yet."""
    path = tmp_path / "reviewer.key"
    assert run("--home", center, "key", "new", path, "--name", "Example Reviewer").code == 0
    return path


def test_a_statement_made_elsewhere_is_signed_as_it_is_and_logged(run: Run, home: Path, provenance: Path) -> None:
    signed = run("--home", home, "statement", "sign", provenance, "--json").json
    envelope = Envelope.parse(Path(signed["file"]).read_bytes())
    assert envelope.payload == provenance.read_bytes()
    logged = run("--home", home, "statement", "submit", signed["file"], "--json").json
    assert logged["statement"] == signed["statement"] == envelope.id
    assert logged["index"] == 0
    known = run("--home", home, "statement", "show", envelope.id, "--json").json
    assert known["places"][0]["index"] == 0
    shown = run("statement", "show", signed["file"], "--json").json
    assert shown["statement"] == ELSEWHERE
    assert shown["kind"] is None


def test_signing_never_overwrites(run: Run, home: Path, provenance: Path) -> None:
    assert run("--home", home, "statement", "sign", provenance).code == 0
    again = run("--home", home, "statement", "sign", provenance)
    assert again.code == 2
    assert "exists already" in again.err


def test_an_envelope_can_be_signed_by_a_second_party(
    run: Run, home: Path, center: Path, reviewer: Path, provenance: Path, tmp_path: Path
) -> None:
    first = run("--home", home, "statement", "sign", provenance, "--json").json
    both = tmp_path / "both.json"
    second = run("--home", center, "statement", "sign", first["file"], "--key", reviewer, "-o", both, "--json").json
    assert second["statement"] == first["statement"]
    assert len(Envelope.parse(both.read_bytes()).signatures) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"predicate": None},
        {"subject": []},
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": REVIEW, "predicate": {"of": "source"}},
        {"predicateType": PARTY, "predicate": {"action": "accredit", "roles": ["vendor"], "extra": 1}},
    ],
)
def test_what_is_no_good_statement_is_not_signed(run: Run, home: Path, tmp_path: Path, change: Any) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**ELSEWHERE, **change}))
    assert run("--home", home, "statement", "sign", path).code in {1, 2}
    assert not (tmp_path / "bad.dsse.json").exists()


def test_an_entry_that_is_too_large_is_told_before_it_is_logged(run: Run, home: Path, tmp_path: Path) -> None:
    for fill in (60_000, 70_000):
        path = tmp_path / f"large-{fill}.json"
        path.write_text(json.dumps({**ELSEWHERE, "predicate": {"fill": "x" * fill}}))
        answer = run("--home", home, "statement", "sign", path)
        assert answer.code == 2
        assert "65535" in answer.err
        assert "digest" in answer.err


def test_a_key_of_another_role_signs_no_statement(run: Run, home: Path, provenance: Path) -> None:
    answer = run("--home", home, "statement", "sign", provenance, "--key", home / "keys/witness.key")
    assert answer.code == 2
    assert "'witness'" in answer.err
    assert run("--home", home, "party", "accredit", home / "keys/witness.key", "--role", "reviewer").code == 2


def test_a_party_speaks_from_its_accreditation_to_its_end(
    run: Run, center: Path, reviewer: Path, provenance: Path
) -> None:
    signed = run("--home", center, "statement", "sign", provenance, "--key", reviewer, "--json").json["file"]
    before = run("--home", center, "statement", "submit", signed, "--json")
    assert before.code == 1
    assert before.json["reason"] == "unknown-party"
    assert Path(before.json["receipt"]).is_file()

    granted = run("--home", center, "party", "accredit", reviewer, "--role", "reviewer", "--name", "Example Reviewer")
    assert granted.code == 0, granted.err
    assert run("--home", center, "statement", "submit", signed).code == 0

    ended = run("--home", center, "party", "revoke", reviewer, "--compromised-since", "2026-01-01", "--json")
    assert ended.code == 0, ended.err
    other = provenance.with_name("other.json")
    other.write_text(json.dumps({**ELSEWHERE, "predicate": {}}))
    late = run("--home", center, "statement", "sign", other, "--key", reviewer, "--json").json["file"]
    after = run("--home", center, "statement", "submit", late, "--json")
    assert after.code == 1
    assert after.json["reason"] == "revoked-party"


def test_a_name_is_shown_until_it_is_erased(run: Run, center: Path, reviewer: Path) -> None:
    run("--home", center, "party", "accredit", reviewer, "--role", "reviewer", "--name", "Example Reviewer")

    def shown() -> list[str]:
        return [
            text
            for file in (center / "openings").rglob("*")
            if file.is_file() and "Example" in (text := file.read_text())
        ]

    assert shown()
    erased = run("--home", center, "party", "erase", reviewer, "--json")
    assert (erased.code, erased.json["erased"]) == (0, 1)
    assert not shown()
    assert run("--home", center, "party", "erase", reviewer, "--json").json["erased"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("accredit", "ab" * 32, "--role", "reviewer"),
        ("accredit", "nowhere.key", "--role", "reviewer"),
        ("accredit", "{key}", "--role", "king"),
        ("accredit", "{key}", "--role", "reviewer", "--expires", "tomorrow"),
        ("revoke", "{key}"),
        ("revoke", "{key}", "--retired", "--compromised-since", "2026-01-01"),
        ("revoke", "{key}", "--compromised-since", "9999-01-01"),
        ("revoke", "xyz", "--retired"),
    ],
)
def test_what_cannot_be_said_of_a_party_is_told(run: Run, center: Path, reviewer: Path, words: Any) -> None:
    answer = run("--home", center, "party", *(word.replace("{key}", str(reviewer)) for word in words))
    assert answer.code == 2
    assert "remedy" in answer.err
    assert not (center / "log.db").exists()


def test_a_withdrawal_names_a_statement(run: Run, home: Path) -> None:
    assert run("--home", home, "statement", "withdraw", "abc", "--reason", "mistake").code == 2
    assert run("--home", home, "statement", "withdraw", "ab" * 32, "--reason", "whim").code == 2


def test_what_nobody_answers_for_is_told(run: Run, home: Path, provenance: Path) -> None:
    signed = run("--home", home, "statement", "sign", provenance, "--json").json["file"]
    away = run("--home", home, "statement", "submit", signed, "--to", "http://127.0.0.1:9", "--json")
    assert away.code == 3
    assert "127.0.0.1:9" in away.json["error"]["where"]
    asked = run("--home", home, "statement", "show", "ab" * 32)
    assert asked.code == 2
    assert "no such statement" in asked.err
    assert run("--home", home, "statement", "submit", signed, "--to", "ftp://x").code == 2
