"""Check what a node says it has recorded about somebody, and read the audit log of one's own node.

check: a proof file, offline, under the audit log's key. show and proof: on the home, also beside the running node.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pellucid.audit.events import EventType
from pellucid.audit.proof import MOST_BYTES, NOT_PROVEN, Proven, check_proof
from pellucid.audit.reading import SignedTrail
from pellucid.audit.trail import Recorded
from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.record.home import Home
from pellucid.statement.keys import Role
from pellucid.tlog.note import Verifier

EXAMPLES = """
  pellucid audit check record-1f0c3a52.json --key 'log.vendor.example/1/audit+…'
  pellucid audit check record.json --key 'log.vendor.example/1/audit+…' --witness 'log.center.example/1/witness+…'
  pellucid --home vendor-home audit show --type operator-session.opened
  pellucid --home vendor-home audit proof 1f0c3a52… -o record.json
"""
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_MOST_SHOWN = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|show|proof")
    check = actions.add_parser("check", help="check a proof file offline", description="Check a proof file, offline.")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--key", required=True, metavar="VKEY", help="the audit log's key, from the node's card")
    check.add_argument("--witness", action="append", default=[], metavar="VKEY", help="a witness you know; any number")
    show = actions.add_parser("show", help="the events of the home", description="Show events, newest first.")
    show.add_argument("--account", metavar="ID", help="only those that concern this pseudonym")
    show.add_argument("--type", action="append", default=[], metavar="TYPE", help="only of this type; any number")
    show.add_argument("--last", type=int, default=50, metavar="N", help="how many, newest first (default: 50)")
    proof = actions.add_parser("proof", help="the proof file of an account", description="Write a proof file.")
    proof.add_argument("account", metavar="ID", help="the pseudonym")
    proof.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def run(args: argparse.Namespace) -> Outcome:
    """Do what the action says."""
    if args.action == "check":
        return _check(args)
    home = Home.find(args.home)
    trail = SignedTrail(home.path, home.verifier(Role.AUDIT))
    return _show(trail, args) if args.action == "show" else _proof(trail, args)


def _check(args: argparse.Namespace) -> Outcome:
    log = Verifier.parse(args.key, where="--key")
    witnesses = [Verifier.parse(text, where="--witness") for text in args.witness]
    proven = check_proof(_read(args.file), log, witnesses, where=str(args.file))
    head = proven.checkpoint
    json = {
        "ok": True,
        "account": proven.account,
        "log": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "since": proven.since,
        "cosigned_by": [{"name": c.verifier.name, "at": _time(c.timestamp)} for c in proven.cosignatures],
        "events": [_event(event.index, event.entry.event) for event in proven.events],
        "not_proven": list(NOT_PROVEN),
    }
    return Outcome(json, "\n".join(_checked_lines(proven)))


def _checked_lines(proven: Proven) -> Iterable[str]:
    head = proven.checkpoint
    yield f"{head.origin}: {len(proven.events)} events of {proven.account} are in its head of {head.size} entries"
    for item in proven.cosignatures:
        yield f"  cosigned by {item.verifier.name} on {_time(item.timestamp)}"
    if not proven.cosignatures:
        yield "  cosigned by nobody whose key you gave with --witness"
    yield from (_line(event.index, event.entry.event) for event in proven.events)
    yield "not proven:"
    yield from (f"  - {text}" for text in NOT_PROVEN)


def _show(trail: SignedTrail, args: argparse.Namespace) -> Outcome:
    if not 1 <= args.last <= _MOST_SHOWN:
        raise InputError("is not a number from 1 to 100,000", where="--last")
    account = None if args.account is None else _account(args.account, "--account")
    found = trail.events(account=account, types=[_type(text) for text in args.type], last=args.last)
    json = {"size": trail.size, "events": [_event(item.index, item.event) for item in found]}
    return Outcome(json, "\n".join(_shown_lines(found)) or "nothing of that is recorded here")


def _shown_lines(found: Iterable[Recorded]) -> Iterable[str]:
    return (_line(item.index, item.event) for item in found)


def _proof(trail: SignedTrail, args: argparse.Namespace) -> Outcome:
    file = trail.proof(_account(args.account, "ID"))
    try:
        args.output.write_bytes(file.to_bytes())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(args.output)) from error
    path = str(args.output.absolute())
    json = {"account": file.account, "events": len(file.events), "file": path}
    return Outcome(json, f"{path}: {len(file.events)} events of {file.account}, each with its proof")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give the file that /account/record gave you"
        ) from error


def _account(text: str, where: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise InputError("is no pseudonym of 32 hexadecimal digits", where=where, remedy="see /account/record")
    return text


def _type(text: str) -> EventType:
    try:
        return EventType(text)
    except ValueError:
        known = ", ".join(item.value for item in EventType)
        raise InputError(f"there is no event {text[:60]!r}", where="--type", remedy=f"one of: {known}") from None


def _event(index: int, event: Any) -> Mapping[str, Any]:
    return {
        "index": index,
        "at": _time(event.at / 1000),
        "type": event.type.value,
        "actor": event.actor,
        "about": list(event.about),
        "target": event.target,
        "details": dict(event.details),
    }


def _line(index: int, event: Any) -> str:
    who = event.actor or "-"
    details = " ".join(f"{name}={value}" for name, value in event.details.items())
    return (
        f"{index:>8}  {_time(event.at / 1000)}  {event.type.value:<26} {who}  {event.target or '-'}  {details}".rstrip()
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
