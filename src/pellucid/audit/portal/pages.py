"""The models of the audit pages: what is recorded about somebody, and the whole log for operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from pellucid.audit.details import DETAILS, TIME
from pellucid.audit.events import EventType
from pellucid.audit.portal.words import name_of, not_proven
from pellucid.audit.trail import Recorded, Trail

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of an event: its name and what it says; where that is a time, also as such."""

    name: str
    value: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """An event as a page shows it. `actor` is a pseudonym, None for the node itself and for a visitor."""

    index: int
    at: datetime
    type: str
    what: str
    by: str
    actor: str | None
    about: tuple[str, ...]
    target: str | None
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The published head of the audit log: its size in events, and the names of the keys that cosigned it."""

    origin: str
    size: int
    vkey: str
    cosigned_by: tuple[str, ...]
    recorded: int

    @property
    def waiting(self) -> int:
        """How many events are durable and not in the published head yet."""
        return self.recorded - self.size


@dataclass(frozen=True, slots=True)
class Command:
    """A line to run oneself."""

    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    """What is recorded about the account that asks, newest first."""

    title: str
    as_of: datetime
    account: str
    count: int
    events: tuple[Line, ...]
    older: str | None
    proof: str
    head: Head | None
    command: Command | None
    not_proven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A type of event to choose."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The audit log, newest first: all of it, one account's part, or one type of event."""

    title: str
    as_of: datetime
    account: str | None
    types: tuple[Choice, ...]
    events: tuple[Line, ...]
    older: str | None
    head: Head | None
    problem: str | None


def record_page(trail: Trail, account: str, before: int | None) -> RecordPage:
    """Return the page of an account's own record; `before` pages back."""
    found = _events(trail, before, account=account)
    head = head_of(trail)
    return RecordPage(
        title=_("What is recorded about you"),
        as_of=datetime.now(UTC),
        account=account,
        count=trail.count(account),
        events=tuple(line_of(item, account) for item in found[:PER_PAGE]),
        older=_older("/account/record", found),
        proof="/account/record/proof",
        head=head,
        command=_check_command(account, head) if head else None,
        not_proven=not_proven(),
    )


def audit_page(trail: Trail, account: str | None, type: EventType | None, before: int | None) -> AuditPage:  # noqa: A002
    """Return the operators' page of the log."""
    types = (type,) if type else ()
    found = _events(trail, before, account=account, types=types)
    here = f"/audit/{account}" if account else "/audit"
    return AuditPage(
        title=_("Audit log"),
        as_of=datetime.now(UTC),
        account=account,
        types=tuple(Choice(item.value, name_of(item), item is type) for item in EventType),
        events=tuple(line_of(item, None) for item in found[:PER_PAGE]),
        older=_older(here, found, type=type.value if type else None),
        head=head_of(trail),
        problem=trail.problem,
    )


def head_of(trail: Trail) -> Head | None:
    """Return the published head, None before the first."""
    signed = trail.published
    if signed is None:
        return None
    log = trail.log.verifier
    names = tuple(line.name for line in signed.note.signatures if not log.owns(line))
    return Head(log.name, signed.checkpoint.size, log.vkey, names, trail.size)


def file_name(account: str) -> str:
    """Return what the proof file of an account is called when it is fetched."""
    return f"record-{account[:8]}.json"


def line_of(recorded: Recorded, reader: str | None) -> Line:
    """Return an event as a page shows it to the account `reader`."""
    event = recorded.event
    by = _("you") if reader is not None and event.actor == reader else event.actor
    return Line(
        index=recorded.index,
        at=datetime.fromtimestamp(event.at / 1000, UTC),
        type=event.type.value,
        what=name_of(event.type),
        by=by or _("this node, or a visitor"),
        actor=event.actor,
        about=event.about,
        target=event.target,
        details=tuple(_detail(event.type, name, value) for name, value in event.details.items()),
    )


def _detail(type: EventType, name: str, value: str | int) -> Detail:  # noqa: A002
    """Return a detail in words: yes or no, and times in milliseconds as moments."""
    if isinstance(value, bool):
        return Detail(name, _("yes") if value else _("no"), None)
    is_time = DETAILS[type].get(name) is TIME and isinstance(value, int)
    return Detail(name, str(value), datetime.fromtimestamp(int(value) / 1000, UTC) if is_time else None)


def _check_command(account: str, head: Head) -> Command:
    text = f"pellucid audit check {file_name(account)} --key '{head.vkey}'"
    return Command(_("Check the file yourself"), text)


def _events(
    trail: Trail, before: int | None, *, account: str | None, types: Sequence[EventType] = ()
) -> list[Recorded]:
    """Return one event more than a page holds, if there are so many."""
    end = trail.size if before is None else before
    return trail.events(account=account, types=types, before=end, limit=PER_PAGE + 1)


def _older(path: str, found: Sequence[Recorded], **query: str | None) -> str | None:
    if len(found) <= PER_PAGE:
        return None
    values = {**{name: value for name, value in query.items() if value}, "before": str(found[PER_PAGE - 1].index)}
    return f"{path}?{urlencode(values)}"
