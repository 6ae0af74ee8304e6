"""The pages on a log: its head, its entries, one entry to the byte, and any proof."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from pellucid.record.facts import CheckpointFact, EntryFact, LogFact, Record, Views
from pellucid.release.portal.cards import show_command
from pellucid.release.portal.claims import (
    PER_PAGE,
    Badge,
    Command,
    English,
    Link,
    Notice,
    Seat,
    Sentence,
    Speaker,
    State,
    at,
    counted,
    seats,
    sentence,
    standing,
    strong,
)
from pellucid.release.portal.endings import revoked_notice, withdrawn_notice
from pellucid.release.portal.formats import grouped
from pellucid.release.portal.seen import LogGlance, Sighting, checkpoint_sightings, log_glance
from pellucid.release.portal.speakers import author
from pellucid.site.pages import StatementLine, statement_line
from pellucid.site.words import Row, in_words, kind_name, rows


@dataclass(frozen=True, slots=True)
class LogPage:
    """A log's head, who saw it, and its entries, newest first."""

    as_of: datetime
    title: str
    log: LogGlance
    vkey: str
    note: str | None
    known: Sentence
    others: tuple[Link, ...]
    entries: tuple[StatementLine, ...]
    first: int | None
    last: int | None
    newer: str | None
    older: str | None
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class CheckpointBox:
    """One signed head."""

    size: int
    root: str
    time: datetime | None
    required: int
    sightings: tuple[Sighting, ...]
    note: str


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One hash of a proof and the side on which it joins."""

    side: str
    hash: str


@dataclass(frozen=True, slots=True)
class InclusionBox:
    """That one entry is in a log of some size."""

    index: int
    size: int
    leaf_hash: str
    root: str
    steps: tuple[ProofStep, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A statement in words and to the byte, where it is logged, and its proof."""

    as_of: datetime
    title: str
    id: str | None
    kind: str
    predicate_type: str | None
    author: Speaker | None
    known: Sentence
    badges: tuple[Badge, ...]
    notices: tuple[Notice, ...]
    subjects: tuple[Row, ...]
    fields: tuple[Row, ...]
    opened: tuple[Row, ...]
    release: Link | None
    seats: tuple[Seat, ...]
    log: LogGlance
    index: int
    size: int
    payload: str | None
    entry: str
    inclusion: InclusionBox | None
    covering: CheckpointBox | None
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class ProofPage:
    """A proof that somebody asked for."""

    as_of: datetime
    title: str
    log: LogGlance
    index: int | None
    old: int | None
    size: int
    known: Sentence
    state: State
    inclusion: InclusionBox | None
    old_root: str | None
    root: str | None
    consistency: tuple[str, ...] | None


def log_page(views: Views, moment: datetime, log: str | None, before: int | None) -> LogPage | None:
    """Build the page on a log (None: the node's own); None if this node does not hold it."""
    logs = views.logs()
    fact = next((item for item in logs if item.id == log or (log is None and item.own)), None)
    if fact is None:
        return None
    glance = log_glance(fact)
    found = views.newest(fact.id, before=before, limit=PER_PAGE)
    lines = tuple(_line(fact.id, index, record, views) for index, record in found)
    first, last = (found[-1][0], found[0][0]) if found else (None, None)
    return LogPage(
        as_of=moment,
        title=_("Log {origin}").format(origin=fact.origin),
        log=glance,
        vkey=fact.vkey,
        note=fact.head.note if fact.head else None,
        known=_log_sentence(fact, glance),
        others=tuple(
            Link(item.origin, "/log" if item.own else f"/logs/{item.id}") for item in logs if item.id != fact.id
        ),
        entries=lines,
        first=first,
        last=last,
        newer=_newer(glance, last),
        older=f"{glance.href}?before={first}" if first else None,
        commands=()
        if not fact.own
        else (
            Command(_("Re-derive every hash of it"), f"pellucid fsck {views.node().url or 'URL'} --key {fact.vkey}"),
        ),
    )


def statement_page(views: Views, moment: datetime, statement: str) -> EntryPage | None:
    """Build a statement's page at the place where it was logged first."""
    record = views.statement(statement)
    return entry_page(views, moment, record.places[0].log, record.places[0].index) if record else None


def entry_page(views: Views, moment: datetime, log: str, index: int) -> EntryPage | None:
    """Build the page on one entry of a log; None if there is no such entry under its published head."""
    fact, entry = views.log(log), views.entry(log, index)
    if fact is None or entry is None:
        return None
    record = views.statement(entry.statement) if entry.statement else None
    by = author(record, views) if record else None
    covering = views.covering(log, index)
    return EntryPage(
        as_of=moment,
        title=_("{kind} · entry {index}").format(
            kind=kind_name(record) if record else _("Entry"), index=grouped(index)
        ),
        id=record.id if record else None,
        kind=kind_name(record) if record else _("No statement"),
        predicate_type=record.predicate_type if record else None,
        author=by,
        known=in_words(record, by)
        if record
        else sentence(_("This entry {nothing} that this node can read."), nothing=strong(_("is no statement"))),
        badges=standing(record) if record else (),
        notices=_ended(record),
        subjects=_subjects(record),
        fields=rows(record.predicate) if record else (),
        opened=rows(record.opened) if record else (),
        release=Link(_("The release and its chain"), f"/releases/{record.id}")
        if record and record.kind == "release"
        else None,
        seats=seats(record) if record else (),
        log=log_glance(fact),
        index=index,
        size=len(entry.data),
        payload=_pretty(entry.payload) if entry.payload is not None else None,
        entry=entry.data.decode("utf-8", "backslashreplace"),
        inclusion=inclusion_box(views, entry, fact.head.size) if fact.head else None,
        covering=_box(covering) if covering else None,
        commands=_entry_commands(record, views),
    )


