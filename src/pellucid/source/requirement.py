"""`[require.review]`: who must have read the source, for what, how lately, and how much may have changed since.

`[require.source]`, or `verify --source`: the tree and the deltas are what the verifier's own copy gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

import msgspec

from pellucid.source.predicate import (
    DELTA,
    REVIEW,
    Delta,
    Extent,
    Independence,
    Payer,
    Review,
    ReviewOf,
    subject_of,
    worst_of,
)
from pellucid.source.predicate import Result as Conclusion
from pellucid.statement.moment import parse_time
from pellucid.statement.predicate import Word
from pellucid.statement.reference import Ref, tree_ref
from pellucid.trust.authority import Speaker
from pellucid.trust.debt import Step, debts_from, debts_to
from pellucid.trust.predicate import PartyRole
from pellucid.trust.requirement import Case, Requirement, RequirementKind, Result
from pellucid.trust.testimony import Testimony, of_kind

_READERS = (PartyRole.REVIEWER, PartyRole.CENTER)
_DAY = 86_400
_AtLeast = Annotated[int, msgspec.Meta(ge=0, le=1000)]
_Lines = Annotated[int, msgspec.Meta(ge=0)]


class ReviewRequirement(Requirement, frozen=True):
    """How many reviews by how many operators from how many regions, and what makes one count.

    A measured delta with more than `max_debt_binaries` changed binary files bridges nothing: they have no lines that
    could be counted as debt.
    """

    count: _AtLeast = 1
    operators: _AtLeast = 0
    regions: _AtLeast = 0
    criteria: tuple[Word, ...] = ()
    not_paid_by: tuple[Payer, ...] = ()
    independence: tuple[Independence, ...] = ()
    max_debt_lines: _Lines = 0
    max_debt_days: _Lines | None = None
    max_debt_binaries: _Lines = 0
    max_excluded_lines: _Lines = 0


class SourceRequirement(Requirement, frozen=True):
    """No settings: the verifier's own copy of the source decides."""


class Reading(msgspec.Struct, frozen=True):
    """A review that counts, who speaks in it, of which tree, and how many unread lines lie between it and the file."""

    testimony: Testimony
    speakers: tuple[Speaker, ...]
    tree: Ref
    debt: int


def _decide_review(case: Case, requirement: ReviewRequirement) -> Iterator[Result]:
    trees = case.source_trees()
    if len(trees) != 1 and requirement.count == 0:
        yield _nobody_objects(_failing(case, {*trees, case.file}))
        return
    if len(trees) != 1:
        why = "no accepted release names the source tree of this file" if not trees else "its source tree is ambiguous"
        yield Result("review", met=False, why=why)
        return
    (tree,) = trees
    readings = readings_of(case, requirement, tree)
    failing = _failing(case, {tree, case.file, *_on_the_way(case, requirement, tree)})
    if failing:
        yield _nobody_objects(failing)
        return
    problem = _shortfall(case, requirement, tree, readings)
    ids = tuple(reading.testimony.id for reading in readings)
    yield Result("review", met=problem is None, why=problem or _summary(readings), evidence=ids)


def _nobody_objects(failing: Sequence[Testimony]) -> Result:
    why = "a reviewer's conclusion is `fail`" if failing else "no review is asked for, and none says `fail`"
    return Result("review", met=not failing, why=why, evidence=tuple(t.id for t in failing))


def readings_of(case: Case, requirement: ReviewRequirement, tree: Ref) -> Sequence[Reading]:
    """Return the reviews that count for `tree`, each grounded in a full review within the debt allowed."""
    accepted, reach, floor = _map(case, requirement, tree)
    found = []
    for testimony in accepted:
        start = _tree(testimony)
        ground = start if _review(testimony).extent is Extent.FULL else tree_ref(_review(testimony).base or "")
        if start in reach and ground in floor:
            debt = reach[start] + floor[ground]
            if debt <= requirement.max_debt_lines:
                found.append(Reading(testimony, case.authority.speakers(testimony, *_READERS), start, debt))
    return found


def _on_the_way(case: Case, requirement: ReviewRequirement, tree: Ref) -> Iterator[Ref]:
    """Yield every tree over which the file's source can be traced back to a full review within the debt allowed."""
    _, reach, floor = _map(case, requirement, tree)
    for found in reach.keys() & floor.keys():
        if reach[found] + floor[found] <= requirement.max_debt_lines:
            yield found


