"""“What is open?”: what nobody reviewed, what is only partly read, what has ended, and logs that too few have seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pellucid.record.facts import PeerFact, Record, Views
from pellucid.release.portal import chain
from pellucid.release.portal.claims import (
    Badge,
    Notice,
    Sentence,
    State,
    counted,
    sentence,
    standing,
    stands,
    strong,
)
from pellucid.release.portal.coverage import coverage, reviews_of
from pellucid.release.portal.formats import grouped
from pellucid.release.portal.seen import log_glance, mirror_line
from pellucid.release.predicate import Release
from pellucid.site.pages import STALE, alarm_notices
from pellucid.source.predicate import Review
from pellucid.statement.reference import release_ref, tree_ref

MOST_PRODUCTS = 50
MOST_REVIEWS = 200
MOST_ITEMS = 25
SOON = timedelta(days=30)


class Kind(StrEnum):
    """What a group of open ends is about."""

    REFUSED = "refused"
    ENDED = "ended"
    UNREVIEWED = "unreviewed"
    DEBT = "debt"
    IN_HOUSE = "in-house"
    EXPIRED = "expired"
    LOGS = "logs"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing that is open, and where it is told in full."""

    title: str
    href: str
    badge: Badge
    words: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Open ends of one sort; `number` counts those that are not shown too."""

    kind: Kind
    title: str
    text: str
    state: State
    number: int
    items: tuple[OpenItem, ...]


@dataclass(frozen=True, slots=True)
class OpenPage:
    """Everything here that somebody should still do, or know."""

    as_of: datetime
    title: str
    known: Sentence
    basis: str
    notices: tuple[Notice, ...]
    groups: tuple[OpenGroup, ...]


def open_page(views: Views, moment: datetime) -> OpenPage:
    """Build the page on what is open: of each product the release logged last, of each review its end."""
    releases = [item for item in views.newest_releases(limit=MOST_PRODUCTS) if isinstance(item.model, Release)]
    _read_ahead(releases, views)
    found: dict[Kind, list[OpenItem]] = {kind: [] for kind in Kind}
    for record in releases:
        answer = _of_release(record, views, moment)
        if answer is not None:
            found[answer[0]].append(answer[1])
    found[Kind.EXPIRED] = list(_ending(views, moment))
    found[Kind.LOGS] = list(_logs(views))
    found[Kind.NODES] = [item for item in (_node(peer, moment) for peer in views.peers()) if item is not None]
    groups = tuple(_group(kind, items) for kind, items in found.items())
    return OpenPage(
        as_of=moment,
        title=_("What is open?"),
        known=_known(sum(group.number for group in groups), len(views.alarms())),
        basis=_basis(len(releases)),
        notices=alarm_notices(views),
        groups=tuple(sorted(groups, key=lambda group: not group.number)),
    )


def _known(number: int, alarms: int) -> Sentence:
    if not number and not alarms:
        return sentence(_("{nothing} is open in what this node knows."), nothing=strong(_("Nothing")))
    things = strong(counted(number, "{n} thing is open here", "{n} things are open here"))
    up = strong(counted(alarms, "{n} alarm is up", "{n} alarms are up"))
    return sentence(_("{things}, and {alarms}."), things=things, alarms=up)


def _basis(number: int) -> str:
    words = ngettext(
        "Looked at was the newest release of {number} product; reviews count by whom this node knows as accredited.",
        "Looked at were the newest releases of {number} products; reviews count by whom this node knows as accredited.",
        number,
    )
    return words.format(number=grouped(number))


def _read_ahead(records: Iterable[Record], views: Views) -> None:
    """Ask for what concerns all these releases at once: a page's reading of the node remembers it."""
    trees = [tree_ref(item.model.source.sha256) for item in records if item.model.source is not None]
    for kind in ("review", "delta"):
        views.about_each(trees, kind=kind)
    places = [release_ref(item.model.product, item.model.version, part.name)
              for item in records for part in item.model.artifacts]  # fmt: skip
    views.about_each(places, kind="release")


def _of_release(record: Record, views: Views, moment: datetime) -> tuple[Kind, OpenItem] | None:
    """Return how a release stands open, the worst first; None where nothing is."""
    ended = standing(record)
    if ended:
        return Kind.ENDED, _item(record, ended[0])
    if chain.doubles(record, views):
        return Kind.ENDED, _item(record, Badge(State.FAILED, _("released twice with different files")))
    source = record.model.source
    if source is None:
        return Kind.UNREVIEWED, _item(record, Badge(State.UNKNOWN, _("names no source")))
    found = _of_source(record, source.sha256, views, moment)
    return None if found is None else (found[0], _item(record, found[1]))


