"""The logs that a home holds - its own, its audit log, its mirrors - and how each is derived again from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.audit.events import Entry
from pellucid.audit.trail import LOCK_FILE as AUDIT_LOCK
from pellucid.audit.trail import LOG_FOLDER as AUDIT_FOLDER
from pellucid.errors import EvidenceError
from pellucid.record.home import Home
from pellucid.statement.keys import Role
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import read_lock
from pellucid.tlog.fsck import FsckReport, Problem, fsck
from pellucid.tlog.note import Verifier
from pellucid.tlog.reader import TreeView
from pellucid.tlog.sources import FileTiles, TileSource

LOCK = "log.db"
_ORIGIN = "origin.json"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class HomeLog:
    """One log of a home in `folder`; `role` is None for a mirror."""

    folder: Path
    role: Role | None
    verifier: Verifier
    options: dict[str, Any]

    def check(self, progress: Progress | None = None) -> FsckReport:
        """Derive the log again; see `fsck`. Entries of an audit log also have to be events."""
        tiles = FileTiles(FileObjects(self.folder))
        report = fsck(tiles, self.verifier, progress=progress, **self.options)
        if self.role is Role.AUDIT and report.ok:
            report.problems += _no_events(tiles, report)
        return report


def logs_of(home: Home) -> Iterator[HomeLog]:
    """Yield the logs of a home that have begun, its own first."""
    cosigners = [c.verifier for role in (Role.WITNESS, Role.MIRROR) for c in home.cosigners(role)]
    for role, folder, file in ((Role.LOG, home.log_folder, LOCK), (Role.AUDIT, home.path / AUDIT_FOLDER, AUDIT_LOCK)):
        if not _is_empty(folder) or (home.path / file).exists():
            log = home.verifier(role)
            lock = partial(read_lock, home.path / file, log.name)
            yield HomeLog(folder, role, log, {"lock": lock, "cosigners": cosigners})
    for log_id, verifier in home.mirrored().items():
        folder = home.mirror_folder(log_id)
        if not _is_empty(folder):
            options = {"cosigners": cosigners, "known_files": {_ORIGIN}, "is_mirror": True}
            yield HomeLog(folder, None, verifier, options)


def _no_events(source: TileSource, report: FsckReport) -> list[Problem]:
    """Return the entries of an audit log, whose tree is in order, that are no events."""
    problems = []
    for index, data in enumerate(TreeView(source, report.size, report.root).entries(0, report.size)):
        try:
            Entry.parse(data, where=f"entry {index}")
        except EvidenceError as error:
            problems.append(Problem(f"entry {index}", error.what))
    return problems


def _is_empty(folder: Path) -> bool:
    return not any(name != _ORIGIN for name in FileObjects(folder).children(""))
