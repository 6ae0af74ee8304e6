"""A release's chain of evidence: gathered from the facts, told in one sentence, drawn as steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pellucid.record.facts import LogFact, Record, Views
from pellucid.release.portal.cards import PAID_BY
from pellucid.release.portal.claims import (
    NOT_COSIGNED,
    LogGlance,
    Phrase,
    Sentence,
    State,
    Step,
    at,
    counted,
    listed,
    sentence,
    short,
    stands,
    strong,
)
from pellucid.release.portal.coverage import Coverage, coverage
from pellucid.release.predicate import Release
from pellucid.source.predicate import Independence, Result, Review
from pellucid.statement.reference import release_ref, tree_ref


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Everything that a release's page tells about."""

    record: Record
    release: Release
    coverage: Coverage
    reviews: tuple[Record, ...]  # of its source and its files, and those that its coverage rests on
    deltas: tuple[Record, ...]
    logs: tuple[LogFact, ...]
    mirrors: tuple[str, ...]  # nodes that keep a copy of a log that it is in
    doubled: bool


def gather(record: Record, release: Release, views: Views, moment: datetime) -> ChainFacts:
    """Read what concerns a release: its tree, the reviews that cover it, the logs it stands in."""
    tree = release.source.sha256 if release.source else None
    covered = coverage(tree, views, moment) if tree else Coverage(None, (), (), (), 0, None)
    own = views.about(tree_ref(tree), kind="review") if tree else ()
    of_files = (item for subject in record.subjects for ref in subject.refs for item in views.about(ref, kind="review"))
    reviews = {item.id: item for item in (*own, *of_files, *covered.reviews, *covered.chain)}
    logs = [log for log in (views.log(place.log) for place in record.places) if log is not None]
    logged_in = {log.id for log in logs}
    mirrors = {item.kept_by for item in views.mirrors() if item.log in logged_in and item.problem is None}
    deltas = {item.id: item for item in (*covered.deltas, *(views.about(tree_ref(tree), kind="delta") if tree else ()))}
    return ChainFacts(
        record=record,
        release=release,
        coverage=covered,
        reviews=tuple(item for item in reviews.values() if isinstance(item.model, Review)),
        deltas=tuple(item for item in deltas.values() if item.model is not None),
        logs=tuple(logs),
        mirrors=tuple(sorted(mirrors)),
        doubled=bool(doubles(record, views)),
    )


def doubles(record: Record, views: Views) -> tuple[Record, ...]:
    """Return the other standing releases that claim a place (product, version, artifact name) of this one."""
    release: Release = record.model
    others: dict[str, Record] = {}
    for artifact, subject in zip(release.artifacts, record.subjects, strict=False):
        for other in views.about(release_ref(release.product, release.version, artifact.name), kind="release"):
            if (
                other.id != record.id
                and stands(other)
                and stands(record)
                and not _agrees(other, artifact.name, subject.refs)
            ):
                others[other.id] = other
    return tuple(others.values())


def _agrees(other: Record, name: str, refs: Iterable[str]) -> bool:
    return any(subject.name == name and set(subject.refs) == set(refs) for subject in other.subjects)


def failed(record: Record) -> bool:
    """Return whether a review that stands says no."""
    return isinstance(record.model, Review) and stands(record) and record.model.result is Result.FAIL


def in_house(record: Record, covered: Coverage) -> bool:
    """Return whether nobody but the release's author, or its staff, made the reviews that cover it."""
    makers = set(record.authors)
    return all(
        makers & set(item.authors) or item.model.independence is Independence.EMPLOYEE for item in covered.reviews
    )


def known(facts: ChainFacts, logs: Sequence[LogGlance]) -> Sentence:
    """Say in one sentence what is known of a release."""
    logged = facts.record.logged_at
    parts: list[str | Phrase] = ["This release is "]
    if logged is not None:
        parts += [strong("in the log since "), at(logged)]
    else:
        parts += [strong("in the log"), " at a time nobody else attests"]
    parts += [", ", *_seen(logs), ", and ", *_read(facts), "."]
    return sentence(*parts)


