"""`fsck` and `reindex`: what an operator does after a bad night."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def filled(run: Run, home: Path, center: Path) -> Path:
    """A home with three entries."""
    for role in ("reviewer", "center", "assessor"):
        answer = run("--home", home, "party", "accredit", center / "keys/party.key", "--role", role)
        assert answer.code == 0, answer.err
    return home


def test_a_whole_log_is_told_so(run: Run, filled: Path) -> None:
    answer = run("fsck", filled, "--json")
    assert answer.code == 0
    checked = [(log["origin"], log["size"]) for log in answer.json["logs"]]
    assert checked == [("log.vendor.example/1", 3), ("log.vendor.example/1/audit", 0)]
    assert run("--home", filled, "fsck").code == 0


def test_a_home_without_a_log_yet_is_whole(run: Run, home: Path) -> None:
    assert run("fsck", home).code == 0


def test_one_flipped_byte_in_any_file_is_named(run: Run, filled: Path) -> None:
    files = [file for file in (filled / "log").rglob("*") if file.is_file() and ".incoming" not in file.parts]
    assert len(files) >= 3
    for file in files:
        good = file.read_bytes()
        file.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        answer = run("fsck", filled, "--json")
        assert answer.code == 1, file
        assert str(file) in [problem["path"] for problem in answer.json["problems"]]
        file.write_bytes(good)
    assert run("fsck", filled).code == 0


def test_a_folder_is_checked_under_its_key(run: Run, filled: Path, center: Path) -> None:
    keys = {key["role"]: key["vkey"] for key in run("--home", filled, "key", "list", "--json").json["keys"]}
    assert run("fsck", filled / "log", "--key", keys["log"]).code == 0
    other = {key["role"]: key["vkey"] for key in run("--home", center, "key", "list", "--json").json["keys"]}
    assert run("fsck", filled / "log", "--key", other["log"]).code == 1
    assert run("fsck", filled / "log", "--key", keys["witness"]).code in {1, 2}


@pytest.mark.parametrize(
    "words",
    [("log",), ("log", "--key", "nonsense"), ("nowhere", "--key", "log"), ("http://127.0.0.1:9", "--key", "log")],
)
def test_what_cannot_be_checked_is_told(run: Run, filled: Path, words: Any) -> None:
    keys = {key["role"]: key["vkey"] for key in run("--home", filled, "key", "list", "--json").json["keys"]}
    place = words[0] if "://" in words[0] else str(filled / words[0])
    key = [word if word == "nonsense" else keys["log"] for word in words[2:]]
    answer = run("fsck", place, *words[1:2], *key)
    assert answer.code == (3 if "://" in place else 2)
    assert "Traceback" not in answer.err


def test_an_index_is_made_again_from_the_log(run: Run, filled: Path) -> None:
    for file in filled.glob("index.db*"):
        file.unlink()
    answer = run("--home", filled, "reindex", "--json")
    assert answer.code == 0, answer.err
    assert [(log["origin"], log["entries"]) for log in answer.json["logs"]] == [("log.vendor.example/1", 3)]


def test_a_damaged_index_is_made_again(run: Run, filled: Path) -> None:
    for file in filled.glob("index.db*"):
        file.unlink()
    (filled / "index.db").write_bytes(b"this is no database" * 300)
    answer = run("--home", filled, "reindex", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["logs"][0]["entries"] == 3
