"""A vendor and a center as two operators run them: joined by cards, cosigning, mirroring, and one of them failing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pellucid.record.settings import change_settings

Start = Callable[..., Any]
VENDOR_LOG = sha256(b"log.vendor.example/1").hexdigest()


@dataclass
class Pair:
    vendor: Any
    center: Any
    folder: Path

    def run(self, who: Any, *words: str) -> tuple[int, Any, str]:
        """Run a command of the vendor's or the center's operator; return code, JSON and stderr."""
        command = [sys.executable, "-m", "pellucid.cli", "--home", str(who.home), *words, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, stdin=subprocess.DEVNULL, timeout=90
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def join(self, who: Any, other: Any, *more: str) -> None:
        card = self.folder / f"{other.home.name}.card"
        code, made, err = self.run(other, "peer", "invite", "-o", str(card), "--url", other.url)
        assert code == 0, err
        code, _, err = self.run(who, "peer", "accept", str(card), "--fingerprint", made["fingerprint"], *more)
        assert code == 0, err

    def publish(self, version: str, *more: str) -> tuple[int, Any, str]:
        (self.folder / "src").mkdir(exist_ok=True)
        (self.folder / "src/main.py").write_text(f"print({version!r})\n")
        (self.folder / "scanner.bin").write_text(f"program {version}")
        (self.folder / "release.toml").write_text(
            f'[release]\nproduct = "scanner"\nversion = "{version}"\nkind = "software"\n[source]\ntree = "src"\n'
            '[[artifact]]\nname = "scanner.bin"\npath = "scanner.bin"\n'
        )
        return self.run(self.vendor, "publish", "release.toml", *more)


@pytest.fixture
def pair(serve: Start, home: Path, center_home: Path, tmp_path: Path) -> Pair:
    for path in (home, center_home):
        change_settings(path, mirror_every=0.3)
    pair = Pair(serve(home), serve(center_home), tmp_path)
    pair.join(pair.center, pair.vendor)
    pair.join(pair.vendor, pair.center, "--quorum", "1")
    return pair


def test_what_the_vendor_publishes_is_cosigned_and_mirrored_by_the_center(pair: Pair) -> None:
    code, published, err = pair.publish("4.2")
    assert code == 0, err
    assert published["cosigned_by"] == ["log.asia.example/1/witness"]
    assert published["quorum"]["required"] == 1

    code, shown, err = pair.run(pair.vendor, "statement", "show", published["statement"])
    assert code == 0, err
    assert shown["kind"] == "release"
    pair.center.until(lambda: pair.center.get(f"/api/statements/{published['statement']}").status == 200)
    assert pair.center.get(f"/mirror/{VENDOR_LOG}/checkpoint").status == 200
    assert pair.center.get(f"/witness/{VENDOR_LOG}/checkpoint").status == 200
    for who in (pair.vendor, pair.center):
        code, checked, err = pair.run(who, "fsck")
        assert code == 0, (checked, err)
    code, checked, _ = pair.run(pair.center, "fsck", f"{pair.center.url}/mirror/{VENDOR_LOG}", "--key", _key(pair))
    assert (code, checked["logs"][0]["size"]) == (0, 1)

    mirror = pair.center.home / "mirrors" / VENDOR_LOG / "tile/entries/000.p/1"
    mirror.write_bytes(mirror.read_bytes().replace(b"release", b"relaese", 1)[:-1] + b"?")
    code, checked, _ = pair.run(pair.center, "fsck")
    assert code == 1
    assert str(mirror) in [problem["path"] for problem in checked["problems"]]


def _key(pair: Pair) -> str:
    return str(pair.vendor.get("/api/logs").json["logs"][0]["vkey"])


def test_while_the_center_is_away_the_vendor_waits_and_says_for_whom(pair: Pair, serve: Start) -> None:
    assert pair.publish("4.2")[0] == 0
    port = pair.center.url.rpartition(":")[2]
    assert pair.center.stop() == 0
    code, waiting, err = pair.publish("4.3", "--wait", "1")
    assert code == 3, err
    assert waiting["accepted"] is True
    assert waiting["published"] is False
    assert "log.asia.example/1" in str(waiting["quorum"]["missing"])
    assert pair.vendor.size() == 1
    assert pair.vendor.get("/healthz").json["publication"]["wanting"]

    pair.center = serve(pair.center.home, "--listen", f"127.0.0.1:{port}")
    code, published, err = pair.publish("4.3")
    assert code == 0, err
    assert published["index"] == waiting["index"]
    assert pair.vendor.size() == 2


def test_a_second_release_is_refused_beside_the_running_node_too(pair: Pair) -> None:
    code, first, _ = pair.publish("4.2")
    assert code == 0
    (pair.folder / "scanner.bin").write_text("special copy")
    code, error, _ = pair.run(pair.vendor, "publish", "release.toml")
    assert code == 2
    assert first["statement"] in error["error"]["remedy"]


def test_a_reviewer_without_a_node_speaks_through_the_center(pair: Pair) -> None:
    code, published, err = pair.publish("4.2")
    assert code == 0, err
    desk = pair.folder / "reviewer"
    desk.mkdir()
    (desk / "passphrase").write_text("correct horse\n")

    def reviewer(*words: str) -> tuple[int, Any, str]:
        command = [sys.executable, "-m", "pellucid.cli", *words, "--passphrase-file", "passphrase", "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=desk, stdin=subprocess.DEVNULL, timeout=90
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    code, key, err = reviewer("key", "new", "reviewer.key", "--name", "Example Reviewer")
    assert code == 0, err
    said = ("--criterion", "no-backdoor", "--result", "pass", "--independence", "independent", "--paid-by", "reviewer")
    review = ("source", "review", str(pair.folder / "src"), "--key", "reviewer.key", "--minutes", "60", *said)
    words = (*review, "--expires", "2030-01-01", "--yes", "--to", pair.center.url)
    code, refused, err = reviewer(*words)
    assert (code, refused["reason"]) == (1, "unknown-party"), err
    code, _, err = pair.run(pair.center, "party", "accredit", key["spki"], "--role", "reviewer")
    assert code == 0, err
    code, logged, err = reviewer(*words)
    assert code == 0, err
    assert Path(logged["receipt"]).parent == desk
    assert logged["review"]["subject"][0]["digest"]["gitTree"] == published["source"]["sha256"]
    pair.vendor.until(lambda: pair.vendor.get(f"/api/statements/{logged['statement']}").status == 200)


def test_of_two_who_publish_at_once_one_is_refused(pair: Pair) -> None:
    assert pair.publish("4.1")[0] == 0
    running = []
    for name in ("first", "second"):
        folder = pair.folder / name
        folder.mkdir()
        (folder / "scanner.bin").write_text(f"program by {name}")
        (folder / "release.toml").write_text(
            '[release]\nproduct = "scanner"\nversion = "4.2"\nkind = "software"\n'
            '[[artifact]]\nname = "scanner.bin"\npath = "scanner.bin"\n'
        )
        command = [sys.executable, "-m", "pellucid.cli", "--home", str(pair.vendor.home), "publish", "release.toml"]
        running.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert sorted(process.wait(90) for process in running) == [0, 2]
