"""“Who looked?”: the reviews that are logged here, who made them, and the nodes that saw the logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from pellucid.record.facts import AuthorRow, PeerFact, Record, Views
from pellucid.release.portal.cards import PAID_BY, result_badge
from pellucid.release.portal.claims import (
    PER_PAGE,
    Badge,
    Link,
    Paging,
    Sentence,
    Speaker,
    State,
    counted,
    paging,
    sentence,
    short,
    standing,
    strong,
)
from pellucid.release.portal.coverage import why_not
from pellucid.release.portal.speakers import author, introduce
from pellucid.release.predicate import Release
from pellucid.site.charts import Bars, Series, week_labels, weekly
from pellucid.source.predicate import Review, ReviewOf

WEEKS = 26
MAX_REVIEWERS = 50
MAX_RELEASES = 2  # named of those made from one reviewed tree


@dataclass(frozen=True, slots=True)
class ReviewerLine:
    """Somebody who reviews."""

    who: Speaker
    reviews: int
    newest: datetime | None
    badges: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class CenterLine:
    """A node that sees this node's log."""

    name: str
    href: str
    role: str
    operator: str
    region: str
    badges: tuple[Badge, ...]
    last_answer: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One review: of what, by whom, with which result, until when."""

    id: str
    href: str
    of: tuple[Link, ...]  # releases made from what was read; the digest itself where none is known
    others: int  # further such releases
    extent: str
    reviewer: Speaker | None
    paid_by: str
    result: Badge
    badges: tuple[Badge, ...]
    counts: bool
    refused: str | None
    expires: datetime
    logged_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """Who looked at what."""

    as_of: datetime
    title: str
    known: Sentence
    activity: Bars | None
    reviews: tuple[ReviewLine, ...]
    paging: Paging | None
    reviewers: tuple[ReviewerLine, ...]
    centers: tuple[CenterLine, ...]


def reviews_page(views: Views, moment: datetime, start: int = 0) -> ReviewsPage:
    """Build the page on reviews, from the `start`th newest; what does not fit its type is left out."""
    total = views.counts().get("review", 0)
    records = views.of_kind("review", limit=PER_PAGE, offset=start)
    rows = views.authors("review", limit=MAX_REVIEWERS)
    made_from = _made_from(records, views)
    return ReviewsPage(
        as_of=moment,
        title=_("Who looked?"),
        known=_known(total, len(rows), views),
        activity=activity(views, moment),
        reviews=tuple(_line(item, made_from, views, moment) for item in records if isinstance(item.model, Review)),
        paging=paging("/reviews", start, len(records), total),
        reviewers=tuple(_reviewer(row, views) for row in rows),
        centers=tuple(_center(peer) for peer in views.peers()),
    )


def activity(views: Views, moment: datetime) -> Bars | None:
    """Return releases and reviews by week for half a year; None where nothing has a time."""
    first = moment.date() - timedelta(days=7 * WEEKS - 1)
    days = views.activity(datetime(first.year, first.month, first.day, tzinfo=moment.tzinfo), ("release", "review"))
    released, reviewed = (weekly(days, kind, first, WEEKS) for kind in ("release", "review"))
    if not any((*released, *reviewed)):
        return None
    desc = _("In the last {weeks} weeks {releases} and {reviews} were logged.").format(
        weeks=WEEKS, releases=counted(sum(released), "release"), reviews=counted(sum(reviewed), "review")
    )
    series = (Series(_("releases"), released), Series(_("reviews"), reviewed))
    title, unit = _("Shipped and looked at, by week"), _("Week from")
    return Bars("activity", title, desc, unit, week_labels(first, WEEKS), series)


def _known(total: int, reviewers: int, views: Views) -> Sentence:
    if not total:
        return sentence(_("{nobody} has logged a review here."), nobody=strong(_("Nobody")))
    watching = sum(peer.witnesses_us for peer in views.peers())
    words = _("{reviews} by {parties} are logged here, and {nodes} saw this log.")
    return sentence(
        words,
        reviews=strong(counted(total, "review")),
        parties=strong(counted(reviewers, "party", "parties")),
        nodes=strong(counted(watching, "other node")),
    )


def _made_from(records: tuple[Record, ...], views: Views) -> Mapping[str, tuple[Record, ...]]:
    refs = {ref for record in records for ref in _refs(record)}
    trees = tuple(sorted(ref for ref in refs if ref.startswith("gitTree:")))
    files = tuple(sorted(refs.difference(trees)))
    named = views.referring_each(trees, kind="release", limit=MAX_RELEASES + 20) if trees else {}
    return {**named, **(views.about_each(files, kind="release") if files else {})}


def _line(record: Record, made_from: Mapping[str, tuple[Record, ...]], views: Views, moment: datetime) -> ReviewLine:
    review: Review = record.model
    refused = why_not(record, views, moment)
    expires = datetime.fromisoformat(review.expires)
    of, others = _subject(record, review, made_from)
    return ReviewLine(
        id=record.id,
        href=f"/statements/{record.id}",
        of=of,
        others=others,
        extent=review.extent.value,
        reviewer=author(record, views),
        paid_by=_(PAID_BY[review.paid_by]),
        result=result_badge(review.result, live=refused is None),
        badges=(*standing(record), *((Badge(State.ATTENTION, _("expired")),) if expires <= moment else ())),
        counts=refused is None,
        refused=refused,
        expires=expires,
        logged_at=record.logged_at,
    )


def _subject(
    record: Record, review: Review, made_from: Mapping[str, tuple[Record, ...]]
) -> tuple[tuple[Link, ...], int]:
    found = [item for ref in _refs(record) for item in made_from.get(ref, ()) if isinstance(item.model, Release)]
    if found:
        named = (Link(f"{item.model.product} {item.model.version}", f"/releases/{item.id}") for item in found)
        return tuple(named)[:MAX_RELEASES], max(0, len(found) - MAX_RELEASES)
    digest = next((ref.rpartition(":")[2] for ref in _refs(record)), "")
    names = {ReviewOf.SOURCE: _("source tree {digest}"), ReviewOf.UPDATE: _("update {digest}"),
             ReviewOf.RULES: _("rule set {digest}")}  # fmt: skip
    return (Link(names[review.of].format(digest=short(digest)), f"/digest/{digest}"),), 0


def _reviewer(row: AuthorRow, views: Views) -> ReviewerLine:
    party = views.party(row.key)
    badges = []
    if party is not None and party.revocation is not None:
        ended = {"retired": _("key retired"), "compromised": _("key compromised")}
        badges.append(Badge(State.FAILED, ended[party.revocation.ending.value]))
    if party is None or not party.accreditations:
        badges.append(Badge(State.UNKNOWN, _("accredited by nobody known here")))
    return ReviewerLine(introduce(row.key, views), row.statements, row.newest, tuple(badges))


def _center(peer: PeerFact) -> CenterLine:
    witness = (State.GOOD, _("cosigns this log")) if peer.witnesses_us else (State.UNKNOWN, _("does not cosign it"))
    mirror = (State.GOOD, _("keeps a copy")) if peer.mirrors_us else (State.UNKNOWN, _("keeps no copy"))
    badges = (Badge(*witness), Badge(*mirror))
    return CenterLine(peer.name, "/nodes", peer.role, peer.operator, peer.region, badges, peer.last_answer)


def _refs(record: Record) -> tuple[str, ...]:
    return tuple(ref for subject in record.subjects for ref in subject.refs)
