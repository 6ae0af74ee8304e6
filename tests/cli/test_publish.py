"""`publish` without a running node: logged, refused, or honestly waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.statement.digest import sha256_hex
from pellucid.storage.failures import StorageError
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.unpack import identify

Run = Callable[..., Any]

MANIFEST = """\
[release]
product = "scanner"
version = "{version}"
kind = "software"

[source]
tree = "src"

[[artifact]]
name = "scanner.bin"
path = "scanner.bin"
"""


def write(folder: Path, version: str = "4.2", content: str = "program") -> Path:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/main.py").write_text("print()\n")
    (folder / "scanner.bin").write_text(content)
    path = folder / "release.toml"
    path.write_text(MANIFEST.format(version=version))
    return path


def entries(run: Run, home: Path) -> int:
    answer = run("fsck", home, "--json")
    assert answer.code == 0, answer.err
    return sum(log["size"] for log in answer.json["logs"])


def test_a_release_is_logged_with_its_receipt_and_named_bytes(run: Run, home: Path, tmp_path: Path) -> None:
    published = run("--home", home, "publish", write(tmp_path), "--json")
    assert published.code == 0, published.err
    found = published.json
    assert found["index"] == 0
    assert found["published"] is True
    assert found["cosigned_by"] == []
    assert found["log"] == "log.vendor.example/1"
    assert found["artifacts"] == [
        {"name": "scanner.bin", "path": str(tmp_path / "scanner.bin"), "sha256": sha256_hex(b"program"), "size": 7}
    ]
    assert found["source"]["files"] == 1
    assert Path(found["receipt"]).parent == home / "receipts"
    assert entries(run, home) == 1


def test_the_same_release_again_is_the_same_entry(run: Run, home: Path, tmp_path: Path) -> None:
    first, again = (run("--home", home, "publish", write(tmp_path), "--json").json for _ in range(2))
    assert (first["statement"], first["index"]) == (again["statement"], again["index"])
    assert entries(run, home) == 1


def test_a_second_release_of_one_place_needs_the_first_withdrawn(run: Run, home: Path, tmp_path: Path) -> None:
    first = run("--home", home, "publish", write(tmp_path), "--json").json
    doubled = run("--home", home, "publish", write(tmp_path, content="special copy"))
    assert doubled.code == 2
    assert "already released with other bytes" in doubled.err
    assert "release.toml:9:1" in doubled.err
    assert entries(run, home) == 1
    withdrawn = run("--home", home, "statement", "withdraw", first["statement"], "--reason", "mistake")
    assert withdrawn.code == 0, withdrawn.err
    assert run("--home", home, "publish", write(tmp_path, content="special copy")).code == 0
    assert run("--home", home, "publish", write(tmp_path, version="4.3")).code == 0


@pytest.fixture
def lonely(run: Run, home: Path, center: Path, tmp_path: Path) -> Path:
    """The vendor's home with a quorum of one center, which does not answer."""
    card = run(
        "--home", center, "peer", "invite", "-o", tmp_path / "card", "--url", "http://127.0.0.1:9", "--json"
    ).json
    joined = run("--home", home, "peer", "accept", card["card"], "--fingerprint", card["fingerprint"], "--quorum", "1")
    assert joined.code == 0, joined.err
    return home


def test_without_its_quorum_it_says_that_it_waits_and_for_whom(run: Run, lonely: Path, tmp_path: Path) -> None:
    answer = run("--home", lonely, "publish", write(tmp_path), "--json")
    assert answer.code == 3
    assert answer.json["accepted"] is True
    assert answer.json["published"] is False
    assert answer.json["quorum"]["required"] == 1
    assert "log.asia.example/1" in str(answer.json["quorum"]["missing"])
    assert answer.json["quorum"]["wanting"]
    assert "not published yet" in run("--home", lonely, "publish", write(tmp_path)).out


def test_what_waits_for_its_quorum_keeps_its_place(run: Run, lonely: Path, tmp_path: Path) -> None:
    first = run("--home", lonely, "publish", write(tmp_path), "--json").json
    doubled = run("--home", lonely, "publish", write(tmp_path, content="special copy"))
    assert doubled.code == 2
    assert first["statement"] in doubled.err
    again = run("--home", lonely, "publish", write(tmp_path), "--json").json
    assert again["index"] == first["index"]


@pytest.mark.parametrize("problem", ["missing", "unknown", "source"])
def test_what_cannot_be_published_logs_nothing(run: Run, home: Path, tmp_path: Path, problem: str) -> None:
    manifest = write(tmp_path)
    if problem == "missing":
        (tmp_path / "scanner.bin").unlink()
    elif problem == "unknown":
        manifest.write_text(manifest.read_text() + 'size = "big"\n')
    else:
        os.mkfifo(tmp_path / "src/pipe")
    answer = run("--home", home, "publish", manifest, "--json")
    assert answer.code == 2
    assert "release.toml:" in answer.json["error"]["where"]
    assert not (home / "log.db").exists()


def test_a_file_that_changes_while_it_is_published_logs_nothing(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.release import commands

    def late(path: Path, rev: str | None, root: str | None) -> Any:
        (tmp_path / "scanner.bin").write_text("swapped while the source was read")
        return identify(path, rev=rev, root=root)

    monkeypatch.setattr(commands, "_identify", late)
    answer = run("--home", home, "publish", write(tmp_path))
    assert answer.code == 2
    assert "changed while it was being published" in answer.err
    assert not (home / "log.db").exists()


def test_a_key_of_another_role_is_refused(run: Run, home: Path, tmp_path: Path) -> None:
    (home / "keys/party.key").write_bytes((home / "keys/node.key").read_bytes())
    answer = run("--home", home, "publish", write(tmp_path))
    assert answer.code == 2
    assert "'node'" in answer.err
    assert not (home / "log.db").exists()


def test_a_write_that_fails_in_the_middle_ends_with_3(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("cannot write: the disk is full", where="log.db", remedy="free some space")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteSequence, "append", fail)
        answer = run("--home", home, "publish", write(tmp_path), "--json")
    assert answer.code == 3
    assert "the disk is full" in answer.json["error"]["what"]
    assert run("--home", home, "publish", write(tmp_path)).code == 0
    assert entries(run, home) == 1


def test_a_full_disk_ends_with_3_and_loses_nothing(run: Run, home: Path, tmp_path: Path) -> None:
    assert run("--home", home, "publish", write(tmp_path)).code == 0
    program = (
        "import resource, sys; from pellucid.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); sys.exit(main(sys.argv[1:]))"
    )
    words = ["--home", str(home), "publish", str(write(tmp_path, version="4.3")), "--json"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert entries(run, home) == 1
    assert run("--home", home, "publish", write(tmp_path, version="4.3")).code == 0
    assert entries(run, home) == 2
