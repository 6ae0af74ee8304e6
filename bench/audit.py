"""`audit`: how much recording an access costs, beside the least that anything durable can do: a row in SQLite, synced.

Both write the same bytes with `synchronous=FULL` on the same disk, in turn. From eight threads, as many as serve pages,
ours puts what waits into one sync; the peer commits each row. Alone, both sync once for each event.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median
from threading import Lock

from bench.harness import Bench, Better, Options, Report, Row, WrongAnswerError, progress
from pellucid.audit.events import Entry, Event, EventType
from pellucid.audit.trail import Trail
from pellucid.record.card import note_signer
from pellucid.statement.keys import Role, generate_key

THREADS = 8
EACH = 400
ALONE = 200
_ORIGIN = "log.bench.example/1"
_RITA = "ab" * 16

Record = Callable[[Event], object]


def run(options: Options) -> Report:
    """Record in both, in turn, and compare the medians."""
    shutil.rmtree(options.scratch, ignore_errors=True)
    options.scratch.mkdir(parents=True)
    rates: tuple[list[float], list[float]] = ([], [])
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(options.pairs):
        progress(f"round {turn + 1} of {options.pairs}")
        for at, measure in enumerate((_ours, _peer)):
            folder = options.scratch / f"{turn}-{at}"
            folder.mkdir()
            rate, alone = measure(folder)
            rates[at].append(rate)
            times[at].append(alone)
            shutil.rmtree(folder)
    rows = (
        Row("events from 8 threads", median(rates[0]), median(rates[1]), "events/s", Better.HIGHER, 1.0),
        Row("one event alone", median(times[0]), median(times[1]), "ms", Better.LOWER, 2.0),
    )
    return Report(rows, {"sqlite": sqlite3.sqlite_version})


def _ours(folder: Path) -> tuple[float, float]:
    trail = Trail.open(folder, note_signer(_ORIGIN, generate_key(Role.AUDIT, f"{_ORIGIN}/audit")))
    try:
        figures = _figures(trail.record)
        if trail.size != THREADS * EACH + ALONE:
            raise WrongAnswerError(f"{trail.size} events are there", where="audit log")
    finally:
        trail.close()
    return figures


def _peer(folder: Path) -> tuple[float, float]:
    mutex = Lock()
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")

        def record(event: Event) -> None:
            data = Entry.of(event).to_bytes()
            with mutex:
                connection.execute("INSERT INTO event (data) VALUES (?)", (data,))

        return _figures(record)


def _figures(record: Record) -> tuple[float, float]:
    """Return events per second from all threads, and the median milliseconds of one event alone."""
    alone = [_timed(record, _event(number)) for number in range(ALONE)]
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: [record(_event(number)) for number in range(EACH)], range(THREADS)))
    return THREADS * EACH / (time.perf_counter() - start), 1000 * median(alone)


def _event(number: int) -> Event:
    details = {"permission": "see-people", "method": "get"}
    return Event(EventType.ACCESS_GRANTED, 1_700_000_000_000 + number, _RITA, ("cd" * 16,), "page:/people", details)


def _timed(record: Record, event: Event) -> float:
    start = time.perf_counter()
    record(event)
    return time.perf_counter() - start


AUDIT = Bench("audit", "an event in the audit log, durable, beside a row in SQLite", run)
