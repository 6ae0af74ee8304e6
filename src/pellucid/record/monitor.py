"""Following the logs of a policy: what is new, and what should never be: missing, doubled, inconsistent, stale."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pellucid.errors import EvidenceError, UnavailableError
from pellucid.record.monitor_state import Judged, MonitorState, Remembered
from pellucid.record.sources import Nodes, cosigned
from pellucid.statement.digest import sha256_hex
from pellucid.statement.dsse import Envelope
from pellucid.statement.moment import format_time
from pellucid.statement.predicate import Parsed, Registry, parse_statement
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.reader import ForkError, LogReader
from pellucid.trust.keyring import Held
from pellucid.trust.policy import Policy

_NEW_SHOWN = 200
_AT_ONCE = 256
_OWN = "its own node"
_CLAIMS = ("release:", "statement:", "key:")


class Kind(StrEnum):
    """What was noticed."""

    NEW = "new"
    MISSING = "missing"
    DOUBLED = "doubled"
    INCONSISTENT = "inconsistent"
    STALE = "stale"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing noticed about a log; `alarming` if it should not be, `evidence` the signed notes that prove it."""

    kind: Kind
    log: str
    what: str
    alarming: bool
    statement: str | None = None
    index: int | None = None
    evidence: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the notice for `--json`."""
        found = {"kind": self.kind.value, "log": self.log, "what": self.what, "alarming": self.alarming}
        return found | {"statement": self.statement, "index": self.index, "evidence": list(self.evidence)}


@dataclass(frozen=True, slots=True)
class LogSeen:
    """How far one log was seen in this pass."""

    log: str
    size: int
    before: int | None
    by: str


@dataclass
class Pass:
    """What one pass over all logs found; `new` counts entries, of which the first are among the notices."""

    at: int
    seen: list[LogSeen] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    new: int = 0

    @property
    def alarms(self) -> Sequence[Notice]:
        """The notices that should not be."""
        return [notice for notice in self.notices if notice.alarming]

    def as_json(self) -> dict[str, Any]:
        """Return the pass for `--json`."""
        return {
            "at": format_time(self.at),
            "alarms": len(self.alarms),
            "new": self.new,
            "logs": [{"log": s.log, "size": s.size, "before": s.before, "shown_by": s.by} for s in self.seen],
            "notices": [notice.as_json() for notice in self.notices],
        }


Judge = Callable[[Sequence[Judged]], Iterable[tuple[Judged, str]]]


class Monitor:
    """Passes over the logs of a policy with remembered state.

    `judge` is the capabilities' part: of all statements that claim a place of their own, with what withdraws or
    revokes, it yields those that stand doubled, and why.
    """

    def __init__(
        self,
        policy: Policy,
        nodes: Nodes,
        registry: Registry,
        judge: Judge,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policy = policy
        self._nodes = nodes
        self._registry = registry
        self._judge = judge
        self._clock = clock

    def look(self, state: MonitorState) -> tuple[Pass, MonitorState]:
        """Look at every log once; return what was found and what to remember. UnavailableError if nobody answers."""
        found = Pass(int(self._clock()))
        logs = dict(state.logs)
        judged = list(state.judged)
        for held in self._nodes.keyring.logs.values():
            shown = list(self._shown(held, found))
            if shown:
                remembered = self._compare(held, shown, state.logs.get(held.verifier.name), found, judged)
                if remembered is not None:
                    logs[held.verifier.name] = remembered
        if not found.seen:
            raise UnavailableError(
                "no node of the policy shows any log", remedy="check the network and the addresses in the policy"
            )
        for item, why in self._judge(judged):
            found.notices.append(
                Notice(Kind.DOUBLED, item.log, why, alarming=True, statement=item.id, index=item.index)
            )
        return found, MonitorState(logs, tuple(judged))

    def _shown(self, held: Held, found: Pass) -> Iterator[tuple[str, LogReader, SignedCheckpoint]]:
        """Yield the log as its own node and every mirror show it; tell who does not answer."""
        silent: list[Notice] = []
        heard = 0
        for node in self._nodes.showing(held):
            is_own = node.name == held.node.name
            whose = _OWN if is_own else f"the mirror of {node.name}"
            reader = self._nodes.reader(held, node)
            try:
                head = reader.checkpoint()
            except UnavailableError as error:
                silent.append(Notice(Kind.UNREACHABLE, held.verifier.name, f"{whose}: {error}", alarming=False))
                continue
            except EvidenceError as error:
                what = f"{whose} shows no usable checkpoint: {error}"
                silent.append(Notice(Kind.MISSING, held.verifier.name, what, alarming=is_own))
                continue
            heard += 1
            yield whose, reader, head
        if not heard:
            what = "nobody shows it: " + "; ".join(notice.what for notice in silent)
            found.notices.append(Notice(Kind.UNREACHABLE, held.verifier.name, what, alarming=True))
        found.notices += silent if heard else []

    def _compare(
        self,
        held: Held,
        shown: Sequence[tuple[str, LogReader, SignedCheckpoint]],
        before: Remembered | None,
        found: Pass,
        judged: list[Judged],
    ) -> Remembered | None:
        """Hold what is shown against each other and against what was seen before; return what to remember."""
        origin = held.verifier.name
        whose, reader, head = max(shown, key=lambda item: item[2].checkpoint.size)
        size = head.checkpoint.size
        found.seen.append(LogSeen(origin, size, before.size if before else None, whose))
        others = [(words, note) for words, _, note in shown if words != whose]
        if before is not None:
            others.append(("what was seen before", open_checkpoint(before.note.encode(), held.verifier)))
        contradictions = [w for w, note in others if not self._is_consistent(origin, reader, head, w, note, found)]
        self._judge_own(held, shown, head, whose, found)
        self._judge_age(held, head, found)
        if contradictions:
            return None
        start = before.size if before else 0
        claims = self._read_new(origin, reader, range(start, size), found, is_first=before is None)
        if claims is None:
            return None
        judged += claims
        return Remembered(size, head.to_bytes().decode())

    def _judge_own(
        self,
        held: Held,
        shown: Sequence[tuple[str, LogReader, SignedCheckpoint]],
        head: SignedCheckpoint,
        whose: str,
        found: Pass,
    ) -> None:
        """Notice a node that shows less of its own log than a mirror has; it is asked again, to be fair."""
        size = head.checkpoint.size
        own = next((reader for words, reader, _ in shown if words == _OWN), None)
        if own is None or whose == _OWN:
            return
        try:
            now = own.checkpoint()
        except (UnavailableError, EvidenceError):
            return
        if now.checkpoint.size < size:
            what = f"its own node shows {now.checkpoint.size} entries, {whose} has {size}"
            evidence = _texts(now, head)
            found.notices.append(Notice(Kind.MISSING, held.verifier.name, what, alarming=True, evidence=evidence))

    def _is_consistent(
        self, origin: str, reader: LogReader, head: SignedCheckpoint, words: str, other: SignedCheckpoint, found: Pass
    ) -> bool:
        """Tell whether `head` extends another checkpoint; what contradicts or shrank is noticed."""
        size, before = head.checkpoint.size, other.checkpoint.size
        if size < before:
            what = f"{before} entries were shown, now only {size} are ({words})"
            found.notices.append(Notice(Kind.MISSING, origin, what, alarming=True, evidence=_texts(other, head)))
            return False
        try:
            root = reader.root(before)
        except ForkError as error:
            notes = (error.held.decode(errors="replace"), error.offered.decode(errors="replace"))
            found.notices.append(Notice(Kind.INCONSISTENT, origin, error.what, alarming=True, evidence=notes))
            return False
        except EvidenceError as error:
            what = f"its tree cannot be derived: {error}"
            found.notices.append(Notice(Kind.MISSING, origin, what, alarming=True, evidence=_texts(head)))
            return False
        if root == other.checkpoint.root:
            return True
        what = f"the log signed two trees that differ within the first {before} entries (against {words})"
        found.notices.append(Notice(Kind.INCONSISTENT, origin, what, alarming=True, evidence=_texts(other, head)))
        return False

    def _judge_age(self, held: Held, head: SignedCheckpoint, found: Pass) -> None:
        """Notice a head that too few cosigned, or too long ago; the end of a frozen log is exempt."""
        origin = held.verifier.name
        if held.entry.frozen is not None:
            return
        try:
            cosignatures = cosigned(head, held, self._nodes.keyring)
        except EvidenceError as error:
            found.notices.append(Notice(Kind.INCONSISTENT, origin, str(error), alarming=True, evidence=_texts(head)))
            return
        quorum = self._nodes.keyring.quorum(origin)
        standing = quorum.standing(cosignatures)
        oldest = found.at - self._policy.quorum.max_age_seconds
        seen = quorum.seen_time(cosignatures)
        if not standing.met:
            found.notices.append(Notice(Kind.STALE, origin, "; ".join(standing.reasons), alarming=True))
        elif seen is not None and seen < oldest:
            what = f"last seen by enough operators on {format_time(seen)}; {self._policy.quorum.max_age} are allowed"
            found.notices.append(Notice(Kind.STALE, origin, what, alarming=True))

    def _read_new(
        self, origin: str, reader: LogReader, wanted: range, found: Pass, *, is_first: bool
    ) -> Sequence[Judged] | None:
        """Read the entries that came since; return those to be judged, None if they cannot be read.

        On the first look nothing counts as new.
        """
        claims: list[Judged] = []
        try:
            for first in range(wanted.start, wanted.stop, _AT_ONCE):
                for index, entry in enumerate(reader.entries(first, min(first + _AT_ONCE, wanted.stop)), first):
                    self._note_entry(origin, index, entry, found, claims, is_new=not is_first)
        except EvidenceError as error:
            found.notices.append(Notice(Kind.MISSING, origin, f"entries cannot be read: {error}", alarming=True))
            return None
        return claims

    def _note_entry(
        self, origin: str, index: int, entry: bytes, found: Pass, claims: list[Judged], *, is_new: bool
    ) -> None:
        where = f"{origin}, entry {index}"
        try:
            envelope = Envelope.parse(entry, where=where)
            parsed = parse_statement(envelope, self._registry, where=where)
        except EvidenceError as error:
            found.notices.append(Notice(Kind.NEW, origin, f"unreadable: {error.what}", alarming=False, index=index))
            return
        if any(ref.startswith(_CLAIMS) for ref in parsed.concerns):
            claims.append(Judged(origin, index, parsed.id, envelope.to_bytes().decode()))
        found.new += is_new
        if is_new and found.new <= _NEW_SHOWN:
            what = _describe(parsed)
            found.notices.append(Notice(Kind.NEW, origin, what, alarming=False, statement=parsed.id, index=index))


def _describe(parsed: Parsed) -> str:
    names = [subject.name or next(iter(subject.digest.values())) for subject in parsed.statement.subjects]
    kind = parsed.kind.name if parsed.kind else parsed.statement.predicate_type
    return f"{kind} about {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"


def _texts(*signed: SignedCheckpoint) -> tuple[str, ...]:
    return tuple(item.to_bytes().decode() for item in signed)


def evidence_files(found: Pass) -> Mapping[str, bytes]:
    """Return the notes that prove an alarm, by file names that stay the same for the same notes."""
    notes = [note.encode() for notice in found.alarms for note in notice.evidence]
    return {f"{sha256_hex(note)[:32]}.checkpoint": note for note in notes}
