"""`review` and `delta`: what somebody read, and how far two trees lie apart."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec

from pellucid.statement import types
from pellucid.statement.intoto import Statement, StatementError, Subject
from pellucid.statement.predicate import (
    Count,
    Identifier,
    Predicate,
    PredicateKind,
    Sha256,
    Time,
    Word,
    require_times,
)
from pellucid.statement.reference import Ref, file_ref, subject_refs, tree_ref


class ReviewOf(StrEnum):
    """What kind of thing the subject is."""

    SOURCE = "source"
    UPDATE = "update"
    RULES = "rules"


class Extent(StrEnum):
    """Whether all of the subject was in scope, or only what changed since a base."""

    FULL = "full"
    DELTA = "delta"


class Independence(StrEnum):
    """How the reviewer stands to the vendor."""

    INDEPENDENT = "independent"
    CUSTOMER = "customer"
    GOVERNMENT = "government"
    CONTRACTOR = "contractor"
    EMPLOYEE = "employee"


class Payer(StrEnum):
    """Who pays for the review."""

    NOBODY = "nobody"
    REVIEWER = "reviewer"
    CENTER = "center"
    CUSTOMER = "customer"
    GOVERNMENT = "government"
    VENDOR = "vendor"


class Result(StrEnum):
    """The reviewer's conclusion for the criteria named."""

    PASS = "pass"  # noqa: S105 - a conclusion
    FINDINGS = "pass-with-findings"
    FAIL = "fail"


class Exclusion(Predicate, frozen=True):
    """A part that was not read, by the digest of its git object (sha256 format), and how many lines it has."""

    sha256: Sha256
    lines: Count


class Scope(Predicate, frozen=True):
    """What was in scope: counts, and a digest of the list of what was read where such a list is kept."""

    files: Count
    lines: Count
    listing: Sha256 | None = None


class Findings(Predicate, frozen=True):
    """How many findings there are, and a salted commitment to what they are."""

    count: Count
    open: Count
    commitment: Sha256 | None = None


class Review(Predicate, frozen=True):
    """A named person's conclusion on a source tree, an update or a rule set."""

    of: ReviewOf
    extent: Extent
    result: Result
    independence: Independence
    paid_by: Payer
    criteria: Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=50)]
    scope: Scope
    minutes: Count
    expires: Time
    base: Sha256 | None = None
    exclusions: Annotated[tuple[Exclusion, ...], msgspec.Meta(max_length=200)] = ()
    findings: Findings = msgspec.field(default_factory=lambda: Findings(count=0, open=0))
    details: Sha256 | None = None


class Tool(Predicate, frozen=True):
    """The program that measured, by name and version."""

    name: Identifier
    version: Identifier


class Delta(Predicate, frozen=True):
    """How far the subject, a source tree, lies from the tree `base`; the ground for review debt."""

    base: Sha256
    files_added: Count
    files_removed: Count
    files_changed: Count
    lines_added: Count
    lines_removed: Count
    tool: Tool
    binary_changed: Count = 0
    binary_bytes: Count = 0
    rewritten_files: Count = 0

    @property
    def lines(self) -> int:
        """Lines that a reader of the change has to read."""
        return self.lines_added + self.lines_removed

    @property
    def debt(self) -> int:
        """What the change weighs while nobody read it: its lines, and one at least for each file without any."""
        files = self.files_added + self.files_removed + self.files_changed
        return max(self.lines, files, 1)


def worst_of(deltas: Iterable[Delta]) -> tuple[int, int]:
    """Return the debt and the changed binary files of one change that several measured: what is worse for the file."""
    known = list(deltas)
    return max(delta.debt for delta in known), max(delta.binary_changed for delta in known)


def tree_subject(tree: str) -> Subject:
    """Name a source tree as the subject of a statement, by its sha256 tree id."""
    return Subject({"gitTree": tree}, "source")


def subject_of(statement: Statement) -> Ref:
    """Return the one thing that a review or delta is about."""
    refs = subject_refs(statement.subjects)
    if len(statement.subjects) != 1 or len(refs) != 1 or not next(iter(refs)).startswith(("sha256:", "gitTree:")):
        raise StatementError("it has exactly one subject, by a SHA-256 or a sha256 tree id")
    return next(iter(refs))


def _check_review(statement: Statement, review: Review) -> None:
    subject = subject_of(statement)
    if subject.startswith("gitTree:") != (review.of is ReviewOf.SOURCE):
        raise StatementError("a review of source has a gitTree as its subject, the others a sha256")
    if (review.base is not None) != (review.extent is Extent.DELTA):
        raise StatementError("`base` stands with the extent `delta`, and only there")
    require_times(expires=review.expires)
    if review.findings.open > review.findings.count:
        raise StatementError("more findings are open than there are")


def _check_delta(statement: Statement, _delta: Delta) -> None:
    if not subject_of(statement).startswith("gitTree:"):
        raise StatementError("a delta has a gitTree as its subject")


def _review_leads_to(_statement: Statement, review: Review) -> Iterable[Ref]:
    if review.base is None:
        return ()
    return (tree_ref(review.base) if review.of is ReviewOf.SOURCE else file_ref(review.base),)


def _delta_leads_to(_statement: Statement, delta: Delta) -> Iterable[Ref]:
    return (tree_ref(delta.base),)


_READERS = frozenset({"reviewer", "center"})

REVIEW = PredicateKind(
    "review", types.REVIEW, Review, leads_to=_review_leads_to, check=_check_review, spoken_by=_READERS
)
DELTA = PredicateKind("delta", types.DELTA, Delta, leads_to=_delta_leads_to, check=_check_delta, spoken_by=_READERS)
