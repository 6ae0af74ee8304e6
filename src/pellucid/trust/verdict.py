"""The verdict: one policy, one pack, one file, one moment; always the same answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import NotJsonError
from pellucid.statement.moment import format_time
from pellucid.statement.predicate import Registry
from pellucid.statement.reference import file_ref
from pellucid.toml_file import TomlError, field_error
from pellucid.trust.authority import Authority
from pellucid.trust.completeness import LogCompleteness, judge_completeness
from pellucid.trust.evidence import Clock, Evidence, examine
from pellucid.trust.keyring import Keyring
from pellucid.trust.pack import NOT_PROVEN, Pack, PackError
from pellucid.trust.policy import Policy
from pellucid.trust.requirement import Case, Recomputed, Requirements, Result

NOTHING_WITHHELD = "nothing withheld"
NOT_COSIGNED = "not cosigned by anyone independent"
NEWEST = "that the logs shown are their newest: the policy asks no witness"
UNKNOWN_KINDS = "what {count} logged statements about it say, of kinds that this program does not know"
ONE_VIEW = "that everybody is shown the same log: two quorums need not share an operator"


class Answer(StrEnum):
    """Whether the file meets the policy."""

    MEETS = "meets-policy"
    FAILS = "fails-policy"


class Rules(msgspec.Struct, frozen=True):
    """What a verifier goes by: its policy, the keys read, the predicates and requirements that this program knows."""

    policy: Policy
    keyring: Keyring
    predicates: Registry
    node_kinds: Registry
    requirements: Requirements


class Verdict(msgspec.Struct, frozen=True):
    """The answer with everything it rests on; `as_json` is the outer contract."""

    sha256: str
    as_of: int
    results: tuple[Result, ...]
    cosigned_by: tuple[dict[str, Any], ...] = ()
    completeness: tuple[dict[str, Any], ...] = ()
    tolerates: tuple[int, int] = (0, 0)
    not_proven: tuple[str, ...] = NOT_PROVEN

    @property
    def answer(self) -> Answer:
        """`meets-policy` when every requirement is met."""
        return Answer.MEETS if all(result.met for result in self.results) else Answer.FAILS

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as the outer contract has it."""
        return {
            "verdict": self.answer.value,
            "as_of": format_time(self.as_of),
            "subject": {"sha256": self.sha256},
            "requirements": [
                {"name": r.name, "met": r.met, "why": r.why, "evidence": list(r.evidence)} for r in self.results
            ],
            "cosigned_by": list(self.cosigned_by),
            "completeness": list(self.completeness),
            "tolerates": {"outages": self.tolerates[0], "colluders": self.tolerates[1]},
            "not_proven": list(self.not_proven),
        }


def decide(
    data: bytes, sha256: str, rules: Rules, clock: Clock, recomputed: Recomputed | None = None, *, where: str = "pack"
) -> Verdict:
    """Judge the file with the digest `sha256` by the pack `data`, which errors call `where`.

    Damaged and forged evidence fails the requirement `evidence`; only bytes that are no JSON at all raise NotJsonError.
    """
    try:
        pack = Pack.parse(data, where=where)
    except NotJsonError:
        raise
    except EvidenceError as error:
        return _unusable(sha256, rules, clock, error)
    try:
        if pack.subject.sha256 != sha256:
            what = f"the pack is about the SHA-256 {pack.subject.sha256}"
            raise PackError(f"{what}: this is another file, or it was changed on its way")
        evidence = examine(pack, rules.policy, rules.keyring, rules.predicates, clock)
        kinds = rules.node_kinds
        completeness = judge_completeness(pack, evidence, rules.keyring, kinds, file_ref(sha256))
    except EvidenceError as error:
        return _unusable(sha256, rules, clock, error)
    case = Case(sha256, clock.at, evidence.testimonies, _authority(rules, evidence, clock.at), recomputed)
    results = (
        Result("evidence", met=True, why="every signature and proof in the pack holds"),
        _logged(case),
        _cosigned(evidence),
        _complete(rules.policy, completeness),
        *_required(case, rules),
    )
    return _verdict(case, results, rules, evidence, completeness)


def _unusable(sha256: str, rules: Rules, clock: Clock, error: EvidenceError) -> Verdict:
    results = (Result("evidence", met=False, why=str(error)),)
    return Verdict(sha256, clock.at, results, tolerates=_tolerates(rules))


def _tolerates(rules: Rules) -> tuple[int, int]:
    """Return what the weakest quorum outlasts, outages and colluders; nothing where one cannot be reached at all."""
    quorums = [rules.keyring.quorum(origin) for origin in rules.keyring.logs]
    if not all(quorum.reachable for quorum in quorums):
        return 0, 0
    tolerances = [quorum.tolerates() for quorum in quorums]
    return min((t.outages for t in tolerances), default=0), min((t.colluders for t in tolerances), default=0)


