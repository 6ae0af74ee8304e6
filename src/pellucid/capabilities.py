"""Every capability of this program, listed in one place: what it signs and how a policy can ask for it."""

from __future__ import annotations

from pellucid.release.predicate import RELEASE
from pellucid.release.requirement import RELEASE_REQUIREMENT
from pellucid.source.predicate import DELTA, REVIEW
from pellucid.source.requirement import REVIEW_REQUIREMENT, SOURCE_REQUIREMENT
from pellucid.statement.predicate import Registry, registry_of
from pellucid.trust.predicate import PARTY, WITHDRAWAL
from pellucid.trust.requirement import Requirements, requirements_of

PREDICATES: Registry = registry_of(PARTY, WITHDRAWAL, RELEASE, REVIEW, DELTA)
REQUIREMENTS: Requirements = requirements_of(RELEASE_REQUIREMENT, REVIEW_REQUIREMENT, SOURCE_REQUIREMENT)
