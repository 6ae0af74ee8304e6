"""A log on files and SQLite: acknowledged is durable, the same is logged once, and a restart changes nothing."""

from __future__ import annotations

import shutil
import threading
from hashlib import sha256

import pytest
from tests.tlog.homes import ORIGIN, LogHome, grow, numbered_entries

from pellucid.errors import FatalError
from pellucid.storage.failures import ConflictError
from pellucid.storage.sequence import Locked, NewEntry, Sequenced
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.tlog.errors import EntryError
from pellucid.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from pellucid.tlog.recovery import RecoveryError
from pellucid.tlog.sequencer import FrozenError


def test_every_entry_has_its_place_and_its_proof(home: LogHome) -> None:
    publisher = home.open()
    heads = [grow(publisher, *numbered_entries(start, stop)) for start, stop in ((0, 1), (1, 300), (300, 700))]
    reader = home.reader()
    for head in heads:
        size, root = head.checkpoint.size, head.checkpoint.root
        assert reader.root(size) == root
        verify_consistency(size, root, 700, heads[-1].checkpoint.root, reader.consistency(size))
        for index in {0, size // 2, size - 1}:
            entry = reader.entry(index)
            assert entry == b"entry %d" % index
            verify_inclusion(leaf_hash(entry), index, size, reader.inclusion(index, size), root)
    assert list(reader.entries(250, 520)) == numbered_entries(250, 520)


def test_an_entry_is_logged_once(home: LogHome) -> None:
    publisher = home.open()
    assert publisher.log.add_batch([b"a", b"b", b"a"]) == [Sequenced(0, False), Sequenced(1, False), Sequenced(0, True)]
    publisher.log.integrate()
    assert publisher.log.add_batch([b"b", NewEntry(b"b, signed by two", b"id")]) == [
        Sequenced(1, True),
        Sequenced(2, False),
    ]
    home.close()
    log = home.open().log
    assert log.add_batch([NewEntry(b"b, signed by three", b"id")]) == [Sequenced(2, True)]
    assert log.find(sha256(b"a").digest()) == 0
    assert log.find_key(b"id") == 2
    assert log.integrate().size == 3


def test_many_writers_at_once(home: LogHome) -> None:
    publisher = home.open()
    places: dict[bytes, int] = {}

    def write(mine: int) -> None:
        for number in range(50):
            entry = b"%d of %d" % (number, mine)
            places[entry] = publisher.log.submit(entry).result()[0].index

    threads = [threading.Thread(target=write, args=(mine,)) for mine in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.log.integrate()
    publisher.publish()
    entries = list(home.reader().entries(0, 400))
    assert sorted(places.values()) == list(range(400))
    assert all(entries[index] == entry for entry, index in places.items())


def test_an_entry_of_65_535_bytes_is_the_largest(home: LogHome) -> None:
    log = home.open().log
    with pytest.raises(EntryError):
        log.add_batch([b"fine", b"x" * 65_536])
    assert log.add_batch([b"x" * 65_535]) == [Sequenced(0, False)]
    log.integrate()


def test_what_was_acknowledged_is_there_after_a_restart(home: LogHome) -> None:
    publisher = home.open()
    grow(publisher, b"a")
    publisher.log.add_batch(numbered_entries(0, 600))
    home.close()
    publisher = home.open()
    assert publisher.log.wait_for_entries(0)
    assert grow(publisher).checkpoint.size == 601
    assert list(home.reader().entries(1, 601)) == numbered_entries(0, 600)


def test_integrating_nothing_changes_nothing(home: LogHome) -> None:
    publisher = home.open()
    signed = grow(publisher, b"a").checkpoint
    before = sorted(publisher.log.store.walk())
    assert publisher.log.integrate().size == signed.size
    assert sorted(publisher.log.store.walk()) == before


def test_superseded_partials_go_once_the_full_tile_is_published(home: LogHome) -> None:
    publisher = home.open()
    grow(publisher, *numbered_entries(0, 100))
    grow(publisher, *numbered_entries(100, 200))
    publisher.log.add_batch(numbered_entries(200, 300))
    publisher.log.integrate()
    assert home.store.children("tile/0/000.p/") == ["100", "200"]
    publisher.publish()
    assert home.store.children("tile/0/") == ["000", "001.p/"]
    assert home.store.children("tile/entries/") == ["000", "001.p/"]


def test_the_threads_of_a_node_publish_what_arrives(home: LogHome) -> None:
    publisher = home.open()
    stop = threading.Event()
    loops = [
        threading.Thread(target=publisher.log.run, args=(stop,), kwargs={"interval": 0.01}),
        threading.Thread(target=publisher.run, args=(stop,), kwargs={"interval": 0.01}),
    ]
    for loop in loops:
        loop.start()
    for number in range(3):
        index = publisher.log.submit(b"entry %d" % number).result()[0].index
        published = publisher.wait_published(index, 20)
        assert published is not None
        assert published.checkpoint.size > index
    assert publisher.wait_published(999, 0.01) is None
    stop.set()
    for loop in loops:
        loop.join()


def test_a_second_process_on_one_log_signs_nothing(home: LogHome) -> None:
    first, second = home.open().log, home.open().log
    first.add_batch([b"a"])
    first.integrate()
    second.add_batch([b"b"])
    with pytest.raises(FatalError) as told:
        second.integrate()
    assert "one process only" in str(told.value.remedy)
    with pytest.raises(FatalError):
        second.add_batch([b"c"])
    home.close()
    grow(home.open())


def test_a_lock_that_somebody_moved_is_not_overwritten(broken_home: LogHome) -> None:
    log = broken_home.open().log
    log.add_batch([b"a"])
    moved = Locked(1, b"\1" * 32, b"by another process")
    other = SqliteSequence(broken_home.root / "log.db")
    other.swap(ORIGIN, log.signed, moved)
    with pytest.raises(ConflictError, match="no longer the one of size 0"):
        log.integrate()
    assert other.load(ORIGIN) == moved
    other.close()


def test_a_frozen_log_takes_and_signs_nothing_for_ever(home: LogHome) -> None:
    log = home.open().log
    log.add_batch([b"a"])
    log.freeze("another tree was shown")
    for act in (log.integrate, lambda: log.add_batch([b"b"])):
        with pytest.raises(FrozenError, match="another tree was shown"):
            act()
    home.close()
    assert home.open().log.frozen == "another tree was shown"


def test_a_log_whose_lock_is_gone_does_not_start(broken_home: LogHome) -> None:
    grow(broken_home.open(), b"a")
    broken_home.close()
    for name in ("log.db", "log.db-wal", "log.db-shm"):
        (broken_home.root / name).unlink(missing_ok=True)
    with pytest.raises(RecoveryError, match="no lock") as told:
        broken_home.open()
    assert told.value.remedy is not None


def test_a_log_whose_lock_was_restored_from_a_backup_does_not_start(broken_home: LogHome) -> None:
    grow(broken_home.open(), b"a")
    broken_home.close()
    shutil.copy(broken_home.root / "log.db", broken_home.root / "backup")
    grow(broken_home.open(), b"b")
    broken_home.close()
    for name in ("log.db-wal", "log.db-shm"):
        (broken_home.root / name).unlink(missing_ok=True)
    shutil.copy(broken_home.root / "backup", broken_home.root / "log.db")
    with pytest.raises(RecoveryError, match="2 entries are published, but the lock knows 1 only"):
        broken_home.open()
    (broken_home.store.root / "checkpoint").unlink()
    with pytest.raises(RecoveryError, match="a checkpoint of 2 entries was published"):
        broken_home.open()


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"])
@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_log_whose_right_edge_is_damaged_does_not_start(broken_home: LogHome, path: str, harm: str) -> None:
    grow(broken_home.open(), *numbered_entries(0, 300))
    broken_home.close()
    target = broken_home.store.root / path
    if harm == "flip":
        data = target.read_bytes()
        target.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        target.unlink()
    with pytest.raises(RecoveryError) as told:
        broken_home.open()
    assert "fsck" in str(told.value.remedy)


def test_the_published_checkpoint_must_be_of_the_signed_tree(broken_home: LogHome) -> None:
    grow(broken_home.open(), b"a")
    broken_home.close()
    path = broken_home.store.root / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"log.example/1\n1\n", b"log.example/1\n0\n"))
    with pytest.raises(RecoveryError, match="damaged"):
        broken_home.open()
