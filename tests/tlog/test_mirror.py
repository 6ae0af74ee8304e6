"""A mirror holds all it signs, signs only what the log signed, and goes on after any interruption."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tlog.faults import Fault, FaultyObjects
from tests.tlog.homes import LOG, ORIGIN, Center, LogHome, grow, numbered_entries, quorum_of, signer
from tests.tlog.served import node, serving

from pellucid.errors import EvidenceError, FatalError, PellucidError, UnavailableError
from pellucid.statement.keys import Role
from pellucid.storage.alarms import AlarmFolder
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import MAX_OBJECT, ObjectStore
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.fsck import fsck
from pellucid.tlog.listing import KEPT, numbered
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.mirror import Mirror
from pellucid.tlog.quorum import Quorum
from pellucid.tlog.reader import ForkError, LogReader
from pellucid.tlog.recovery import RecoveryError
from pellucid.tlog.sources import FileTiles, HttpTiles, TileSource
from pellucid.tlog.web import RemoteError

MIRROR = signer("asia.example/mirror", Role.MIRROR)


class MirrorHome:
    """The folder of one mirror."""

    def __init__(self, root: Path) -> None:
        self.store = FileObjects(root / "mirror")
        self.alarms = AlarmFolder(root / "alarms")
        self.now = 1_700_000_000.0

    def open(
        self,
        source: TileSource,
        *,
        store: Callable[[ObjectStore], ObjectStore] = lambda store: store,
        quorum: Quorum | None = None,
    ) -> Mirror:
        return Mirror(
            store(self.store),
            source,
            LOG.verifier,
            MIRROR,
            alarms=self.alarms,
            quorum=quorum,
            clock=lambda: self.now,
        )

    def check(self, size: int) -> None:
        """The mirror is whole, is of this size, and has signed so."""
        report = fsck(FileTiles(self.store), LOG.verifier, cosigners=[MIRROR.verifier])
        assert report.problems == []
        assert report.unpublished == []
        assert report.size == size
        head = LogReader(FileTiles(self.store), LOG.verifier).checkpoint()
        assert len(cosignatures(head.note, [MIRROR.verifier])) == 1


@pytest.fixture
def mirrored(tmp_path: Path) -> MirrorHome:
    return MirrorHome(tmp_path)


class Switched:
    """A source that may serve other bytes, or fail after so many fetches."""

    def __init__(self, inner: TileSource) -> None:
        self.inner = inner
        self.changes: dict[str, bytes | None] = {}
        self.left = 10**9

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        self.left -= 1
        if self.left < 0:
            raise RemoteError("no answer")
        return self.changes[path] if path in self.changes else self.inner.fetch(path, limit)

    def kept(self, after: int, limit: int) -> list[int]:
        return list(self.inner.kept(after, min(limit, 2)))


def same_files(home: LogHome, mirrored: MirrorHome) -> None:
    """Everything but `checkpoint` is the log's, byte for byte."""
    theirs = {path: home.store.fetch(path) for path in home.store.walk() if path != "checkpoint"}
    ours = {path: mirrored.store.fetch(path) for path in mirrored.store.walk() if path != "checkpoint"}
    full = {path: data for path, data in theirs.items() if ".p/" not in path}
    assert {path: data for path, data in ours.items() if ".p/" not in path} == full
    assert all(theirs[path] == data for path, data in ours.items() if path in theirs)


def test_follows_a_log_over_http(home: LogHome, mirrored: MirrorHome, tmp_path: Path) -> None:
    center = Center(tmp_path, "asia")
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    with serving(node(home.store)) as url:
        mirror = mirrored.open(HttpTiles(url, ORIGIN))
        assert mirror.pull() is None
        for stop in (1, 1, 256, 700, 701, 2000):
            published = grow(publisher, *numbered_entries(0, stop))
            head = mirror.pull()
            assert head is not None
            assert head.checkpoint == published.checkpoint
            assert cosignatures(head.note, [center.signer.verifier, MIRROR.verifier])
            mirrored.check(stop)
            same_files(home, mirrored)
    assert list(FileTiles(mirrored.store).kept(-1, 99)) == [1, 256, 700, 701, 2000]


def test_holds_an_empty_log(home: LogHome, mirrored: MirrorHome) -> None:
    home.open().publish()
    mirrored.open(FileTiles(home.store)).pull()
    mirrored.check(0)


