"""Checking a whole log again: every tile, bundle and kept checkpoint there is, from the entries up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pellucid.errors import EvidenceError, FatalError
from pellucid.storage.objects import ObjectStore
from pellucid.storage.sequence import Locked
from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.errors import MalformedNoteError, TileError
from pellucid.tlog.fsck_tree import FileReader, Progress, TreeCheck
from pellucid.tlog.listing import KEPT, MAX_NUMBER, kept_path, kept_size
from pellucid.tlog.merkle import EMPTY_ROOT
from pellucid.tlog.note import MAX_NOTE, Note, Verifier
from pellucid.tlog.sources import FileTiles, TileSource
from pellucid.tlog.tiles import Tile

_PAGE = 500
_LOCK = "log.db"
_MISSING = "is missing"
_MOST_PROBLEMS = 10_000


class _TooManyError(Exception):
    """Ends a check that would only repeat itself."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A file of the log, by its path below the log's folder or URL, and what is wrong with it."""

    path: str
    what: str


@dataclass(slots=True)
class FsckReport:
    """What a check found: the checkpoint it went by, what it looked at, and every problem.

    `unpublished` are files beyond that checkpoint: a running log has just written them, or a crash left them to be
    written again; they are no problem and were not checked.
    """

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    files_checked: int = 0
    checkpoints_checked: int = 0
    problems: list[Problem] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems


def fsck(
    source: TileSource,
    log: Verifier,
    *,
    lock: Callable[[], Locked | None] | None = None,
    cosigners: Sequence[Verifier] = (),
    known_files: Collection[str] = (),
    is_mirror: bool = False,
    progress: Progress | None = None,
) -> FsckReport:
    """Check the log under the key `log` and report; damage is never raised, UnavailableError of a network is.

    On `FileTiles` every file there is gets checked: full and partial tiles and bundles, superseded ones too, kept
    checkpoints with their signatures and roots, and files that should not be there, other than `known_files`. Over
    HTTP it is what the published checkpoint implies, and the kept checkpoints. `lock` reads the log's own lock, whose
    checkpoint is then what everything must lead to. Cosignatures are checked for the keys `cosigners`. A mirror without
    a `checkpoint` is no problem: its first pull has not ended, and it has promised nothing.
    `progress` gets the entries done and their number.
    """
    return _Fsck(source, log, lock, cosigners, known_files, is_mirror=is_mirror).run(progress)