def proof_page(
    views: Views, moment: datetime, log: str, index: int | None, old: int | None, size: int | None
) -> ProofPage | None:
    """Build a proof: that entry `index`, or the log of `old` entries, is in the log of `size` entries."""
    fact = views.log(log)
    if fact is None or fact.head is None:
        return None
    wanted = fact.head.size if size is None else size
    entry = views.entry(log, index) if index is not None else None
    box = inclusion_box(views, entry, wanted) if entry is not None else None
    path = views.consistency(log, old, wanted) if old is not None else None
    state, known = _proof_words(fact.head.size, wanted, index, old or 0, None if box is None else len(box.steps), path)
    return ProofPage(
        moment, _("Proof"), log_glance(fact), index, old, wanted, known, state, box,
        views.root(log, old) if path is not None and old is not None else None, views.root(log, wanted), path,
    )  # fmt: skip


def _proof_words(
    head: int, size: int, index: int | None, old: int, steps: int | None, path: tuple[str, ...] | None
) -> tuple[State, Sentence]:
    """Say what a proof shows, or that there is none; `steps` and `path` are the two kinds of proof."""
    numbers = {"index": grouped(index or 0), "old": grouped(old), "size": grouped(size)}
    if steps is None and path is None:
        words = _("There is no proof for the log of {old} entries and size {size}: this log has {head} entries.")
        if index is not None:
            words = _("There is no proof for entry {index} and size {size}: this log has {head} entries.")
        return State.FAILED, sentence(words, head=grouped(head), **numbers)
    number = len(path or ()) if steps is None else steps
    words = _("{hashes} show that the log of {old} entries is in the log of {size} entries.")
    if index is not None:
        words = _("{hashes} show that entry {index} is in the log of {size} entries.")
    return State.GOOD, sentence(words, hashes=strong(counted(number, "hash", "hashes")), **numbers)


def inclusion_box(views: Views, entry: EntryFact, size: int) -> InclusionBox | None:
    """Return the inclusion proof of an entry with the side of each hash; None if it is out of range."""
    path, root = views.inclusion(entry.log, entry.index, size), views.root(entry.log, size)
    if path is None or root is None:
        return None
    return InclusionBox(entry.index, size, entry.leaf_hash, root, tuple(_sides(entry.index, size, path)))


def _sides(index: int, size: int, path: tuple[str, ...]) -> list[ProofStep]:
    """Say of each hash whether it joins from the left or the right (RFC 9162 §2.1.3.2)."""
    steps, last = [], size - 1
    for value in path:
        if index & 1 or index == last:
            steps.append(ProofStep("left", value))
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            steps.append(ProofStep("right", value))
        index, last = index >> 1, last >> 1
    return steps


def _line(log: str, index: int, record: Record | None, views: Views) -> StatementLine:
    if record is not None:
        return statement_line(record, views, index)
    words = sentence(_("This entry is no statement that this node can read."))
    return StatementLine(index, None, _("No statement"), words, f"/logs/{log}/entries/{index}", None, ())


def _newer(glance: LogGlance, last: int | None) -> str | None:
    if last is None or last >= glance.size - 1:
        return None
    before = last + 1 + PER_PAGE
    return glance.href if before >= glance.size else f"{glance.href}?before={before}"


def _log_sentence(fact: LogFact, glance: LogGlance) -> Sentence:
    if fact.head is None:
        return sentence(_("This log is {state}."), state=strong(_("not published yet")))
    words, state = _("This log has {entries} and is {state}."), glance.words
    if fact.frozen:
        words, state = _("This log has {entries} and is {state}: it takes no more."), _("frozen")
    elif glance.newest is not None and glance.state is not State.ATTENTION:
        words = _("This log has {entries}; its head was {state}, last at {when}.")
    return sentence(
        words,
        entries=strong(counted(glance.size, "entry", "entries")),
        state=strong(state),
        when=at(glance.newest) if glance.newest is not None else "",
    )


def _ended(record: Record | None) -> tuple[Notice, ...]:
    if record is None:
        return ()
    text = _("The key that signed this had ended when it was logged. It counts for nothing, and stays visible.")
    notices = (*withdrawn_notice(record), *revoked_notice(record, text))
    if record.problem is None:
        return notices
    return (*notices, Notice(State.ATTENTION, _("It does not fit its type"), English(record.problem[:400])))


def _subjects(record: Record | None) -> tuple[Row, ...]:
    subjects = record.subjects[:200] if record else ()
    return tuple(Row(subject.name or _("subject"), ref, code=True) for subject in subjects for ref in subject.refs)


def _pretty(payload: bytes) -> str:
    try:
        return json.dumps(json.loads(payload), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "backslashreplace")


def _box(checkpoint: CheckpointFact) -> CheckpointBox:
    return CheckpointBox(
        checkpoint.size,
        checkpoint.root,
        checkpoint.time,
        checkpoint.required,
        checkpoint_sightings(checkpoint),
        checkpoint.note,
    )


def _entry_commands(record: Record | None, views: Views) -> tuple[Command, ...]:
    if record is None:
        return ()
    return (show_command(record.id, views),)