def _of_source(record: Record, tree: str, views: Views, moment: datetime) -> tuple[Kind, Badge] | None:
    """Return what is open about the reading of a release's source."""
    covered = coverage(tree, views, moment)
    if any(chain.failed(item) for item in reviews_of(tree, views)):
        return Kind.REFUSED, Badge(State.FAILED, _("a review did not pass it"))
    if not covered.bearing:
        return Kind.UNREVIEWED, Badge(State.UNKNOWN, _("no review that counts"))
    if covered.lines:
        return Kind.DEBT, Badge(State.ATTENTION, counted(covered.lines, "{n} line unread", "{n} lines unread"))
    own = Badge(State.ATTENTION, _("reviewed only by its own maker"))
    return (Kind.IN_HOUSE, own) if chain.in_house(record, covered) else None


def _item(record: Record, badge: Badge) -> OpenItem:
    title = f"{record.model.product} {record.model.version}"
    return OpenItem(title, f"/releases/{record.id}", badge, "", record.logged_at)


def _ending(views: Views, moment: datetime) -> Iterable[OpenItem]:
    """Yield the reviews that have expired, or will within a month."""
    records = [item for item in views.of_kind("review", limit=MOST_REVIEWS) if isinstance(item.model, Review)]
    dated = [(datetime.fromisoformat(item.model.expires), item) for item in records if stands(item)]
    for expires, record in sorted(dated, key=lambda pair: pair[0]):
        if expires > moment + SOON:
            continue
        over = expires <= moment
        badge = Badge(State.ATTENTION, _("expired")) if over else Badge(State.UNKNOWN, _("expires soon"))
        name = _("review {digest}").format(digest=f"{record.id[:12]}…")
        yield OpenItem(name, f"/statements/{record.id}", badge, "", expires)


def _logs(views: Views) -> Iterable[OpenItem]:
    """Yield logs that are frozen or lack cosigners, and copies that lag."""
    logs = views.logs()
    for glance in map(log_glance, logs):
        if glance.frozen:
            words = _("frozen: nothing is added to it any more")
            yield OpenItem(glance.origin, glance.href, Badge(State.ATTENTION, _("frozen")), words, glance.seen)
        if glance.state is not State.GOOD:
            yield OpenItem(glance.origin, glance.href, Badge(glance.state, glance.words), "", glance.seen)
    known = {log.id for log in logs}
    for line in (mirror_line(item, known=item.log in known) for item in views.mirrors()):
        if line.state is not State.GOOD:
            kept = _("copy kept by {name}").format(name=line.kept_by)
            yield OpenItem(line.origin, line.href or "/nodes", Badge(line.state, line.words), kept, line.at)


def _node(peer: PeerFact, moment: datetime) -> OpenItem | None:
    if peer.last_answer is None:
        return OpenItem(peer.name, "/nodes", Badge(State.UNKNOWN, _("never heard of")), "", None)
    if peer.problem is not None or moment - peer.last_answer > STALE:
        badge = Badge(State.FAILED, _("not answering"))
        return OpenItem(peer.name, "/nodes", badge, peer.problem or "", peer.last_answer)
    return None


def _group(kind: Kind, items: list[OpenItem]) -> OpenGroup:
    title, text, state = _words(kind)
    return OpenGroup(kind, title, text, state if items else State.GOOD, len(items), tuple(items[:MOST_ITEMS]))


def _words(kind: Kind) -> tuple[str, str, State]:
    """Return a group's heading, what it means and how it stands when something is in it."""
    words = {
        Kind.REFUSED: (_("Reviewed and not passed"), _("A reviewer says no, and the release is still the newest."),
                       State.FAILED),
        Kind.ENDED: (_("Withdrawn, doubled or without an author"),
                     _("The newest release of a product no longer stands."), State.FAILED),
        Kind.UNREVIEWED: (_("Nobody looked"), _("No review that counts leads to what ships now."), State.UNKNOWN),
        Kind.DEBT: (_("Review debt"), _("Lines changed since somebody looked, and nobody has read them."),
                    State.ATTENTION),
        Kind.IN_HOUSE: (_("Reviewed by its own maker only"), _("Nobody from outside has read what ships now."),
                        State.ATTENTION),
        Kind.EXPIRED: (_("Reviews that end"), _("Expired, or about to within 30 days."), State.ATTENTION),
        Kind.LOGS: (_("Logs that too few have seen"), _("Not cosigned as asked, frozen, or with a copy that lags."),
                    State.ATTENTION),
        Kind.NODES: (_("Nodes that do not answer"), _("Somebody who should watch has not been heard of for a day."),
                     State.FAILED),
    }  # fmt: skip
    return words[kind]
