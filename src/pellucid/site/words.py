"""A statement in words: one sentence, and its predicate as rows that anybody can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import Record
from pellucid.release.portal.cards import PAID_BY, RESULTS
from pellucid.release.portal.claims import (
    English,
    Phrase,
    Sentence,
    Speaker,
    counted,
    day,
    listed,
    sentence,
    short,
    strong,
)
from pellucid.release.portal.formats import grouped
from pellucid.release.portal.terms import term
from pellucid.release.predicate import Release
from pellucid.source.predicate import Delta, Extent, Review, ReviewOf
from pellucid.trust.predicate import Custody, Party, PartyAction, Withdrawal

MAX_ROWS = 400
MAX_TEXT = 400

KINDS = {
    "release": noop("Release"),
    "review": noop("Review"),
    "delta": noop("Measured change"),
    "party": noop("Word on a key"),
    "withdrawal": noop("Withdrawal"),
}
ACTIONS = {
    PartyAction.ACCREDIT: noop("Accreditation"),
    PartyAction.RETIRE: noop("Retirement of a key"),
    PartyAction.COMPROMISED: noop("Compromise of a key"),
}
READ = {
    (ReviewOf.SOURCE, Extent.FULL): noop("all of source tree {subject}"),
    (ReviewOf.SOURCE, Extent.DELTA): noop("what changed in source tree {subject}"),
    (ReviewOf.UPDATE, Extent.FULL): noop("all of update {subject}"),
    (ReviewOf.UPDATE, Extent.DELTA): noop("what changed in update {subject}"),
    (ReviewOf.RULES, Extent.FULL): noop("all of rule set {subject}"),
    (ReviewOf.RULES, Extent.DELTA): noop("what changed in rule set {subject}"),
}

Who = Phrase | Sentence
_OTHER_KIND = noop("Statement of another type")


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a predicate: where it stands and what it says."""

    name: str
    value: str
    code: bool  # a digest or an identifier, shown in a monospaced font


def kind_name(record: Record) -> str:
    """Return what a page calls a statement."""
    if isinstance(record.model, Party):
        return _(ACTIONS[record.model.action])
    return _(KINDS.get(record.kind or "", _OTHER_KIND))


def in_words(record: Record, by: Speaker | None) -> Sentence:
    """Say in one sentence what a statement says and who says it."""
    who: Who = Phrase(by.label, href=by.href) if by else Phrase(_("A key unknown here"))
    if by and by.name is None and by.standing:
        who = sentence(_("{who}, {standing},"), who=who, standing=by.standing)
    return _WRITERS.get(type(record.model), _unknown)(record, who)


def rows(predicate: Mapping[str, Any]) -> tuple[Row, ...]:
    """Flatten a predicate into rows, bounded in number and length."""
    found: list[Row] = []
    for row in _walk("", predicate) if predicate else ():
        if len(found) == MAX_ROWS:
            found.append(Row("…", _("cut here; the whole stands in the JSON below"), code=False))
            break
        found.append(row)
    return tuple(found)


def _release(record: Record, who: Who) -> Sentence:
    release: Release = record.model
    words = _("{who} releases {files} as {release} ({kind}), and names no source.")
    if release.source:
        words = _("{who} releases {files} as {release} ({kind}), from source tree {tree}.")
    return sentence(
        words,
        who=who,
        files=counted(len(release.artifacts), "file"),
        release=strong(f"{release.product} {release.version}", href=f"/releases/{record.id}"),
        kind=term(release.kind.value),
        tree=short(release.source.sha256) if release.source else "",
    )


def _review(record: Record, who: Who) -> Sentence:
    review: Review = record.model
    return sentence(
        _("{who} reviewed {read} ({independence}, paid by {payer}): it {result}; expires {day}."),
        who=who,
        read=sentence(_(READ[review.of, review.extent]), subject=_subject(record)),
        independence=term(review.independence.value),
        payer=_(PAID_BY[review.paid_by]),
        result=strong(_(RESULTS[review.result][1])),
        day=day(review.expires),
    )


def _delta(record: Record, who: Who) -> Sentence:
    delta: Delta = record.model
    return sentence(
        _("{who} measured {lines} from source tree {base} to {subject}."),
        who=who,
        lines=strong(counted(delta.lines, "changed line")),
        base=short(delta.base),
        subject=_subject(record),
    )


def _party(record: Record, who: Who) -> Sentence:
    party: Party = record.model
    key = strong(_("key {digest}").format(digest=_subject(record)), href=_key_href(record))
    if party.action is PartyAction.ACCREDIT:
        roles = listed(term(role.value) for role in party.roles)
        words = {
            Custody.FILE: _("{who} accredits {key} as {roles}."),
            Custody.BROWSER: _("{who} accredits {key}, kept in a browser, as {roles}."),
            Custody.TOKEN: _("{who} accredits {key}, kept in a token, as {roles}."),
        }[party.custody]
        return sentence(words, who=who, key=key, roles=roles)
    if party.action is PartyAction.RETIRE:
        return sentence(_("{who} retires {key}; what it had logged before stands."), who=who, key=key)
    ending = _("{who} declares {key} {compromised}; what it logged after is void.")
    if party.since:
        ending = _("{who} declares {key} {compromised} since {day}; what it logged after is void.")
    since = day(party.since) if party.since else ""
    return sentence(ending, who=who, key=key, compromised=strong(term(party.action.value)), day=since)


def _withdrawal(record: Record, who: Who) -> Sentence:
    withdrawal: Withdrawal = record.model
    target = next((ref.rpartition(":")[2] for subject in record.subjects for ref in subject.refs), "")
    return sentence(
        _("{who} takes back {statement}; reason: {reason}."),
        who=who,
        statement=strong(_("statement {id}").format(id=short(target)), href=f"/statements/{target}"),
        reason=term(withdrawal.reason.value),
    )


def _unknown(record: Record, who: Who) -> Sentence:
    about = counted(len(record.subjects), "subject")
    if record.problem is None:
        return sentence(
            _("{who} says something about {subjects} in a type that is not known here."), who=who, subjects=about
        )
    return sentence(
        _("{who} says something about {subjects} that {misfit}: {problem}."),
        who=who,
        subjects=about,
        misfit=strong(_("does not fit its type")),
        problem=English(record.problem[:MAX_TEXT]),
    )


def _subject(record: Record) -> str:
    return next((short(ref) for subject in record.subjects for ref in subject.refs), _("(no subject)"))


def _key_href(record: Record) -> str:
    return next((f"/parties/{ref.rpartition(':')[2]}" for subject in record.subjects for ref in subject.refs), "")


_WRITERS: Mapping[type, Callable[[Record, Who], Sentence]] = {
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
            English(_readable(name)[:MAX_TEXT]),
            _value(value),
            isinstance(value, str) and len(value) > 30 and " " not in value,
        )


def _readable(name: str) -> str:
    """Write a field's place for people: `artifacts[0].name` as `artifacts 1, name`."""
    numbered = re.sub(r"\[(\d+)\]", lambda found: f" {int(found[1]) + 1}", name)
    return numbered.replace(".", ", ").replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return grouped(value)
    return str(value)[:MAX_TEXT] if value not in (None, "", {}, [], ()) else _("(empty)")
