"""A statement in words: one sentence, and its predicate as rows that anybody can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pellucid.record.facts import Record
from pellucid.release.portal.cards import PAID_BY, RESULTS
from pellucid.release.portal.claims import Phrase, Sentence, Speaker, counted, day, listed, sentence, short, strong
from pellucid.release.predicate import Release
from pellucid.source.predicate import Delta, Extent, Review
from pellucid.trust.predicate import Party, PartyAction, Withdrawal

MAX_ROWS = 400
MAX_TEXT = 400

KINDS = {
    "release": "Release",
    "review": "Review",
    "delta": "Measured change",
    "party": "Word on a key",
    "withdrawal": "Withdrawal",
}

Parts = tuple[str | Phrase, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a predicate: where it stands and what it says."""

    name: str
    value: str
    code: bool  # a digest or an identifier, shown in a monospaced font


ACTIONS = {
    PartyAction.ACCREDIT: "Accreditation",
    PartyAction.RETIRE: "Retirement of a key",
    PartyAction.COMPROMISED: "Compromise of a key",
}


def kind_name(record: Record) -> str:
    """Return what a page calls a statement."""
    if isinstance(record.model, Party):
        return ACTIONS[record.model.action]
    return KINDS.get(record.kind or "", "Statement of another type")


def in_words(record: Record, by: Speaker | None) -> Sentence:
    """Say in one sentence what a statement says and who says it."""
    who = Phrase(by.label, href=by.href) if by else Phrase("A key unknown here")
    vouched = f", {by.standing}," if by and by.name is None and by.standing else ""
    write = _WRITERS.get(type(record.model))
    rest = write(record) if write else _unknown(record)
    return sentence(who, f"{vouched} ", *rest)


def rows(predicate: Mapping[str, Any]) -> tuple[Row, ...]:
    """Flatten a predicate into rows, bounded in number and length."""
    found: list[Row] = []
    for row in _walk("", predicate) if predicate else ():
        if len(found) == MAX_ROWS:
            found.append(Row("…", "cut here; the whole stands in the JSON below", code=False))
            break
        found.append(row)
    return tuple(found)


def _release(record: Record) -> Parts:
    release: Release = record.model
    files = counted(len(release.artifacts), "file")
    source = f", from source tree {short(release.source.sha256)}" if release.source else ", and names no source"
    name = strong(f"{release.product} {release.version}", href=f"/releases/{record.id}")
    return (f"releases {files} as ", name, f" ({release.kind.value}){source}.")


def _review(record: Record) -> Parts:
    review: Review = record.model
    what = {"source": "source tree", "update": "update", "rules": "rule set"}[review.of.value]
    extent = "all of" if review.extent is Extent.FULL else "what changed in"
    paid = f", paid by {PAID_BY[review.paid_by]}"
    result = strong(RESULTS[review.result][1])
    return (f"reviewed {extent} {what} {_subject(record)} ({review.independence.value}{paid}): it ", result,
            f"; expires {day(review.expires)}.")  # fmt: skip


def _delta(record: Record) -> Parts:
    delta: Delta = record.model
    return ("measured ", strong(counted(delta.lines, "changed line")),
            f" from source tree {short(delta.base)} to {_subject(record)}.")  # fmt: skip


def _party(record: Record) -> Parts:
    party: Party = record.model
    key = strong(f"key {_subject(record)}", href=_key_href(record))
    if party.action is PartyAction.ACCREDIT:
        return ("accredits ", key, f" as {listed(role.value for role in party.roles)}.")
    if party.action is PartyAction.RETIRE:
        return ("retires ", key, "; what it had logged before stands.")
    return (
        "declares ",
        key,
        " ",
        strong("compromised"),
        f" since {day(party.since)}" if party.since else "",
        "; what it logged after is void.",
    )


def _withdrawal(record: Record) -> Parts:
    withdrawal: Withdrawal = record.model
    target = next((ref.rpartition(":")[2] for subject in record.subjects for ref in subject.refs), "")
    return ("takes back ", strong(f"statement {short(target)}", href=f"/statements/{target}"),
            f"; reason: {withdrawal.reason.value}.")  # fmt: skip


def _unknown(record: Record) -> Parts:
    about = counted(len(record.subjects), "subject")
    if record.problem is not None:
        return (
            f"says something about {about} that ",
            strong("does not fit its type"),
            f": {record.problem[:MAX_TEXT]}.",
        )
    return (f"says something about {about} in a type that is not known here.",)


def _subject(record: Record) -> str:
    return next((short(ref) for subject in record.subjects for ref in subject.refs), "(no subject)")


def _key_href(record: Record) -> str:
    return next((f"/parties/{ref.rpartition(':')[2]}" for subject in record.subjects for ref in subject.refs), "")


_WRITERS: Mapping[type, Callable[[Record], Parts]] = {
    Release: _release,
    Review: _review,
    Delta: _delta,
    Party: _party,
    Withdrawal: _withdrawal,
}


def _walk(name: str, value: Any, depth: int = 0) -> Iterator[Row]:
    if isinstance(value, Mapping) and value and depth < 8:
        for key, item in value.items():
            yield from _walk(f"{name}.{key}" if name else str(key), item, depth + 1)
    elif isinstance(value, list | tuple) and value and depth < 8:
        for place, item in enumerate(value):
            yield from _walk(f"{name}[{place}]", item, depth + 1)
    else:
        yield Row(
            _readable(name)[:MAX_TEXT], _value(value), isinstance(value, str) and len(value) > 30 and " " not in value
        )


def _readable(name: str) -> str:
    """Write a field's place for people: `artifacts[0].name` as `artifacts 1, name`."""
    numbered = re.sub(r"\[(\d+)\]", lambda found: f" {int(found[1]) + 1}", name)
    return numbered.replace(".", ", ").replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)[:MAX_TEXT] if value not in (None, "", {}, [], ()) else "(empty)"
