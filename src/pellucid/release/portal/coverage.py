"""How much of a source tree somebody has read, by the statements at hand: reviews, and deltas between trees.

The arithmetic is that of the verdict (`pellucid.trust.debt`): of all ways back to a tree that was read in full, the
one with the fewest unread lines. A page has no policy: it counts what reviewers and centers say that this node
accepts, and that stands.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import Ending, Record, Views
from pellucid.release.portal.claims import stands
from pellucid.release.portal.speakers import may_read
from pellucid.source.predicate import Delta, Extent, Result, Review, ReviewOf, worst_of
from pellucid.statement.reference import tree_ref
from pellucid.trust.debt import Step, debts_from, debts_to

MAX_TREES = 64
KEY_ENDED = {
    Ending.RETIRED: noop("its author's key is retired"),
    Ending.COMPROMISED: noop("its author's key is compromised"),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The reviews on the way with the fewest unread lines, and the changes on it that nobody read."""

    reviews: tuple[Record, ...] = ()  # that no other of them rests on, newest first
    chain: tuple[Record, ...] = ()  # that those rest on
    deltas: tuple[Record, ...] = ()
    lines: int = 0  # changed lines that no review covers; 0 if the tree itself is covered
    reviewed_at: datetime | None = None

    @property
    def bearing(self) -> tuple[Record, ...]:
        """Return every review that the tree's coverage rests on; empty if nobody read anything that leads here."""
        return (*self.reviews, *self.chain)


@dataclass(slots=True)
class _Graph:
    """What leads back from a tree, each with the tree that it starts from."""

    reviews: list[tuple[str, Record]] = field(default_factory=list)
    deltas: list[tuple[Step, Record]] = field(default_factory=list)

    def steps(self) -> list[Step]:
        """Return every step back and its unread lines; what somebody read is free."""
        read = [Step(tree, item.model.base, 0) for tree, item in self.reviews if item.model.extent is Extent.DELTA]
        return [*read, *(step for step, _ in self.deltas)]

    def full(self) -> set[str]:
        """Return the trees that somebody read in full."""
        return {tree for tree, item in self.reviews if item.model.extent is Extent.FULL}


def coverage(tree: str, views: Views, moment: datetime) -> Coverage:
    """Return what covers `tree` at `moment`."""
    graph = _explore(tree, views, moment)
    steps = graph.steps()
    reach, floor = debts_from(tree, steps), debts_to(graph.full(), steps)
    if tree not in floor:
        return Coverage()
    lines = floor[tree]
    bearing = [item for start, item in graph.reviews if _debt(start, item, reach, floor) == lines]
    rested_on = {item.model.base for item in bearing if item.model.extent is Extent.DELTA}
    top = [item for item in bearing if _tree(item) not in rested_on] or bearing
    return Coverage(
        reviews=_newest(top),
        chain=_newest(item for item in bearing if item not in top),
        deltas=tuple(item for step, item in graph.deltas if lines and _on_the_way(step, reach, floor, lines)),
        lines=lines,
        reviewed_at=max((item.logged_at for item in bearing if item.logged_at), default=None),
    )


def reviews_of(tree: str, views: Views) -> tuple[Record, ...]:
    """Return every review of a tree, whatever became of it."""
    return views.about(tree_ref(tree), kind="review")


def why_not(record: Record, views: Views, moment: datetime) -> str | None:
    """Return why a review does not count here, or None when it does."""
    review = record.model
    if not isinstance(review, Review):
        return _("it does not fit its type")
    if record.withdrawn is not None:
        return _("its author withdrew it")
    if record.revoked is not None:
        return _(KEY_ENDED[record.revoked.ending])
    if not may_read(record, views):
        return _("nobody known here has accredited its author as a reviewer")
    if datetime.fromisoformat(review.expires) <= moment:
        return _("it has expired")
    return _("it did not pass") if review.result is Result.FAIL else None


def _explore(tree: str, views: Views, moment: datetime) -> _Graph:
    """Walk back from a tree, fewest unread lines first, until nothing nearer can have been read in full."""
    graph, queue, seen = _Graph(), [(0, tree)], set[str]()
    nearest: int | None = None
    while queue and len(seen) < MAX_TREES:
        cost, reached = heapq.heappop(queue)
        if nearest is not None and cost > nearest:
            break
        if reached in seen:
            continue
        seen.add(reached)
        reviews = [item for item in reviews_of(reached, views) if _reads_source(item, views, moment)]
        deltas = list(_measured(reached, views))
        graph.reviews += [(reached, item) for item in reviews]
        graph.deltas += deltas
        if nearest is None and any(item.model.extent is Extent.FULL for item in reviews):
            nearest = cost
        queue += [(cost, item.model.base) for item in reviews if item.model.extent is Extent.DELTA]
        queue += [(cost + step.lines, step.base) for step, _ in deltas]
        heapq.heapify(queue)
    return graph


def _reads_source(record: Record, views: Views, moment: datetime) -> bool:
    return why_not(record, views, moment) is None and record.model.of is ReviewOf.SOURCE


def _measured(tree: str, views: Views) -> Iterator[tuple[Step, Record]]:
    """Yield the measured changes that led to a tree; one with changed binary files has no lines to go by."""
    by_base: dict[str, list[Record]] = {}
    for record in views.about(tree_ref(tree), kind="delta"):
        if isinstance(record.model, Delta) and stands(record) and may_read(record, views):
            by_base.setdefault(record.model.base, []).append(record)
    for base, records in by_base.items():
        debt, binaries = worst_of(record.model for record in records)
        if not binaries:
            yield from ((Step(tree, base, debt), record) for record in records)


def _debt(start: str, record: Record, reach: Mapping[str, int], floor: Mapping[str, int]) -> int | None:
    ground = start if record.model.extent is Extent.FULL else record.model.base
    return reach[start] + floor[ground] if start in reach and ground in floor else None


def _on_the_way(step: Step, reach: Mapping[str, int], floor: Mapping[str, int], lines: int) -> bool:
    return step.target in reach and step.base in floor and reach[step.target] + step.lines + floor[step.base] == lines


def _newest(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(sorted(records, key=lambda item: item.logged_at.timestamp() if item.logged_at else 0.0, reverse=True))


def _tree(record: Record) -> str:
    return next((ref.partition(":")[2] for subject in record.subjects for ref in subject.refs), "")
