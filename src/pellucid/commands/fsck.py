"""Derive logs again from every tile and bundle there is, and say what is damaged.

HOME: the node's own log and all its mirrors. URL or LOGDIR: one log, whose key you give.
Exit 0: everything fits. Exit 1: something is damaged, and each file is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.record.home import Home
from pellucid.record.settings import SETTINGS_FILE
from pellucid.statement.keys import Role
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import read_lock
from pellucid.terminal import progress
from pellucid.tlog.fsck import FsckReport, fsck
from pellucid.tlog.note import Verifier
from pellucid.tlog.sources import FileTiles, HttpTiles, TileSource

EXAMPLES = """
  pellucid fsck vendor-home
  pellucid fsck http://127.0.0.1:8400 --key 'log.vendor.example/1+…'
  pellucid fsck ./copy-of-the-log --key 'log.vendor.example/1+…'
"""
_LOCK = "log.db"
_ORIGIN = "origin.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="?", metavar="HOME|URL|LOGDIR", help="default: the home")
    parser.add_argument("--key", metavar="VKEY", help="the log's key, for a URL or LOGDIR")


def run(args: argparse.Namespace) -> Outcome:
    """Check all of it."""
    what = args.what or str(args.home)
    reports = [(place, report) for place, report in _reports(what, args.key)]
    problems = [
        {"log": r.origin, "path": _path(place, p.path), "what": p.what} for place, r in reports for p in r.problems
    ]
    json = {"ok": not problems, "logs": [_described(place, report) for place, report in reports], "problems": problems}
    lines = [f"{r.origin}: {r.size} entries, {r.files_checked} files, {_finding(r)}" for _, r in reports]
    lines += [f"  {problem['path']}: {problem['what']}" for problem in problems]
    lines = lines or ["nothing is logged here yet"]
    return Outcome(json, "\n".join(lines), 1 if problems else 0)


def _reports(what: str, key: str | None) -> Iterator[tuple[str, FsckReport]]:
    if (Path(what) / SETTINGS_FILE).is_file():
        if key is not None:
            raise InputError("a home knows its logs' keys", where="--key", remedy="leave --key out")
        yield from _of_home(Home.find(Path(what)))
        return
    if key is None:
        raise InputError(
            "is no home of a node, and --key is missing",
            where=what[:200],
            remedy="name a node's home, or give the log's key with --key (see `pellucid key list` of its node)",
        )
    log = Verifier.parse(key, where="--key")
    if what.startswith(("http://", "https://")):
        yield what, _checked(HttpTiles(what, log.name), log)
    elif Path(what).is_dir():
        folder = Path(what).absolute()
        yield str(folder), _checked(FileTiles(FileObjects(folder)), log)
    else:
        raise InputError("is no directory or URL", where=what[:200], remedy="name a home, a log's folder or a URL")


def _of_home(home: Home) -> Iterator[tuple[str, FsckReport]]:
    cosigners = [c.verifier for role in (Role.WITNESS, Role.MIRROR) for c in home.cosigners(role)]
    own = home.verifier(Role.LOG)
    if not _is_empty(home.log_folder) or (home.path / _LOCK).exists():
        lock = partial(read_lock, home.path / _LOCK, own.name)
        tiles = FileTiles(FileObjects(home.log_folder))
        yield str(home.log_folder), _checked(tiles, own, lock=lock, cosigners=cosigners)
    for log_id, verifier in home.mirrored().items():
        folder = home.mirror_folder(log_id)
        if not _is_empty(folder):
            tiles = FileTiles(FileObjects(folder))
            yield str(folder), _checked(tiles, verifier, cosigners=cosigners, known_files={_ORIGIN}, is_mirror=True)


def _checked(source: TileSource, log: Verifier, **options: Any) -> FsckReport:
    with progress(f"checking {log.name}", unit=" entries") as shown:
        return fsck(source, log, progress=shown.reach, **options)


def _is_empty(folder: Path) -> bool:
    return not any(name != _ORIGIN for name in FileObjects(folder).children(""))


def _described(place: str, report: FsckReport) -> dict[str, Any]:
    return {
        "origin": report.origin,
        "where": place,
        "size": report.size,
        "root": report.root.hex(),
        "files_checked": report.files_checked,
        "problems": len(report.problems),
    }


def _path(place: str, path: str) -> str:
    return str(Path(place).parent / _LOCK) if path == _LOCK else f"{place.rstrip('/')}/{path}"


def _finding(report: FsckReport) -> str:
    return f"{len(report.problems)} damaged" if report.problems else "all fit"