def steps(facts: ChainFacts, logs: Sequence[LogGlance]) -> tuple[Step, ...]:
    """Draw the chain: source, review, rebuild, log, centers."""
    return (_source(facts), _review(facts), _rebuild(), _log(facts), _centers(facts, logs))


def _seen(logs: Sequence[LogGlance]) -> list[str | Phrase]:
    glance = logs[0] if logs else None
    if glance is None or glance.state is State.ATTENTION:
        return [strong(NOT_COSIGNED)]
    if glance.state is State.FAILED:
        return [strong(f"cosigned by {glance.cosigned} of the {glance.required} it needs")]
    return ["seen there by ", strong(f"{counted(glance.cosigned, 'operator')} in {counted(glance.regions, 'region')}")]


def _read(facts: ChainFacts) -> list[str | Phrase]:
    if facts.release.source is None:
        return [strong("names no source")]
    refusals = [item for item in facts.reviews if failed(item)]
    if refusals:
        return [strong(f"{counted(len(refusals), 'review')} did not pass it")]
    covered = facts.coverage
    if covered.reviewed_tree is None:
        return [strong("nobody has logged a review of its source")]
    if covered.deltas:
        return ["its source was ", strong(f"last reviewed {counted(covered.lines, 'changed line')} ago")]
    if in_house(facts.record, covered):
        return ["all of its source was ", strong("reviewed only by its own maker")]
    names = counted(len({key for item in covered.reviews for key in item.authors[:1]}), "party", "parties")
    return ["all of its source was ", strong(f"reviewed by {names}")]


def _source(facts: ChainFacts) -> Step:
    source = facts.release.source
    if source is None:
        return Step("Source", State.UNKNOWN, "no source named", None)
    return Step("Source", State.GOOD, f"tree {short(source.sha256)}, {counted(source.files, 'file')}", "#source")


def _review(facts: ChainFacts) -> Step:
    covered = facts.coverage
    if any(failed(item) for item in facts.reviews):
        return Step("Review", State.FAILED, "a reviewer did not pass it", "#reviews")
    if covered.reviewed_tree is None:
        ended = "no review of it stands" if facts.reviews else "nobody has logged one"
        return Step("Review", State.UNKNOWN, ended, "#reviews")
    if covered.deltas:
        return Step("Review", State.ATTENTION, f"{counted(covered.lines, 'line')} changed since", "#reviews")
    findings = sum(item.model.findings.open for item in covered.reviews)
    payers = listed(sorted({PAID_BY[item.model.paid_by] for item in covered.reviews}))
    words = f"{counted(findings, 'finding')} open, paid by {payers}"
    if in_house(facts.record, covered):
        return Step("Review", State.ATTENTION, f"only by its own maker, {words}", "#reviews")
    extents = {item.model.extent.value for item in covered.reviews}
    words = f"{listed(sorted(extents, reverse=True))} review, {words}"
    return Step("Review", State.ATTENTION if findings else State.GOOD, words, "#reviews")


def _rebuild() -> Step:
    return Step("Rebuild", State.UNKNOWN, "nobody has logged one", None)


def _log(facts: ChainFacts) -> Step:
    place = facts.record.places[0]
    if facts.doubled:
        return Step("Log", State.FAILED, f"entry {place.index:,}, and a second copy", "#log")
    if place.covered_by is None:
        return Step("Log", State.ATTENTION, f"entry {place.index:,}, not published yet", "#log")
    return Step("Log", State.GOOD, f"entry {place.index:,}, no second copy known", "#log")


def _centers(facts: ChainFacts, logs: Sequence[LogGlance]) -> Step:
    if not logs:
        return Step("Centers", State.UNKNOWN, "no log known", "#seen")
    mirrored = f", mirrored by {len(facts.mirrors)}" if facts.mirrors else ", mirrored by nobody"
    return Step("Centers", logs[0].state, logs[0].words + mirrored, "#seen")