def _map(
    case: Case, requirement: ReviewRequirement, tree: Ref
) -> tuple[Sequence[Testimony], Mapping[Ref, int], Mapping[Ref, int]]:
    """Return the reviews that count, the debts from `tree` back to others, and from others to what was read in full."""
    accepted = [t for t in _source_reviews(case) if why_not(case, requirement, t) is None]
    steps = [*_read_steps(accepted), *_measured_steps(case, requirement)]
    full = {_tree(t) for t in accepted if _review(t).extent is Extent.FULL}
    return accepted, debts_from(tree, steps), debts_to(full, steps)


def why_not(case: Case, requirement: ReviewRequirement, testimony: Testimony) -> str | None:
    """Return why a review does not count, or None when it does."""
    return _why_not_heard(case, testimony) or _why_not_enough(case.moment, requirement, _review(testimony))


def _why_not_heard(case: Case, testimony: Testimony) -> str | None:
    if case.authority.speakers(testimony, *_READERS):
        return None
    if case.authority.withdrawal(testimony) is not None:
        return "its author withdrew it"
    windows = [testimony.window(speaker.key) for speaker in case.authority.once(testimony, *_READERS)]
    if not windows:
        return "its author is no accepted reviewer"
    if all(window.latest > case.moment for window in windows):
        return "nothing proves that it was logged by then"
    if custody := case.authority.refused_author(testimony, *_READERS):
        return f"its reviewer's key has the custody `{custody.value}`, which the policy refuses"
    return "its reviewer's key was revoked, or not accredited for certain when it was logged"


def _why_not_enough(moment: int, requirement: ReviewRequirement, review: Review) -> str | None:
    missing = sorted(set(requirement.criteria) - set(review.criteria))
    excluded = sum(exclusion.lines for exclusion in review.exclusions)
    most = requirement.max_excluded_lines
    doubts = (
        (review.result is Conclusion.FAIL, "its conclusion is `fail`"),
        (parse_time(review.expires) <= moment, f"it expired on {review.expires}"),
        (review.paid_by in requirement.not_paid_by, f"it was paid by the {review.paid_by.value}"),
        (
            bool(requirement.independence) and review.independence not in requirement.independence,
            f"its reviewer's independence is `{review.independence.value}`",
        ),
        (bool(missing), f"it does not speak to {', '.join(missing)}"),
        (excluded > most, f"it leaves out {excluded} lines, the policy allows {most}"),
    )
    return next((words for doubtful, words in doubts if doubtful), None)


def _shortfall(case: Case, requirement: ReviewRequirement, tree: Ref, readings: Sequence[Reading]) -> str | None:
    speakers = {s.party: s for reading in readings for s in reading.speakers}
    operators = {s.operator for s in speakers.values() if s.operator}
    regions = {s.region for s in speakers.values() if s.region}
    if len(speakers) < requirement.count:
        return f"{_count(speakers, requirement.count, 'reviewers')}{_reasons(case, requirement, tree)}"
    if len(operators) < requirement.operators:
        return _count(operators, requirement.operators, "operators")
    if len(regions) < requirement.regions:
        return _count(regions, requirement.regions, "regions")
    if requirement.max_debt_days is not None and min((r.debt for r in readings), default=0) > 0:
        days = (case.moment - max(r.testimony.logged_at for r in readings)) // _DAY
        if days > requirement.max_debt_days:
            return f"unread changes are {days} days old; the policy allows {requirement.max_debt_days}"
    return None


def _count(found: Iterable[object], wanted: int, what: str) -> str:
    return f"{len(list(found))} of {wanted} {what} whose review counts"


def _reasons(case: Case, requirement: ReviewRequirement, tree: Ref) -> str:
    """Say why the reviews there are do not count, or how much is unread."""
    reviews = _source_reviews(case)
    reasons = [why for t in reviews if (why := why_not(case, requirement, t)) is not None]
    if reasons:
        return ": " + "; ".join(sorted(set(reasons)))
    full = {_tree(t) for t in reviews if _review(t).extent is Extent.FULL}
    floor = debts_to(full, [*_read_steps(reviews), *_measured_steps(case, requirement)])
    if tree in floor:
        return f": {floor[tree]} changed lines were read by nobody, the policy allows {requirement.max_debt_lines}"
    if any(_tree(t) == tree and _delta(t).binary_changed for t in _live_deltas(case)):
        most = requirement.max_debt_binaries
        return f": changed binary files were read by nobody, the policy allows {most} in one delta"
    return ": nobody read this source tree, or a tree that deltas lead to"


