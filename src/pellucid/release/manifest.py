"""`release.toml`: what a vendor is about to ship, written by hand or by `release init`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from pellucid.errors import InputError
from pellucid.release.predicate import ArtifactName, ReleaseKind
from pellucid.statement.predicate import Identifier
from pellucid.toml_file import LIMIT, Place, TomlError, find_place, parse_toml

_PathText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)",
        min_length=1,
        max_length=4096,
        description="path of a file, from the manifest's folder",
    ),
]
_Problem = tuple[Place, str, str]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the manifest; unknown fields are refused."""


class ReleaseTable(_Table, frozen=True):
    """`[release]`: which product, which version, and what kind of thing is shipped."""

    product: Identifier
    version: Identifier
    kind: ReleaseKind
    previous: Identifier | None = None


class SourceTable(_Table, frozen=True):
    """`[source]`: where the source tree is found; one of `git` (with `rev`), `tree` and `archive`.

    `root` is the one directory of the archive that is the tree, such as `product-1.0`.
    """

    git: _PathText | None = None
    rev: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$(?!\n)", max_length=200)] | None = None
    tree: _PathText | None = None
    archive: _PathText | None = None
    root: _PathText | None = None


class ArtifactTable(_Table, frozen=True):
    """`[[artifact]]`: one file that is shipped, under the name it has for users."""

    name: ArtifactName
    path: _PathText
    purl: Annotated[str, msgspec.Meta(pattern=r"^pkg:[!-~]+$(?!\n)", max_length=500)] | None = None
    platform: Identifier | None = None


class RulesTable(_Table, frozen=True):
    """`[[rules]]`: one rule set, and the format it is in (`yara`, `sigma`, …)."""

    path: _PathText
    format: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+$(?!\n)", min_length=1, max_length=40)]


class SbomTable(_Table, frozen=True):
    """`[sbom]`: the bill of materials, logged by its digest."""

    path: _PathText


class BuildTable(_Table, frozen=True):
    """`[build]`: the recipe that makes the artifacts from the source, logged by its digest."""

    recipe: _PathText


class ManifestFile(_Table, frozen=True):
    """The tables of `release.toml`; without an `[[artifact]]` the rule sets are what is shipped."""

    release: ReleaseTable
    source: SourceTable | None = None
    artifact: Annotated[tuple[ArtifactTable, ...], msgspec.Meta(max_length=200)] = ()
    rules: Annotated[tuple[RulesTable, ...], msgspec.Meta(max_length=100)] = ()
    sbom: SbomTable | None = None
    build: BuildTable | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read from `path`; `text` is what places in it are found in."""

    path: Path
    text: str
    file: ManifestFile

    @property
    def artifacts(self) -> tuple[tuple[Place, ArtifactTable], ...]:
        """What is shipped, each with its place in the file."""
        if self.file.artifact:
            return tuple((("artifact", at), artifact) for at, artifact in enumerate(self.file.artifact))
        return tuple(
            (("rules", at), ArtifactTable(name=Path(rules.path).name, path=rules.path))
            for at, rules in enumerate(self.file.rules)
        )

    def locate(self, path: str) -> Path:
        """Return where a path of the manifest leads."""
        return self.path.parent / path

    def error(self, what: str, place: Place, remedy: str) -> InputError:
        """Return the error for what stands at `place`."""
        line, column = find_place(self.text, place)
        return TomlError(what, where=f"{self.path}:{line}:{column}", remedy=remedy)


def load_manifest(path: Path) -> Manifest:
    """Read `release.toml`; every error names line and column. Nothing that it points to is looked at."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        remedy = "give the path of a manifest; `pellucid release init DIR` drafts one"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
    manifest = Manifest(path, data.decode("utf-8", "replace"), parse_toml(data, ManifestFile, where=str(path)))
    for place, what, remedy in _problems(manifest):
        raise manifest.error(what, place, remedy)
    return manifest


def manifest_schema() -> dict[str, object]:
    """Return the JSON Schema of `release.toml`."""
    schema = msgspec.json.schema(ManifestFile)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "release.toml", **schema}


def _problems(manifest: Manifest) -> Iterator[_Problem]:
    if not manifest.artifacts:
        yield ("release",), "nothing is shipped", "add an [[artifact]] with its name and path"
    if manifest.file.source is not None:
        yield from _source_problems(manifest.file.source)
    seen: set[str] = set()
    for place, artifact in manifest.artifacts:
        if artifact.name in seen:
            yield (*place, "name"), f"two artifacts are called {artifact.name!r}", "give each artifact its own name"
        seen.add(artifact.name)


def _source_problems(source: SourceTable) -> Iterator[_Problem]:
    given = [name for name in ("git", "tree", "archive") if getattr(source, name) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "nothing"
        yield ("source", given[-1] if given else ""), f"the source is {said}", "write one of git, tree, archive"
    if (source.rev is not None) != (source.git is not None):
        yield ("source", "rev" if source.rev else "git"), "`git` and `rev` belong together", "write both or neither"
    if source.root is not None and source.archive is None:
        yield ("source", "root"), "`root` belongs to `archive`", "take `root` away"
