"""What the pages of every node show, and how they are put together from the facts.

A page model is frozen and holds all that its template prints; the `.json` twin is the model serialised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pellucid.record.facts import Alarm, KeyFact, NodeFact, PeerFact, Record, Views
from pellucid.release.portal.claims import (
    NOT_COSIGNED,
    NOT_PROVEN,
    Badge,
    Link,
    Notice,
    Phrase,
    Sentence,
    State,
    at,
    counted,
    sentence,
    standing,
    strong,
)
from pellucid.release.portal.pages import ProductLine, products_page
from pellucid.release.portal.seen import LogGlance, MirrorLine, log_glance, mirror_line
from pellucid.release.portal.speakers import author
from pellucid.release.predicate import Release
from pellucid.site.words import in_words, kind_name

STALE = timedelta(hours=24)
MAX_ALARMS = 10
MAX_LINES = 100
COUNTED = (
    ("release", "releases"),
    ("review", "reviews"),
    ("delta", "measured changes"),
    ("party", "party statements"),
    ("withdrawal", "withdrawals"),
    ("other", "of other types"),
)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One statement in a list."""

    index: int | None
    id: str | None
    kind: str
    words: Sentence
    href: str
    logged_at: datetime | None
    badges: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class StatementList:
    """Statements, and how the list is cut if it is."""

    lines: tuple[StatementLine, ...]
    cut: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its noun."""

    label: str
    number: int


@dataclass(frozen=True, slots=True)
class HomePage:
    """What this node says, and who cosigns it."""

    as_of: datetime
    title: str
    node: NodeFact
    known: Sentence
    notices: tuple[Notice, ...]
    counts: tuple[Figure, ...]
    log: LogGlance | None
    latest: tuple[StatementLine, ...]
    products: tuple[ProductLine, ...]
    not_proven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeLine:
    """A node as others know it."""

    name: str
    role: str
    region: str
    operator: str
    url: str | None
    log: Link | None
    keys: tuple[KeyFact, ...]
    badges: tuple[Badge, ...]
    last_answer: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class NodesPage:
    """The node itself, those it was joined with, and the copies of their logs."""

    as_of: datetime
    title: str
    known: Sentence
    this: NodeLine
    peers: tuple[NodeLine, ...]
    mirrors: tuple[MirrorLine, ...]
    logs: tuple[LogGlance, ...]


def statement_line(record: Record, views: Views, index: int | None = None) -> StatementLine:
    """Return a statement as lists show it."""
    by = author(record, views)
    href = f"/releases/{record.id}" if record.kind == "release" and record.model else f"/statements/{record.id}"
    return StatementLine(
        index, record.id, kind_name(record), in_words(record, by), href, record.logged_at, standing(record)
    )


def home_page(views: Views, moment: datetime) -> HomePage:
    """Build the first page."""
    node = views.node()
    logs = views.logs()
    own = log_glance(logs[0]) if logs else None
    rows = views.newest(own.log, before=None, limit=8) if own else ()
    counts = views.counts()
    return HomePage(
        as_of=moment,
        title=node.name,
        node=node,
        known=_home_sentence(node, own, sum(counts.values())),
        notices=alarm_notices(views),
        counts=tuple(Figure(label, counts.get(name, 0)) for name, label in COUNTED),
        log=own,
        latest=tuple(statement_line(record, views, index) for index, record in rows if record is not None),
        products=products_page(views, moment).products[:6],
        not_proven=NOT_PROVEN,
    )


def alarm_notices(views: Views) -> tuple[Notice, ...]:
    """Return what is wrong as pages show it: the newest alarms, and how many more there are."""
    alarms = views.alarms()
    notices = [_alarm_notice(alarm, views) for alarm in alarms[:MAX_ALARMS]]
    if len(alarms) > MAX_ALARMS:
        words = f"The newest {MAX_ALARMS} of {len(alarms):,} are shown; `pellucid monitor` tells them all."
        notices.append(Notice(State.FAILED, f"{len(alarms) - MAX_ALARMS:,} more alarms", words))
    return tuple(notices)


def listed_lines(records: tuple[Record, ...], views: Views, total: int | None = None) -> StatementList:
    """Return the first of `records` as lines, and say it if there are more: `total`, or as many as were read."""
    lines = tuple(statement_line(item, views) for item in records[:MAX_LINES])
    whole = len(records) if total is None else total
    more = "" if total is not None else " or more"
    cut = f"showing the newest {len(lines):,} of {whole:,}{more}" if whole > len(lines) else None
    return StatementList(lines, cut)


def _alarm_notice(alarm: Alarm, views: Views) -> Notice:
    records = [record for record in map(views.statement, alarm.statements[:MAX_ALARMS]) if record is not None]
    names = [f"{item.model.product} {item.model.version}" for item in records if isinstance(item.model, Release)]
    links = [Link(f"statement {item[:12]}…", f"/statements/{item}") for item in alarm.statements[:MAX_ALARMS]]
    if alarm.log is not None:
        links.append(Link("the log", f"/logs/{alarm.log}"))
    about = f": {names[0]}" if names else ""
    return Notice(State.FAILED, f"Alarm: {alarm.kind.replace('-', ' ')}{about}", alarm.what, tuple(links))


def nodes_page(views: Views, moment: datetime) -> NodesPage:
    """Build the page on nodes and mirrors."""
    node, logs = views.node(), views.logs()
    origins = {log.id: log.origin for log in logs}
    peers = views.peers()
    this = NodeLine(
        node.name, node.role, node.region, node.operator, node.url, Link(logs[0].origin, "/log") if logs else None,
        node.keys, (), None, None,
    )  # fmt: skip
    return NodesPage(
        as_of=moment,
        title="Nodes",
        known=_nodes_sentence(node, peers),
        this=this,
        peers=tuple(_peer_line(peer, origins, moment) for peer in peers),
        mirrors=tuple(mirror_line(item, known=item.log in origins) for item in views.mirrors()),
        logs=tuple(log_glance(log) for log in logs),
    )


def _home_sentence(node: NodeFact, own: LogGlance | None, statements: int) -> Sentence:
    parts: list[str | Phrase] = [
        f"This {node.role}'s node knows ", strong(counted(statements, "statement")), ". Its log is ",
    ]  # fmt: skip
    if own is None or own.root is None:
        return sentence(*parts, strong("not published yet"), ".")
    if own.state is State.ATTENTION:
        return sentence(*parts, strong(NOT_COSIGNED), ".")
    parts += [strong(own.words)]
    return sentence(*parts, ", last at ", at(own.newest), ".") if own.newest else sentence(*parts, ".")


def _nodes_sentence(node: NodeFact, peers: tuple[PeerFact, ...]) -> Sentence:
    if not peers:
        return sentence(strong(node.name), " is joined with ", strong("no other node"), ". Nobody watches its log.")
    watching = [peer for peer in peers if peer.witnesses_us]
    copying = [peer for peer in peers if peer.mirrors_us]
    return sentence(
        strong(node.name), " is joined with ", strong(counted(len(peers), "node")), "; ",
        f"{len(watching)} cosign its log and {len(copying)} keep a copy of it.",
    )  # fmt: skip


def _peer_line(peer: PeerFact, origins: dict[str, str], moment: datetime) -> NodeLine:
    badges = []
    badges.append(
        Badge(State.GOOD, "witnesses this log")
        if peer.witnesses_us
        else Badge(State.UNKNOWN, "does not witness this log")
    )
    badges.append(
        Badge(State.GOOD, "mirrors this log") if peer.mirrors_us else Badge(State.UNKNOWN, "keeps no copy of this log")
    )
    if peer.last_answer is None:
        badges.append(Badge(State.UNKNOWN, "never heard of"))
    elif peer.problem is not None or moment - peer.last_answer > STALE:
        badges.append(Badge(State.FAILED, "not answering"))
    link = Link(origins[peer.log], f"/logs/{peer.log}") if peer.log in origins else None
    return NodeLine(
        peer.name, peer.role, peer.region, peer.operator, peer.url, link, peer.keys, tuple(badges),
        peer.last_answer, peer.problem,
    )  # fmt: skip
