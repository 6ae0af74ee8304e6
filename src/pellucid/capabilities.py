"""Every capability of this program, listed in one place: what it signs and how a policy can ask for it."""

from __future__ import annotations

from pellucid.release.predicate import RELEASE
from pellucid.source.predicate import DELTA, REVIEW
from pellucid.statement.predicate import Registry, registry_of
from pellucid.trust.predicate import PARTY, WITHDRAWAL

PREDICATES: Registry = registry_of(PARTY, WITHDRAWAL, RELEASE, REVIEW, DELTA)
