"""The cards of a release page: its source, each review of it, each measured change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import Record, Views
from pellucid.release.portal.claims import (
    NO_KEY,
    Badge,
    Command,
    English,
    Phrase,
    Seat,
    Sentence,
    Speaker,
    State,
    counted,
    seats,
    sentence,
    standing,
    strong,
)
from pellucid.release.portal.coverage import Coverage, why_not
from pellucid.release.portal.speakers import author
from pellucid.release.portal.terms import term
from pellucid.release.predicate import Release
from pellucid.source.predicate import Delta, Extent, Payer, Result, Review, ReviewOf
from pellucid.statement.reference import tree_ref

RESULTS = {
    Result.PASS: (State.GOOD, noop("passed the criteria")),
    Result.FINDINGS: (State.ATTENTION, noop("passed, with findings")),
    Result.FAIL: (State.FAILED, noop("did not pass the criteria")),
}
SAID = {
    Result.PASS: noop("said that it passed the criteria"),
    Result.FINDINGS: noop("said that it passed, with findings"),
}
PAID_BY = {
    Payer.NOBODY: noop("nobody"),
    Payer.REVIEWER: noop("the reviewer"),
    Payer.CENTER: noop("a center"),
    Payer.CUSTOMER: noop("a customer"),
    Payer.GOVERNMENT: noop("a government"),
    Payer.VENDOR: noop("the vendor"),
}
TITLES = {
    (ReviewOf.SOURCE, Extent.FULL): noop("Source reviewed in full"),
    (ReviewOf.SOURCE, Extent.DELTA): noop("Source reviewed for what changed"),
    (ReviewOf.UPDATE, Extent.FULL): noop("Update reviewed in full"),
    (ReviewOf.UPDATE, Extent.DELTA): noop("Update reviewed for what changed"),
    (ReviewOf.RULES, Extent.FULL): noop("Rule set reviewed in full"),
    (ReviewOf.RULES, Extent.DELTA): noop("Rule set reviewed for what changed"),
}
READ = {Extent.FULL: noop("all of it"), Extent.DELTA: noop("what changed since its base")}


@dataclass(frozen=True, slots=True)
class SourceCard:
    """The source tree that a release names."""

    words: Sentence
    tree: str
    sha1: str
    swhid: str | None
    files: int
    size: int
    href: str
    others: int  # further releases from the same tree
    command: Command


@dataclass(frozen=True, slots=True)
class Reading:
    """How many lines a review had in scope, and how many of them it left out or came later."""

    read: int
    excluded: int
    unread: int

    @property
    def whole(self) -> int:
        return self.read + self.excluded + self.unread


@dataclass(frozen=True, slots=True)
class Excluded:
    """A part that a review left out, by the digest of its git object."""

    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """One review: who, when, scope, exclusions, paid by, result, expiry, debt."""

    id: str
    href: str
    title: str
    result: Badge
    badges: tuple[Badge, ...]
    counts: bool
    refused: str | None  # why it does not count on this page
    words: Sentence
    reviewer: Speaker | None
    independence: str
    paid_by: str
    of: str
    extent: str
    subject: str
    base: str | None
    criteria: tuple[str, ...]
    files: int
    lines: int
    excluded: tuple[Excluded, ...]
    minutes: int
    findings: int
    findings_open: int
    expires: datetime
    expired: bool
    logged_at: datetime | None
    debt_lines: int | None  # None where this review does not cover the release
    debt_days: int | None
    reading: Reading
    seats: tuple[Seat, ...]
    command: Command


@dataclass(frozen=True, slots=True)
class DeltaCard:
    """A measured change between two trees."""

    id: str
    href: str
    words: Sentence
    author: Speaker | None
    base: str
    target: str
    files_added: int
    files_removed: int
    files_changed: int
    lines_added: int
    lines_removed: int
    binary_changed: int
    binary_bytes: int
    tool: str
    badges: tuple[Badge, ...]
    seats: tuple[Seat, ...]
    command: Command


def source_card(release: Release, record: Record, views: Views) -> SourceCard | None:
    """Return the card of a release's source tree; None if the release names none."""
    source = release.source
    if source is None:
        return None
    others = [item for item in views.referring(tree_ref(source.sha256), kind="release") if item.id != record.id]
    words = sentence(
        _(
            "The vendor names one source tree for all of it: {files}. "
            "Whether the files that ship were made from it is not shown by this; a rebuild would show it."
        ),
        files=strong(counted(source.files, "file")),
    )
    return SourceCard(
        words=words,
        tree=source.sha256,
        sha1=source.sha1,
        swhid=source.swhid,
        files=source.files,
        size=source.size,
        href=f"/digest/{source.sha256}",
        others=len(others),
        command=Command(_("Recompute it from a folder, an archive or a repository"), "pellucid source tree SOURCE"),
    )


