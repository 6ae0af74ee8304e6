"""`pellucid fsck` from outside: one flipped byte in any file of a log is found, and the file is named."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.interop.processes import NodeProcess, Town, pellucid, until

from pellucid.cli import main
from pellucid.statement.keys import Role

MOST_FILES = 60


@pytest.fixture(scope="module")
def served(made_town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose vendor has logged 300 statements in several publications; it runs."""
    root = tmp_path_factory.mktemp("fsck")
    town = Town(*(copy_of(node, root) for node in made_town.nodes))
    try:
        town.start()
        vendor = town.vendor
        for first in range(0, 300, 60):
            vendor.submit_all([vendor.statement(number) for number in range(first, first + 60)])
            until(lambda size=first + 60: vendor.published() == size)  # type: ignore[misc]
        until(lambda: all(center.mirrored(vendor) == 300 for center in town.centers), 30)
        yield town
    finally:
        town.stop()


def copy_of(node: NodeProcess, root: Path) -> NodeProcess:
    return NodeProcess(node.name, shutil.copytree(node.home, root / node.home.name), node.port, node.role)


def files(log: Path) -> list[Path]:
    """Return the tiles, bundles and checkpoints of a log."""
    found = [*log.glob("checkpoint"), *log.glob("checkpoints/**/*"), *log.glob("tile/**/*")]
    return sorted(path for path in found if path.is_file())


def protected(path: Path, data: bytes) -> int:
    """Return how many bytes of a file a key protects: of a checkpoint, those to the end of the log's own signature."""
    if "tile" in path.parts:
        return len(data)
    text, empty, signatures = data.partition(b"\n\n")
    return len(text + empty) + signatures.index(b"\n")


@pytest.fixture
def home(served: Town, tmp_path: Path) -> Callable[[NodeProcess], Path]:
    """Return a function that copies a node's home."""

    def copy(node: NodeProcess) -> Path:
        return shutil.copytree(node.home, tmp_path / node.home.name, ignore=shutil.ignore_patterns("serving.json"))

    return copy


def fsck(*words: str | Path, capture: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Run `pellucid fsck` in this process; return its exit code and the paths it names."""
    code = main(["fsck", *map(str, words), "--json"])
    return code, [problem["path"] for problem in json.loads(capture.readouterr().out)["problems"]]


def test_every_home_of_the_town_is_whole_beside_the_node_that_runs(served: Town) -> None:
    for node in served.nodes:
        checked = pellucid("fsck", node.home, "--json")
        assert checked.code == 0, checked.out
        assert checked.json["ok"]
        assert len(checked.json["logs"]) == 4, "its own log, its audit log and two mirrors"


@pytest.mark.parametrize("place", ["log", "mirror"])
def test_one_flipped_byte_in_any_file_is_found_and_the_file_named(
    served: Town, home: Callable[[NodeProcess], Path], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = home(served.vendor if place == "log" else served.asia)
    log = copy / "log" if place == "log" else copy / "mirrors" / served.vendor.log_id
    assert fsck(copy, capture=capsys) == (0, [])
    dice = random.Random(2026)
    every = files(log)
    assert {str(path.relative_to(log)) for path in every} >= {
        "checkpoint", "checkpoints/300", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/44",
    }  # fmt: skip
    for path in every if len(every) <= MOST_FILES else dice.sample(every, MOST_FILES):
        good = path.read_bytes()
        bad = bytearray(good)
        bad[dice.randrange(protected(path, good))] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        code, named = fsck(copy, capture=capsys)
        assert (code, str(path) in named) == (1, True), f"{path}: {named}"
        path.write_bytes(good)
    assert fsck(copy, capture=capsys) == (0, [])


@pytest.mark.full
@pytest.mark.parametrize("file", ["checkpoint", "checkpoints/300"])
def test_each_byte_of_a_checkpoint_counts(
    served: Town, home: Callable[[NodeProcess], Path], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = home(served.vendor)
    path = copy / "log" / file
    good = path.read_bytes()
    counted = [at for at in range(len(good)) if at < protected(path, good) or not in_a_hint(good, at)]
    assert len(counted) > len(good) * 3 // 4
    for at in counted:
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        code, named = fsck(copy, capture=capsys)
        assert (code, str(path) in named) == (1, True), good[max(0, at - 20) : at + 1]


def in_a_hint(note: bytes, at: int) -> bool:
    """Tell whether a byte of a signature line only says whose it is: changed, it is the signature of a stranger."""
    line = note[note.rfind(b"\n", 0, at) + 1 :]
    name, _, _ = line.removeprefix("— ".encode()).partition(b" ")
    return at - (len(note) - len(line)) < len("— ".encode()) + len(name) + 1 + 6


def test_a_file_that_is_missing_or_cut_is_named(
    served: Town, home: Callable[[NodeProcess], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    copy = home(served.vendor)
    for name in ("tile/0/000", "tile/entries/000", "tile/entries/001.p/44", "checkpoints/300", "checkpoint"):
        path = copy / "log" / name
        good = path.read_bytes()
        path.write_bytes(good[:-1])
        code, named = fsck(copy, capture=capsys)
        assert (code, str(path) in named) == (1, True), f"{name} cut: {named}"
        path.unlink()
        code, named = fsck(copy, capture=capsys)
        assert (code, str(path) in named) == (1, True), f"{name} missing: {named}"
        path.write_bytes(good)


def test_a_served_log_is_checked_by_its_address_and_key(
    served: Town, tmp_path: Path, serve_files: Callable[[Path], str], capsys: pytest.CaptureFixture[str]
) -> None:
    vkey = served.vendor.key(Role.LOG).vkey
    checked = pellucid("fsck", served.vendor.url, "--key", vkey, "--json")
    assert checked.code == 0, checked.out
    assert checked.json["logs"][0]["size"] == 300
    mirror = f"{served.europe.url}/mirror/{served.vendor.log_id}"
    assert pellucid("fsck", mirror, "--key", vkey).code == 0
    other = pellucid("fsck", served.vendor.url, "--key", served.asia.key(Role.LOG).vkey)
    assert other.code == 1, "the log of another key"
    copy = shutil.copytree(served.vendor.home / "log", tmp_path / "log")
    url = serve_files(copy)
    assert fsck(url, "--key", vkey, capture=capsys) == (0, [])
    for name in ("tile/0/000", "tile/entries/000", "tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"):
        path = copy / name
        good = path.read_bytes()
        path.write_bytes(
            good[:99] + bytes([good[99] ^ 1]) + good[100:] if len(good) > 99 else bytes([good[0] ^ 1]) + good[1:]
        )
        code, named = fsck(url, "--key", vkey, capture=capsys)
        assert (code, f"{url}/{name}" in named) == (1, True), named
        path.write_bytes(good)
    assert pellucid("fsck", copy, "--key", vkey).code == 0
    head = (copy / "checkpoint").read_bytes()
    (copy / "checkpoint").write_bytes(head.replace(b"\n300\n", b"\n301\n"))
    assert pellucid("fsck", url, "--key", vkey).code == 1
    (copy / "checkpoint").unlink()
    gone = pellucid("fsck", url, "--key", vkey)
    assert gone.code in {1, 3}
    assert "Traceback" not in gone.err
