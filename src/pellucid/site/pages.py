"""What the pages of every node show, and how they are put together from the facts.

A page model is frozen and holds all that its template prints; the `.json` twin is the model serialised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import Alarm, KeyFact, NodeFact, PeerFact, Record, Views
from pellucid.release.portal.claims import (
    NOT_COSIGNED,
    Badge,
    English,
    Link,
    Notice,
    Sentence,
    State,
    at,
    counted,
    not_proven,
    sentence,
    standing,
    strong,
)
from pellucid.release.portal.formats import grouped
from pellucid.release.portal.pages import ProductLine, products_page
from pellucid.release.portal.seen import LogGlance, MirrorLine, log_glance, mirror_line
from pellucid.release.portal.speakers import author
from pellucid.release.portal.terms import term
from pellucid.release.predicate import Release
from pellucid.site.questions import Question, questions
from pellucid.site.words import in_words, kind_name

STALE = timedelta(hours=24)
MAX_ALARMS = 10
MAX_LINES = 100
COUNTED = (
    ("release", noop("releases")),
    ("review", noop("reviews")),
    ("delta", noop("measured changes")),
    ("party", noop("party statements")),
    ("withdrawal", noop("withdrawals")),
    ("other", noop("of other types")),
)
ALARMS = {
    "doubled-release": noop("Alarm: doubled release"),
    "inconsistent-log": noop("Alarm: inconsistent log"),
    "stale-log": noop("Alarm: stale log"),
}
TOLD_ALIKE = (noop("Two live releases give one artifact of one version different bytes."),)


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
    questions: tuple[Question, ...]
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
        questions=questions(views, moment),
        counts=tuple(Figure(_(label), counts.get(name, 0)) for name, label in COUNTED),
        log=own,
        latest=tuple(statement_line(record, views, index) for index, record in rows if record is not None),
        products=products_page(views, moment).products[:6],
        not_proven=not_proven(),
    )


def alarm_notices(views: Views) -> tuple[Notice, ...]:
    """Return what is wrong as pages show it: the newest alarms, and how many more there are."""
    alarms = views.alarms()
    notices = [_alarm_notice(alarm, views) for alarm in alarms[:MAX_ALARMS]]
    if len(alarms) > MAX_ALARMS:
        words = _("The newest {number} of {total} are shown; `pellucid monitor` tells them all.")
        more = counted(len(alarms) - MAX_ALARMS, "{n} more alarm", "{n} more alarms")
        total = grouped(len(alarms))
        notices.append(Notice(State.FAILED, more, words.format(number=MAX_ALARMS, total=total)))
    return tuple(notices)


def listed_lines(records: tuple[Record, ...], views: Views, total: int | None = None) -> StatementList:
    """Return the first of `records` as lines, and say it if there are more: `total`, or as many as were read."""
    lines = tuple(statement_line(item, views) for item in records[:MAX_LINES])
    whole = len(records) if total is None else total
    if whole <= len(lines):
        return StatementList(lines, None)
    cut = _("showing the newest {number} of {total}")
    if total is None:
        cut = _("showing the newest {number} of {total} or more")
    return StatementList(lines, cut.format(number=grouped(len(lines)), total=grouped(whole)))


def _alarm_notice(alarm: Alarm, views: Views) -> Notice:
    records = [record for record in map(views.statement, alarm.statements[:MAX_ALARMS]) if record is not None]
    names = [f"{item.model.product} {item.model.version}" for item in records if isinstance(item.model, Release)]
    links = [Link(statement_name(item), f"/statements/{item}") for item in alarm.statements[:MAX_ALARMS]]
    if alarm.log is not None:
        links.append(Link(_("the log"), f"/logs/{alarm.log}"))
    title = _(ALARMS[alarm.kind]) if alarm.kind in ALARMS else _("Alarm")
    if names:
        title = _("{alarm}: {release}").format(alarm=title, release=names[0])
    what = _(alarm.what) if alarm.what in TOLD_ALIKE else English(alarm.what)
    return Notice(State.FAILED, title, what, tuple(links))


def statement_name(statement: str) -> str:
    """Write a statement by the start of its id."""
    return _("statement {id}").format(id=f"{statement[:12]}…")


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
        title=_("Nodes"),
        known=_nodes_sentence(node, peers),
        this=this,
        peers=tuple(_peer_line(peer, origins, moment) for peer in peers),
        mirrors=tuple(mirror_line(item, known=item.log in origins) for item in views.mirrors()),
        logs=tuple(log_glance(log) for log in logs),
    )


def _home_sentence(node: NodeFact, own: LogGlance | None, statements: int) -> Sentence:
    words, moment = _("This {role}'s node knows {statements}. Its log is {state}."), None
    if own is None or own.root is None:
        state = _("not published yet")
    elif own.state is State.ATTENTION:
        state = _(NOT_COSIGNED)
    else:
        state, moment = own.words, own.newest
    if moment is not None:
        words = _("This {role}'s node knows {statements}. Its log is {state}, last at {when}.")
    return sentence(
        words,
        role=term(node.role),
        statements=strong(counted(statements, "statement")),
        state=strong(state),
        when=at(moment) if moment is not None else "",
    )


def _nodes_sentence(node: NodeFact, peers: tuple[PeerFact, ...]) -> Sentence:
    name = strong(node.name)
    if not peers:
        words = _("{node} is joined with {nobody}. Nobody watches its log.")
        return sentence(words, node=name, nobody=strong(_("no other node")))
    watching = sum(peer.witnesses_us for peer in peers)
    copying = sum(peer.mirrors_us for peer in peers)
    words = _("{node} is joined with {nodes}; {cosigning} cosign its log and {copying} keep a copy of it.")
    nodes = strong(counted(len(peers), "node"))
    return sentence(words, node=name, nodes=nodes, cosigning=grouped(watching), copying=grouped(copying))


def _peer_line(peer: PeerFact, origins: dict[str, str], moment: datetime) -> NodeLine:
    badges = [
        Badge(State.GOOD, _("witnesses this log"))
        if peer.witnesses_us
        else Badge(State.UNKNOWN, _("does not witness this log")),
        Badge(State.GOOD, _("mirrors this log"))
        if peer.mirrors_us
        else Badge(State.UNKNOWN, _("keeps no copy of this log")),
    ]
    if peer.last_answer is None:
        badges.append(Badge(State.UNKNOWN, _("never heard of")))
    elif peer.problem is not None or moment - peer.last_answer > STALE:
        badges.append(Badge(State.FAILED, _("not answering")))
    link = Link(origins[peer.log], f"/logs/{peer.log}") if peer.log in origins else None
    return NodeLine(
        peer.name, peer.role, peer.region, peer.operator, peer.url, link, peer.keys, tuple(badges),
        peer.last_answer, None if peer.problem is None else English(peer.problem),
    )  # fmt: skip
