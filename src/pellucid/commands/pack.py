"""Collect everything that the logs of your policy say about a file, with proofs, in one file to check offline.

The policy says which nodes to ask and how many mirrors must answer that nothing is left out. Whoever is down or lags is
waited for a little, then told and left out; the pack is judged once before it is written, and the verdict is shown.
"""

from __future__ import annotations

import argparse
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pellucid.commands.verify import read_rules
from pellucid.desk import Outcome
from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.packing import Bounds, build_pack, tlog_proofs
from pellucid.statement.canonical import parse_json
from pellucid.statement.commitment import Opening
from pellucid.statement.digest import is_sha256, sha256_file
from pellucid.statement.dsse import Envelope
from pellucid.statement.predicate import parse_statement
from pellucid.statement.reference import file_ref
from pellucid.terminal import say
from pellucid.trust.evidence import Clock
from pellucid.trust.verdict import Rules, Verdict, decide

if TYPE_CHECKING:
    from pellucid.trust.pack import Pack

EXAMPLES = """
  pellucid pack scanner.tar.gz --policy policy.toml
  pellucid pack 9f86…64 hex digits… --policy policy.toml -o scanner.evidence.json
  pellucid pack scanner.tar.gz --policy policy.toml --format tlog-proof -o proofs
"""
_OPENING_LIMIT = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE|DIGEST", help="the file, or its SHA-256")
    parser.add_argument("--policy", type=Path, required=True, metavar="P.toml", help="whose logs and mirrors to ask")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="X", help="default: FILE.evidence.json; with tlog-proof, a folder"
    )
    parser.add_argument("--format", choices=["pack", "tlog-proof"], default="pack", help="default: pack")
    parser.add_argument(
        "--opening", type=Path, action="append", default=[], metavar="FILE", help="show these fields of a commitment"
    )
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="S", help="how long mirrors may take to catch up (default 30)"
    )


def run(args: argparse.Namespace) -> Outcome:
    """Make the pack, or the proofs."""
    rules = read_rules(args.policy)
    sha256 = _digest(args.file)
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        say(text)

    openings = [_opening(path) for path in args.opening]
    bounds = Bounds(wait=max(0.0, args.wait))
    pack = build_pack(sha256, rules.policy, rules.predicates, tell=tell, openings=openings, bounds=bounds)
    data, verdict = judge(pack, rules)
    if args.format == "tlog-proof":
        return _proofs(pack, rules, args.output or Path(f"{_name(args.file)}.tlog-proofs"))
    output = (args.output or Path(f"{_name(args.file)}.evidence.json")).absolute()
    write(output, data)
    found = {
        "pack": str(output),
        "subject": {"sha256": sha256},
        "bytes": len(data),
        "statements": sum(len(log.statements) for log in pack.logs),
        "logs": [log.origin for log in pack.logs],
        "told": told,
        "verdict": verdict.as_json(),
    }
    return Outcome(
        found, "\n".join([f"{output}: {found['statements']} statements, {len(data):,} bytes", *words(verdict)])
    )


def judge(pack: Pack, rules: Rules) -> tuple[bytes, Verdict]:
    """Return a pack's bytes and what they would answer now; EvidenceError if they would not hold."""
    data = pack.to_bytes()
    now = int(time.time())
    verdict = decide(data, pack.subject.sha256, rules, Clock(now, now))
    broken = next((r for r in verdict.results if r.name == "evidence" and not r.met), None)
    if broken is not None:
        raise EvidenceError(f"what the nodes show does not hold: {broken.why}", remedy="nothing was written")
    return data, verdict


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of what was there."""
    if not path.parent.is_dir():
        raise InputError("its folder does not exist", where=str(path), remedy="make it, or name another with -o")
    aside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        aside.unlink(missing_ok=True)


def words(verdict: Verdict) -> Sequence[str]:
    """Return the verdict in a few lines."""
    unmet = [f"  UNMET  {result.name}: {result.why}" for result in verdict.results if not result.met]
    return [f"judged by this policy now: {verdict.answer.value}", *unmet]


def _proofs(pack: Pack, rules: Rules, folder: Path) -> Outcome:
    subject = file_ref(pack.subject.sha256)

    def is_about(envelope: Envelope) -> bool:
        return subject in parse_statement(envelope, rules.predicates).concerns

    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    proofs: list[dict[str, Any]] = []
    for logged in tlog_proofs(pack, is_about):
        name = f"{logged.log.replace('/', '_')}.{logged.index}"
        write(folder / f"{name}.tlog-proof", logged.proof.to_bytes())
        write(folder / f"{name}.entry", logged.envelope.to_bytes())
        proofs.append(
            {
                "log": logged.log,
                "index": logged.index,
                "statement": logged.envelope.id,
                "proof": str(folder / f"{name}.tlog-proof"),
                "entry": str(folder / f"{name}.entry"),
            }
        )
    lines = [f"{proof['proof']}: entry {proof['index']} of {proof['log']}" for proof in proofs]
    text = "\n".join(lines or ["no log of the policy holds a statement about this file"])
    return Outcome({"subject": {"sha256": pack.subject.sha256}, "proofs": proofs}, text, 0 if proofs else 1)


def _digest(text: str) -> str:
    digest = text.removeprefix("sha256:")
    return digest if is_sha256(digest) and not Path(text).exists() else sha256_file(Path(text))


def _name(text: str) -> str:
    return text if Path(text).exists() else text.removeprefix("sha256:")[:16]


def _opening(path: Path) -> Opening:
    try:
        with path.open("rb") as file:
            data = file.read(_OPENING_LIMIT + 1)
        return msgspec.convert(parse_json(data, where=str(path), limit=_OPENING_LIMIT), Opening)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give an opening's file"
        ) from error
    except msgspec.ValidationError as error:
        raise InputError(
            f"no opening of a commitment: {error}", where=str(path), remedy="give the file as it was kept"
        ) from None