def check_requirements(policy: Policy, requirements: Requirements, text: str, *, where: str) -> None:
    """Raise TomlError at the line of a `[require.*]` table or field that this program does not know."""
    for name, table in policy.require.items():
        kind = requirements.get(name)
        if kind is None:
            raise field_error(f"Object contains unknown field `{name}` - at `$`", text, where, under=("require",))
        try:
            msgspec.convert(table, kind.model)
        except msgspec.ValidationError as error:
            raise field_error(str(error), text, where, under=("require", name)) from None
    if not policy.require:
        raise TomlError("it requires nothing", where=where, remedy="add a [require.release] table")


def _authority(rules: Rules, evidence: Evidence, moment: int) -> Authority:
    return Authority(rules.policy, rules.keyring.parties, evidence.testimonies, moment)


def _logged(case: Case) -> Result:
    about = [t for t in case.testimonies if t.concerns(case.file) and t.logged_at <= case.moment]
    if not about:
        return Result("logged", met=False, why="no log of the policy holds a statement about this file")
    first = min(t.logged_at for t in about)
    count = "one statement about this file is" if len(about) == 1 else f"{len(about)} statements about this file are"
    why = f"{count} logged, the first by {format_time(first)}"
    return Result("logged", met=True, why=why, evidence=tuple(t.id for t in about))


def _cosigned(evidence: Evidence) -> Result:
    problems = []
    for log in evidence.logs.values():
        problems += [f"{log.origin}: {reason}" for reason in (*log.standing.reasons, *filter(None, [log.stale]))]
        if not log.quorum.reachable and not log.standing.reasons:
            problems.append(f"{log.origin}: its quorum cannot be reached by the nodes of the policy")
    if problems:
        return Result("cosigned", met=False, why="; ".join(problems))
    required = max((log.quorum.required for log in evidence.logs.values()), default=0)
    why = f"each log was seen by {required} or more operators other than its own" if required else NOT_COSIGNED
    return Result("cosigned", met=True, why=why)


def _complete(policy: Policy, completeness: Sequence[LogCompleteness]) -> Result:
    withheld = [f"entry {index} of {log.log} ({found[:16]})" for log in completeness for index, found in log.withheld]
    if withheld:
        why = f"the pack leaves out {', '.join(withheld)}, which a mirror names"
        return Result("completeness", met=False, why=why)
    wanted = policy.quorum.mirrors
    short = [log.log for log in completeness if len(log.operators()) < wanted]
    if short:
        why = f"fewer than {wanted} independent mirrors say that nothing is left out of {', '.join(short)}"
        return Result("completeness", met=False, why=why)
    why = f"{wanted} or more independent mirrors of each log say so" if wanted else "the policy asks no mirror"
    return Result("completeness", met=True, why=why)


def _required(case: Case, rules: Rules) -> Iterator[Result]:
    unasked = {name: kind.unasked for name, kind in rules.requirements.items() if kind.unasked is not None}
    tables = {**unasked, **rules.policy.require}
    if case.recomputed is not None:
        tables |= {name: {} for name, kind in rules.requirements.items() if kind.on_own_copy and name not in tables}
    for name, table in tables.items():
        kind = rules.requirements[name]
        yield from kind.decide(case, msgspec.convert(table, kind.model))


def _verdict(
    case: Case,
    results: tuple[Result, ...],
    rules: Rules,
    evidence: Evidence,
    completeness: Sequence[LogCompleteness],
) -> Verdict:
    enough = max(1, rules.policy.quorum.mirrors)
    withheld_possible = any(log.withheld or len(log.operators()) < enough for log in completeness)
    return Verdict(
        sha256=case.sha256,
        as_of=case.moment,
        results=results,
        cosigned_by=tuple(_cosigners(rules, evidence)),
        completeness=tuple(_completeness_json(log, enough) for log in completeness),
        tolerates=_tolerates(rules),
        not_proven=(*NOT_PROVEN, *((NOTHING_WITHHELD,) if withheld_possible else ()), *_not_proven(rules, evidence)),
    )


def _not_proven(rules: Rules, evidence: Evidence) -> Iterator[str]:
    """Yield what these logs and this program leave open, beside what no evidence ever proves."""
    if not all(log.quorum.overlapping for log in evidence.logs.values()):
        yield ONE_VIEW
    if not rules.policy.quorum.witnesses:
        yield NEWEST
    strange = sum(testimony.parsed.kind is None for testimony in evidence.testimonies)
    if strange:
        yield UNKNOWN_KINDS.format(count=strange)


def _cosigners(rules: Rules, evidence: Evidence) -> Iterator[dict[str, Any]]:
    for log in evidence.logs.values():
        for cosignature in log.cosignatures:
            node = rules.keyring.witness(cosignature.verifier)
            yield {
                "log": log.origin,
                "name": node.name,
                "operator": node.operator,
                "region": node.region,
                "at": format_time(cosignature.timestamp),
            }


def _completeness_json(log: LogCompleteness, enough: int) -> dict[str, Any]:
    return {
        "log": log.log,
        "size": log.size,
        "answered_by": [{"name": node.name, "operator": node.operator} for node in log.answered_by],
        "withheld": [{"index": index, "statement": found} for index, found in log.withheld],
        "enough": not log.withheld and len(log.operators()) >= enough,
    }
