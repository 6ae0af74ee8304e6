"""`release`: these bytes are this artifact of this version of this product, made from this source tree."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec

from pellucid.statement import types
from pellucid.statement.digest import is_sha256
from pellucid.statement.intoto import Statement, StatementError
from pellucid.statement.predicate import Count, Identifier, Predicate, PredicateKind, Sha1, Sha256
from pellucid.statement.reference import Ref, file_ref, release_ref, tree_ref

# No sign of another alphabet, none that cannot be seen: two names that look alike would be two places for one file.
ArtifactName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[!-.0-\[\]-~]([ -.0-\[\]-~]*[!-.0-\[\]-~])?$(?!\n)",
        min_length=1,
        max_length=255,
        description="a file name in printable ASCII, without slashes, not beginning or ending in a space",
    ),
]


class ReleaseKind(StrEnum):
    """What is shipped."""

    SOFTWARE = "software"
    UPDATE = "update"
    RULES = "rules"


class Artifact(Predicate, frozen=True):
    """What describes the subject of the same place; its digest stands there."""

    name: ArtifactName
    size: Count
    purl: Annotated[str, msgspec.Meta(pattern=r"^pkg:[!-~]+$(?!\n)", max_length=500)] | None = None
    platform: Identifier | None = None


class SourceTree(Predicate, frozen=True):
    """The tree that the artifacts are made from; `sha256` decides, the others are for look-ups elsewhere."""

    sha256: Sha256
    sha1: Sha1
    files: Count
    size: Count
    swhid: (
        Annotated[str, msgspec.Meta(pattern=r"^swh:1:dir:[0-9a-f]{40}$(?!\n)", min_length=50, max_length=50)] | None
    ) = None


class RuleSet(Predicate, frozen=True):
    """A rule set among what is shipped."""

    sha256: Sha256
    size: Count
    format: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+$(?!\n)", max_length=40)]


class Release(Predicate, frozen=True):
    """One release: `artifacts[i]` describes `subject[i]`, by the same name."""

    product: Identifier
    version: Identifier
    kind: ReleaseKind
    artifacts: Annotated[tuple[Artifact, ...], msgspec.Meta(min_length=1, max_length=200)]
    source: SourceTree | None = None
    previous: Identifier | None = None
    rules: Annotated[tuple[RuleSet, ...], msgspec.Meta(max_length=100)] = ()
    sbom: Sha256 | None = None
    recipe: Sha256 | None = None


def _check(statement: Statement, release: Release) -> None:
    names = [artifact.name for artifact in release.artifacts]
    if [subject.name for subject in statement.subjects] != names:
        raise StatementError("its artifacts do not describe its subjects one by one")
    if len({name.casefold() for name in names}) != len(names):
        raise StatementError("two artifacts have one name, or names that differ only in case")
    if any(set(s.digest) != {"sha256"} or not is_sha256(s.digest["sha256"]) for s in statement.subjects):
        raise StatementError("each artifact is given by its SHA-256, and only by it")


def _places(_statement: Statement, release: Release) -> Iterable[Ref]:
    return (release_ref(release.product, release.version, artifact.name) for artifact in release.artifacts)


def _leads_to(statement: Statement, release: Release) -> Iterable[Ref]:
    yield from _places(statement, release)
    if release.source:
        yield tree_ref(release.source.sha256)
    yield from (file_ref(rules.sha256) for rules in release.rules)
    yield from (file_ref(digest) for digest in (release.sbom, release.recipe) if digest)


RELEASE = PredicateKind(
    "release",
    types.RELEASE,
    Release,
    leads_to=_leads_to,
    concerns=_places,
    check=_check,
    spoken_by=frozenset({"vendor"}),
)
