"""fsck looks at every file of a log and names the one that is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tlog.homes import LOG, ORIGIN, Center, LogHome, grow, numbered_entries, quorum_of, signer
from tests.tlog.served import node, serving

from pellucid.statement.keys import Role
from pellucid.storage.files import FileObjects
from pellucid.storage.sequence import Locked
from pellucid.storage.sqlite_sequence import read_lock
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.fsck import FsckReport, Problem, fsck
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.sources import FileTiles, HttpTiles

ASIA = signer("asia.example/witness", Role.WITNESS)


@pytest.fixture(params=[5, 256, 768, 1100])
def whole(broken_home: LogHome, request: pytest.FixtureRequest, tmp_path: Path) -> LogHome:
    """Return a log with full, partial and superseded partial files."""
    center = Center(tmp_path, "asia")
    publisher = broken_home.open(quorum=quorum_of(1, center), clients=[center])
    superseded: dict[str, bytes | None] = {}
    for stop in (3, 130, 260, 513, 700):
        if stop < request.param:
            grow(publisher, *numbered_entries(0, stop))
            partial = [path for path in broken_home.store.walk("tile/") if ".p/" in path]
            superseded.update((path, broken_home.store.fetch(path)) for path in partial)
    grow(publisher, *numbered_entries(0, request.param))
    broken_home.close()
    for path, data in superseded.items():
        if data is not None:
            broken_home.store.create(path, data)
    assert check(broken_home).ok
    return broken_home


def check(home: LogHome) -> FsckReport:
    return home.fsck([ASIA.verifier])


def damaged_paths(home: LogHome) -> set[str]:
    return {problem.path for problem in check(home).problems}


def test_one_flipped_byte_in_any_file_is_named(whole: LogHome) -> None:
    for path in list(whole.store.walk()):
        target = whole.store.root / path
        data = target.read_bytes()
        for place in {0, 1, len(data) // 2, len(data) - 1}:
            target.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert damaged_paths(whole) == {path}, f"byte {place} of {path}"
        target.write_bytes(data)
    assert check(whole).ok


def test_a_file_cut_short_longer_or_removed_is_named(whole: LogHome) -> None:
    for path in list(whole.store.walk()):
        target = whole.store.root / path
        data = target.read_bytes()
        for harm in (data[:-1], b"", data + b"\0", data + data):
            target.write_bytes(harm)
            assert damaged_paths(whole) == {path}, f"{len(harm)} of {len(data)} bytes of {path}"
        target.unlink()
        gone = damaged_paths(whole)
        assert gone == {path} or (not gone and (".p/" in path or path.startswith("checkpoints/"))), path
        target.write_bytes(data)
    assert check(whole).ok


def test_the_last_partial_files_must_be_there(whole: LogHome) -> None:
    size = check(whole).size
    for level, count in (("entries", size), ("0", size), ("1", size // 256)):
        if count % 256:
            target = whole.store.root / f"tile/{level}/{count // 256:03d}.p/{count % 256}"
            data = target.read_bytes()
            target.unlink()
            assert damaged_paths(whole) == {f"tile/{level}/{count // 256:03d}.p/{count % 256}"}
            target.write_bytes(data)


@pytest.mark.parametrize("path", ["notes.txt", "tile/0/x000/001", "tile/a/000", "tile/0/000.p/0", "checkpoints/1"])
def test_a_file_that_does_not_belong_is_named(whole: LogHome, path: str) -> None:
    whole.store.create(path, b"x")
    assert check(whole).problems == [Problem(path, "does not belong in a log")]


def test_known_files_may_lie_beside_the_log(whole: LogHome) -> None:
    whole.store.create("origin.json", b"{}")
    assert fsck(FileTiles(whole.store), LOG.verifier, known_files=["origin.json"]).ok
    assert not fsck(FileTiles(whole.store), LOG.verifier).ok


def test_files_beyond_the_checkpoint_are_told_but_are_no_damage(whole: LogHome) -> None:
    whole.store.create("tile/0/x001/000", b"torn")
    report = check(whole)
    assert report.ok
    assert report.unpublished == ["tile/0/x001/000"]


def test_an_entry_and_its_hash_changed_together_are_named(whole: LogHome) -> None:
    """Somebody rewrites an entry and the tile above it, so that the two agree."""
    size = check(whole).size
    if size < 512:
        pytest.skip("needs a full tile")
    other = LogHome(whole.root / "other")
    other.root.mkdir()
    grow(other.open(), *[b"lie %d" % number for number in range(256)], *numbered_entries(256, size))
    other.close()
    for path in ("tile/entries/000", "tile/0/000"):
        data = other.store.fetch(path)
        assert data is not None
        whole.store.replace(path, data)
    assert {"tile/entries/000", "tile/0/000"} <= damaged_paths(whole)


def test_a_log_rewritten_as_a_whole_does_not_have_the_signed_root(whole: LogHome) -> None:
    size = check(whole).size
    other = LogHome(whole.root / "other")
    other.root.mkdir()
    grow(other.open(), *[b"lie %d" % number for number in range(size)])
    other.close()
    for path in list(whole.store.walk("tile/")):
        whole.store.delete(path)
    for path in other.store.walk("tile/"):
        whole.store.create(path, other.store.fetch(path) or b"")
    report = check(whole)
    assert Problem("log.db", "the entries do not have the root that it signs") in report.problems
    assert Problem("checkpoint", "the log's entries do not have the root that it signs") in report.problems


def test_the_lock_is_held_against_what_is_published(whole: LogHome) -> None:
    size = check(whole).size
    older = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG).to_bytes()
    other_root = sign_checkpoint(Checkpoint(ORIGIN, size, b"\7" * 32), LOG).to_bytes()
    for locked, path in (
        (Locked(0, EMPTY_ROOT, older), "checkpoint"),
        (Locked(size, b"\7" * 32, other_root), "log.db"),
        (Locked(size, EMPTY_ROOT, older), "log.db"),
        (Locked(0, EMPTY_ROOT, b"damaged"), "log.db"),
        (None, "log.db"),
    ):
        report = fsck(FileTiles(whole.store), LOG.verifier, lock=lambda locked=locked: locked)  # type: ignore[misc]
        assert path in {problem.path for problem in report.problems}


def test_a_damaged_lock_file_is_named_and_the_rest_still_checked(whole: LogHome) -> None:
    path = whole.root / "log.db"
    path.write_bytes(b"\0" * path.stat().st_size)
    (whole.store.root / "tile/0/000.p/3").write_bytes(b"\0" * 96)
    found = damaged_paths(whole)
    assert "log.db" in found
    assert "tile/0/000.p/3" in found


def test_checking_changes_nothing(whole: LogHome, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in whole.root.rglob("*") if path.is_file() and path.suffix != ".db-shm"}
    check(whole)
    after = {path: path.read_bytes() for path in before}
    assert after == before
    assert read_lock(tmp_path / "none.db", ORIGIN) is None
    assert not (tmp_path / "none.db").exists()


def test_a_kept_checkpoint_of_another_tree_is_named(whole: LogHome) -> None:
    path = next(iter(whole.store.walk("checkpoints/")))
    size = int(path[-3:])
    whole.store.replace(path, sign_checkpoint(Checkpoint(ORIGIN, size, b"\7" * 32), LOG).to_bytes())
    assert check(whole).problems == [Problem(path, "the log's entries do not have the root that it signs")]


def test_another_logs_key_finds_no_checkpoint(whole: LogHome) -> None:
    stranger = signer("stranger.example/1", Role.LOG)
    assert "checkpoint" in {problem.path for problem in fsck(FileTiles(whole.store), stranger.verifier).problems}


def test_over_http(whole: LogHome) -> None:
    with serving(node(whole.store)) as url:
        steps: list[tuple[int, int]] = []
        source = HttpTiles(url, ORIGIN)
        report = fsck(source, LOG.verifier, progress=lambda done, total: steps.append((done, total)))
        assert report.ok
        assert report.size == check(whole).size
        assert report.checkpoints_checked > 1
        assert steps[-1] == (report.size, report.size)
        for path in ("tile/entries/000", "tile/0/000", "tile/1/000.p/1"):
            target = whole.store.root / path
            if target.exists() and report.size < 512:
                data = target.read_bytes()
                target.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
                assert {problem.path for problem in fsck(source, LOG.verifier).problems} == {path}
                target.write_bytes(data)
        source.close()


def test_an_empty_and_an_absent_log(home: LogHome, tmp_path: Path) -> None:
    home.open()
    assert home.fsck().ok
    home.open().publish()
    assert home.fsck().ok
    report = fsck(FileTiles(FileObjects(tmp_path / "nothing")), LOG.verifier)
    assert report.problems == [Problem("checkpoint", "is missing")]


def test_a_log_that_signs_an_absurd_size_does_not_hold_us_up(tmp_path: Path) -> None:
    store = FileObjects(tmp_path / "log")
    store.replace("checkpoint", sign_checkpoint(Checkpoint(ORIGIN, 2**62, b"\7" * 32), LOG).to_bytes())
    report = fsck(FileTiles(store), LOG.verifier)
    assert Problem("tile", "more than 10000 problems: checking stopped") in report.problems


def test_a_log_that_waits_for_its_quorum_is_whole(home: LogHome, tmp_path: Path) -> None:
    center = Center(tmp_path, "asia")
    center.up = False
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    publisher.log.add_batch(numbered_entries(0, 300))
    publisher.log.integrate()
    publisher.publish()
    report = home.fsck()
    assert report.ok
    assert report.size == 300


def test_a_log_of_three_levels(broken_home: LogHome) -> None:
    """65,536 entries fill a tile of level 1; what lies above and beside it is checked as well."""
    publisher = broken_home.open()
    publisher.log.add_batch([b"%d" % number for number in range(66_000)])
    while publisher.log.integrate().size < 66_000:
        pass
    publisher.publish()
    broken_home.close()
    assert check(broken_home).ok
    for path in (
        "tile/2/000.p/1",
        "tile/1/000",
        "tile/1/001.p/1",
        "tile/0/017",
        "tile/entries/255",
        "tile/0/257.p/208",
    ):
        target = broken_home.store.root / path
        data = target.read_bytes()
        target.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert damaged_paths(broken_home) == {path}
        target.write_bytes(data)
    assert broken_home.open().log.signed.size == 66_000
