"""Follow the logs of your policy, and tell what is new, missing, doubled, inconsistent, stale or out of reach.

What was seen is remembered in a file, so that a log that shrinks or rewrites itself is found at the next pass. Signed
proof of an alarm is kept beside it. With --notify the operators of the node in --home are told of each new alarm, as
they wish to be told. Exit 0: nothing alarming. Exit 1: an alarm. Exit 3: nobody answers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pellucid.capabilities import PREDICATES
from pellucid.commands.verify import read_rules
from pellucid.desk import Outcome
from pellucid.errors import InputError, UnavailableError
from pellucid.record.home import Home
from pellucid.record.monitor import Monitor, Notice, Pass, evidence_files
from pellucid.record.monitor_state import Judged, MonitorState, load_state, save_state
from pellucid.record.sources import Nodes
from pellucid.release.predicate import RELEASE
from pellucid.release.requirement import doubled
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import parse_statement
from pellucid.terminal import say
from pellucid.trust.authority import Authority
from pellucid.trust.evidence import signers_of
from pellucid.trust.policy import duration_seconds
from pellucid.trust.predicate import PARTY
from pellucid.trust.requirement import Case
from pellucid.trust.testimony import Place, Testimony
from pellucid.trust.verdict import Rules

Told = Callable[[Sequence[Notice]], object]

EXAMPLES = """
  pellucid monitor --policy policy.toml
  pellucid monitor --policy policy.toml --state seen.json --every 60s
  pellucid --home center monitor --policy policy.toml --every 15m --notify
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--policy", type=Path, required=True, metavar="P.toml", help="whose logs to follow")
    parser.add_argument(
        "--state", type=Path, default=Path("monitor.json"), metavar="FILE", help="what was seen (default monitor.json)"
    )
    parser.add_argument("--every", metavar="T", help="go on, with a pass every 60s, 15m, 24h, … until Ctrl-C")
    parser.add_argument("--notify", action="store_true", help="post new alarms in the outbox of the node in --home")


def run(args: argparse.Namespace) -> Outcome:
    """Make one pass, or one after another."""
    rules = read_rules(args.policy)
    state = args.state.absolute()
    if not state.parent.is_dir():
        raise InputError("its folder does not exist", where=str(state), remedy="make it, or name another --state")
    told = _outbox(args.home, state) if args.notify else None
    if args.every is None:
        return _outcome(_pass(rules, state, told), state)
    seconds = duration_seconds(args.every)
    if args.json:
        raise InputError("--json gives one document, not one for each pass", remedy="leave --every out, use a timer")
    last: Outcome | None = None
    try:
        for last in _passes(rules, state, seconds, told):
            say(last.text)
    except KeyboardInterrupt:
        pass
    return Outcome(last.json, "", last.exit_code) if last else Outcome({}, "no pass was made", 0)


def _passes(rules: Rules, state: Path, seconds: int, told: Told | None) -> Iterator[Outcome]:
    while True:
        try:
            yield _outcome(_pass(rules, state, told), state)
        except UnavailableError as error:
            say(f"{error}; trying again in {seconds} s")
        time.sleep(seconds)


def _outbox(home: Path, state: Path) -> Told:
    """Return what posts alarms in the outbox of a home; found missing before anything is looked at."""
    from pellucid.site.database import prepare  # noqa: PLC0415 - the light install has no outbox

    path = Home.find(home).path
    prepare(path)
    from pellucid.outbox.portal.monitoring import tell  # noqa: PLC0415 - after the settings of Django

    return lambda alarms: tell(str(state), alarms)


def _pass(rules: Rules, state: Path, told: Told | None = None) -> Pass:
    before = load_state(state)
    nodes = Nodes(rules.policy, rules.keyring)
    try:
        monitor = Monitor(rules.policy, nodes, PREDICATES, lambda judged: _doubled(rules, judged))
        found, after = monitor.look(before or MonitorState())
    finally:
        nodes.close()
    for name, note in evidence_files(found).items():
        folder = _evidence_folder(state)
        try:
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(note)
        except OSError as error:
            raise UnavailableError(f"evidence cannot be kept: {error.strerror}", where=str(folder)) from error
    if told is not None:
        told(found.alarms)
    save_state(state, after)
    return found


def _doubled(rules: Rules, judged: Sequence[Judged]) -> Iterator[tuple[Judged, str]]:
    """Yield every release that another live release shares a place with, by the judgement that `verify` makes."""
    now = int(time.time())
    case = Case("", now, testimonies := _testimonies(rules, judged, now), Authority(
        rules.policy, rules.keyring.parties, testimonies
    ))  # fmt: skip
    by_id = {item.id: item for item in judged}
    for testimony in testimonies:
        if testimony.is_a(RELEASE):
            for words, claims in doubled(case, testimony):
                if testimony.id in {claim.id for claim in claims}:
                    yield by_id[testimony.id], f"one of {len(claims)} live releases of {words}; there may be one"


def _testimonies(rules: Rules, judged: Sequence[Judged], now: int) -> Sequence[Testimony]:
    """Return the statements with their signers, as logged now: who was revoked before does not count."""
    parsed = [(item, parse_statement(Envelope.parse(item.envelope.encode()), PREDICATES)) for item in judged]
    accredited = [p.predicate.spki for _, p in parsed if p.kind is not None and p.kind.uri == PARTY.uri]
    keys = [PublicKey.from_base64(text) for text in accredited if text is not None]
    known = {**rules.keyring.party_keys, **{key.id: key for key in keys}}
    found: dict[str, Testimony] = {}
    for item, statement in parsed:
        signers = signers_of(statement.envelope, known)
        before = found.get(statement.id)
        merged = signers | (before.signers if before else frozenset())
        found[statement.id] = Testimony(statement, merged, (Place(item.log, item.index, now),))
    return [testimony for testimony in found.values() if testimony.signers]


def _outcome(found: Pass, state: Path) -> Outcome:
    lines = [f"{seen.log}: {seen.size} entries, {_since(seen.before, seen.size)}" for seen in found.seen]
    lines += [_line(notice.kind.value, notice.log, notice.what, notice.alarming) for notice in found.notices]
    unshown = found.new - sum(notice.kind.value == "new" for notice in found.notices)
    lines += [f"  and {unshown} more new entries"] if unshown > 0 else []
    alarms = len(found.alarms)
    folder = str(_evidence_folder(state)) if evidence_files(found) else None
    lines.append(f"{alarms} alarms" if alarms else "nothing alarming")
    lines += [f"signed evidence: {folder}"] if folder else []
    json = {**found.as_json(), "state": str(state), "evidence": folder}
    return Outcome(json, "\n".join(lines), 1 if alarms else 0)


def _since(before: int | None, size: int) -> str:
    return "seen for the first time" if before is None else f"{max(0, size - before)} new"


def _line(kind: str, log: str, what: str, alarming: bool) -> str:
    return f"  {'ALARM ' if alarming else ''}{kind}  {log}: {what}"


def _evidence_folder(state: Path) -> Path:
    return state.with_name(f"{state.name}.evidence")
