"""Write an acceptance policy from nodes' own published keys, or check one.

`init` takes each node's card, a file that the node exported or its address, and writes down how it was obtained.
Compare the fingerprints it prints with the nodes' operators over another way, aloud if you can. `check` reads a policy
as `verify` would and tells what it demands and tolerates.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.commands.verify import read_rules
from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.record.card import NodeCard, read_card
from pellucid.statement.moment import format_time
from pellucid.trust.policy import KeyUse, QuorumRule, duration_seconds
from pellucid.trust.policy_draft import DraftNode, PolicyDraft
from pellucid.trust.predicate import Custody
from pellucid.trust.verdict import NOT_COSIGNED, Rules

_CARD_LIMIT = 65_536

EXAMPLES = """
  pellucid policy init --node vendor.card.json --node https://center.example -o policy.toml
  pellucid policy init --node a.json --node b.json --node c.json --witnesses 2 --mirrors 1 --review 1 -o policy.toml
  pellucid policy check policy.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `init` and `check`."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="init|check")
    init = commands.add_parser("init", help="write a policy from nodes' cards", description="Write a policy.")
    init.add_argument("--node", action="append", required=True, metavar="CARD|URL", help="a card file or an address")
    init.add_argument("-o", "--output", type=Path, default=Path("policy.toml"), help="where to write it")
    init.add_argument("--witnesses", type=int, metavar="N", help="operators that must have seen each log")
    init.add_argument("--regions", type=int, default=0, metavar="N", help="regions that these must be in")
    init.add_argument("--mirrors", type=int, default=None, metavar="N", help="mirrors that must answer for each log")
    init.add_argument("--max-age", default="7d", metavar="DURATION", help="how old a head may be (90s, 15m, 24h, 7d)")
    init.add_argument("--review", type=int, default=0, metavar="N", help="reviewers that must have read the source")
    init.add_argument("--accreditor", action="append", metavar="NAME", help="whose accreditations count (all centers)")
    init.add_argument(
        "--custody",
        action="append",
        choices=[custody.value for custody in Custody],
        help="how keys must be kept to speak (default: in any way); may stand several times",
    )
    check = commands.add_parser("check", help="read a policy as `verify` would", description="Check a policy.")
    check.add_argument("policy", type=Path)


def run(args: argparse.Namespace) -> Outcome:
    """Write or check a policy."""
    return _init(args) if args.action == "init" else _check(args.policy)


def draft_policy(
    cards: Sequence[tuple[NodeCard, str]],
    *,
    quorum: QuorumRule,
    accreditors: Sequence[str],
    require: Mapping[str, Mapping[str, Any]],
    custody: Sequence[Custody] = (),
) -> str:
    """Return the TOML of a policy from checked cards, each with words on how it was obtained."""
    nodes = [
        DraftNode(
            name=card.name,
            role=card.card.role,
            region=card.card.region,
            operator=card.card.operator,
            obtained=obtained,
            keys={use: getattr(card.card, use.value) for use in KeyUse},
            url=card.card.url,
        )
        for card, obtained in cards
    ]
    return PolicyDraft(nodes, quorum, accreditors=accreditors, custody=custody, require=require).to_toml()


def _init(args: argparse.Namespace) -> Outcome:
    if args.output.exists():
        raise InputError("it is already there", where=str(args.output), remedy="write to another file with -o")
    cards = [_obtain(source) for source in args.node]
    centers = [card.name for card, _ in cards if card.card.role == "center"]
    require: dict[str, Mapping[str, Any]] = {"release": {"source": True}}
    if args.review:
        require["review"] = {"count": args.review, "max_debt_lines": 0}
    custody = [Custody(kept) for kept in dict.fromkeys(args.custody or ())]
    accreditors = args.accreditor or centers
    quorum = _quorum(args, cards)
    text = draft_policy(cards, quorum=quorum, accreditors=accreditors, require=require, custody=custody)
    args.output.write_text(text)
    rules = _rules_or_remove(args.output)
    nodes = [{"name": c.name, "fingerprint": c.fingerprint, "obtained": how} for c, how in cards]
    lines = [f"{args.output}: compare these fingerprints with each node's operator, over another way", ""]
    lines += [f"  {node['name']}\n    {node['fingerprint']}" for node in nodes]
    found = {"policy": str(args.output.absolute()), "nodes": nodes, "tolerates": _tolerates(rules)}
    return Outcome(found, "\n".join([*lines, "", *_demands(rules)]))


def _rules_or_remove(path: Path) -> Rules:
    """Read back what was written; a policy that cannot be used is not left behind."""
    try:
        return read_rules(path)
    except InputError:
        path.unlink()
        raise


def _check(path: Path) -> Outcome:
    rules = read_rules(path)
    policy = rules.policy
    found = {
        "policy": str(path.absolute()),
        "nodes": [
            {"name": n.name, "role": n.role, "region": n.region, "operator": n.operator, "obtained": n.obtained}
            for n in policy.node
        ],
        "parties": [{"name": p.name, "roles": [role.value for role in p.roles]} for p in policy.party],
        "custody": [custody.value for custody in policy.custody],
        "require": {name: dict(table) for name, table in policy.require.items()},
        "tolerates": _tolerates(rules),
    }
    return Outcome(found, "\n".join([f"{path}: usable", *_demands(rules)]))


def _obtain(source: str) -> tuple[NodeCard, str]:
    now = format_time(int(time.time()))
    if source.startswith(("http://", "https://")):
        from pellucid.record.client import NodeClient  # noqa: PLC0415 - only an address needs the network

        card = NodeClient(source).card()
        return card, f"fetched from {source} on {now}, fingerprint {card.fingerprint}"
    path = Path(source)
    try:
        with path.open("rb") as file:
            card = read_card(file.read(_CARD_LIMIT), where=source)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=source, remedy="give a card file or URL") from error
    return card, f"read from the file {path.name} on {now}, fingerprint {card.fingerprint}"


def _quorum(args: argparse.Namespace, cards: Sequence[tuple[NodeCard, str]]) -> QuorumRule:
    """Return what was asked for; without a word, the majority of the centers that are other than a center's own."""
    centers = len({card.card.operator for card, _ in cards if card.card.role == "center"})
    witnesses = args.witnesses if args.witnesses is not None else max(0, (centers - 1) // 2 + 1 if centers > 1 else 0)
    duration_seconds(args.max_age)
    mirrors = args.mirrors if args.mirrors is not None else min(1, witnesses)
    return QuorumRule(witnesses=witnesses, regions=args.regions, mirrors=mirrors, max_age=args.max_age)


def _tolerates(rules: Rules) -> dict[str, dict[str, int]]:
    found = {}
    for origin in rules.keyring.logs:
        tolerance = rules.keyring.quorum(origin).tolerates()
        found[origin] = {"outages": tolerance.outages, "colluders": tolerance.colluders}
    return found


def _demands(rules: Rules) -> list[str]:
    quorum = rules.policy.quorum
    lines = [f"  {quorum.witnesses} operators must have seen each log" if quorum.witnesses else f"  {NOT_COSIGNED}"]
    for origin, tolerance in _tolerates(rules).items():
        reachable = "" if rules.keyring.quorum(origin).reachable else "; its quorum CANNOT be reached by these nodes"
        lines.append(
            f"  {origin}: {tolerance['outages']} may be out of reach, {tolerance['colluders']} may lie{reachable}"
        )
    kept = rules.policy.custody
    lines += [f"  keys must be kept in: {', '.join(kept)}"] if len(kept) < len(Custody) else []
    return [*lines, f"  required: {', '.join(rules.policy.require)}"]
