"""Who saw a log: its cosigners, what its quorum stands, and the copies that others keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import CheckpointFact, Cosigner, LogFact, MirrorFact
from pellucid.release.portal.claims import NOT_COSIGNED, English, State, counted, listed
from pellucid.release.portal.formats import grouped

OVERLAP_WARNING = noop("quorums need not overlap")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One cosigner, and when it last cosigned the head shown."""

    name: str
    role: str
    operator: str
    region: str
    counts: bool
    at: datetime | None
    state: State


@dataclass(frozen=True, slots=True)
class LogGlance:
    """A log's head and who saw it."""

    log: str
    origin: str
    own: bool
    operator: str
    region: str
    href: str
    size: int
    root: str | None
    seen: datetime | None
    pending: int
    frozen: bool
    required: int
    cosigned: int  # distinct counting operators on the head
    asked: int  # distinct counting operators there are
    regions: int
    newest: datetime | None
    oldest: datetime | None
    outages: int
    colluders: int
    overlapping: bool  # whether any two quorums share an operator
    state: State
    words: str
    tolerance: str
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class MirrorLine:
    """A copy of a log, its size and how far it lags."""

    origin: str
    href: str
    kept_by: str
    size: int
    lag: int | None
    at: datetime | None
    state: State
    words: str


def mirror_line(item: MirrorFact, *, known: bool) -> MirrorLine:
    """Return a copy as pages show it; `known`: this node has a page on its log."""
    words: str
    lag = None if item.source_size is None else max(0, item.source_size - item.size)
    if item.problem is not None:
        state, words = State.FAILED, English(item.problem)
    elif lag is None:
        state, words = State.UNKNOWN, _("the log's own size is not known")
    elif lag:
        state, words = State.ATTENTION, counted(lag, "{n} entry behind", "{n} entries behind")
    else:
        state, words = State.GOOD, _("holds all of it")
    href = f"/logs/{item.log}" if known else ""
    return MirrorLine(item.origin, href, item.kept_by, item.size, lag, item.at, state, words)


def log_glance(log: LogFact) -> LogGlance:
    """Return a log's head as pages show it: one operator counts once, the log's own never."""
    head = log.head
    seen = {} if head is None else {item.cosigner.vkey: item.at for item in head.cosignatures}
    rows = tuple(sorted((_sighting(item, seen) for item in _everyone(log) if _asked(item, log, seen)), key=_rank))
    counting = [row for row in rows if row.counts]
    present = [row for row in counting if row.at is not None]
    times = sorted(row.at for row in present if row.at is not None)
    asked = len({row.operator for row in counting})
    overlapping = 2 * log.required > asked
    state, words = _seen_by(log, rows, overlapping=overlapping)
    return LogGlance(
        log=log.id,
        origin=log.origin,
        own=log.own,
        operator=log.operator,
        region=log.region,
        href="/log" if log.own else f"/logs/{log.id}",
        size=0 if head is None else head.size,
        root=None if head is None else head.root,
        seen=log.head_seen,
        pending=log.pending,
        frozen=log.frozen,
        required=log.required,
        cosigned=len({row.operator for row in present}),
        asked=asked,
        regions=len({row.region for row in present}),
        newest=times[-1] if times else None,
        oldest=times[0] if times else None,
        outages=log.outages,
        colluders=log.colluders,
        overlapping=overlapping,
        state=state,
        words=words,
        tolerance=_tolerance(log, asked, overlapping=overlapping),
        sightings=rows,
    )


def checkpoint_sightings(checkpoint: CheckpointFact) -> tuple[Sighting, ...]:
    """Return who cosigned one checkpoint."""
    seen = {item.cosigner.vkey: item.at for item in checkpoint.cosignatures}
    return tuple(_sighting(item.cosigner, seen) for item in checkpoint.cosignatures)


def _everyone(log: LogFact) -> list[Cosigner]:
    known = {item.vkey: item for item in log.candidates}
    for item in log.head.cosignatures if log.head is not None else ():
        known.setdefault(item.cosigner.vkey, item.cosigner)
    return list(known.values())


def _asked(cosigner: Cosigner, log: LogFact, seen: dict[str, datetime]) -> bool:
    """Leave out whom nobody waits for: mirrors, which sign their own copies, and the log's own operator."""
    awaited = cosigner.counts or (cosigner.role != "mirror" and cosigner.operator != log.operator)
    return awaited or cosigner.vkey in seen


def _sighting(cosigner: Cosigner, seen: dict[str, datetime]) -> Sighting:
    moment = seen.get(cosigner.vkey)
    state = State.GOOD if moment is not None else State.UNKNOWN
    return Sighting(cosigner.name, cosigner.role, cosigner.operator, cosigner.region, cosigner.counts, moment, state)


def _rank(row: Sighting) -> tuple[bool, bool, str]:
    return (not row.counts, row.at is None, row.name)


def _seen_by(log: LogFact, rows: tuple[Sighting, ...], *, overlapping: bool) -> tuple[State, str]:
    if log.head is None:
        return State.UNKNOWN, _("nothing is published in this log yet")
    if log.required == 0:
        return State.ATTENTION, _(NOT_COSIGNED)
    present = [row for row in rows if row.counts and row.at is not None]
    operators, regions = len({row.operator for row in present}), len({row.region for row in present})
    if operators < log.required:
        missing = listed(row.name for row in rows if row.counts and row.at is None)
        words = _("cosigned by {number}, the quorum is {quorum}; missing: {names}")
        return State.FAILED, words.format(number=operators, quorum=log.required, names=missing)
    asked = len({row.operator for row in rows if row.counts})
    words = _("cosigned by {number} of {asked} in {regions}")
    words = words.format(number=operators, asked=asked, regions=counted(regions, "region"))
    if overlapping:
        return State.GOOD, words
    return State.ATTENTION, _("{words}; {warning}").format(words=words, warning=_(OVERLAP_WARNING))


def _tolerance(log: LogFact, asked: int, *, overlapping: bool) -> str:
    """Say in words what `Quorum.tolerates` and `Quorum.overlapping` mean for this log."""
    if log.required == 0:
        return _("The quorum is 0: this log can be published without anybody else having seen it.")
    need = counted(
        asked,
        "{required} of {n} other operator must cosign before this log is published",
        "{required} of {n} other operators must cosign before this log is published",
        required=grouped(log.required),
    )
    down = counted(log.outages, "{n} may be silent", "{n} may be silent") if log.outages else _("none may be silent")
    fork = (
        _forking(log, 2 * log.required - asked)
        if overlapping
        else _("Two such quorums need not share anybody: two people can be shown different logs with nobody lying.")
    )
    return _("{need}; {down}. {fork}").format(need=need, down=down, fork=fork)


def _forking(log: LogFact, shared: int) -> str:
    return counted(
        shared,
        "Any two such quorums share {n} operator: to show two people different logs, it would have to lie, {liars}.",
        "Any two such quorums share {n} operators: "
        "to show two people different logs, all of them would have to lie, {liars}.",
        liars=counted(log.colluders, "so {n} may", "so {n} may") if log.colluders else _("so none may"),
    )
