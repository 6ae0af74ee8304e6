"""What is recorded stays recorded, in order, once for each time it happened, and is found by whom it concerns."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pellucid.audit.events import Entry, Event, EventType
from pellucid.audit.trail import NotRecordedError, Trail
from pellucid.errors import EvidenceError, FatalError, UnavailableError
from pellucid.record.card import note_signer
from pellucid.statement.keys import SecretKey

RITA, OTTO, OLGA = "aa" * 16, "bb" * 16, "cc" * 16


def looked(actor: str | None, *about: str, at: int = 1_700_000_000_000, target: str = "page:/people") -> Event:
    return Event(EventType.ACCESS_GRANTED, at, actor, about, target)


def test_an_event_is_there_when_record_returns_and_after_a_restart(trail: Trail, key: SecretKey) -> None:
    assert [trail.record(looked(OTTO, RITA)) for _ in range(3)] == [0, 1, 2]
    assert [item.event for item in trail.events()] == [looked(OTTO, RITA)] * 3, "each time it happened is an entry"
    trail.log.close()
    again = Trail.open(trail.folder, note_signer("log.vendor.example/1", key))
    assert again.size == 3
    assert again.record(looked(OTTO)) == 3
    again.close()


def test_equal_events_have_different_entries() -> None:
    event = looked(OTTO, RITA)
    first, second = Entry.of(event).to_bytes(), Entry.of(event).to_bytes()
    assert first != second, "a leaf hash must not tell what the entry is to who guesses the event"
    assert Entry.parse(first, where="entry").event == event
    with pytest.raises(EvidenceError):
        Entry.parse(first.replace(b",", b", ", 1), where="entry")


def test_everybody_finds_what_concerns_them_and_nothing_else(trail: Trail) -> None:
    trail.record(looked(OTTO, RITA))
    trail.record(looked(RITA))
    trail.record(looked(OLGA))
    trail.record(Event(EventType.ROLE_ENDED, 1, OTTO, (), f"account:{RITA}", {"role": "reviewer"}))
    trail.record(Event(EventType.JOB_STARTED, 1, None, (), "job:reindex-1", {"job": "reindex"}))
    assert [item.index for item in trail.events(account=RITA)] == [3, 1, 0]
    assert [item.index for item in trail.events(account=OTTO)] == [3, 0]
    assert [item.index for item in trail.events(account="dd" * 16)] == []
    assert trail.count(RITA) == 3
    assert [item.index for item in trail.events()] == [4, 3, 2, 1, 0]


def test_events_are_found_by_type_and_page_by_page(trail: Trail) -> None:
    for number in range(10):
        trail.record(looked(RITA, at=number))
        trail.record(Event(EventType.ACCOUNT_SIGNED_OUT, number, RITA))
    found = trail.events(account=RITA, types=[EventType.ACCESS_GRANTED], limit=4)
    assert [item.index for item in found] == [18, 16, 14, 12]
    older = trail.events(types=[EventType.ACCESS_GRANTED], before=12, limit=4)
    assert [item.index for item in older] == [10, 8, 6, 4]
    assert [item.index for item in trail.events(before=2)] == [1, 0]


def test_the_index_is_made_again_from_the_log(trail: Trail, key: SecretKey) -> None:
    for number in range(300):
        trail.record(looked(RITA if number % 3 else OTTO, at=number))
    trail.log.integrate()
    trail.record(looked(RITA, at=300))
    before = trail.events(account=RITA, limit=1000)
    assert len(before) == 201
    trail.close()
    for damage in (b"", b"this is no database, and never was " * 300):
        for file in trail.folder.glob("audit-index.db*"):
            file.unlink()
        if damage:
            (trail.folder / "audit-index.db").write_bytes(damage)
        again = Trail.open(trail.folder, note_signer("log.vendor.example/1", key))
        assert again.events(account=RITA, limit=1000) == before
        again.close()


def test_an_index_that_cannot_be_written_stops_no_recording(
    trail: Trail, full_disk: Callable[[Path], AbstractContextManager[None]]
) -> None:
    trail.record(looked(RITA))
    trail.refresh()
    for number in range(2000):
        trail.log.submit(Entry.of(looked(RITA, at=number)).to_bytes())
    trail.record(looked(RITA))
    with full_disk(trail.folder / "audit-index.db-wal"), pytest.raises(UnavailableError, match="cannot write"):
        trail.events()
    assert trail.record(looked(OTTO)) == 2002
    assert trail.count(RITA) == 2002


def test_an_index_of_another_log_is_not_believed(tmp_path: Path, key: SecretKey) -> None:
    signer = note_signer("log.vendor.example/1", key)
    first, second = Trail.open(tmp_path / _made(tmp_path / "a"), signer), Trail.open(_made(tmp_path / "b"), signer)
    for _ in range(5):
        first.record(looked(RITA))
    second.record(looked(OTTO))
    assert len(first.events(account=RITA)) == 5
    first.close()
    second.close()
    (tmp_path / "a/audit-index.db").rename(tmp_path / "b/audit-index.db")
    again = Trail.open(tmp_path / "b", signer)
    assert again.events(account=RITA) == []
    assert len(again.events(account=OTTO)) == 1
    again.close()


def test_many_threads_record_at_once_while_others_read(trail: Trail) -> None:
    def work(number: int) -> list[int]:
        found = []
        for turn in range(50):
            found.append(trail.record(looked(RITA, at=number * 1000 + turn)))
            if turn % 20 == 0:
                trail.log.integrate()
                trail.events(account=RITA, limit=5)
        return found

    with ThreadPoolExecutor(8) as pool:
        places = [place for found in pool.map(work, range(8)) for place in found]
    assert sorted(places) == list(range(400))
    assert trail.count(RITA) == 400


def test_a_log_that_failed_records_nothing_more(trail: Trail) -> None:
    trail.record(looked(RITA))
    trail.log.fail(FatalError("the disk is gone"))
    with pytest.raises(NotRecordedError, match="not done: the disk is gone"):
        trail.record(looked(RITA))
    assert trail.problem == "the disk is gone"


def test_a_frozen_log_records_nothing_more(trail: Trail) -> None:
    trail.log.freeze("somebody holds another tree")
    with pytest.raises(NotRecordedError, match="frozen"):
        trail.record(looked(RITA))


def test_opening_takes_milliseconds(tmp_path: Path, key: SecretKey) -> None:
    start = time.perf_counter()
    Trail.open(tmp_path, note_signer("log.vendor.example/1", key)).close()
    assert time.perf_counter() - start < 1


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
