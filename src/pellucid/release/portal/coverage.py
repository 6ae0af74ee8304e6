"""How much of a source tree somebody has read, by the statements at hand: reviews, and deltas between trees.

A full review covers its tree. A delta review covers its tree if its base is covered. Where a tree is not covered,
the measured deltas lead back to the nearest tree that is, and their lines are the debt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pellucid.record.facts import Record, Views
from pellucid.release.portal.claims import stands
from pellucid.source.predicate import Delta, Extent, Result, Review
from pellucid.statement.reference import tree_ref

MAX_STEPS = 32


@dataclass(frozen=True, slots=True)
class Coverage:
    """The reviews that cover a tree, and what changed since the tree that they cover."""

    reviewed_tree: str | None  # sha256 tree id; None if nothing that leads here was reviewed
    reviews: tuple[Record, ...]  # reviews of `reviewed_tree` that stand, newest first
    chain: tuple[Record, ...]  # reviews further back that delta reviews rest on
    deltas: tuple[Record, ...]  # measured changes from `reviewed_tree` to the tree asked about
    lines: int  # changed lines that no review covers; 0 if the tree itself is covered
    reviewed_at: datetime | None


def coverage(tree: str, views: Views, moment: datetime) -> Coverage:
    """Return what covers `tree` at `moment`: the tree itself if it was reviewed, else the nearest one before it."""
    for reached, deltas in _back(tree, views):
        reviews, chain = _covering(reached, views, moment, set())
        if reviews:
            lines = sum(item.model.lines for item in deltas)
            newest = max((item.logged_at for item in reviews if item.logged_at), default=None)
            return Coverage(reached, reviews, chain, deltas, lines, newest)
    return Coverage(None, (), (), (), 0, None)


def reviews_of(tree: str, views: Views) -> tuple[Record, ...]:
    """Return every review of a tree, whatever became of it."""
    return views.about(tree_ref(tree), kind="review")


def _back(tree: str, views: Views) -> Iterator[tuple[str, tuple[Record, ...]]]:
    """Walk from a tree to the trees it was measured against, fewest steps first."""
    queue: list[tuple[str, tuple[Record, ...]]] = [(tree, ())]
    seen = {tree}
    for _ in range(MAX_STEPS):
        if not queue:
            return
        reached, deltas = queue.pop(0)
        yield reached, deltas
        for record in views.about(tree_ref(reached), kind="delta"):
            if isinstance(record.model, Delta) and stands(record) and record.model.base not in seen:
                seen.add(record.model.base)
                queue.append((record.model.base, (record, *deltas)))


def _covering(
    tree: str, views: Views, moment: datetime, seen: set[str]
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    seen.add(tree)
    reviews: list[Record] = []
    chain: list[Record] = []
    for record in reviews_of(tree, views):
        if not counts(record, moment):
            continue
        base = record.model.base
        if record.model.extent is Extent.DELTA:
            if base in seen or len(seen) > MAX_STEPS:
                continue
            rests_on, further = _covering(base, views, moment, seen)
            if not rests_on:
                continue
            chain += [item for item in (*rests_on, *further) if item not in chain]
        reviews.append(record)
    return tuple(reviews), tuple(chain)


def counts(record: Record, moment: datetime) -> bool:
    """Return whether a review still counts for coverage: it stands, has not expired, and did not fail."""
    review = record.model
    if not isinstance(review, Review) or not stands(record):
        return False
    return datetime.fromisoformat(review.expires) > moment and review.result is not Result.FAIL
