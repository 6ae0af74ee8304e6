"""The main job: the demonstration runs, its answers hold for whoever checks them, and it goes on another day."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.demo.package_index import NAME, NEW, OLD, Index, pellucid, settings
from tests.interop.processes import is_alive, until

from pellucid.tlog.note import Verifier
from pellucid.tlog.tlog_proof import TlogProof

REASONS = {
    "a changed file": "evidence",
    "a damaged pack": "evidence",
    "a pack cut short": "not JSON",
    "a forged pack, its digests made to fit": "evidence",
    "a quorum above the nodes": "cosigned",
    "an unlogged file": "logged",
    "a doubled release": "release",
    "a withheld bad review": "completeness",
    "a revoked reviewer": "review",
}


@dataclass(frozen=True)
class Finished:
    """A demonstration that ended, with what it said."""

    home: Path
    json: Any
    exit_code: int
    seconds: float

    @property
    def artifact(self) -> Path:
        """The wheel of the newer release."""
        return Path(self.json["releases"][1]["artifacts"][1])

    @property
    def pack(self) -> Path:
        """Its evidence pack."""
        return Path(self.json["releases"][1]["packs"][1])

    @property
    def policy(self) -> Path:
        """The acceptance policy."""
        return Path(self.json["policy"])

    def verify(self, file: Path, pack: Path | None = None, policy: Path | None = None) -> tuple[int, Any]:
        """Verify as a user does."""
        found = pellucid("verify", file, "--pack", pack or self.pack, "--policy", policy or self.policy, "--json")
        return found.returncode, json.loads(found.stdout)


@pytest.fixture(scope="module")
def finished(index: Index, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Run the demonstration once."""
    home = tmp_path_factory.mktemp("demo") / "home"
    begun = time.monotonic()
    found = pellucid("--home", home, "demo", "--once", "--json", "--pypi", NAME, OLD, NEW, index=index)
    assert found.stdout, found.stderr
    return Finished(home, json.loads(found.stdout), found.returncode, time.monotonic() - begun)


def unmet(verdict: Any) -> list[str]:
    return [item["name"] for item in verdict["requirements"] if not item["met"]]


def test_every_step_gives_the_expected_answer(finished: Finished) -> None:
    wrong = [step for step in finished.json["steps"] if not step["ok"]]
    assert wrong == []
    assert (finished.exit_code, finished.json["ok"]) == (0, True)


def test_it_is_quick(finished: Finished) -> None:
    assert finished.seconds < 120


def test_the_json_has_the_shape_that_is_promised(finished: Finished) -> None:
    found = finished.json
    assert set(found) == {"ok", "steps", "product", "nodes", "releases", "policy"}
    assert all(set(step) == {"name", "expected", "got", "ok"} for step in found["steps"])
    assert found["product"] == {"name": NAME, "old": OLD, "new": NEW}
    assert [(n["name"], n["role"]) for n in found["nodes"]] == [
        ("log.vendor.example", "vendor"),
        ("log.asia.example", "center"),
        ("log.europe.example", "center"),
        ("log.americas.example", "center"),
    ]
    assert all(set(n) == {"name", "role", "region", "url", "home", "log_key"} for n in found["nodes"])
    for release in found["releases"]:
        assert set(release) == {"version", "artifacts", "packs"}
        for artifact, pack in zip(release["artifacts"], release["packs"], strict=True):
            assert Path(artifact).is_absolute()
            assert pack == f"{artifact}.evidence.json"
            assert Path(artifact).is_file()
            assert Path(pack).is_file()


@pytest.mark.parametrize("name", REASONS)
def test_what_must_fail_fails_for_its_own_reason(finished: Finished, name: str) -> None:
    step = next(step for step in finished.json["steps"] if step["name"] == name)
    assert step["ok"]
    assert REASONS[name] in step["got"]


def test_each_artifact_meets_the_policy_offline(finished: Finished) -> None:
    for release in finished.json["releases"]:
        for artifact, pack in zip(release["artifacts"], release["packs"], strict=True):
            code, verdict = finished.verify(Path(artifact), Path(pack))
            assert (code, verdict["verdict"]) == (0, "meets-policy")
            assert {item["operator"] for item in verdict["cosigned_by"]} >= {"Example Center Asia", "Example Vendor"}


