"""The jobs of every node: check its logs, make its index again, collect the evidence about a digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from pellucid.errors import InputError
from pellucid.jobs.home_logs import logs_of
from pellucid.jobs.work import NoArguments, Work, job, step
from pellucid.record.home import Home
from pellucid.statement.digest import sha256_hex
from pellucid.storage.files import FileObjects

PACKS = "packs"
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Reindexing:
    """What makes the index anew: the running node, or whoever holds the home's lock."""

    rebuild: Callable[[], Mapping[str, str | None]]
    """Return what is wrong with each log, by its origin; None where it is indexed whole."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What collects evidence: by the home's `policy.toml`, telling on the way who is waited for."""

    pack: Callable[[str, Callable[[str], None]], bytes]


class PackArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an evidence pack is about: the SHA-256 of a file, in lower-case hexadecimal."""

    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", min_length=64, max_length=64)]


@step
def list_logs(work: Work) -> list[str]:
    """Return the folders of the home's logs, below the home."""
    home = Home.find(work.home)
    return [log.folder.relative_to(home.path).as_posix() for log in logs_of(home)]


@step
def check_log(work: Work, folder: str) -> dict[str, Any]:
    """Derive one log again from its files."""
    home = Home.find(work.home)
    log = next((log for log in logs_of(home) if log.folder.relative_to(home.path).as_posix() == folder), None)
    if log is None:
        raise InputError("the log was taken away while the job ran", where=folder, remedy="start the job again")

    def reached(done: int, total: int) -> None:
        work.progress(done, total, unit="entries", doing=log.verifier.name)

    report = log.check(reached)
    found = "all fit" if report.ok else f"{len(report.problems)} damaged"
    work.say(f"{report.origin}: {report.size} entries, {report.files_checked} files, {found}")
    problems = [{"path": item.path, "what": item.what} for item in report.problems[:_MOST_PROBLEMS]]
    for problem in problems:
        work.say(f"{report.origin}: {problem['path']}: {problem['what']}")
    return {"origin": report.origin, "folder": folder, "size": report.size, "root": report.root.hex(),
            "files_checked": report.files_checked, "damaged": len(report.problems), "problems": problems}  # fmt: skip


@job("check-logs", NoArguments, summary="derive every log of this node again from its files", offered=True)
def check_logs(work: Work, _: NoArguments) -> Mapping[str, Any]:
    """Check own log, audit log and mirrors, as `pellucid fsck` does; the answer is no if anything is damaged."""
    logs = [check_log(work, folder) for folder in list_logs(work)]
    return {"ok": not any(log["damaged"] for log in logs), "logs": logs}


@step
def rebuild_index(work: Work) -> dict[str, str | None]:
    """Make the index anew; done twice it is the same."""
    work.progress(0, doing="reading every entry")
    return dict(work.tool(Reindexing).rebuild())


@job("reindex", NoArguments, summary="make the index again from the logs", offered=True)
def reindex(work: Work, _: NoArguments) -> Mapping[str, Any]:
    """Make the index again, as `pellucid reindex` does; the answer is no if a log cannot be read to its end."""
    problems = rebuild_index(work)
    for origin, problem in problems.items():
        work.say(f"{origin}: {problem or 'indexed'}")
    return {"ok": not any(problems.values()), "logs": problems}


@step
def collect(work: Work, digest: str) -> dict[str, Any]:
    """Ask the nodes of the policy, and keep the pack in the home."""

    def tell(text: str) -> None:
        work.say(text)
        work.progress(0, doing="asking the nodes of the policy")

    work.progress(0, doing="asking the nodes of the policy")
    data = work.tool(Packing).pack(digest, tell)
    name = f"{digest}.evidence.json"
    FileObjects(work.home / PACKS).replace(name, data)
    return {"pack": f"{PACKS}/{name}", "bytes": len(data), "sha256": sha256_hex(data)}


@job("evidence-pack", PackArguments, summary="collect everything said about a digest in one file", offered=True)
def evidence_pack(work: Work, asked: PackArguments) -> Mapping[str, Any]:
    """Collect a pack, as `pellucid pack` does, by the policy in the home; its place is in the result."""
    found = collect(work, asked.digest)
    work.say(f"{found['pack']}: {found['bytes']:,} bytes, SHA-256 {found['sha256']}")
    return {"ok": True, **found}
