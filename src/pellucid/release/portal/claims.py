"""The words and shapes that all page models share: states, sentences, badges, speakers, places, pages of lists.

Page models are frozen dataclasses: templates print them, and the `.json` twin of a page is the same model
serialised. Nothing here reads anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pellucid.record.facts import Place, Record


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
    """Who says something: a key, its name where its owner opened it, and who accredited it."""

    key: str
    name: str | None
    affiliation: str | None
    accredited_by: str | None
    href: str

    @property
    def label(self) -> str:
        return self.name or f"key {self.key[:12]}…"

    @property
    def standing(self) -> str | None:
        """For whom it speaks, or on whose word it may."""
        vouched = f"accredited by {self.accredited_by}" if self.accredited_by else None
        return ", ".join(part for part in (self.affiliation, vouched) if part) or None


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
class Paging:
    """Which part of a list is shown, and where the rest is."""

    words: str
    before: Link | None = None
    after: Link | None = None


PER_PAGE = 50
NOT_COSIGNED = "not cosigned by anyone independent"

NOT_PROVEN = (
    "that the files were made from the source named",
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


def day(text: str) -> str:
    """Write an RFC 3339 time as its day: `21 Nov 2026`."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%-d %b %Y}"


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


def paging(address: str, start: int, shown: int, total: int) -> Paging | None:
    """Return the links around `shown` items from `start` of `total`; None where all are shown."""
    if shown >= total:
        return None
    joint = "&" if "?" in address else "?"
    before = Link("Previous", f"{address}{joint}from={max(0, start - PER_PAGE)}") if start else None
    after = Link("Next", f"{address}{joint}from={start + shown}") if start + shown < total else None
    words = f"{start + 1:,} to {start + shown:,} of {total:,}" if shown else f"none after {total:,}"
    return Paging(words, before, after)