def test_a_long_way_is_gone_in_durable_steps(home: LogHome, mirrored: MirrorHome) -> None:
    publisher = home.open()
    for stop in range(100, 2100, 100):
        grow(publisher, *numbered_entries(stop - 100, stop))
    source = Switched(FileTiles(home.store))
    sizes = []
    for _ in range(200):
        source.left = 22
        mirror = mirrored.open(source)
        mirror.step = 300
        try:
            mirror.pull()
        except RemoteError:
            sizes.append(mirror.head.checkpoint.size if mirror.head else 0)
            continue
        break
    assert len(set(sizes)) > 4
    assert sizes == sorted(sizes)
    mirrored.check(2000)
    same_files(home, mirrored)
    assert list(FileTiles(mirrored.store).kept(-1, 99)) == list(range(100, 2100, 100))


@pytest.mark.parametrize("persisted", [False, True])
def test_goes_on_after_a_failure_at_any_step(home: LogHome, tmp_path: Path, persisted: bool) -> None:
    publisher = home.open()
    for stop in (5, 300, 600):
        grow(publisher, *numbered_entries(0, stop))
    for at in range(1, 60):
        mirrored = MirrorHome(tmp_path / f"{at}")
        fault, stores = Fault(at, persisted), list[FaultyObjects]()

        def wrap(inner: ObjectStore, fault: Fault = fault, stores: list[FaultyObjects] = stores) -> FaultyObjects:
            stores.append(FaultyObjects(inner, fault))
            return stores[-1]

        mirror = mirrored.open(FileTiles(home.store), store=wrap)
        mirror.step = 100
        try:
            mirror.pull()
            break
        except FatalError:
            stores[0].lose_power(mirrored.store, random.Random(at))
        mirrored.open(FileTiles(home.store)).pull()
        mirrored.check(600)
        same_files(home, mirrored)
    assert 8 < at < 59


def flipped(home: LogHome, path: str) -> bytes:
    data = home.store.fetch(path)
    assert data is not None
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


@pytest.mark.parametrize(
    "path", ["tile/entries/000", "tile/entries/002.p/188", "tile/0/001", "tile/1/000.p/2", "tile/0/002.p/188"]
)
@pytest.mark.parametrize("withheld", [False, True])
def test_what_the_log_did_not_sign_is_never_held(
    home: LogHome, mirrored: MirrorHome, path: str, withheld: bool
) -> None:
    publisher = home.open()
    grow(publisher, *numbered_entries(0, 10))
    source = Switched(FileTiles(home.store))
    mirror = mirrored.open(source)
    mirror.pull()
    grow(publisher, *numbered_entries(10, 700))
    source.changes[path] = None if withheld else flipped(home, path)
    with pytest.raises(EvidenceError):
        mirror.pull()
    assert mirror.head is not None
    assert mirror.head.checkpoint.size == 10
    mirrored.check(10)
    source.changes.clear()
    mirror.pull()
    mirrored.check(700)


def fork(root: Path) -> LogHome:
    """Return another log under the same key."""
    other = LogHome(root / "fork")
    other.root.mkdir()
    return other


@pytest.mark.parametrize("size", [5, 10, 20])
def test_a_fork_is_not_followed_and_is_kept_as_evidence(
    home: LogHome, mirrored: MirrorHome, tmp_path: Path, size: int
) -> None:
    grow(home.open(), *numbered_entries(0, 10))
    mirrored.open(FileTiles(home.store)).pull()
    other = fork(tmp_path)
    grow(other.open(), *numbered_entries(100, 100 + size))
    with pytest.raises(ForkError):
        mirrored.open(FileTiles(other.store)).pull()
    (alarm,) = mirrored.alarms.all()
    assert alarm.offered.encode() == other.store.fetch("checkpoint")
    assert alarm.proven == (size == 10)
    mirrored.check(10)
    other.close()


def test_a_kept_checkpoint_of_another_tree_is_an_alarm(home: LogHome, mirrored: MirrorHome) -> None:
    publisher = home.open()
    grow(publisher, *numbered_entries(0, 10))
    grow(publisher, *numbered_entries(10, 20))
    source = Switched(FileTiles(home.store))
    source.changes["checkpoints/010"] = sign_checkpoint(Checkpoint(ORIGIN, 10, EMPTY_ROOT), LOG).to_bytes()
    with pytest.raises(ForkError, match="another tree of 10 entries"):
        mirrored.open(source).pull()
    assert len(mirrored.alarms.all()) == 1
    assert mirrored.store.fetch("checkpoint") is None, "a log that contradicts itself is not cosigned"


