"""A log with everything it needs, as the tests of this folder open, break and check it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from pellucid.statement.keys import Role, SecretKey
from pellucid.storage.alarms import AlarmFolder
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import CheckpointLock
from pellucid.storage.sqlite_sequence import SqliteSequence, read_lock
from pellucid.storage.witness_state import SqliteWitnessState
from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.cosigners import CosignClient, CosignRequest, CosignResult, Parallel
from pellucid.tlog.fsck import FsckReport, fsck
from pellucid.tlog.note import NoteSigner, SignatureKind, Verifier
from pellucid.tlog.publisher import Publisher
from pellucid.tlog.quorum import Cosigner, Quorum
from pellucid.tlog.reader import LogReader
from pellucid.tlog.sequencer import Log
from pellucid.tlog.sources import FileTiles
from pellucid.tlog.witness import Witness
from pellucid.tlog.witness_protocol import AddCheckpoint, decode_signatures

ORIGIN = "log.example/1"
NO_QUORUM = Quorum(0, (), "vendor")


def signer(name: str, role: Role) -> NoteSigner:
    """Return a key that is the same in every run."""
    kind = SignatureKind.ED25519 if role is Role.LOG else SignatureKind.COSIGNATURE
    return NoteSigner(name, kind, SecretKey(role, name, name.encode().ljust(32, b"\0")[:32]))


LOG = signer(ORIGIN, Role.LOG)


class LogHome:
    """The folder of one log; `open` is a process that starts, `close` one that ends well."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log_signer = LOG
        self.alarms = AlarmFolder(root / "alarms")
        self.store = FileObjects(root / "log")
        self._open = ExitStack()

    def open(
        self,
        *,
        store: Callable[[ObjectStore], ObjectStore] = lambda store: store,
        lock: Callable[[CheckpointLock], CheckpointLock] = lambda lock: lock,
        quorum: Quorum = NO_QUORUM,
        clients: Sequence[CosignClient] = (),
    ) -> Publisher:
        """Open the log, making it if it is not there, and what publishes it."""
        sequence = SqliteSequence(self.root / "log.db")
        self._open.callback(sequence.close)
        start = Log.open if sequence.load(ORIGIN) else Log.create
        log = start(store(self.store), sequence, lock(sequence), LOG)
        self._open.callback(log.close)
        pool = Parallel(clients, timeout=5)
        self._open.callback(pool.close)
        return Publisher(log, quorum, pool, alarms=self.alarms, clock=lambda: 1_700_000_000)

    def close(self) -> None:
        """Close everything that `open` opened."""
        self._open.close()

    def reader(self) -> LogReader:
        """Return a reader of what is published."""
        return LogReader(FileTiles(self.store), LOG.verifier)

    def fsck(self, cosigners: Sequence[Verifier] = ()) -> FsckReport:
        """Check the log with its lock."""
        path = self.root / "log.db"
        return fsck(FileTiles(self.store), LOG.verifier, lock=lambda: read_lock(path, ORIGIN), cosigners=cosigners)


def grow(publisher: Publisher, *entries: bytes) -> SignedCheckpoint:
    """Log entries, integrate and publish them; return what is published."""
    publisher.log.add_batch(entries)
    publisher.log.integrate()
    publisher.publish()
    assert publisher.published is not None
    return publisher.published


def numbered_entries(start: int, stop: int) -> list[bytes]:
    """Return entries that differ."""
    return [b"entry %d" % number for number in range(start, stop)]


class Center:
    """A center with a witness that is asked without a network."""

    def __init__(self, root: Path, name: str, *, clock: Callable[[], float] = lambda: 1_700_000_000) -> None:
        self.name = name
        self.operator = f"operator of {name}"
        self.signer = signer(f"{name}.example/witness", Role.WITNESS)
        self.alarms = AlarmFolder(root / name / "alarms")
        (root / name).mkdir(parents=True, exist_ok=True)
        self.state = SqliteWitnessState(root / name / "witness.db")
        self.witness = Witness(self.state, self.signer, {ORIGIN: LOG.verifier}.get, alarms=self.alarms, clock=clock)
        self.up = True

    @property
    def cosigner(self) -> Cosigner:
        """Return how a quorum names it."""
        return Cosigner(self.operator, self.name, self.signer.verifier)

    def cosign(self, request: CosignRequest) -> CosignResult:
        """Answer from the witness's state, always knowing what it has seen."""
        if not self.up:
            return CosignResult(self.name, self.operator, problem="is down")
        held = self.state.known(ORIGIN)
        old_size = held.size if held is not None else 0
        body = AddCheckpoint(old_size, tuple(request.proof(old_size)), request.signed.note).to_bytes()
        response = self.witness.add_checkpoint(body)
        if response.status != 200:
            return CosignResult(self.name, self.operator, problem=f"answered {response.status}")
        return CosignResult(self.name, self.operator, tuple(decode_signatures(response.body)))


def quorum_of(required: int, *centers: Center) -> Quorum:
    """Return a quorum of centers."""
    return Quorum(required, tuple(center.cosigner for center in centers), "vendor")
