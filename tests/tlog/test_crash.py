"""A log that is stopped between any two steps loses nothing it acknowledged and never contradicts itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.tlog.faults import Fault, FaultyLock, FaultyObjects
from tests.tlog.homes import LOG, LogHome

from pellucid.errors import FatalError
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import Sequenced
from pellucid.tlog.publisher import Publisher

ROUNDS = ((0, 3), (3, 258), (258, 300))


@dataclass
class Customers:
    """What was acknowledged and seen published, which must stay true."""

    acknowledged: dict[bytes, int] = field(default_factory=dict)
    seen: list[tuple[int, bytes]] = field(default_factory=list)

    def use(self, publisher: Publisher) -> None:
        """Submit, integrate and publish until the log fails."""
        for start, stop in ROUNDS:
            entries = [b"entry %d" % number for number in range(start, stop)]
            places: list[Sequenced] = publisher.log.add_batch(entries)
            self.acknowledged.update(zip(entries, (place.index for place in places), strict=True))
            publisher.log.integrate()
            publisher.publish()
            self.look(publisher)

    def look(self, publisher: Publisher) -> None:
        if publisher.published is not None:
            self.seen.append((publisher.published.checkpoint.size, publisher.published.checkpoint.root))

    def check(self, home: LogHome) -> None:
        reader = home.reader()
        size = reader.checkpoint().checkpoint.size
        entries = list(reader.entries(0, size))
        assert all(entries[index] == entry for entry, index in self.acknowledged.items())
        assert [size for size, _ in self.seen] == sorted(size for size, _ in self.seen)
        assert all(reader.root(size) == root for size, root in self.seen)
        assert home.fsck().problems == []


def operations_of_a_run(root: Path) -> int:
    fault = Fault(at=10**9, persisted=False)
    home = LogHome(root)
    root.mkdir()
    publisher = home.open(store=lambda inner: FaultyObjects(inner, fault), lock=lambda inner: FaultyLock(inner, fault))
    Customers().use(publisher)
    home.close()
    return fault.operations


@pytest.mark.parametrize("persisted", [False, True], ids=["not persisted", "but persisted"])
@pytest.mark.parametrize("power", [False, True], ids=["process", "power"])
def test_failing_at_any_step(tmp_path: Path, persisted: bool, power: bool) -> None:
    """Each store and lock operation fails once, in its own run; then the log starts again and goes on."""
    total = operations_of_a_run(tmp_path / "whole")
    assert total > 18
    for at in range(1, total + 1):
        home = LogHome(tmp_path / f"{at}")
        home.root.mkdir()
        fault, customers, stores = Fault(at, persisted), Customers(), list[FaultyObjects]()

        def wrap(inner: ObjectStore, fault: Fault = fault, stores: list[FaultyObjects] = stores) -> FaultyObjects:
            stores.append(FaultyObjects(inner, fault))
            return stores[-1]

        with pytest.raises(FatalError) as told:
            customers.use(home.open(store=wrap, lock=lambda inner, fault=fault: FaultyLock(inner, fault)))  # type: ignore[misc]
        assert told.value.remedy is not None
        home.close()
        if power and stores:
            stores[-1].lose_power(home.store, random.Random(at))
        publisher = home.open()
        customers.look(publisher)
        publisher.log.integrate()
        publisher.publish()
        customers.use(publisher)
        home.close()
        customers.check(home)


def test_after_a_failure_nothing_is_acknowledged_any_more(home: LogHome) -> None:
    fault = Fault(at=10**9, persisted=False)
    publisher = home.open(store=lambda inner: FaultyObjects(inner, fault))
    publisher.log.add_batch([b"a"])
    fault.at = fault.operations + 1
    with pytest.raises(FatalError, match="the disk is full") as told:
        publisher.log.integrate()
    assert told.value.remedy == "free some space"
    fault.at = 10**9
    for act in (publisher.log.integrate, publisher.publish, lambda: publisher.log.submit(b"b")):
        with pytest.raises(FatalError, match="the disk is full"):
            act()
    home.close()
    publisher = home.open()
    assert publisher.log.add_batch([b"a"]) == [Sequenced(0, duplicate=True)]
    publisher.log.integrate()
    publisher.publish()


def test_a_signed_checkpoint_that_was_not_published_is_published_on_restart(home: LogHome) -> None:
    publisher = home.open()
    publisher.publish()
    publisher.log.add_batch([b"a", b"b"])
    signed = publisher.log.integrate()
    assert publisher.status.published_size == 0
    home.close()
    publisher = home.open()
    assert publisher.log.signed == signed
    publisher.publish()
    assert publisher.published is not None
    assert publisher.published.note.text.encode() == signed.note.split(b"\n\n")[0] + b"\n"


def test_a_replay_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two logs with one history, one of them stopped before its lock moved, have the same files."""
    files = []
    for name, at in (("whole", 10**9), ("stopped", 2)):
        home = LogHome(tmp_path / name)
        home.root.mkdir()
        fault = Fault(at, persisted=False)
        log = home.open(lock=lambda inner, fault=fault: FaultyLock(inner, fault)).log  # type: ignore[misc]
        log.add_batch([b"entry %d" % number for number in range(700)])
        if at == 2:
            with pytest.raises(FatalError):
                log.integrate()
            home.close()
            log = home.open().log
        signed = log.integrate()
        home.close()
        files.append(({path: home.store.fetch(path) for path in home.store.walk()}, signed))
    assert files[0] == files[1]


APPENDER = """
import sys
from pathlib import Path
from tests.tlog.homes import LogHome
import threading
home = LogHome(Path(sys.argv[1]))
publisher = home.open()
stop = threading.Event()
for body, interval in ((publisher.log.run, 0.003), (publisher.run, 0.005)):
    threading.Thread(target=body, args=(stop,), kwargs={"interval": interval}, daemon=True).start()
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    places = publisher.log.add_batch([b"entry %d" % (number + offset) for offset in range(7)])
    print("\\n".join(f"{place.index} {number + offset}" for offset, place in enumerate(places)), flush=True)
    number += 7
"""


def test_kill_9_at_random_moments(home: LogHome) -> None:
    dice = random.Random(int(os.environ.get("PYTEST_RANDOM_SEED", "7")))
    acknowledged: dict[int, bytes] = {}
    heads: list[tuple[int, bytes]] = []
    for attempt in range(5):
        command = [sys.executable, "-c", APPENDER, str(home.root), str(attempt * 10**6)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=home.root) as appender:
            assert appender.stdout is not None
            assert appender.stdout.readline() == b"ready\n"
            for _ in range(dice.randrange(1, 400)):
                index, number = map(int, appender.stdout.readline().split())
                acknowledged[index] = b"entry %d" % number
            appender.send_signal(signal.SIGKILL)
            for line in appender.stdout:
                if line.endswith(b"\n"):
                    index, number = map(int, line.split())
                    acknowledged[index] = b"entry %d" % number
        assert home.fsck().problems == []
        if (data := home.store.fetch("checkpoint")) is not None:
            head = home.reader().checkpoint().checkpoint
            heads.append((head.size, head.root))
            assert data.startswith(LOG.name.encode())
    publisher = home.open()
    publisher.log.integrate()
    publisher.publish()
    reader = home.reader()
    entries = list(reader.entries(0, reader.checkpoint().checkpoint.size))
    assert all(entries[index] == entry for index, entry in acknowledged.items())
    assert all(reader.root(size) == root for size, root in heads)
