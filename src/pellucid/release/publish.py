"""From a manifest to a release statement: every file hashed, the source identified, nothing changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import EvidenceError, InputError
from pellucid.release.manifest import Manifest
from pellucid.release.predicate import RELEASE, Artifact, Release, RuleSet, SourceTree
from pellucid.statement.digest import sha256_file
from pellucid.statement.intoto import Statement, Subject
from pellucid.statement.predicate import make_statement
from pellucid.statement.tree import TreeIdentity
from pellucid.toml_file import Place

Identify = Callable[[Path, str | None, str | None], TreeIdentity]
_WHEN_QUIET = "publish when nothing writes to it any more; nothing was logged"


class ChangedError(InputError):
    """A file changed or went away while it was being published; nothing was logged."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file of the manifest as it was read: SHA-256 and size in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A release that is ready to be signed: its statement, the source it names, and all files it stands on."""

    manifest: Manifest
    statement: Statement
    artifacts: tuple[HashedFile, ...]
    source: TreeIdentity | None
    files: Mapping[Place, HashedFile]

    def require_unchanged(self) -> None:
        """Read every file again; ChangedError at its place in the manifest if one is not what it was."""
        for place, before in self.files.items():
            try:
                now = sha256_file(before.path)
            except InputError:
                raise self._changed(place, before, "went away") from None
            if now != before.sha256:
                raise self._changed(place, before, "changed")

    def _changed(self, place: Place, file: HashedFile, how: str) -> ChangedError:
        error = self.manifest.error(f"{file.path} {how} while it was being published", place, _WHEN_QUIET)
        return ChangedError(error.what, where=error.where, remedy=error.remedy)


def prepare(manifest: Manifest, identify: Identify) -> Prepared:
    """Hash what is shipped, identify the source, and put the release statement together; nothing is signed yet."""
    files = {place: _hash(manifest, place, path) for place, path in _paths(manifest)}
    artifacts = tuple(files[place] for place, _ in manifest.artifacts)
    source = _identify_source(manifest, identify)
    statement = _statement(manifest, files, artifacts, source)
    return Prepared(manifest, statement, artifacts, source, files)


def refuse_second(prepared: Prepared, live: Mapping[str, tuple[str, str]], statement_id: str) -> None:
    """Refuse a release that takes a place where another live one stands: `live` maps name to (SHA-256, statement)."""
    table = prepared.manifest.file.release
    for (place, artifact), file in zip(prepared.manifest.artifacts, prepared.artifacts, strict=True):
        sha256, statement = live.get(artifact.name, (file.sha256, statement_id))
        if statement != statement_id:
            same = "the same bytes" if sha256 == file.sha256 else "other bytes"
            raise prepared.manifest.error(
                f"{table.product} {table.version} is already released with {same} as {artifact.name}",
                place,
                f"publish it as another version, or first take the other back: pellucid statement withdraw {statement}",
            )


def _paths(manifest: Manifest) -> Iterator[tuple[Place, str]]:
    yield from ((place, artifact.path) for place, artifact in manifest.artifacts)
    yield from ((("rules", at), rules.path) for at, rules in enumerate(manifest.file.rules))
    if manifest.file.sbom:
        yield ("sbom",), manifest.file.sbom.path
    if manifest.file.build:
        yield ("build",), manifest.file.build.recipe


def _hash(manifest: Manifest, place: Place, path: str) -> HashedFile:
    file = manifest.locate(path)
    try:
        return HashedFile(file, sha256_file(file), file.stat().st_size)
    except InputError as error:
        field = "recipe" if place == ("build",) else "path"
        raise manifest.error(f"{path} {error.what}", (*place, field), error.remedy or "mend the path") from None


def _identify_source(manifest: Manifest, identify: Identify) -> TreeIdentity | None:
    table = manifest.file.source
    if table is None:
        return None
    field = next(name for name in ("git", "tree", "archive") if getattr(table, name))
    path = manifest.locate(getattr(table, field))
    if not path.exists():
        raise manifest.error(f"{path} does not exist", ("source", field), "mend the path")
    try:
        return identify(path, table.rev, table.root)
    except (InputError, EvidenceError) as error:
        remedy = error.remedy or "mend the source"
        raise manifest.error(f"the source cannot be identified: {error}", ("source", field), remedy) from error


def _statement(
    manifest: Manifest,
    files: Mapping[Place, HashedFile],
    hashed: tuple[HashedFile, ...],
    source: TreeIdentity | None,
) -> Statement:
    artifacts = [
        Artifact(name=table.name, size=file.size, purl=table.purl, platform=table.platform)
        for (_, table), file in zip(manifest.artifacts, hashed, strict=True)
    ]
    rules = [
        RuleSet(sha256=files["rules", at].sha256, size=files["rules", at].size, format=table.format)
        for at, table in enumerate(manifest.file.rules)
    ]
    table = manifest.file.release
    release = Release(
        product=table.product,
        version=table.version,
        kind=table.kind,
        artifacts=tuple(artifacts),
        source=_source_tree(source),
        previous=table.previous,
        rules=tuple(rules),
        sbom=files[("sbom",)].sha256 if manifest.file.sbom else None,
        recipe=files[("build",)].sha256 if manifest.file.build else None,
    )
    subjects = [
        Subject({"sha256": file.sha256}, artifact.name) for artifact, file in zip(artifacts, hashed, strict=True)
    ]
    return make_statement(subjects, RELEASE, release)


def _source_tree(source: TreeIdentity | None) -> SourceTree | None:
    if source is None:
        return None
    return SourceTree(sha256=source.sha256, sha1=source.sha1, files=source.files, size=source.size, swhid=source.swhid)
