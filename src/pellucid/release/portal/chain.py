"""A release's chain of evidence: gathered from the facts, told in one sentence, drawn as steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pellucid.record.facts import LogFact, MirrorFact, Record, Views
from pellucid.release.portal.cards import PAID_BY
from pellucid.release.portal.claims import (
    NOT_COSIGNED,
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
from pellucid.release.portal.seen import LogGlance
from pellucid.release.predicate import Release
from pellucid.source.predicate import Independence, Result, Review
from pellucid.statement.reference import release_ref, tree_ref

BUILD_TYPES = ("https://slsa.dev/provenance/", "https://in-toto.io/attestation/link/")
WORST_FIRST = (State.FAILED, State.ATTENTION, State.UNKNOWN, State.GOOD)


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Everything that a release's page tells about."""

    record: Record
    release: Release
    coverage: Coverage
    reviews: tuple[Record, ...]  # of its source and its files, and those that its coverage rests on
    deltas: tuple[Record, ...]
    others: tuple[Record, ...]  # what else is said of its files, in types that are not read here
    logs: tuple[LogFact, ...]
    mirrors: tuple[MirrorFact, ...]  # copies of the logs that it is in
    doubles: tuple[Record, ...]  # other standing releases that claim its place


def gather(record: Record, release: Release, views: Views, moment: datetime) -> ChainFacts:
    """Read what concerns a release: its tree, the reviews that cover it, the logs it stands in."""
    tree = release.source.sha256 if release.source else None
    covered = coverage(tree, views, moment) if tree else Coverage()
    own = views.about(tree_ref(tree), kind="review") if tree else ()
    said = [item for subject in record.subjects for ref in subject.refs for item in views.about(ref)]
    of_files = (item for item in said if item.kind == "review")
    reviews = {item.id: item for item in (*own, *of_files, *covered.bearing)}
    logs = [log for log in (views.log(place.log) for place in record.places) if log is not None]
    logged_in = {log.id for log in logs}
    deltas = {item.id: item for item in (*covered.deltas, *(views.about(tree_ref(tree), kind="delta") if tree else ()))}
    return ChainFacts(
        record=record,
        release=release,
        coverage=covered,
        reviews=tuple(item for item in reviews.values() if isinstance(item.model, Review)),
        deltas=tuple(item for item in deltas.values() if item.model is not None),
        others=tuple({item.id: item for item in said if item.kind is None}.values()),
        logs=tuple(logs),
        mirrors=tuple(item for item in views.mirrors() if item.log in logged_in),
        doubles=doubles(record, views),
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


def readers(covered: Coverage) -> str:
    """Write how many parties' reviews a coverage rests on."""
    return counted(len({key for item in covered.bearing for key in item.authors[:1]}), "party", "parties")


def known(facts: ChainFacts, logs: Sequence[LogGlance]) -> Sentence:
    """Say in one sentence what is known of a release."""
    logged = facts.record.logged_at
    where = f"in {len(logs):,} logs" if len(logs) > 1 else "in the log"
    since: list[str | Phrase] = [strong(f"{where} since "), at(logged)] if logged else [strong(where), " at a time "]
    parts = ["This release is ", *since, *([] if logged else ["nobody else attests"]), ", ", *_seen(logs)]
    return sentence(*parts, ", and ", *_read(facts), ".")


def steps(facts: ChainFacts, logs: Sequence[LogGlance]) -> tuple[Step, ...]:
    """Draw the chain: source, review, rebuild, log, centers."""
    return (_source(facts), _review(facts), _rebuild(facts), _log(facts), _centers(facts, logs))


def _seen(logs: Sequence[LogGlance]) -> list[str | Phrase]:
    """Say of every log that it is in who saw it there."""
    parts: list[str | Phrase] = []
    for place, glance in enumerate(logs):
        parts += [" and " if place == len(logs) - 1 else ", "] if place else []
        parts += _seen_in(glance)
        parts += [f" ({glance.origin})"] if len(logs) > 1 else []
    return parts or [strong(NOT_COSIGNED)]


def _seen_in(glance: LogGlance) -> list[str | Phrase]:
    if glance.required == 0 or not glance.cosigned:
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
    if not covered.bearing:
        return [
            strong("no review of its source counts" if facts.reviews else "nobody has logged a review of its source")
        ]
    if covered.lines:
        return ["its source was ", strong(f"last reviewed {counted(covered.lines, 'changed line')} ago")]
    if in_house(facts.record, covered):
        return ["all of its source was ", strong("reviewed only by its own maker")]
    return ["all of its source was ", strong(f"reviewed by {readers(covered)}")]


def _source(facts: ChainFacts) -> Step:
    source = facts.release.source
    if source is None:
        return Step("Source", State.UNKNOWN, "no source named", "#source")
    return Step("Source", State.GOOD, f"tree {short(source.sha256)}, {counted(source.files, 'file')}", "#source")


def _review(facts: ChainFacts) -> Step:
    covered = facts.coverage
    if any(failed(item) for item in facts.reviews):
        return Step("Review", State.FAILED, "a reviewer did not pass it", "#reviews")
    if not covered.bearing:
        ended = "none that counts" if facts.reviews else "nobody has logged one"
        return Step("Review", State.UNKNOWN, ended, "#reviews")
    if covered.lines:
        return Step("Review", State.ATTENTION, f"{counted(covered.lines, 'line')} changed since", "#reviews")
    findings = sum(item.model.findings.open for item in covered.bearing)
    payers = listed(sorted({PAID_BY[item.model.paid_by] for item in covered.bearing}))
    words = f"{counted(findings, 'finding')} open, paid by {payers}"
    if in_house(facts.record, covered):
        return Step("Review", State.ATTENTION, f"only by its own maker, {words}", "#reviews")
    extents = {item.model.extent.value for item in covered.bearing}
    words = f"{listed(sorted(extents, reverse=True))} review, {words}"
    return Step("Review", State.ATTENTION if findings else State.GOOD, words, "#reviews")


def _rebuild(facts: ChainFacts) -> Step:
    """Tell of build statements in the usual types, which are not judged here; without one, that none can be given."""
    builds = [item for item in facts.others if item.predicate_type.startswith(BUILD_TYPES)]
    if builds:
        return Step("Rebuild", State.UNKNOWN, f"{counted(len(builds), 'build statement')}, not judged here", "#others")
    return Step("Rebuild", State.UNKNOWN, "not offered yet: nothing ties the files to the source", "#source")


def _log(facts: ChainFacts) -> Step:
    places = facts.record.places
    entry = f"entry {places[0].index:,}" if len(places) == 1 else f"in {len(places):,} logs"
    if facts.doubles:
        return Step("Log", State.FAILED, f"{entry}, and a second copy", "#log")
    if all(place.covered_by is None for place in places):
        return Step("Log", State.ATTENTION, f"{entry}, not published yet", "#log")
    return Step("Log", State.GOOD, f"{entry}, no second copy known", "#log")


def _centers(facts: ChainFacts, logs: Sequence[LogGlance]) -> Step:
    if not logs:
        return Step("Centers", State.UNKNOWN, "no log known", "#seen")
    worst = next(state for state in WORST_FIRST if any(log.state is state for log in logs))
    words = "; ".join(f"{log.origin}: {log.words}" for log in logs) if len(logs) > 1 else logs[0].words
    keepers = {item.kept_by for item in facts.mirrors if item.problem is None}
    return Step("Centers", worst, f"{words}, mirrored by {len(keepers) or 'nobody'}", "#seen")