def review_card(record: Record, covered: Coverage, views: Views, moment: datetime) -> ReviewCard:
    """Return the card of a review, with its debt where it is what the release's coverage rests on."""
    review: Review = record.model
    expires = datetime.fromisoformat(review.expires)
    debt = covered.lines if record in covered.reviews else None
    refused = why_not(record, views, moment)
    by = author(record, views)
    excluded = sum(item.lines for item in review.exclusions)
    return ReviewCard(
        id=record.id,
        href=f"/statements/{record.id}",
        title=_title(review, debt),
        result=result_badge(review.result, live=refused is None),
        badges=(*standing(record), *_expiry(expires, moment), *_debt(debt)),
        counts=refused is None,
        refused=refused,
        words=_words(review, by, excluded),
        reviewer=by,
        independence=review.independence.value,
        paid_by=_(PAID_BY[review.paid_by]),
        of=review.of.value,
        extent=review.extent.value,
        subject=record.subjects[0].refs[0] if record.subjects and record.subjects[0].refs else "",
        base=review.base,
        criteria=tuple(English(word.replace("-", " ")) for word in review.criteria),
        files=review.scope.files,
        lines=review.scope.lines,
        excluded=tuple(Excluded(item.sha256, item.lines) for item in review.exclusions),
        minutes=review.minutes,
        findings=review.findings.count,
        findings_open=review.findings.open,
        expires=expires,
        expired=expires <= moment,
        logged_at=record.logged_at,
        debt_lines=debt,
        debt_days=(moment - covered.reviewed_at).days if debt and covered.reviewed_at else None,
        reading=Reading(review.scope.lines, excluded, debt or 0),
        seats=seats(record),
        command=show_command(record.id, views),
    )


def delta_card(record: Record, views: Views) -> DeltaCard:
    """Return the card of a measured change."""
    delta: Delta = record.model
    by = author(record, views)
    files = delta.files_added + delta.files_removed + delta.files_changed
    words = sentence(
        _("{author} measured {lines} in {files}."),
        author=Phrase(by.label, href=by.href) if by else Phrase(_("A key unknown here")),
        lines=strong(counted(delta.lines, "changed line")),
        files=strong(counted(files, "file")),
    )
    target = next((ref for subject in record.subjects for ref in subject.refs), "")
    return DeltaCard(
        id=record.id,
        href=f"/statements/{record.id}",
        words=words,
        author=by,
        base=delta.base,
        target=target.partition(":")[2],
        files_added=delta.files_added,
        files_removed=delta.files_removed,
        files_changed=delta.files_changed,
        lines_added=delta.lines_added,
        lines_removed=delta.lines_removed,
        binary_changed=delta.binary_changed,
        binary_bytes=delta.binary_bytes,
        tool=f"{delta.tool.name} {delta.tool.version}",
        badges=standing(record),
        seats=seats(record),
        command=Command(_("Measure it again on your own copies"), "pellucid source delta OLD NEW"),
    )


def show_command(statement: str, views: Views) -> Command:
    """Return the command that fetches a statement from this node as it was signed."""
    url = views.node().url
    return Command(
        _("The statement as it was signed"), f"pellucid statement show {statement}{f' --from {url}' if url else ''}"
    )


def result_badge(result: Result, *, live: bool) -> Badge:
    """A yes that no longer counts is only what was said; a no is shown as a no whatever became of its author."""
    state, words = RESULTS[result]
    return Badge(state, _(words)) if live or result is Result.FAIL else Badge(State.UNKNOWN, _(SAID[result]))


def _title(review: Review, debt: int | None) -> str:
    title = _(TITLES[review.of, review.extent])
    return _("{title}, with a debt").format(title=title) if debt else title


def _words(review: Review, by: Speaker | None, excluded: int) -> Sentence:
    words = _("Reviewed by {who} ({standing}, paid by {payer}), who read {read}: {lines} in {files}, {time}.")
    if excluded:
        words = _(
            "Reviewed by {who} ({standing}, paid by {payer}), who read {read}, except {left_out}: "
            "{lines} in {files}, {time}."
        )
    independence = term(review.independence.value)
    left_out = _("{lines} in {parts}").format(
        lines=counted(excluded, "line"), parts=counted(len(review.exclusions), "part")
    )
    return sentence(
        words,
        who=Phrase(by.label, strong=True, href=by.href) if by else strong(_(NO_KEY)),
        standing=f"{by.standing}; {independence}" if by and by.standing else independence,
        payer=_(PAID_BY[review.paid_by]),
        read=strong(_(READ[review.extent])),
        left_out=left_out,
        lines=strong(counted(review.scope.lines, "line")),
        files=counted(review.scope.files, "file"),
        time=hours(review.minutes),
    )


def hours(minutes: int) -> str:
    """Write time spent: `31 hours`, `45 minutes`."""
    return counted(minutes, "minute") if minutes < 120 else counted(round(minutes / 60), "hour")


def _expiry(expires: datetime, moment: datetime) -> tuple[Badge, ...]:
    return (Badge(State.ATTENTION, _("expired")),) if expires <= moment else ()


def _debt(lines: int | None) -> tuple[Badge, ...]:
    return (Badge(State.ATTENTION, counted(lines, "{n} line unread", "{n} lines unread")),) if lines else ()
