"""Every sequence and checkpoint lock keeps the promises of its port."""

from __future__ import annotations

import sqlite3
import threading
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from pellucid.storage.failures import ConflictError, StorageError
from pellucid.storage.sequence import CheckpointLock, Locked, NewEntry, Sequenced, SequenceStore
from pellucid.storage.sqlite_sequence import SqliteSequence

FIRST = Locked(0, b"\0" * 32, b"first")
SECOND = Locked(3, b"\1" * 32, b"second")


class Both(SequenceStore, CheckpointLock, Protocol):
    """One adapter for both ports."""


def new(*entries: bytes) -> list[NewEntry]:
    return [NewEntry(entry) for entry in entries]


class SequenceContract:
    """What any adapter must do; subclasses give `sequence`, and `again`, which opens it anew."""

    def again(self) -> Both:
        raise NotImplementedError

    def test_numbers_entries_in_order(self, sequence: Both) -> None:
        assert sequence.append(new(b"a", b"b")) == [Sequenced(0, False), Sequenced(1, False)]
        assert sequence.append(new(b"c")) == [Sequenced(2, False)]
        assert sequence.next_index() == 3
        assert list(sequence.pending(0, 10)) == [[b"a", b"b"], [b"c"]]

    def test_gives_the_same_bytes_the_same_index(self, sequence: Both) -> None:
        sequence.append(new(b"a"))
        places = sequence.append(new(b"b", b"a", b"b", b""))
        assert places == [Sequenced(1, False), Sequenced(0, True), Sequenced(1, True), Sequenced(2, False)]
        assert sequence.next_index() == 3
        assert sequence.find(sha256(b"b").digest()) == 1
        assert sequence.find(sha256(b"never").digest()) is None

    def test_gives_the_same_key_the_same_index(self, sequence: Both) -> None:
        assert sequence.append([NewEntry(b"a", b"id")]) == [Sequenced(0, False)]
        assert sequence.append([NewEntry(b"a, signed again", b"id")]) == [Sequenced(0, True)]
        assert sequence.append([NewEntry(b"x", b"k"), NewEntry(b"y", b"k")]) == [
            Sequenced(1, False),
            Sequenced(1, True),
        ]
        assert sequence.find_key(b"id") == 0
        assert sequence.find_key(b"other") is None
        assert list(sequence.pending(0, 10)) == [[b"a"], [b"x"]]

    def test_bytes_known_without_a_key_can_be_found_by_it_later(self, sequence: Both) -> None:
        sequence.append(new(b"a"))
        assert sequence.append([NewEntry(b"a", b"id")]) == [Sequenced(0, True)]
        assert sequence.find_key(b"id") == 0

    def test_drops_bytes_but_not_digests_once_integrated(self, sequence: Both) -> None:
        sequence.append(new(b"a", b"b"))
        sequence.append(new(b"c"))
        sequence.integrated(2)
        assert list(sequence.pending(2, 10)) == [[b"c"]]
        assert sequence.append(new(b"a")) == [Sequenced(0, True)]
        with pytest.raises(StorageError):
            list(sequence.pending(0, 10))

    def test_starts_in_the_middle_of_a_batch(self, sequence: Both) -> None:
        sequence.append(new(b"a", b"b", b"c"))
        assert list(sequence.pending(1, 10)) == [[b"b", b"c"]]
        assert list(sequence.pending(3, 10)) == []

    def test_stops_at_about_the_limit(self, sequence: Both) -> None:
        for entry in (b"a", b"b", b"c"):
            sequence.append(new(entry))
        assert list(sequence.pending(0, 2)) == [[b"a"], [b"b"]]

    def test_misses_entries_that_were_acknowledged(self, sequence: Both) -> None:
        for entry in (b"a", b"b", b"c"):
            sequence.append(new(entry))
        sequence.integrated(2)
        for start in (0, 1):
            with pytest.raises(StorageError, match=f"from {start} on are missing"):
                list(sequence.pending(start, 10))
        assert list(sequence.pending(2, 10)) == [[b"c"]]

    def test_takes_entries_of_every_size(self, sequence: Both) -> None:
        entries = [b"", b"x", b"y" * 65_535]
        sequence.append(new(*entries))
        assert list(sequence.pending(0, 10)) == [entries]

    def test_takes_a_batch_beyond_what_one_query_may_hold(self, sequence: Both) -> None:
        entries = [number.to_bytes(4, "big") for number in range(3000)]
        assert [place.index for place in sequence.append(new(*entries, *entries))] == [*range(3000)] * 2

    def test_remembers_everything_when_opened_again(self, sequence: Both) -> None:
        sequence.append([NewEntry(b"a", b"id"), NewEntry(b"b")])
        again = self.again()
        assert again.next_index() == 2
        assert list(again.pending(0, 10)) == [[b"a", b"b"]]
        assert again.find_key(b"id") == 0

    def test_threads_share_it(self, sequence: Both) -> None:
        places: list[int] = []

        def work(mine: int) -> None:
            for number in range(20):
                places.extend(place.index for place in sequence.append(new(b"%d %d" % (mine, number))))

        threads = [threading.Thread(target=work, args=(mine,)) for mine in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(places) == list(range(80))

    def test_the_lock_moves_only_from_what_it_is(self, sequence: Both) -> None:
        assert sequence.load("log") is None
        sequence.create("log", FIRST)
        with pytest.raises(ConflictError):
            sequence.create("log", SECOND)
        sequence.swap("log", FIRST, SECOND)
        assert sequence.load("log") == SECOND
        for stale in (FIRST, Locked(3, b"\2" * 32, b""), Locked(4, b"\1" * 32, b"")):
            with pytest.raises(ConflictError):
                sequence.swap("log", stale, FIRST)
        with pytest.raises(ConflictError):
            sequence.swap("another log", SECOND, FIRST)
        assert self.again().load("log") == SECOND

    def test_a_frozen_lock_does_not_move(self, sequence: Both) -> None:
        sequence.create("log", FIRST)
        assert sequence.frozen("log") is None
        sequence.freeze("log", "two trees")
        sequence.freeze("log", "another reason")
        assert self.again().frozen("log") == "two trees"
        with pytest.raises(ConflictError):
            sequence.swap("log", FIRST, SECOND)


class TestSqliteSequence(SequenceContract):
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path / "log.db"

    @pytest.fixture
    def sequence(self) -> SqliteSequence:
        return SqliteSequence(self.path)

    def again(self) -> SqliteSequence:
        return SqliteSequence(self.path)

    def test_refuses_a_file_of_a_newer_version(self) -> None:
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA user_version=99")
        with pytest.raises(StorageError, match="newer version"):
            SqliteSequence(self.path)

    def test_refuses_a_file_that_is_no_database(self) -> None:
        self.path.write_bytes(b"not a database, but long enough to be looked at " * 30)
        with pytest.raises(StorageError):
            SqliteSequence(self.path)

    def test_commits_are_synced(self, sequence: SqliteSequence) -> None:
        with sequence._database.read() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_full_database_stores_nothing_of_the_batch(self, sequence: SqliteSequence) -> None:
        sequence.append(new(b"a"))
        with sequence._database.read() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StorageError) as told:
            sequence.append(new(*(bytes([number]) * 60_000 for number in range(10))))
        assert "the disk is full" in told.value.what
        assert told.value.remedy is not None
        assert list(self.again().pending(0, 10)) == [[b"a"]]
