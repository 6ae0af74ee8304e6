"""The words and shapes that all page models share: states, sentences, badges, speakers, places, pages of lists.

Page models are frozen dataclasses: templates print them, and the `.json` twin of a page is the same model
serialised. Nothing here reads anything. Words are in the language of the request; a sentence is one message, whose
named places take phrases, times, names or other sentences:

    sentence(_("{center} has cosigned it, last at {when}."), center=strong(name), when=at(moment))
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.utils.translation import ngettext

from pellucid.record.facts import Ending, Place, Record
from pellucid.release.portal import formats
from pellucid.release.portal.formats import grouped


class State(StrEnum):
    """How a claim stands; pages show it as an icon and a word, never as a colour alone."""

    GOOD = "good"
    ATTENTION = "attention"
    FAILED = "failed"
    UNKNOWN = "unknown"


class English(str):
    """Words that come from elsewhere and are English whatever the reader's language; pages mark them as such."""

    __slots__ = ()

    def __html__(self) -> SafeString:
        if formats.language() == formats.SOURCE:
            return escape(str(self))
        return mark_safe(f'<span lang="en">{escape(str(self))}</span>')  # noqa: S308 - escaped beside the markup


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
    """Who says something: a key, its name where its owner opened it, who accredited it, and if it is in a browser."""

    key: str
    name: str | None
    affiliation: str | None
    accredited_by: str | None
    href: str
    in_browser: bool = False

    @property
    def label(self) -> str:
        return self.name or key_name(self.key)

    @property
    def standing(self) -> str | None:
        """For whom it speaks, or on whose word it may."""
        vouched = _("accredited by {names}").format(names=self.accredited_by) if self.accredited_by else None
        kept = _("key kept in a browser") if self.in_browser else None
        return ", ".join(part for part in (self.affiliation, vouched, kept) if part) or None


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
NOT_COSIGNED = noop("not cosigned by anyone independent")
NO_KEY = noop("a key unknown here")
KEY_ENDED = {Ending.RETIRED: noop("author's key retired"), Ending.COMPROMISED: noop("author's key compromised")}

NOT_PROVEN = (
    noop("that the files were made from the source named"),
    noop("why the code does what it does"),
    noop("which laws its makers live under"),
    noop("the hardware it runs on"),
    noop("the compiler and tools it was built with"),
    noop("what a service does at run time"),
)

_PLACE = re.compile(r"\{([a-z_]+)\}")


def now() -> datetime:
    """Return the moment that a page is made for."""
    return datetime.now(UTC)


def not_proven() -> tuple[str, ...]:
    """Return what no page here proves."""
    return tuple(_(item) for item in NOT_PROVEN)


def sentence(words: str, /, **named: str | Phrase | Sentence) -> Sentence:
    """Make a sentence of one message, with `named` in its `{places}`; KeyError if one of them is not given.

    A text in a place is a plain phrase, a sentence gives its phrases. Braces in what is put in are only braces.
    """
    phrases: list[Phrase] = []
    for place, piece in enumerate(_pieces(words)):
        value = named[piece] if place % 2 else piece
        if isinstance(value, Sentence):
            phrases += value.phrases
        elif isinstance(value, Phrase):
            phrases.append(value)
        elif value:
            phrases.append(Phrase(value))
    return Sentence(tuple(phrases))


@lru_cache(maxsize=4096)
def _pieces(words: str) -> tuple[str, ...]:
    """Split a message into texts and, between them, the names of its places."""
    return tuple(_PLACE.split(words))


def strong(text: str, *, at: datetime | None = None, href: str | None = None) -> Phrase:
    """Make a phrase that carries the sentence."""
    return Phrase(text, strong=True, at=at, href=href)


def said(text: str) -> Sentence:
    """Make a sentence, or a clause of one, that is one strong phrase."""
    return Sentence((strong(text),))


def at(moment: datetime) -> Phrase:
    """Make a strong phrase of a time."""
    return Phrase(day_and_time(moment), strong=True, at=moment)


def day_and_time(moment: datetime) -> str:
    """Write a moment as `21 Nov 2026 14:02 UTC`."""
    return formats.day_and_time(moment)


def day(text: str) -> str:
    """Write an RFC 3339 time as its day: `21 Nov 2026`."""
    return formats.day(datetime.fromisoformat(text))


def counted(number: int, one: str, many: str | None = None, **named: str) -> str:
    """Write a number with its noun: `1 file`, `1,204 files`.

    `one` and `many` are literals: a noun (`many` is `one` with an s if not given), or words around `{n}`, as in
    `counted(lines, "{n} line unread", "{n} lines unread")`. They are the message, singular and plural; `named` are
    what stands in its other places.
    """
    if "{n}" not in one:
        one, many = "{n} " + one, "{n} " + (many or one + "s")
    words = ngettext(one, many or one, number)
    return words.format(n=grouped(number), **named) if named else words.replace("{n}", grouped(number))


def listed(names: Iterable[str]) -> str:
    """Write names as `a, b and c`."""
    items = list(names)
    if len(items) < 2:
        return items[0] if items else ""
    return _("{names} and {last}").format(names=", ".join(items[:-1]), last=items[-1])


def key_name(key: str) -> str:
    """Write a key whose owner has opened no name here."""
    return _("key {digest}").format(digest=f"{key[:12]}…")


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
        badges.append(Badge(State.FAILED, _("withdrawn by its author")))
    if record.revoked is not None:
        badges.append(Badge(State.FAILED, _(KEY_ENDED[record.revoked.ending])))
    if record.problem is not None:
        badges.append(Badge(State.ATTENTION, _("does not fit its type")))
    if not record.authors:
        badges.append(Badge(State.ATTENTION, _("signed by a key unknown here")))
    return tuple(badges)


def stands(record: Record) -> bool:
    """Return whether a statement still speaks: not withdrawn, its author's key not ended, well formed."""
    return record.withdrawn is None and record.revoked is None and record.problem is None


def paging(address: str, start: int, shown: int, total: int) -> Paging | None:
    """Return the links around `shown` items from `start` of `total`; None where all are shown."""
    if shown >= total:
        return None
    joint = "&" if "?" in address else "?"
    before = Link(_("Previous"), f"{address}{joint}from={max(0, start - PER_PAGE)}") if start else None
    after = Link(_("Next"), f"{address}{joint}from={start + shown}") if start + shown < total else None
    if not shown:
        return Paging(_("none after {total}").format(total=grouped(total)), before, after)
    words = _("{first} to {last} of {total}")
    numbers = {"first": grouped(start + 1), "last": grouped(start + shown), "total": grouped(total)}
    return Paging(words.format(**numbers), before, after)