def test_one_changed_byte_in_the_file_fails(finished: Finished, tmp_path: Path) -> None:
    data = bytearray(finished.artifact.read_bytes())
    data[-1] ^= 1
    changed = tmp_path / finished.artifact.name
    changed.write_bytes(data)
    code, verdict = finished.verify(changed)
    assert (code, unmet(verdict)) == (1, ["evidence"])


def test_one_changed_character_in_the_pack_fails(finished: Finished, tmp_path: Path) -> None:
    text = finished.pack.read_text()
    for at in range(100, len(text), len(text) // 8):
        changed = tmp_path / "changed.evidence.json"
        changed.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
        found = pellucid("verify", finished.artifact, "--pack", changed, "--policy", finished.policy, "--json")
        assert found.returncode in {1, 2}, at


def test_a_quorum_above_the_nodes_fails(finished: Finished, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(finished.policy.read_text().replace("witnesses = 2", "witnesses = 4", 1))
    code, verdict = finished.verify(finished.artifact, policy=policy)
    assert (code, unmet(verdict)) == (1, ["cosigned"])


def test_source_given_is_recomputed(finished: Finished, tmp_path: Path) -> None:
    archive = finished.home / f"tiny_guard-{NEW}.tar.gz"
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True)
    words: list[str | Path] = [
        "--pack",
        finished.pack,
        "--policy",
        finished.policy,
        "--source",
        tmp_path / f"tiny_guard-{NEW}",
    ]
    assert pellucid("verify", finished.artifact, *words).returncode == 0
    (tmp_path / f"tiny_guard-{NEW}" / "README").write_text("changed")
    assert pellucid("verify", finished.artifact, *words).returncode == 1


def test_fsck_finds_nothing_in_the_homes_and_one_flipped_byte_in_a_copy(finished: Finished, tmp_path: Path) -> None:
    for node in finished.json["nodes"]:
        assert pellucid("fsck", node["home"]).returncode == 0
    copy = tmp_path / "vendor"
    shutil.copytree(finished.home / "vendor", copy)
    tile = next(path for path in sorted((copy / "log" / "tile").rglob("*")) if path.is_file())
    data = bytearray(tile.read_bytes())
    data[0] ^= 1
    tile.write_bytes(data)
    found = pellucid("fsck", copy, "--json")
    assert found.returncode == 1
    assert str(tile) in {problem["path"] for problem in json.loads(found.stdout)["problems"]}


def test_a_home_of_something_else_is_refused_and_left_alone(finished: Finished, tmp_path: Path, index: Index) -> None:
    (tmp_path / "mine").write_text("mine")
    found = pellucid("--home", tmp_path, "demo", "--once", index=index)
    assert found.returncode == 2
    assert "remedy" in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    for home in (finished.home / "vendor", finished.home / "examples"):
        assert pellucid("--home", home, "demo", "--once", index=index).returncode == 2


def test_an_unfinished_demonstration_is_refused(tmp_path: Path, index: Index) -> None:
    (tmp_path / "demo.json").write_text('{"format": "pellucid-demo/v1", "complete": false}')
    found = pellucid("--home", tmp_path, "demo", "--once", index=index)
    assert found.returncode == 2
    assert "not finished" in found.stderr


def test_a_finished_demonstration_of_another_product_is_not_mixed(finished: Finished, index: Index) -> None:
    found = pellucid("--home", finished.home, "demo", "--once", "--pypi", "other", "1", "2", index=index)
    assert found.returncode == 2
    assert "another product" in found.stderr


def test_a_product_that_the_index_has_not_leaves_nothing_behind(tmp_path: Path, index: Index) -> None:
    home = tmp_path / "home"
    found = pellucid("--home", home, "demo", "--once", "--pypi", NAME, OLD, "9.9", index=index)
    assert found.returncode == 2
    assert "9.9" in found.stderr
    assert not home.exists()
    offline = pellucid("--home", home, "demo", "--once", "--pypi", NAME, OLD, NEW)
    assert offline.returncode == 3
    assert not home.exists()


@dataclass
class Served:
    """A finished demonstration that goes on, serving."""

    process: subprocess.Popen[str]
    json: Any

    def pids(self) -> list[int]:
        """Return the processes that serve the nodes."""
        homes = [Path(node["home"]) for node in self.json["nodes"]]
        return [json.loads((home / "serving.json").read_bytes())["pid"] for home in homes]


@pytest.fixture
def served(finished: Finished) -> Iterator[Served]:
    """Go on with the demonstration and serve it."""
    command = [sys.executable, "-m", "pellucid.cli", "--home", str(finished.home), "demo", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=settings(None))
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline()) and not line.startswith("}"):
        lines.append(line)
    yield Served(process, json.loads("".join(lines) + "}"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def require_gone(pids: list[int]) -> None:
    """None of them runs any more; the kernel ends a worker a moment after its parent."""
    until(lambda: not any(is_alive(pid) for pid in pids), 2.0)


def test_it_goes_on_serves_four_portals_and_ends_all_it_started(served: Served) -> None:
    assert served.json["ok"]
    for node in served.json["nodes"]:
        with urllib.request.urlopen(node["url"], timeout=30) as page:  # noqa: S310 - a loopback address
            assert page.status == 200
    pids = served.pids()
    served.process.send_signal(signal.SIGINT)
    _, said = served.process.communicate(timeout=60)
    assert served.process.returncode == 0, said
    require_gone(pids)


def test_whoever_follows_the_logs_is_told_of_the_doubled_release_and_then_of_nothing_new(
    served: Served, tmp_path: Path
) -> None:
    words = ["monitor", "--policy", served.json["policy"], "--state", tmp_path / "seen.json", "--json"]
    for _ in range(2):
        found = pellucid(*words)
        assert found.returncode == 1, found.stderr
        notices = json.loads(found.stdout)["notices"]
        assert {notice["kind"] for notice in notices} == {"doubled"}
        assert {"example-doubled" in notice["what"] for notice in notices} == {True}
    (tmp_path / "seen.json").write_text("{}")
    assert pellucid(*words).returncode == 2


def test_every_receipt_of_the_demonstration_was_kept(served: Served, tmp_path: Path) -> None:
    homes = [Path(node["home"]) for node in served.json["nodes"]]
    receipts = [path for home in homes for path in sorted((home / "receipts").glob("*.json"))]
    assert len(receipts) > 10
    for receipt in receipts[:3]:
        assert pellucid("receipt", "check", receipt, "--policy", served.json["policy"]).returncode == 0
    forged = tmp_path / "forged.json"
    forged.write_text(receipts[0].read_text().replace('"sig":"', '"sig":"AAAA', 1))
    assert pellucid("receipt", "check", forged, "--policy", served.json["policy"]).returncode == 1


def test_packs_and_proofs_are_made_from_the_running_nodes(served: Served, finished: Finished, tmp_path: Path) -> None:
    pack = tmp_path / "a name with spaces & more.json"
    made = pellucid("pack", finished.artifact, "--policy", finished.policy, "-o", pack, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["verdict"]["verdict"] == "meets-policy"
    assert finished.verify(finished.artifact, pack)[0] == 0
    proofs = tmp_path / "proofs"
    words: list[str | Path] = ["--policy", finished.policy, "--format", "tlog-proof", "-o", proofs, "--json"]
    found = json.loads(pellucid("pack", finished.artifact, *words).stdout)["proofs"]
    assert [proof["log"] for proof in found] == ["log.vendor.example"]
    log = Verifier.parse(served.json["nodes"][0]["log_key"])
    proof = TlogProof.parse(Path(found[0]["proof"]).read_bytes())
    assert proof.verify(Path(found[0]["entry"]).read_bytes(), log).index == found[0]["index"]


def test_a_node_that_dies_ends_it_with_the_nodes_last_words(served: Served) -> None:
    pids = served.pids()
    os.kill(pids[1], signal.SIGKILL)
    _, said = served.process.communicate(timeout=60)
    assert served.process.returncode == 3
    assert "the node ended by itself" in said
    require_gone(pids)
