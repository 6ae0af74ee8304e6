"""Say whether a file meets your policy, from an evidence pack alone: no network, no account, no database.

Exit 0: it meets the policy. Exit 1: it does not, and each requirement says why. Exit 2: the input cannot be used.
"""

from __future__ import annotations

import argparse
import gc
import time
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.record.predicate import NODE_KINDS
from pellucid.statement.digest import sha256_file
from pellucid.statement.moment import parse_time
from pellucid.toml_file import LIMIT
from pellucid.trust.evidence import Clock
from pellucid.trust.keyring import read_keyring
from pellucid.trust.pack import PACK_LIMIT
from pellucid.trust.policy import parse_policy
from pellucid.trust.verdict import Answer, Rules, Verdict, check_requirements, decide

if TYPE_CHECKING:
    from pellucid.trust.requirement import Recomputed

EXAMPLES = """
  pellucid verify scanner.tar.gz --pack scanner.evidence.json --policy policy.toml
  pellucid verify scanner.tar.gz --pack scanner.evidence.json --policy policy.toml --source ./scanner-4.2
  pellucid verify scanner.tar.gz --pack scanner.evidence.json --policy policy.toml --at 2027-01-01 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `verify`."""
    parser.add_argument("file", type=Path, help="the file as you received it")
    parser.add_argument("--pack", type=Path, required=True, help="its evidence pack, X.evidence.json")
    parser.add_argument("--policy", type=Path, required=True, help="your acceptance policy, P.toml")
    parser.add_argument("--at", metavar="TIME", help="judge as of this moment (default: now)")
    parser.add_argument(
        "--source",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="your own copy of the source, a directory or archive, to recompute its tree id; give the base of a delta "
        "too and the delta is recomputed",
    )


def run(args: argparse.Namespace) -> Outcome:
    """Judge the file."""
    gc.freeze()  # to look through everything imported once more, at exit, would take longer than the verdict
    now = int(time.time())
    moment = now if args.at is None else parse_time(args.at, where="--at")
    rules = read_rules(args.policy)
    sha256 = sha256_file(args.file)
    recomputed = recompute(args.source) if args.source else None
    pack, clock = _read(args.pack, PACK_LIMIT), Clock(moment, now)
    verdict = decide(pack, sha256, rules, clock, recomputed, where=str(args.pack))
    code = 0 if verdict.answer is Answer.MEETS else 1
    found = verdict.as_json()
    found["subject"]["file"] = str(args.file.absolute())
    return Outcome(found, in_words(verdict, args.file, args.policy), code)


def read_rules(path: Path) -> Rules:
    """Read a policy with its keys and requirements; raises InputError at the place of what cannot be used."""
    data = _read(path, LIMIT)
    policy = parse_policy(data, where=str(path))
    check_requirements(policy, REQUIREMENTS, data.decode(), where=str(path))
    return Rules(policy, read_keyring(policy), PREDICATES, NODE_KINDS, REQUIREMENTS)


def recompute(sources: list[Path]) -> Recomputed:
    """Return the tree ids of the sources given, and the deltas between each two of them."""
    from pellucid.source.delta import measure_between  # noqa: PLC0415 - only --source needs it
    from pellucid.trust.requirement import Recomputed  # noqa: PLC0415
    from pellucid.unpack import TreeSource, identify  # noqa: PLC0415

    found = {tree.sha256: (TreeSource(path), tree) for path in sources if (tree := identify(path))}
    deltas = {
        (base, target): measure_between(*found[base], *found[target]).predicate()
        for base, target in permutations(found, 2)
    }
    return Recomputed(frozenset(found), deltas)


def in_words(verdict: Verdict, file: Path, policy: Path) -> str:
    """Return the verdict as a person reads it in a terminal."""
    found = verdict.as_json()
    lines = [f"{found['verdict']}  {file}", f"  sha256 {verdict.sha256}", f"  policy {policy}"]
    lines += [f"  as of  {found['as_of']}", ""]
    width = max(len(result.name) for result in verdict.results)
    for r in verdict.results:
        why = r.why.replace("; ", f"\n{' ' * (width + 11)}")
        lines.append(f"  {'met  ' if r.met else 'UNMET'}  {r.name:<{width}}  {why}")
    seen: dict[str, list[str]] = {}
    for cosignature in verdict.cosigned_by:
        seen.setdefault(cosignature["log"], []).append(f"{cosignature['name']} ({cosignature['region']})")
    lines += ["", "cosigned by"] if seen else []
    lines += [f"  {log}: {', '.join(names)}" for log, names in seen.items()]
    outages, colluders = verdict.tolerates
    lines += ["", f"operators that may be out of reach: {outages}; that may collude with a log: {colluders}"]
    lines += ["", "not proven"] + [f"  {text}" for text in verdict.not_proven]
    return "\n".join(lines)


def _read(path: Path, limit: int) -> bytes:
    """Return the file, and no more than one byte above the limit that its reader sets."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give a file that exists and that you may read"
        ) from error
