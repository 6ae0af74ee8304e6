"""A mirror, C2SP tlog-mirror by pulling: holds every entry of another's log, and signs that it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pellucid.errors import EvidenceError, UnavailableError
from pellucid.storage.alarms import Alarm, Alarms
from pellucid.storage.objects import ObjectStore
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import cosign, cosignatures
from pellucid.tlog.listing import clear_above, clear_superseded, kept_path, last_kept_size
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.note import MAX_NOTE, Note, NoteSigner, Verifier
from pellucid.tlog.quorum import Quorum
from pellucid.tlog.reader import ForkError, TreeView
from pellucid.tlog.recovery import RecoveryError, read_published
from pellucid.tlog.sources import FileTiles, TileSource
from pellucid.tlog.tiles import TILE_WIDTH, Tile
from pellucid.tlog.tree_writer import LogFile, TreeWriter

_STEP = 65_536
_KEPT_PAGE = 500
_MOST_FOREIGN_LINES = 90


@dataclass(slots=True)
class _Held:
    """What the mirror holds durably: the tree, and the checkpoint it serves (None before the first pull)."""

    writer: TreeWriter
    head: SignedCheckpoint | None

    @property
    def size(self) -> int:
        return self.head.checkpoint.size if self.head is not None else 0


class Mirror:
    """Pulls the log under the key `log` from `source` into `store`, and cosigns with `signer` what it holds.

    Every entry is traced to a signed checkpoint before it is written, and every checkpoint is cosigned only when all
    it covers is durable. It never goes back. With a `quorum`, only checkpoints that meet it are taken. Not safe
    between threads; memory is bounded by a few entry bundles. Interrupted anywhere, the next pull goes on.
    """

    def __init__(
        self,
        store: ObjectStore,
        source: TileSource,
        log: Verifier,
        signer: NoteSigner,
        *,
        alarms: Alarms,
        quorum: Quorum | None = None,
        clock: Callable[[], float] = time.time,
        refresh: float = 300.0,
    ) -> None:
        self.store = store
        self.source = source
        self.log = log
        self.signer = signer
        self._alarms = alarms
        self._quorum = quorum
        self._clock = clock
        self._refresh = refresh
        self.step = _STEP  # entries between two checkpoints that are made durable on a long way
        self._held: _Held | None = None

    @property
    def head(self) -> SignedCheckpoint | None:
        """Return the checkpoint that the mirror serves, with its own cosignature; None before the first pull."""
        return self._open().head

    def pull(self) -> SignedCheckpoint | None:
        """Bring the mirror up to what the source publishes now; return what it holds then, None if nothing yet.

        UnavailableError if the source cannot be reached or the quorum is not met, EvidenceError if what it serves
        does not match what was signed, ForkError (kept as an alarm) if the log contradicts itself, StorageError if our
        disk fails. What is held stays right whatever is raised.
        """
        data = self.source.fetch("checkpoint", MAX_NOTE)
        held = self._open()
        if data is None:
            return held.head
        offered = open_checkpoint(data, self.log)
        self._require_quorum(offered)
        try:
            self._require_extension(held, offered)
            while held.size < offered.checkpoint.size or held.head is None:
                self._advance(held, self._next_target(held, offered))
            self._renew(held, offered)
        except BaseException as error:
            # The tree in memory may be ahead of what is held; the next pull starts from the files again.
            self._held = None
            if isinstance(error, ForkError):
                self._raise_alarm(error)
            raise
        return held.head

    def _open(self) -> _Held:
        """Return what is held, at first by recovering it from the files."""
        if self._held is None:
            head = read_published(self.store, self.log)
            size, root = (head.checkpoint.size, head.checkpoint.root) if head else (0, EMPTY_ROOT)
            try:
                writer = TreeWriter.restore(size, self.store.fetch, root=root)
            except EvidenceError as error:
                raise RecoveryError(
                    f"the mirror is damaged: {error}",
                    where=self.log.name,
                    remedy="delete this mirror's folder; it is pulled anew",
                ) from error
            clear_above(self.store, size)
            self._held = _Held(writer, head)
        return self._held

    def _require_quorum(self, offered: SignedCheckpoint) -> None:
        if self._quorum is None:
            return
        standing = self._quorum.standing(cosignatures(offered.note, self._quorum.verifiers))
        if not standing.met:
            raise UnavailableError(
                f"the checkpoint of {offered.checkpoint.size} entries falls short: {'; '.join(standing.reasons)}",
                where=self.log.name,
                remedy="it is mirrored once enough independent operators have cosigned it",
            )

    def _require_extension(self, held: _Held, offered: SignedCheckpoint) -> None:
        """Raise ForkError unless one of the trees held and offered is a prefix of the other."""
        if held.head is None:
            return
        ours, theirs = held.head.checkpoint, offered.checkpoint
        if theirs.size <= ours.size:
            root, expected = TreeView(FileTiles(self.store), ours.size, ours.root).root_at(theirs.size), theirs.root
        else:
            root, expected = TreeView(self.source, theirs.size, theirs.root).root_at(ours.size), ours.root
        if root != expected:
            raise ForkError(
                f"signed two trees that differ within their first {min(ours.size, theirs.size)} entries",
                held=held.head.to_bytes(),
                offered=offered.to_bytes(),
                where=self.log.name,
            )

    def _next_target(self, held: _Held, offered: SignedCheckpoint) -> SignedCheckpoint:
        """Return the checkpoint to reach next: on a long way an older one, so that an interruption costs little."""
        if offered.checkpoint.size - held.size > self.step:
            sizes = self.source.kept(held.size + self.step // 2, 1)
            kept = self._fetch_kept(sizes[0]) if sizes and sizes[0] < offered.checkpoint.size else None
            if kept is not None and self._meets(kept):
                self._require_extension(held, kept)
                return kept
        return offered

    def _meets(self, signed: SignedCheckpoint) -> bool:
        return self._quorum is None or self._quorum.met(cosignatures(signed.note, self._quorum.verifiers))

    def _advance(self, held: _Held, target: SignedCheckpoint) -> None:
        old_size = held.size
        self._copy(held.writer, target)
        if held.writer.root() != target.checkpoint.root:
            raise EvidenceError("the entries do not have the root that was signed", where=self.log.name)
        self.store.sync()
        # Before the head: should the log be gone tomorrow, its entries could not be dated without these.
        self._pull_kept(target)
        self._serve(held, target)
        clear_superseded(self.store, old_size, target.checkpoint.size)

    def _copy(self, writer: TreeWriter, target: SignedCheckpoint) -> None:
        """Write all files of the target's tree that are not there yet; of partial ones, those of its size only."""
        size = target.checkpoint.size
        view = TreeView(self.source, size, target.checkpoint.root)
        edge: dict[int, LogFile] = {}
        for index in range(writer.size // TILE_WIDTH, -(-size // TILE_WIDTH)):
            for file in writer.extend(view.bundle(index)[writer.size - index * TILE_WIDTH :]):
                tile = Tile.parse(file.path)
                if tile.partial:
                    edge[tile.level] = file
                else:
                    edge.pop(tile.level, None)
                    self.store.create(file.path, file.data)
        for file in edge.values():
            self.store.create(file.path, file.data)

    def _serve(self, held: _Held, target: SignedCheckpoint) -> None:
        """Cosign what is durable, and publish it."""
        own = self.signer.verifier
        by_log = [line for line in target.note.signatures if self.log.owns(line)]
        others = [line for line in target.note.signatures if not self.log.owns(line) and not own.owns(line)]
        note = Note(target.note.text, (*by_log, *others[:_MOST_FOREIGN_LINES]))
        timestamp = max(int(self._clock()), self._last_time(held), 1)
        note = note.with_signatures([cosign(note, self.signer, timestamp)])
        self.store.replace("checkpoint", note.to_bytes())
        held.head = SignedCheckpoint(target.checkpoint, note)

    def _last_time(self, held: _Held) -> int:
        if held.head is None:
            return 0
        return max((item.timestamp for item in cosignatures(held.head.note, [self.signer.verifier])), default=0)

    def _renew(self, held: _Held, offered: SignedCheckpoint) -> None:
        """Take over fresher cosignatures of the size that is held, and renew our own when it gets old."""
        if held.head is None or offered.checkpoint != held.head.checkpoint:
            return
        known = set(held.head.note.signatures)
        news = any(line not in known for line in offered.note.signatures if not self.signer.verifier.owns(line))
        if news or self._clock() - self._last_time(held) >= self._refresh:
            self._serve(held, offered)

    def _pull_kept(self, target: SignedCheckpoint) -> None:
        """Keep every checkpoint that the log keeps, up to the target's size, after checking it against our own tree."""
        view = TreeView(FileTiles(self.store), target.checkpoint.size, target.checkpoint.root)
        last = last_kept_size(self.store, below=view.size + 1)
        after = -1 if last is None else last
        while sizes := [size for size in self.source.kept(after, _KEPT_PAGE) if size <= view.size]:
            for size in sizes:
                kept = self._fetch_kept(size)
                if kept is None:
                    raise UnavailableError("is listed but not there", where=kept_path(size), remedy="try again later")
                if view.root_at(size) != kept.checkpoint.root:
                    raise ForkError(
                        f"published another tree of {size} entries than it serves now",
                        held=target.to_bytes(),
                        offered=kept.to_bytes(),
                        where=self.log.name,
                    )
                self.store.replace(kept_path(size), kept.to_bytes())
            after = sizes[-1]

    def _fetch_kept(self, size: int) -> SignedCheckpoint | None:
        path = kept_path(size)
        data = self.source.fetch(path, MAX_NOTE)
        if data is None:
            return None
        kept = open_checkpoint(data, self.log, where=path)
        if kept.checkpoint.size != size:
            raise EvidenceError(f"is a checkpoint of {kept.checkpoint.size} entries", where=path)
        return kept

    def _raise_alarm(self, fork: ForkError) -> None:
        held, offered = (open_checkpoint(note, self.log).checkpoint for note in (fork.held, fork.offered))
        proven = held.size == offered.size and held.root != offered.root
        self._alarms(Alarm(self.log.name, fork.what, proven, fork.held.decode(), fork.offered.decode()))