def _summary(readings: Sequence[Reading]) -> str:
    if not readings:
        return "no review is asked for"
    debt = min(reading.debt for reading in readings)
    names = sorted({speaker.name for reading in readings for speaker in reading.speakers})
    unread = f"{debt} changed lines unread" if debt else "nothing unread"
    return f"read by {', '.join(names)}; {unread}"


def _failing(case: Case, trees: set[Ref]) -> Sequence[Testimony]:
    """Return live `fail` conclusions on the source or the file itself, whoever pays, whatever expired, however narrow.

    Neither a policy nor what became of the reviewer's key hides them: only the reviewer takes them back.
    """
    return [
        t
        for t in of_kind(case.testimonies, REVIEW)
        if _review(t).result is Conclusion.FAIL and _tree(t) in trees and case.authority.once(t, *_READERS)
    ]


def _source_reviews(case: Case) -> Sequence[Testimony]:
    return [t for t in of_kind(case.testimonies, REVIEW) if _review(t).of is ReviewOf.SOURCE]


def _read_steps(accepted: Iterable[Testimony]) -> Iterator[Step]:
    for testimony in accepted:
        base = _review(testimony).base
        if base is not None:
            yield Step(_tree(testimony), tree_ref(base), 0)


def _measured_steps(case: Case, requirement: ReviewRequirement) -> Iterator[Step]:
    """Yield what was measured between two trees; where two disagree, what is worse for the file.

    A measure by a key whose custody the policy refuses leads nowhere, and still weighs where it is the worse one.
    """
    measured: dict[tuple[Ref, Ref], list[Delta]] = defaultdict(list)
    for testimony in _live_deltas(case):
        measured[_way(testimony)].append(_delta(testimony))
    for testimony in of_kind(case.testimonies, DELTA):
        if _way(testimony) in measured and case.authority.refused_author(testimony, *_READERS):
            measured[_way(testimony)].append(_delta(testimony))
    for (target, base), deltas in measured.items():
        debt, binaries = worst_of(deltas)
        if binaries <= requirement.max_debt_binaries:
            yield Step(target, base, debt)


def _way(delta: Testimony) -> tuple[Ref, Ref]:
    return _tree(delta), tree_ref(_delta(delta).base)


def _live_deltas(case: Case) -> Sequence[Testimony]:
    return [t for t in of_kind(case.testimonies, DELTA) if case.authority.speakers(t, *_READERS)]


def _delta(testimony: Testimony) -> Delta:
    delta: Delta = testimony.parsed.predicate
    return delta


def _review(testimony: Testimony) -> Review:
    review: Review = testimony.parsed.predicate
    return review


def _tree(testimony: Testimony) -> Ref:
    return subject_of(testimony.parsed.statement)


def _decide_source(case: Case, _requirement: SourceRequirement) -> Iterator[Result]:
    trees = case.source_trees()
    if case.recomputed is None:
        yield Result("source", met=False, why="the policy asks for it: give your copy of the source with --source")
    elif not trees or not trees <= {tree_ref(tree) for tree in case.recomputed.trees}:
        own = ", ".join(sorted(case.recomputed.trees))
        yield Result("source", met=False, why=f"the source given has another tree id ({own}) than the release names")
    else:
        deltas = _live_deltas(case)
        wrong = [t for t in deltas if _contradicts(case, t)]
        why = "a delta says other numbers than measured" if wrong else "the source given is what the release names"
        unmeasured = sum(_measured(case, t) is None for t in deltas)
        why += f"; {unmeasured} deltas were not recomputed, for want of their base" if unmeasured else ""
        yield Result("source", met=not wrong, why=why, evidence=tuple(t.id for t in wrong))


def _measured(case: Case, testimony: Testimony) -> Delta | None:
    if case.recomputed is None:
        return None
    found: Delta | None = case.recomputed.deltas.get(
        (testimony.parsed.predicate.base, _tree(testimony).removeprefix("gitTree:"))
    )
    return found


def _contradicts(case: Case, testimony: Testimony) -> bool:
    measured = _measured(case, testimony)
    return measured is not None and measured != msgspec.structs.replace(testimony.parsed.predicate, tool=measured.tool)


REVIEW_REQUIREMENT = RequirementKind("review", ReviewRequirement, _decide_review, unasked={"count": 0})
SOURCE_REQUIREMENT = RequirementKind("source", SourceRequirement, _decide_source, on_own_copy=True)
