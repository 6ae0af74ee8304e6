"""How a log starts: from its lock, always, as after a crash."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import EvidenceError, FatalError
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import CheckpointLock, Locked, SequenceStore
from pellucid.tlog.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from pellucid.tlog.errors import TileError
from pellucid.tlog.listing import clear_above, kept_sizes
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.note import MAX_NOTE, NoteSigner, Verifier
from pellucid.tlog.reader import TreeView
from pellucid.tlog.sources import FileTiles
from pellucid.tlog.tree_writer import TreeWriter

_ROLLED_BACK = "never restore an older log.db: bring back the newest one, or end this log and start a new origin"
_DAMAGED = "run `pellucid fsck` on this home and bring the damaged files back from a mirror or a backup"


class RecoveryError(FatalError):
    """A log cannot be opened: what is on disk does not fit together."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A log as recovery found it: the newest signed checkpoint and the tree that ends there."""

    locked: Locked
    writer: TreeWriter


def create_lock(store: ObjectStore, sequence: SequenceStore, lock: CheckpointLock, signer: NoteSigner) -> None:
    """Make the lock of a new, empty log; RecoveryError if anything of an older one is there."""
    if sequence.next_index() or store.children("tile/") or store.fetch("checkpoint", MAX_NOTE) is not None:
        raise RecoveryError(
            "there are files of a log here, but no lock that says what it signed",
            where=signer.name,
            remedy=_ROLLED_BACK,
        )
    note = sign_checkpoint(Checkpoint(signer.name, 0, EMPTY_ROOT), signer)
    lock.create(signer.name, Locked(0, EMPTY_ROOT, note.to_bytes()))


def recover(store: ObjectStore, sequence: SequenceStore, lock: CheckpointLock, log: Verifier) -> Recovered:
    """Bring a log to the state of its lock; RecoveryError if that is impossible or something newer was published.

    Files above the lock's size are removed: they were never signed, may be torn, and will be made again from the
    pending entries, byte for byte.
    """
    locked = lock.load(log.name)
    if locked is None:
        raise RecoveryError(
            "this log has no lock: it was never made, or its log.db is lost", where=log.name, remedy=_ROLLED_BACK
        )
    _check_note(locked, log)
    published = read_published(store, log)
    if published is not None:
        _check_published(store, published.checkpoint, locked, log)
    for size in kept_sizes(store, after=locked.size):
        raise RecoveryError(
            f"a checkpoint of {size} entries was published, but the lock knows {locked.size} only",
            where=log.name,
            remedy=_ROLLED_BACK,
        )
    if sequence.next_index() < locked.size:
        raise RecoveryError(
            f"{locked.size} entries are signed, but the sequence ends at {sequence.next_index()}",
            where=log.name,
            remedy=_ROLLED_BACK,
        )
    try:
        writer = TreeWriter.restore(locked.size, store.fetch, root=locked.root)
    except EvidenceError as error:
        raise RecoveryError(f"a file that was signed is damaged: {error}", where=log.name, remedy=_DAMAGED) from error
    clear_above(store, locked.size)
    sequence.integrated(locked.size)
    return Recovered(locked, writer)


def read_published(store: ObjectStore, log: Verifier) -> SignedCheckpoint | None:
    """Return the published checkpoint, None if nothing was published; RecoveryError if it is damaged."""
    data = store.fetch("checkpoint", MAX_NOTE)
    if data is None:
        return None
    try:
        return open_checkpoint(data, log)
    except EvidenceError as error:
        raise RecoveryError(f"the published checkpoint is damaged: {error}", where=log.name, remedy=_DAMAGED) from error


def _check_note(locked: Locked, log: Verifier) -> None:
    try:
        checkpoint = open_checkpoint(locked.note, log).checkpoint
    except EvidenceError as error:
        raise RecoveryError(f"the lock is damaged: {error}", where=log.name, remedy=_ROLLED_BACK) from error
    if (checkpoint.size, checkpoint.root) != (locked.size, locked.root):
        raise RecoveryError("the lock contradicts its own checkpoint", where=log.name, remedy=_ROLLED_BACK)


def _check_published(store: ObjectStore, published: Checkpoint, locked: Locked, log: Verifier) -> None:
    if published.size > locked.size:
        raise RecoveryError(
            f"{published.size} entries are published, but the lock knows {locked.size} only",
            where=log.name,
            remedy=_ROLLED_BACK,
        )
    try:
        root = TreeView(FileTiles(store), locked.size, locked.root).root_at(published.size)
    except TileError as error:
        raise RecoveryError(f"a file that was signed is damaged: {error}", where=log.name, remedy=_DAMAGED) from error
    if root != published.root:
        raise RecoveryError(
            f"the published tree of {published.size} entries is not the one that was signed",
            where=log.name,
            remedy=_ROLLED_BACK,
        )
