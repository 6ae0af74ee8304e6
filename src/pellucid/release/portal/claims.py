"""The words and shapes that all page models share: states, sentences, badges, speakers, places, who saw a log.

Page models are frozen dataclasses: templates print them, and the `.json` twin of a page is the same model
serialised. Nothing here reads anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pellucid.record.facts import CheckpointFact, Cosigner, LogFact, PartyFact, Place, Record


class State(StrEnum):
    """How a claim stands; pages show it as an icon and a word, never as a colour alone."""

    GOOD = "good"
    ATTENTION = "attention"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a sentence; `at` makes it a time."""

    text: str
    strong: bool = False
    at: datetime | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is known, in words."""

    phrases: tuple[Phrase, ...]

    @property
    def text(self) -> str:
        return "".join(phrase.text for phrase in self.phrases)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must be seen before anything else on the page."""

    state: State
    title: str
    text: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in two or three words."""

    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain at a glance."""

    name: str
    state: State
    detail: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something: a key, and its name where its owner opened it."""

    key: str
    name: str | None
    affiliation: str | None
    href: str

    @property
    def label(self) -> str:
        return self.name or f"key {self.key[:12]}…"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a statement is logged."""

    origin: str
    index: int
    own: bool
    logged_at: datetime | None
    covered: bool
    href: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line to run oneself."""

    caption: str
    text: str


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
    state: State
    words: str
    tolerance: str
    sightings: tuple[Sighting, ...]


NOT_COSIGNED = "not cosigned by anyone independent"

NOT_PROVEN = (
    "why the code does what it does",
    "which laws its makers live under",
    "the hardware it runs on",
    "the compiler and tools it was built with",
    "what a service does at run time",
)


def now() -> datetime:
    """Return the moment that a page is made for."""
    return datetime.now(UTC)


def sentence(*parts: str | Phrase) -> Sentence:
    """Make a sentence; plain strings are plain phrases."""
    return Sentence(tuple(Phrase(part) if isinstance(part, str) else part for part in parts if part))


def strong(text: str, *, at: datetime | None = None, href: str | None = None) -> Phrase:
    """Make a phrase that carries the sentence."""
    return Phrase(text, strong=True, at=at, href=href)


def at(moment: datetime) -> Phrase:
    """Make a strong phrase of a time."""
    return Phrase(day_and_time(moment), strong=True, at=moment)


def day_and_time(moment: datetime) -> str:
    """Write a moment as `21 Nov 2026 14:02 UTC`."""
    return f"{moment.astimezone(UTC):%-d %b %Y %H:%M} UTC"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 file`, `1,204 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Iterable[str]) -> str:
    """Write names as `a, b and c`."""
    items = list(names)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" and {items[-1]}" if items else ""


def short(digest: str) -> str:
    """Abbreviate a hash or a reference for prose; pages always show the whole one somewhere."""
    value = digest.rpartition(":")[2]
    return f"{value[:8]}…{value[-4:]}" if len(value) > 14 else value


def speaker(key: str, party: PartyFact | None) -> Speaker:
    """Return who a key is."""
    if party is None:
        return Speaker(key, None, None, f"/parties/{key}")
    return Speaker(key, party.name, party.affiliation, f"/parties/{key}")


def seat(place: Place) -> Seat:
    """Return a place as pages show it."""
    href = f"/logs/{place.log}/entries/{place.index}"
    return Seat(place.origin, place.index, place.own, place.logged_at, place.covered_by is not None, href)


def seats(record: Record) -> tuple[Seat, ...]:
    """Return every place of a statement."""
    return tuple(seat(place) for place in record.places)


def standing(record: Record) -> tuple[Badge, ...]:
    """Return what ended or weakened a statement since it was made."""
    badges = []
    if record.withdrawn is not None:
        badges.append(Badge(State.FAILED, "withdrawn by its author"))
    if record.revoked is not None:
        badges.append(Badge(State.FAILED, f"author's key {record.revoked.ending.value}"))
    if record.problem is not None:
        badges.append(Badge(State.ATTENTION, "does not fit its type"))
    if not record.authors:
        badges.append(Badge(State.ATTENTION, "signed by a key unknown here"))
    return tuple(badges)


def stands(record: Record) -> bool:
    """Return whether a statement still speaks: not withdrawn, its author's key not ended, well formed."""
    return record.withdrawn is None and record.revoked is None and record.problem is None


def log_glance(log: LogFact) -> LogGlance:
    """Return a log's head as pages show it: one operator counts once, the log's own never."""
    head = log.head
    seen = {} if head is None else {item.cosigner.vkey: item.at for item in head.cosignatures}
    rows = tuple(sorted((_sighting(item, seen) for item in _everyone(log) if _asked(item, log, seen)), key=_rank))
    counting = [row for row in rows if row.counts]
    present = [row for row in counting if row.at is not None]
    times = sorted(row.at for row in present if row.at is not None)
    state, words = _seen_by(log, rows)
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
        asked=len({row.operator for row in counting}),
        regions=len({row.region for row in present}),
        newest=times[-1] if times else None,
        oldest=times[0] if times else None,
        outages=log.outages,
        colluders=log.colluders,
        state=state,
        words=words,
        tolerance=_tolerance(log),
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
    """Leave out the keys of the log's own operator that have not cosigned: nobody waits for them."""
    return cosigner.counts or cosigner.operator != log.operator or cosigner.vkey in seen


def _sighting(cosigner: Cosigner, seen: dict[str, datetime]) -> Sighting:
    moment = seen.get(cosigner.vkey)
    state = State.GOOD if moment is not None else State.UNKNOWN
    return Sighting(cosigner.name, cosigner.role, cosigner.operator, cosigner.region, cosigner.counts, moment, state)


def _rank(row: Sighting) -> tuple[bool, bool, str]:
    return (not row.counts, row.at is None, row.name)


def _seen_by(log: LogFact, rows: tuple[Sighting, ...]) -> tuple[State, str]:
    if log.head is None:
        return State.UNKNOWN, "nothing is published in this log yet"
    if log.required == 0:
        return State.ATTENTION, NOT_COSIGNED
    present = [row for row in rows if row.counts and row.at is not None]
    operators, regions = len({row.operator for row in present}), len({row.region for row in present})
    if operators < log.required:
        missing = listed(row.name for row in rows if row.counts and row.at is None)
        return State.FAILED, f"cosigned by {operators}, the quorum is {log.required}; missing: {missing}"
    asked = len({row.operator for row in rows if row.counts})
    return State.GOOD, f"cosigned by {operators} of {asked} in {counted(regions, 'region')}"


def _tolerance(log: LogFact) -> str:
    if log.required == 0:
        return "The quorum is 0: this log can be published without anybody else having seen it."
    down = "none of them may be down" if log.outages == 0 else f"{log.outages} of them may be down"
    lie = "and none may collude" if log.colluders == 0 else f"and {log.colluders} may collude"
    return f"{log.required} cosignatures are needed; {down} {lie}."
