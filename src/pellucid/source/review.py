"""From what a reviewer says, on the command line or in a TOML file, to the review statement they sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from pellucid.errors import InputError
from pellucid.source.predicate import REVIEW, Exclusion, Extent, Findings, Independence, Payer, Review, ReviewOf, Scope
from pellucid.source.predicate import Result as Conclusion
from pellucid.statement.commitment import Opening, commit
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.moment import format_time, parse_time
from pellucid.statement.predicate import Count, Sha256, Word, make_statement

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding, in the clear here and committed to in the statement; `open` until the vendor mended it."""

    title: _Text
    severity: Word
    open: bool = True
    detail: _Text | None = None


class ReviewTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[review]`: everything that can also be said by options; what is missing here has to be."""

    of: ReviewOf = ReviewOf.SOURCE
    result: Conclusion | None = None
    independence: Independence | None = None
    paid_by: Payer | None = None
    criteria: tuple[Word, ...] = ()
    minutes: Count | None = None
    expires: str | None = None
    exclude: tuple[str, ...] = ()
    scope_files: Count | None = None
    scope_lines: Count | None = None
    listing: Sha256 | None = None


class ReviewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A review as a TOML file: the table `[review]` and any number of `[[finding]]`."""

    review: ReviewTable
    finding: Annotated[tuple[Finding, ...], msgspec.Meta(max_length=1000)] = ()


@dataclass(frozen=True, slots=True)
class Subjects:
    """What was reviewed: the SHA-256 (of a file) or sha256 tree id (of a source), the base's, and how much it is."""

    subject: str
    base: str | None
    files: int
    lines: int
    exclusions: tuple[Exclusion, ...]


def review_statement(said: ReviewTable, findings: tuple[Finding, ...], about: Subjects) -> tuple[Statement, Any]:
    """Return the statement to be signed, and the opening of its findings' commitment (None if there are none)."""
    fields = {"result": said.result, "independence": said.independence, "paid_by": said.paid_by}
    for name, value in {**fields, "criteria": said.criteria, "minutes": said.minutes, "expires": said.expires}.items():
        if value is None or value == ():
            option = "--" + name.replace("_", "-").replace("criteria", "criterion")
            raise InputError(
                f"a review says its {name}", where="review", remedy=f"give {option}, or `{name}` in the file"
            )
    counted, opening = _findings(findings)
    review = Review(
        of=said.of,
        extent=Extent.DELTA if about.base else Extent.FULL,
        result=said.result or Conclusion.FAIL,
        independence=said.independence or Independence.EMPLOYEE,
        paid_by=said.paid_by or Payer.VENDOR,
        criteria=said.criteria,
        scope=Scope(files=about.files, lines=about.lines, listing=said.listing),
        minutes=said.minutes or 0,
        expires=format_time(parse_time(said.expires or "", where="expires")),
        base=about.base,
        exclusions=about.exclusions,
        findings=counted,
    )
    algorithm, name = ("gitTree", "source") if said.of is ReviewOf.SOURCE else ("sha256", said.of.value)
    return make_statement((Subject({algorithm: about.subject}, name),), REVIEW, review), opening


def in_words(statement: Statement) -> str:
    """Return what a reviewer is about to sign, as sentences."""
    review: Review = msgspec.convert(statement.predicate, Review)
    what = "source tree" if review.of is ReviewOf.SOURCE else review.of.value
    subject = next(iter(statement.subjects[0].digest.values()))
    left_out = sum(exclusion.lines for exclusion in review.exclusions)
    lines = [
        "You are about to sign this review:",
        f"  the {what} {subject}",
        f"  {review.extent.value} review" + (f" of what changed since {review.base}" if review.base else ""),
        f"  conclusion: {review.result.value}, for {', '.join(review.criteria)}",
        f"  scope: {review.scope.files} files, {review.scope.lines} lines",
        f"  left out: {len(review.exclusions)} files, {left_out} lines",
        f"  findings: {review.findings.count}, of which {review.findings.open} are open",
        f"  reviewer: {review.independence.value}, paid by {review.paid_by.value}, {review.minutes} minutes spent",
        f"  expires: {review.expires}",
    ]
    return "\n".join(lines)


def _findings(findings: tuple[Finding, ...]) -> tuple[Findings, Opening | None]:
    if not findings:
        return Findings(count=0, open=0), None
    fields = {f"finding-{number:04d}": msgspec.to_builtins(finding) for number, finding in enumerate(findings, 1)}
    root, opening = commit(fields)
    still_open = sum(finding.open for finding in findings)
    return Findings(count=len(findings), open=still_open, commitment=root), opening
