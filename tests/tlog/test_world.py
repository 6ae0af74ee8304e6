"""A log, its witnesses, its mirror and its readers, in any order of events, always agree."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.tlog.faults import Fault, FaultyLock, FaultyObjects
from tests.tlog.homes import LOG, Center, LogHome, quorum_of, signer

from pellucid.errors import FatalError
from pellucid.statement.keys import Role
from pellucid.storage.alarms import AlarmFolder
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import NewEntry
from pellucid.tlog.checkpoint import Checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.fsck import fsck
from pellucid.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from pellucid.tlog.mirror import Mirror
from pellucid.tlog.publisher import Publisher
from pellucid.tlog.reader import LogReader
from pellucid.tlog.sources import FileTiles

MIRROR = signer("asia.example/mirror", Role.MIRROR)
REQUIRED = 2


class World(RuleBasedStateMachine):
    """What anybody has been told must stay true whatever fails."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pellucid-world-"))
        self.home = LogHome(self.root / "home")
        self.home.root.mkdir()
        self.centers = [Center(self.root, name) for name in ("asia", "europe", "americas")]
        self.mirror_store = FileObjects(self.root / "mirror")
        self.fault = Fault(at=10**9, persisted=False)
        self.stores: list[FaultyObjects] = []
        self.acknowledged: dict[bytes, int] = {}
        self.seen: dict[int, bytes] = {}
        self.mirrored = 0
        self.publisher: Publisher = self.start()
        self.follower = self.home.reader()

    def start(self) -> Publisher:
        def wrap(inner: ObjectStore) -> FaultyObjects:
            self.stores.append(FaultyObjects(inner, self.fault))
            return self.stores[-1]

        return self.home.open(
            store=wrap,
            lock=lambda inner: FaultyLock(inner, self.fault),
            quorum=quorum_of(REQUIRED, *self.centers),
            clients=self.centers,
        )

    def restart(self, *, power: bool, seed: int) -> None:
        self.home.close()
        if power and self.stores:
            self.stores[-1].lose_power(self.home.store, random.Random(seed))
        self.fault = Fault(at=10**9, persisted=False)
        self.publisher = self.start()

    @rule(first=st.integers(0, 900), count=st.integers(1, 300), keyed=st.booleans())
    def submit(self, first: int, count: int, keyed: bool) -> None:
        entries = [b"entry %d" % number for number in range(first, first + count)]
        new = [NewEntry(entry, b"key of " + entry if keyed else None) for entry in entries]
        for entry, place in zip(entries, self.publisher.log.add_batch(new), strict=True):
            assert place.duplicate == (entry in self.acknowledged)
            assert self.acknowledged.setdefault(entry, place.index) == place.index

    @rule()
    def integrate(self) -> None:
        signed = self.publisher.log.integrate()
        assert signed.size == len(self.acknowledged)

    @rule()
    def publish(self) -> None:
        status = self.publisher.publish()
        up = sum(center.up for center in self.centers)
        assert bool(status.wanting) == (up < REQUIRED)
        assert status.frozen is None
        if up >= REQUIRED:
            assert not status.behind

    @rule(number=st.integers(0, 2), up=st.booleans())
    def switch(self, number: int, up: bool) -> None:
        self.centers[number].up = up

    @rule(at=st.integers(1, 12), persisted=st.booleans(), power=st.booleans(), seed=st.integers(0, 9))
    def fail(self, at: int, persisted: bool, power: bool, seed: int) -> None:
        """Something fails while the log integrates and publishes; it starts again."""
        self.fault.at, self.fault.persisted = self.fault.operations + at, persisted
        try:
            self.publisher.log.integrate()
            self.publisher.publish()
        except FatalError:
            self.restart(power=power, seed=seed)
        else:
            self.fault.at = 10**9

    @rule()
    def restart_well(self) -> None:
        self.restart(power=False, seed=0)

    @rule(number=st.integers(0, 2))
    def restart_center(self, number: int) -> None:
        center = self.centers[number]
        center.state.close()
        self.centers[number] = Center(self.root, center.name)
        self.home.close()
        self.publisher = self.start()

    @rule(at=st.integers(1, 30), persisted=st.booleans())
    def pull(self, at: int, persisted: bool) -> None:
        store = FaultyObjects(self.mirror_store, Fault(at, persisted))
        mirror = Mirror(
            store,
            FileTiles(self.home.store),
            LOG.verifier,
            MIRROR,
            alarms=AlarmFolder(self.root / "alarms"),
            quorum=quorum_of(REQUIRED, *self.centers),
            clock=lambda: 1_700_000_000,
        )
        mirror.step = 200
        try:
            mirror.pull()
        except FatalError:
            store.lose_power(self.mirror_store, random.Random(at))

    @precondition(lambda self: self.publisher.published is not None)
    @rule(pick=st.randoms(use_true_random=False))
    def read(self, pick: random.Random) -> None:
        head = self.follower.checkpoint().checkpoint
        if not head.size:
            return
        index = pick.randrange(head.size)
        entry = self.follower.entry(index)
        assert self.acknowledged[entry] == index
        verify_inclusion(leaf_hash(entry), index, head.size, self.follower.inclusion(index), head.root)
        first = self.follower.covering(index)
        assert first is not None
        verify_consistency(
            first.checkpoint.size,
            first.checkpoint.root,
            head.size,
            head.root,
            self.follower.consistency(first.checkpoint.size),
        )

    @invariant()
    def nobody_sees_two_trees(self) -> None:
        if not hasattr(self, "home"):
            return
        for store in (self.home.store, self.mirror_store):
            if (data := store.fetch("checkpoint")) is not None:
                text, size, root = data.decode().split("\n")[:3]
                assert text == LOG.name
                assert self.seen.setdefault(int(size), root.encode()) == root.encode()

    @invariant()
    def mirrors_never_go_back(self) -> None:
        if not hasattr(self, "home"):
            return
        data = self.mirror_store.fetch("checkpoint")
        size = int(data.split(b"\n")[1]) if data is not None else 0
        assert size >= self.mirrored
        self.mirrored = size

    def teardown(self) -> None:
        if not hasattr(self, "home"):
            return
        for center in self.centers:
            center.up = True
        self.publisher.log.integrate()
        self.publisher.publish()
        self.pull(at=10**9, persisted=False)
        self.home.close()
        keys = [center.signer.verifier for center in self.centers]
        assert self.home.fsck(keys).problems == []
        report = fsck(FileTiles(self.mirror_store), LOG.verifier, cosigners=[MIRROR.verifier, *keys])
        assert report.problems == []
        assert report.size == len(self.acknowledged)
        reader = LogReader(FileTiles(self.mirror_store), LOG.verifier)
        head = reader.checkpoint()
        assert len(cosignatures(head.note, [MIRROR.verifier, *keys])) == 4
        entries = list(reader.entries(0, report.size))
        assert all(entries[index] == entry for entry, index in self.acknowledged.items())
        for size, root in self.seen.items():
            assert Checkpoint("x", size, reader.root(size)).text.split("\n")[2].encode() == root
        assert self.home.alarms.all() == []
        assert all(center.alarms.all() == [] for center in self.centers)
        for center in self.centers:
            center.state.close()
        shutil.rmtree(self.root)


TestWorld = World.TestCase
TestWorld.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
