"""kill -9 of a vendor's node while it takes submissions: what it acknowledged is there, and it tells one story.

The centers witness and mirror it all the while. Where to kill is drawn from a seed: after so many acknowledgements and
a moment more, the first process or the second, or while the node is starting again.
"""

from __future__ import annotations

import os
import queue
import random
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from threading import Condition, Event, Thread

import pytest
from tests.interop.processes import NodeProcess, Town, is_alive, until

from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import Role
from pellucid.storage.files import FileObjects
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.listing import kept_path, kept_sizes
from pellucid.tlog.merkle import verify_consistency
from pellucid.tlog.note import Verifier
from pellucid.tlog.reader import FileTiles, LogReader

SEED = int(os.environ.get("PYTEST_RANDOM_SEED", "20261121"))
SUBMITTERS = 4


@dataclass
class Customers:
    """Submit statements until each is acknowledged; what fails is submitted again, as a customer would."""

    node: NodeProcess
    envelopes: list[Envelope]
    acknowledged: dict[int, int] = field(default_factory=dict)  # number of the statement: index in the log
    again: int = 0
    unexpected: list[str] = field(default_factory=list)
    _waiting: queue.Queue[int] = field(default_factory=queue.Queue)
    _news: Condition = field(default_factory=Condition)
    _stop: Event = field(default_factory=Event)

    def start(self) -> None:
        for number in range(len(self.envelopes)):
            self._waiting.put(number)
        for _ in range(SUBMITTERS):
            Thread(target=self._work, daemon=True).start()

    def wait(self, count: int, seconds: float) -> None:
        """Wait until so many are acknowledged."""
        with self._news:
            reached = self._news.wait_for(lambda: len(self.acknowledged) >= count or self.unexpected, seconds)
        assert not self.unexpected, self.unexpected
        assert reached, (
            f"{len(self.acknowledged)} of {count} within {seconds:.0f} s: {self.node.said.read_text()[-2000:]}"
        )

    def stop(self) -> None:
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                number = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if not self._submit(number):
                self.again += 1
                self._waiting.put(number)
                time.sleep(0.02)

    def _submit(self, number: int) -> bool:
        try:
            reply = self.node.submit(self.envelopes[number])
        except (OSError, HTTPException):
            return False
        if reply.status == 503:
            return False
        with self._news:
            if reply.status == 201 and reply.receipt.index is not None:
                self.acknowledged[number] = reply.receipt.index
            else:
                self.unexpected.append(f"{reply.status}: {reply.body[:300]!r}")
            self._news.notify_all()
        return True


def heads(town: Town) -> list[SignedCheckpoint]:
    """Return the vendor's checkpoint on its disk, and the newest that each center has witnessed and mirrored."""
    log = town.vendor.key(Role.LOG)
    published = town.vendor.home / "log/checkpoint"
    notes = [published.read_bytes()] if published.exists() else []
    for center in town.centers:
        replies = [center.get(f"/{kind}/{town.vendor.log_id}/checkpoint") for kind in ("witness", "mirror")]
        notes += [reply.body for reply in replies if reply.status == 200]
    return [open_checkpoint(note, log) for note in notes]


def kill_often(town: Town, customers: Customers, kills: int, dice: random.Random) -> list[SignedCheckpoint]:
    """Kill the vendor's node at points drawn by `dice`; return every head that somebody held at those moments."""
    total = len(customers.envelopes)
    held: list[SignedCheckpoint] = []
    for point in sorted(dice.sample(range(1, total), kills)):
        customers.wait(point, 120)
        time.sleep(dice.uniform(0, 0.03))
        town.vendor.kill(worker=dice.random() < 0.25)
        checked = town.vendor.command("fsck", "--json")
        assert checked.code == 0, checked.out
        held += heads(town)
        if dice.random() < 0.25:
            town.vendor.start(wait=False)
            time.sleep(dice.uniform(0.2, 1.2))
            town.vendor.kill()
        town.vendor.start()
    return held


