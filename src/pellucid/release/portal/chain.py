"""A release's chain of evidence: gathered from the facts, told in one sentence, drawn as steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import LogFact, MirrorFact, Record, Views
from pellucid.release.portal.cards import PAID_BY
from pellucid.release.portal.claims import (
    NOT_COSIGNED,
    Sentence,
    State,
    Step,
    at,
    counted,
    listed,
    said,
    sentence,
    short,
    stands,
    strong,
)
from pellucid.release.portal.coverage import Coverage, coverage
from pellucid.release.portal.formats import grouped
from pellucid.release.portal.seen import LogGlance
from pellucid.release.predicate import Release
from pellucid.source.predicate import Extent, Independence, Result, Review
from pellucid.statement.reference import release_ref, tree_ref

BUILD_TYPES = ("https://slsa.dev/provenance/", "https://in-toto.io/attestation/link/")
EXTENTS = {Extent.FULL: noop("full"), Extent.DELTA: noop("delta")}
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


def reviewed_by(covered: Coverage) -> str:
    """Write how many parties' reviews a coverage rests on."""
    parties = len({key for item in covered.bearing for key in item.authors[:1]})
    return counted(parties, "reviewed by {n} party", "reviewed by {n} parties")


def known(facts: ChainFacts, logs: Sequence[LogGlance]) -> Sentence:
    """Say in one sentence of a release since when it is logged, who saw it there, and who read its source."""
    words = _("{logged}, {seen}, and {read}.")
    return sentence(words, logged=_logged(facts, len(logs)), seen=_seen(logs), read=_read(facts))


def steps(facts: ChainFacts, logs: Sequence[LogGlance]) -> tuple[Step, ...]:
    """Draw the chain: source, review, rebuild, log, centers."""
    return (_source(facts), _review(facts), _rebuild(facts), _log(facts), _centers(facts, logs))


def _logged(facts: ChainFacts, logs: int) -> Sentence:
    logged = facts.record.logged_at
    if logged is None and logs > 1:
        return sentence(_("This release is in {number} logs at a time nobody else attests"), number=grouped(logs))
    if logged is None:
        return sentence(_("This release is in the log at a time nobody else attests"))
    if logs > 1:
        return sentence(_("This release is in {number} logs since {when}"), number=grouped(logs), when=at(logged))
    return sentence(_("This release is in the log since {when}"), when=at(logged))


def _seen(logs: Sequence[LogGlance]) -> Sentence:
    """Say of every log that it is in who saw it there."""
    if not logs:
        return said(_(NOT_COSIGNED))
    seen = [_seen_in(glance) for glance in logs]
    if len(logs) > 1:
        named = zip(seen, logs, strict=True)
        seen = [sentence("{seen} ({log})", seen=words, log=glance.origin) for words, glance in named]
    words = seen[0]
    for place, more in enumerate(seen[1:], start=2):
        words = sentence(_("{some} and {last}") if place == len(seen) else "{some}, {last}", some=words, last=more)
    return words


def _seen_in(glance: LogGlance) -> Sentence:
    if glance.required == 0 or not glance.cosigned:
        return said(_(NOT_COSIGNED))
    if glance.state is State.FAILED:
        words = _("cosigned by {number} of the {required} it needs")
        return said(words.format(number=glance.cosigned, required=glance.required))
    regions = counted(glance.regions, "region")
    operators = counted(glance.cosigned, "{n} operator in {regions}", "{n} operators in {regions}", regions=regions)
    return sentence(_("seen there by {operators}"), operators=strong(operators))


def _read(facts: ChainFacts) -> Sentence:
    """Say as a clause of its own who read the source."""
    if facts.release.source is None:
        return said(_("names no source"))
    refusals = sum(failed(item) for item in facts.reviews)
    if refusals:
        words = counted(refusals, "{n} review did not pass it", "{n} reviews did not pass it")
        return said(words)
    covered = facts.coverage
    if not covered.bearing:
        words = _("no review of its source counts") if facts.reviews else _("nobody has logged a review of its source")
        return said(words)
    if covered.lines:
        ago = counted(covered.lines, "last reviewed {n} changed line ago", "last reviewed {n} changed lines ago")
        return sentence(_("its source was {reviewed}"), reviewed=strong(ago))
    by = _("reviewed only by its own maker") if in_house(facts.record, covered) else reviewed_by(covered)
    return sentence(_("all of its source was {reviewed}"), reviewed=strong(by))


