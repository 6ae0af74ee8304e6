"""A node that is killed, fails or is contradicted: what it acknowledged is there, and it never tells two stories."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.node.conftest import PASSPHRASE, Town, read_receipt, until
from tests.record.conftest import release

from pellucid.errors import PellucidError
from pellucid.node import Node
from pellucid.record.predicate import Outcome
from pellucid.statement.keys import Role
from pellucid.tlog.sequencer import FrozenError

WRITER = """
import sys
from pathlib import Path
from pellucid.node import Node
from pellucid.statement.keys import Role
from tests.node.conftest import PASSPHRASE, read_receipt
from tests.record.conftest import release
node = Node.open(Path(sys.argv[1]), PASSPHRASE)
node.start()
key = node.home.secret(Role.PARTY, PASSPHRASE)
for number in range(int(sys.argv[2]), 100_000):
    envelope = release(key, f"{number}", f"{number:064x}")
    receipt = read_receipt(node.submit(envelope.to_bytes()))
    print(receipt.index, envelope.id, flush=True)
"""


def test_what_was_acknowledged_survives_kill(town: Town) -> None:
    home = town.build("vendor")
    acknowledged: dict[int, str] = {}
    for round_number in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home.path), str(round_number * 10_000)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        end = time.monotonic() + 60
        lines = [process.stdout.readline()]
        while len(lines) < 40 + random.randrange(40):
            assert time.monotonic() < end
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        for line in lines:
            index, _, statement = line.rstrip("\n").partition(" ")
            if len(statement) == 64:
                assert acknowledged.setdefault(int(index), statement) == statement
    town.start("vendor")
    node = town.nodes["vendor"]
    assert node.wait_published(max(acknowledged), 20)
    own = node.logs.now().own.id
    for number, expected in acknowledged.items():
        entry = node.views.entry(own, number)
        assert entry is not None
        assert entry.statement == expected


def test_a_failure_in_a_thread_ends_the_process(town: Town) -> None:
    """In a process of its own: the disk refuses to sync."""
    home = town.build("vendor")
    program = """
import sys, time
from pathlib import Path
from pellucid.node import Node
from pellucid.storage.failures import StorageError
from pellucid.storage.files import FileObjects
from pellucid.statement.keys import Role
from tests.node.conftest import PASSPHRASE
from tests.record.conftest import release
node = Node.open(Path(sys.argv[1]), PASSPHRASE)
def sync(self):
    raise StorageError("cannot sync to disk: the disk is full", where="here", remedy="free some space")
FileObjects.sync = sync
node.start()
node.submit(release(node.home.secret(Role.PARTY, PASSPHRASE)).to_bytes())
time.sleep(30)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 70, done.stderr
    assert "the disk is full" in done.stderr
    assert "free some space" in done.stderr
    town.start("vendor")
    assert town.nodes["vendor"].wait_published(0, 20), "the entry was durable before it was acknowledged"


def test_a_log_that_somebody_holds_another_story_of_freezes_and_is_still_read(town: Town) -> None:
    """The vendor's home is set back to an older copy; the center's witness knows better."""
    town.build("vendor", quorum=1)
    town.build("asia")
    town.join("vendor", "asia")
    town.start("asia", "vendor")
    vendor, key = town.nodes["vendor"], town.homes["vendor"].secret(Role.PARTY, PASSPHRASE)
    vendor.submit(release(key).to_bytes())
    assert vendor.wait_published(0, 20)
    town.stop("vendor")
    home = town.homes["vendor"].path
    shutil.rmtree(home / "log")
    for path in home.glob("log.db*"):
        path.unlink()
    town.start("vendor")
    vendor = town.nodes["vendor"]
    until(lambda: vendor.publication.frozen is not None)
    with pytest.raises(FrozenError):
        vendor.submit(release(key, "2.0").to_bytes())
    assert [alarm.kind for alarm in vendor.views.alarms()] == ["inconsistent-log"]
    until(lambda: vendor.views.logs()[0].frozen)


def test_a_damaged_mirror_is_reported_and_stops_nobody(town: Town) -> None:
    for name in ("vendor", "asia"):
        town.build(name)
    town.join("vendor", "asia")
    town.start("asia", "vendor")
    vendor, key = town.nodes["vendor"], town.homes["vendor"].secret(Role.PARTY, PASSPHRASE)
    vendor.submit(release(key).to_bytes())
    asia = town.nodes["asia"]
    until(lambda: asia.views.counts().get("release") == 1)
    town.stop("asia")
    [folder] = [town.homes["asia"].mirror_folder(i) for i in town.homes["asia"].mirrored()]
    tile = folder / "tile" / "0" / "000.p" / "1"
    good = tile.read_bytes()
    tile.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    town.start("asia")
    asia = town.nodes["asia"]
    until(lambda: any(fact.problem for fact in asia.views.mirrors()))
    receipt = read_receipt(asia.submit(release(asia.home.secret(Role.PARTY, PASSPHRASE)).to_bytes()))
    assert receipt.outcome is Outcome.ACCEPTED
    assert asia.wait_published(0, 20)
    tile.write_bytes(good)


def test_a_wrong_passphrase_leaves_the_home_free(town: Town) -> None:
    home = town.build("vendor")
    with pytest.raises(PellucidError, match="passphrase is wrong"):
        Node.open(home, b"wrong")
    with Node.open(home, PASSPHRASE) as node:
        assert json.loads(node.card().payload)["predicate"]["name"] == "vendor.example"
