"""Making a node, its keys, and joining nodes: what an operator types before anything is logged."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def init(run: Run, home: Path, name: str, *more: str, role: str = "center") -> Any:
    answer = run("--home", home, "init", "--role", role, "--name", name, *more, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def invited(run: Run, home: Path, file: Path, *more: str) -> Any:
    answer = run("--home", home, "peer", "invite", "-o", file, *more, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def test_without_a_terminal_init_makes_a_passphrase_that_only_the_owner_reads(run: Run, tmp_path: Path) -> None:
    made = init(run, tmp_path / "h", "log.example/1")
    kept = Path(made["passphrase_file"])
    assert kept == tmp_path / "h/passphrase"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert made["log_key"].startswith("log.example/1+")


@pytest.mark.parametrize("way", ["option", "environment", "systemd"])
def test_a_passphrase_that_is_given_is_not_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    secret = tmp_path / "pellucid-passphrase"
    secret.write_text("correct horse\n")
    if way == "environment":
        monkeypatch.setenv("PELLUCID_PASSPHRASE_FILE", str(secret))
    elif way == "systemd":
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    more = ("--passphrase-file", str(secret)) if way == "option" else ()
    assert init(run, tmp_path / "h", "log.example/1", *more)["passphrase_file"] is None
    assert not (tmp_path / "h/passphrase").exists()
    assert run("--home", tmp_path / "h", "peer", "invite", "-o", tmp_path / "card", *more).code == 0


def test_a_passphrase_file_that_is_empty_or_gone_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for name in ("empty", "gone"):
        words = ("--role", "center", "--name", "log.example/1", "--passphrase-file", tmp_path / name)
        answer = run("--home", tmp_path / "h", "init", *words)
        assert answer.code == 2
        assert not (tmp_path / "h").exists()


def test_a_home_is_never_made_over_another(run: Run, home: Path) -> None:
    before = sorted(home.rglob("*"))
    answer = run("--home", home, "init", "--role", "center", "--name", "log.other.example/1")
    assert answer.code == 2
    assert "already" in answer.err
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("name", ["with space", "plus+sign", "", "a\nb"])
def test_a_name_that_no_log_can_have_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    answer = run("--home", tmp_path / "h", "init", "--role", "center", "--name", name)
    assert answer.code == 2
    assert not (tmp_path / "h").exists()


def test_keys_are_listed_without_a_passphrase_and_apart_by_role(run: Run, home: Path) -> None:
    (home / "passphrase").unlink()
    keys = run("--home", home, "key", "list", "--json").json["keys"]
    assert [key["role"] for key in keys] == ["log", "witness", "mirror", "lookup", "audit", "node", "party"]
    assert len({key["id"] for key in keys}) == 7
    assert [key["role"] for key in keys if key["vkey"]] == ["log", "witness", "mirror"]


def test_a_key_is_made_once_and_shown(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "ann.key"
    made = run("--home", home, "key", "new", file, "--name", "Ann", "--json").json
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("key", "show", file, "--json").json == made
    again = run("--home", home, "key", "new", file, "--name", "Ann")
    assert again.code == 2
    assert "never overwritten" in again.err


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format": "pellucid-key/v2"}', b"\xff\xfe"])
def test_what_is_no_key_file_is_told(run: Run, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "bad.key").write_bytes(damage)
    answer = run("key", "show", tmp_path / "bad.key")
    assert answer.code == 2
    assert "not a key file" in answer.err


def test_two_nodes_join_once_the_fingerprint_was_compared(run: Run, home: Path, center: Path, tmp_path: Path) -> None:
    card = invited(run, center, tmp_path / "asia.card", "--url", "http://127.0.0.1:1")
    unseen = run("--home", home, "peer", "accept", card["card"])
    assert unseen.code == 2
    assert card["fingerprint"] in unseen.err
    wrong = run("--home", home, "peer", "accept", card["card"], "--fingerprint", "00000 " * 8)
    assert wrong.code == 2
    assert run("--home", home, "peer", "list", "--json").json["peers"] == []

    joined = run(
        "--home", home, "peer", "accept", card["card"], "--fingerprint", card["fingerprint"], "--quorum", "1", "--json"
    )
    assert joined.code == 0, joined.err
    assert joined.json["quorum"] == {"required": 1, "operators": 1, "tolerates": {"outages": 0, "colluders": 0}}
    listed = run("--home", home, "peer", "list", "--json").json
    assert [(peer["name"], peer["region"]) for peer in listed["peers"]] == [("log.asia.example/1", "asia")]


def test_a_quorum_that_nobody_could_meet_changes_nothing(run: Run, home: Path, center: Path, tmp_path: Path) -> None:
    card = invited(run, center, tmp_path / "asia.card")
    words = ("peer", "accept", card["card"], "--fingerprint", card["fingerprint"])
    assert run("--home", home, *words, "--quorum", "2").code == 2
    assert run("--home", home, "peer", "list", "--json").json["peers"] == []
    assert run("--home", home, *words, "--quorum", "1").code == 0
    assert run("--home", home, "peer", "remove", "log.asia.example/1").code == 2
    parted = run("--home", home, "peer", "remove", "log.asia.example/1", "--quorum", "0", "--json")
    assert parted.json["quorum"]["required"] == 0


def test_a_changed_card_is_refused(run: Run, home: Path, center: Path, tmp_path: Path) -> None:
    card = invited(run, center, tmp_path / "asia.card")
    data = Path(card["card"]).read_bytes()
    Path(card["card"]).write_bytes(data.replace(b'"sig":"', b'"sig":"AAAA', 1))
    answer = run("--home", home, "peer", "accept", card["card"], "--fingerprint", card["fingerprint"])
    assert answer.code in {1, 2}
    assert run("--home", home, "peer", "list", "--json").json["peers"] == []


def test_nobody_joins_with_themselves_or_a_stranger(run: Run, home: Path, tmp_path: Path) -> None:
    own = invited(run, home, tmp_path / "own.card")
    assert run("--home", home, "peer", "accept", own["card"], "--fingerprint", own["fingerprint"]).code == 2
    assert run("--home", home, "peer", "remove", "log.nobody.example/1").code == 2


def test_settings_that_cannot_be_are_named_by_their_line(run: Run, home: Path) -> None:
    with (home / "node.toml").open("a") as file:
        file.write("qourum = 3\n")
    answer = run("--home", home, "peer", "list")
    assert answer.code == 2
    assert "qourum" in answer.err
    assert "node.toml:" in answer.err