def _source(facts: ChainFacts) -> Step:
    source = facts.release.source
    if source is None:
        return Step(_("Source"), State.UNKNOWN, _("no source named"), "#source")
    words = _("tree {digest}, {files}").format(digest=short(source.sha256), files=counted(source.files, "file"))
    return Step(_("Source"), State.GOOD, words, "#source")


def _review(facts: ChainFacts) -> Step:
    covered = facts.coverage
    if any(failed(item) for item in facts.reviews):
        return Step(_("Review"), State.FAILED, _("a reviewer did not pass it"), "#reviews")
    if not covered.bearing:
        ended = _("none that counts") if facts.reviews else _("nobody has logged one")
        return Step(_("Review"), State.UNKNOWN, ended, "#reviews")
    if covered.lines:
        words = counted(covered.lines, "{n} line changed since", "{n} lines changed since")
        return Step(_("Review"), State.ATTENTION, words, "#reviews")
    findings = sum(item.model.findings.open for item in covered.bearing)
    payers = listed(sorted({_(PAID_BY[item.model.paid_by]) for item in covered.bearing}))
    words = counted(
        findings, "{n} finding open, paid by {payers}", "{n} findings open, paid by {payers}", payers=payers
    )
    if in_house(facts.record, covered):
        return Step(
            _("Review"), State.ATTENTION, _("only by its own maker, {findings}").format(findings=words), "#reviews"
        )
    extents = sorted({item.model.extent for item in covered.bearing}, reverse=True)
    words = _("{extents} review, {findings}").format(
        extents=listed(_(EXTENTS[item]) for item in extents), findings=words
    )
    return Step(_("Review"), State.ATTENTION if findings else State.GOOD, words, "#reviews")


def _rebuild(facts: ChainFacts) -> Step:
    """Tell of build statements in the usual types, which are not judged here; without one, that none can be given."""
    builds = [item for item in facts.others if item.predicate_type.startswith(BUILD_TYPES)]
    if builds:
        words = counted(len(builds), "{n} build statement, not judged here", "{n} build statements, not judged here")
        return Step(_("Rebuild"), State.UNKNOWN, words, "#others")
    words = _("not offered yet: nothing ties the files to the source")
    return Step(_("Rebuild"), State.UNKNOWN, words, "#source")


def _log(facts: ChainFacts) -> Step:
    places = facts.record.places
    entry = _("entry {index}").format(index=grouped(places[0].index))
    if len(places) > 1:
        entry = _("in {number} logs").format(number=grouped(len(places)))
    if facts.doubles:
        return Step(_("Log"), State.FAILED, _("{entry}, and a second copy").format(entry=entry), "#log")
    if all(place.covered_by is None for place in places):
        return Step(_("Log"), State.ATTENTION, _("{entry}, not published yet").format(entry=entry), "#log")
    return Step(_("Log"), State.GOOD, _("{entry}, no second copy known").format(entry=entry), "#log")


def _centers(facts: ChainFacts, logs: Sequence[LogGlance]) -> Step:
    if not logs:
        return Step(_("Centers"), State.UNKNOWN, _("no log known"), "#seen")
    worst = next(state for state in WORST_FIRST if any(log.state is state for log in logs))
    words = "; ".join(f"{log.origin}: {log.words}" for log in logs) if len(logs) > 1 else logs[0].words
    keepers = len({item.kept_by for item in facts.mirrors if item.problem is None})
    mirrored = _("{words}, mirrored by {number}") if keepers else _("{words}, mirrored by nobody")
    return Step(_("Centers"), worst, mirrored.format(words=words, number=keepers), "#seen")