class _Fsck:
    def __init__(
        self,
        source: TileSource,
        log: Verifier,
        lock: Callable[[], Locked | None] | None,
        cosigners: Sequence[Verifier],
        known_files: Collection[str],
        *,
        is_mirror: bool,
    ) -> None:
        self.report = FsckReport(log.name)
        self._source = source
        self._log = log
        self._lock = lock
        self._cosigners = cosigners
        self._known_files = known_files
        self._is_mirror = is_mirror
        self._store: ObjectStore | None = source.store if isinstance(source, FileTiles) else None
        self._files = FileReader(source, self._problem, local=self._store is not None)
        self._checkpoints: dict[str, Checkpoint] = {}

    def run(self, progress: Progress | None) -> FsckReport:
        try:
            self._check(progress)
        except _TooManyError:
            self.report.problems.append(Problem("tile", f"more than {_MOST_PROBLEMS} problems: checking stopped"))
        self.report.files_checked = self._files.files
        self.report.problems = sorted(set(self.report.problems))
        return self.report

    def _check(self, progress: Progress | None) -> None:
        published = self._read_checkpoint("checkpoint", None)
        locked = self._read_lock()
        sizes = self._kept_sizes(published)
        if (locked is not None and not sizes) or self._is_mirror:
            self._forgive_unpublished()
        for size in sizes:
            self._read_checkpoint(kept_path(size), size)
        if published is not None and sizes and published.size not in sizes:
            self._problem(kept_path(published.size), f"{_MISSING}, though this size is published")
        known = [item for item in (locked, published) if item is not None]
        kept = [item for path, item in self._checkpoints.items() if path != "checkpoint"]
        candidates = known or sorted(kept, key=lambda item: -item.size)
        if candidates:
            self._check_tree(candidates[0], _LOCK if locked is not None else "checkpoint", progress)
        if self._store is not None:
            self._walk(self._store)

    def _problem(self, path: str, what: str) -> None:
        # A log may sign a size that nobody could ever walk through.
        if len(self.report.problems) >= _MOST_PROBLEMS:
            raise _TooManyError
        self.report.problems.append(Problem(path, what))

    def _read_checkpoint(self, path: str, size: int | None) -> Checkpoint | None:
        data = self._files.read(path, MAX_NOTE)
        if data is None:
            if not any(problem.path == path for problem in self.report.problems):
                self._problem(path, _MISSING)
            return None
        try:
            signed = open_checkpoint(data, self._log)
            cosignatures(signed.note, self._cosigners)
            self._require_names(signed.note)
        except EvidenceError as error:
            self._problem(path, error.what)
            return None
        if size is not None and signed.checkpoint.size != size:
            self._problem(path, f"is a checkpoint of {signed.checkpoint.size} entries")
            return None
        self.report.checkpoints_checked += 1
        self._checkpoints[path] = signed.checkpoint
        return signed.checkpoint

    def _require_names(self, note: Note) -> None:
        """Refuse a line that bears a known key's id under another name: it was a cosignature, and somebody lost it."""
        names = {verifier.key_id: verifier.name for verifier in self._cosigners}
        for line in note.signatures:
            if names.get(line.key_id, line.name) != line.name:
                raise MalformedNoteError(f"a signature by {names[line.key_id]} bears another name")

    def _forgive_unpublished(self) -> None:
        """A log below its quorum has signed something and published nothing; so has a mirror that is not there yet."""
        nothing = Problem("checkpoint", _MISSING)
        if nothing in self.report.problems:
            self.report.problems.remove(nothing)

    def _read_lock(self) -> Checkpoint | None:
        if self._lock is None:
            return None
        try:
            locked = self._lock()
        except FatalError as error:
            self._problem(_LOCK, error.what)
            return None
        if locked is None:
            self._problem(_LOCK, "has no lock of this log")
            return None
        try:
            checkpoint = open_checkpoint(locked.note, self._log).checkpoint
        except EvidenceError as error:
            self._problem(_LOCK, f"its checkpoint is damaged: {error.what}")
            return None
        if (checkpoint.size, checkpoint.root) != (locked.size, locked.root):
            self._problem(_LOCK, "contradicts its own checkpoint")
            return None
        return checkpoint

    def _kept_sizes(self, published: Checkpoint | None) -> list[int]:
        """Return the sizes of all kept checkpoints; of a server, those up to what it publishes."""
        most = MAX_NUMBER if self._store is not None else published.size if published is not None else -1
        sizes: list[int] = []
        while page := [size for size in self._source.kept(sizes[-1] if sizes else -1, _PAGE) if size <= most]:
            sizes += page
        return sizes

    def _check_tree(self, head: Checkpoint, head_path: str, progress: Progress | None) -> None:
        self.report.size, self.report.root = head.size, head.root
        wanted = [item.size for item in self._checkpoints.values()]
        check = TreeCheck(self._files, self._problem, head.size, head.root, store=self._store, wanted=wanted)
        if not check.run(progress):
            self._problem(head_path, "the entries do not have the root that it signs")
        for path, checkpoint in self._checkpoints.items():
            root = check.roots.get(checkpoint.size)
            if checkpoint.size > head.size:
                self._above(path, checkpoint)
            elif root is not None and root != checkpoint.root:
                self._problem(path, "the log's entries do not have the root that it signs")

    def _above(self, path: str, checkpoint: Checkpoint) -> None:
        """Judge a checkpoint beyond the one gone by: the log has grown since, or its lock was set back."""
        locked = self._lock() if self._lock is not None else None
        if self._lock is not None and (locked is None or locked.size < checkpoint.size):
            self._problem(path, f"{checkpoint.size} entries were published, but the lock knows fewer")
        else:
            self.report.unpublished.append(path)

    def _walk(self, store: ObjectStore) -> None:
        """Look at the name of every file there is."""
        for path in store.walk():
            if path == "checkpoint" or path in self._known_files or path in self._checkpoints:
                continue
            try:
                beyond = kept_size(path) < 0 if path.startswith(KEPT) else self._beyond(Tile.parse(path))
            except TileError:
                self._problem(path, "does not belong in a log")
                continue
            if beyond:
                self.report.unpublished.append(path)

    def _beyond(self, tile: Tile) -> bool:
        return tile.tree_size > self.report.size