def check_entries(town: Town, customers: Customers, home: Path) -> LogReader:
    """Every acknowledged statement stands at its index to the byte, once, in the log that lies in a folder."""
    reader = LogReader(FileTiles(FileObjects(home)), town.vendor.key(Role.LOG))
    size = reader.checkpoint().checkpoint.size
    entries = list(reader.entries(0, size))
    assert {index: entries[index] for index in customers.acknowledged.values()} == {
        index: customers.envelopes[number].to_bytes() for number, index in customers.acknowledged.items()
    }
    assert len(set(entries)) == size, "no statement was logged twice"
    return reader


def check_one_story(town: Town, reader: LogReader, home: Path, held: list[SignedCheckpoint]) -> None:
    """Kept checkpoints and heads held by anybody at any time are of one tree, cosigned, at times that never go back."""
    store, log = FileObjects(home), town.vendor.key(Role.LOG)
    kept = [open_checkpoint(store.fetch(kept_path(size)) or b"", log) for size in kept_sizes(store)]
    assert len(kept) > 3
    assert kept[-1].checkpoint == reader.checkpoint().checkpoint
    for old, new in pairwise(signed.checkpoint for signed in kept):
        verify_consistency(old.size, old.root, new.size, new.root, reader.consistency(old.size, new.size))
    for signed in held:
        assert reader.root(signed.checkpoint.size) == signed.checkpoint.root
    check_times(kept, [center.key(Role.WITNESS) for center in town.centers])


def check_times(kept: list[SignedCheckpoint], witnesses: list[Verifier]) -> None:
    times: dict[str, list[int]] = {}
    for signed in kept:
        found = cosignatures(signed.note, witnesses)
        assert found, f"the checkpoint of size {signed.checkpoint.size} was published without a cosignature"
        for item in found:
            times.setdefault(item.verifier.name, []).append(item.timestamp)
    assert all(series == sorted(series) for series in times.values())


def live_through(town: Town, kills: int, statements: int) -> None:
    envelopes = [town.vendor.statement(number) for number in range(statements)]
    customers = Customers(town.vendor, envelopes)
    customers.start()
    try:
        held = kill_often(town, customers, kills, random.Random(SEED))
        customers.wait(statements, 120)
    finally:
        customers.stop()
    assert customers.again >= kills, "each kill came while something was under way"
    assert sorted(customers.acknowledged.values()) == list(range(statements))
    until(lambda: town.vendor.published() == statements, 30)
    until(lambda: all(center.mirrored(town.vendor) == statements for center in town.centers), 30)
    held += heads(town)
    mirrors = [center.home / "mirrors" / town.vendor.log_id for center in town.centers]
    for home in (town.vendor.home / "log", *mirrors):
        check_one_story(town, check_entries(town, customers, home), home, held)
    for node in town.nodes:
        checked = node.command("fsck", "--json")
        assert checked.code == 0, checked.out
        assert [path for path in (node.home / "alarms").rglob("*") if path.is_file()] == []
        assert node.health()["ok"]


def test_what_was_acknowledged_survives_some_kills(town: Town) -> None:
    live_through(town, kills=3, statements=300)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_twenty_kills_in_two_thousand_submissions(town: Town) -> None:
    live_through(town, kills=20, statements=2000)


@pytest.mark.soak
def test_what_was_acknowledged_survives_a_hundred_kills(town: Town) -> None:
    live_through(town, kills=100, statements=5000)


def test_killing_either_process_leaves_nobody_behind(alone: NodeProcess) -> None:
    for worker in (False, True):
        alone.start()
        pid, first = alone.serving(), alone.process
        assert pid is not None
        assert first is not None
        assert pid != first.pid
        begun = time.monotonic()
        code = alone.kill(worker=worker)
        assert time.monotonic() - begun < 3
        assert not is_alive(pid)
        assert code == (3 if worker else -9)
        assert alone.published() is None