def test_what_dates_the_entries_is_held_before_the_head_is_served(home: LogHome, mirrored: MirrorHome) -> None:
    publisher = home.open()
    grow(publisher, b"a")
    grow(publisher, b"b")
    source = Switched(FileTiles(home.store))
    source.changes["checkpoints/001"] = b""
    with pytest.raises(PellucidError):
        mirrored.open(source).pull()
    assert mirrored.store.fetch("checkpoint") is None
    interrupted = FileTiles(mirrored.store)
    assert fsck(interrupted, LOG.verifier, is_mirror=True).ok, "it has promised nothing yet"
    assert not fsck(interrupted, LOG.verifier).ok
    del source.changes["checkpoints/001"]
    mirrored.open(source).pull()
    assert [size for size, _ in numbered(mirrored.store, KEPT)] == [1, 2]
    mirrored.check(2)


def test_an_older_checkpoint_does_not_take_it_back(home: LogHome, mirrored: MirrorHome) -> None:
    publisher = home.open()
    older = grow(publisher, b"a")
    newer = grow(publisher, b"b")
    source = Switched(FileTiles(home.store))
    mirror = mirrored.open(source)
    mirror.pull()
    source.changes["checkpoint"] = older.to_bytes()
    head = mirror.pull()
    assert head is not None
    assert head.checkpoint == newer.checkpoint
    mirrored.check(2)


def test_only_checkpoints_that_meet_the_quorum_are_mirrored(
    home: LogHome, mirrored: MirrorHome, tmp_path: Path
) -> None:
    asia, europe = Center(tmp_path, "asia"), Center(tmp_path, "europe")
    publisher = home.open(quorum=quorum_of(1, asia, europe), clients=[asia])
    grow(publisher, b"a")
    mirror = mirrored.open(FileTiles(home.store), quorum=quorum_of(2, asia, europe))
    with pytest.raises(UnavailableError, match="falls short"):
        mirror.pull()
    assert mirror.head is None
    home.close()
    publisher = home.open(quorum=quorum_of(2, asia, europe), clients=[asia, europe])
    grow(publisher, b"b")
    mirror.pull()
    mirrored.check(2)


def test_fresher_cosignatures_are_taken_over(home: LogHome, mirrored: MirrorHome, tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    center = Center(tmp_path, "asia", clock=lambda: now[0])
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    mirror = mirrored.open(FileTiles(home.store))
    grow(publisher, b"a")
    first = mirror.pull()
    assert mirror.pull() == first
    now[0] += 60
    publisher.publish()
    mirrored.now += 70
    second = mirror.pull()
    assert second is not None
    keys = [center.signer.verifier, MIRROR.verifier]
    assert [item.timestamp for item in cosignatures(second.note, keys)] == [1_700_000_060, 1_700_000_070]
    mirrored.now = 5
    now[0] += 60
    publisher.publish()
    third = mirror.pull()
    assert third is not None
    assert [item.timestamp for item in cosignatures(third.note, keys)] == [1_700_000_120, 1_700_000_070]
    mirrored.now = 1_700_000_070 + 400
    fourth = mirror.pull()
    assert fourth is not None
    assert cosignatures(fourth.note, keys)[1].timestamp == 1_700_000_470


def test_a_mirror_key_in_the_logs_own_note_does_not_count(home: LogHome, mirrored: MirrorHome) -> None:
    published = grow(home.open(), b"a")
    source = Switched(FileTiles(home.store))
    lines = published.note.with_signatures([MIRROR.sign("other\n", timestamp=9)])
    source.changes["checkpoint"] = lines.to_bytes()
    mirrored.open(source).pull()
    mirrored.check(1)


def test_a_damaged_mirror_says_so_and_is_pulled_anew(home: LogHome, mirrored: MirrorHome) -> None:
    grow(home.open(), *numbered_entries(0, 10))
    mirrored.open(FileTiles(home.store)).pull()
    (mirrored.store.root / "tile/0/000.p/10").write_bytes(b"\0" * 320)
    with pytest.raises(RecoveryError) as told:
        mirrored.open(FileTiles(home.store)).pull()
    assert told.value.remedy == "delete this mirror's folder; it is pulled anew"
