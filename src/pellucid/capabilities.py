"""Every capability of this program, listed in one place: what it signs, how a policy can ask for it, its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.release.predicate import RELEASE
from pellucid.release.requirement import RELEASE_REQUIREMENT
from pellucid.source.predicate import DELTA, REVIEW
from pellucid.source.requirement import REVIEW_REQUIREMENT, SOURCE_REQUIREMENT
from pellucid.statement.predicate import Registry, registry_of
from pellucid.trust.predicate import PARTY, WITHDRAWAL
from pellucid.trust.requirement import Requirements, requirements_of

if TYPE_CHECKING:
    from pellucid.jobs.work import Registry as JobRegistry

PREDICATES: Registry = registry_of(PARTY, WITHDRAWAL, RELEASE, REVIEW, DELTA)
REQUIREMENTS: Requirements = requirements_of(RELEASE_REQUIREMENT, REVIEW_REQUIREMENT, SOURCE_REQUIREMENT)


def jobs() -> JobRegistry:
    """Return every kind of job, by name; imported only here, since a verifier starts faster without them."""
    from pellucid.jobs import chores  # noqa: PLC0415 - as said above
    from pellucid.jobs.work import registry_of as jobs_of  # noqa: PLC0415

    return jobs_of(chores.check_logs, chores.reindex, chores.evidence_pack)
