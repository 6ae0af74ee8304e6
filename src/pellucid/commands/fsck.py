"""Derive logs again from every tile and bundle there is, and say what is damaged.

HOME: the node's own log, its audit log and all its mirrors. URL or LOGDIR: one log, whose key you give.
Exit 0: everything fits. Exit 1: something is damaged, and each file is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.audit.trail import LOCK_FILE as AUDIT_LOCK
from pellucid.audit.trail import LOG_FOLDER as AUDIT_FOLDER
from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.jobs.home_logs import LOCK, logs_of
from pellucid.record.home import Home
from pellucid.record.settings import SETTINGS_FILE
from pellucid.storage.files import FileObjects
from pellucid.terminal import progress
from pellucid.tlog.fsck import FsckReport, fsck
from pellucid.tlog.note import Verifier
from pellucid.tlog.sources import FileTiles, HttpTiles, TileSource

EXAMPLES = """
  pellucid fsck vendor-home
  pellucid fsck http://127.0.0.1:8400 --key 'log.vendor.example/1+…'
  pellucid fsck ./copy-of-the-log --key 'log.vendor.example/1+…'
"""


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
    for log in logs_of(home):
        with progress(f"checking {log.verifier.name}", unit=" entries") as shown:
            yield str(log.folder), log.check(shown.reach)


def _checked(source: TileSource, log: Verifier, **options: Any) -> FsckReport:
    with progress(f"checking {log.name}", unit=" entries") as shown:
        return fsck(source, log, progress=shown.reach, **options)


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
    if path != LOCK:
        return f"{place.rstrip('/')}/{path}"
    return str(Path(place).with_name(AUDIT_LOCK if Path(place).name == AUDIT_FOLDER else LOCK))


def _finding(report: FsckReport) -> str:
    return f"{len(report.problems)} damaged" if report.problems else "all fit"
