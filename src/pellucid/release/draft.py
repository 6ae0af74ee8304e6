"""A first `release.toml`, drafted from what lies in a folder: archives, wheels, a git repository."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import InputError

_ARCHIVES = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".zip")
_SHIPPED = (*_ARCHIVES, ".whl", ".deb", ".rpm", ".exe", ".msi", ".dmg", ".pkg", ".apk", ".jar", ".AppImage")
_NAMED = re.compile(r"(?P<product>[A-Za-z0-9][A-Za-z0-9._]*?(?:-[A-Za-z][A-Za-z0-9._]*)*?)-(?P<version>v?[0-9][^-]*)")
_MOST = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a folder: files to ship (from it), and a guess at product, version and source."""

    files: tuple[str, ...]
    product: str
    version: str
    source: tuple[tuple[str, str], ...]
    purls: tuple[str | None, ...]


def look_around(
    folder: Path, *, head: str | None, sole_root: str | None, product: str | None, version: str | None
) -> Found:
    """Return what `folder` offers; `head` is its git revision, `sole_root` the top directory of its source archive."""
    files = shipped_files(folder)
    if not files:
        raise InputError(
            "holds nothing that looks like a release",
            where=str(folder),
            remedy=f"put the files to ship there ({', '.join(_SHIPPED[:7])}, …), or write release.toml by hand",
        )
    if len(files) > _MOST:
        raise InputError(f"holds {len(files)} files to ship, more than {_MOST}", where=str(folder), remedy="split it")
    guessed = [match for name in files if (match := _name_and_version(name))]
    first = guessed[0] if guessed else (folder.resolve().name or "product", "0")
    return Found(
        files=files,
        product=product or first[0],
        version=version or first[1],
        source=_source(files, head, sole_root),
        purls=tuple(_purl(name) for name in files),
    )


def shipped_files(folder: Path) -> tuple[str, ...]:
    """Return the files to ship in `folder` and its `dist`, as paths from it."""
    if not folder.is_dir():
        raise InputError("is not a directory", where=str(folder), remedy="give the folder that holds what you ship")
    places = [folder, folder / "dist"]
    found = (file for place in places if place.is_dir() for file in place.iterdir())
    return tuple(sorted(str(f.relative_to(folder)) for f in found if f.is_file() and f.name.endswith(_SHIPPED)))


def source_archive(files: Iterable[str]) -> str | None:
    """Return the file that looks like the archive of the source."""
    archives = [name for name in files if name.endswith(_ARCHIVES)]
    named = [name for name in archives if re.search(r"src|source", name)]
    return next(iter(named or archives), None)


def write_draft(found: Found, kind: str) -> str:
    """Return the text of the manifest."""
    import tomlkit  # noqa: PLC0415 - only drafts need it

    document = tomlkit.document()
    document.add(tomlkit.comment("What is about to be shipped. Check every line, then: pellucid publish release.toml"))
    document.add(tomlkit.nl())
    document["release"] = {"product": found.product, "version": found.version, "kind": kind}
    document["source"] = dict(found.source)
    artifacts = tomlkit.aot()
    for path, purl in zip(found.files, found.purls, strict=True):
        entry = {"name": Path(path).name, "path": path} | ({"purl": purl} if purl else {})
        artifacts.append(tomlkit.item(entry))
    document["artifact"] = artifacts
    return tomlkit.dumps(document)


def _source(files: Iterable[str], head: str | None, sole_root: str | None) -> tuple[tuple[str, str], ...]:
    if head is not None:
        return (("git", "."), ("rev", head))
    archive = source_archive(files)
    if archive is None:
        return (("tree", "."),)
    return (("archive", archive), *((("root", sole_root),) if sole_root else ()))


def _name_and_version(path: str) -> tuple[str, str] | None:
    name = Path(path).name
    suffix = next((suffix for suffix in _SHIPPED if name.endswith(suffix)), "")
    match = _NAMED.match(name.removesuffix(suffix))
    return (match["product"], match["version"]) if match else None


def _purl(path: str) -> str | None:
    """Return the package URL of a wheel; other names say too little."""
    if not path.endswith(".whl"):
        return None
    guess = _name_and_version(path)
    return f"pkg:pypi/{guess[0].lower().replace('_', '-')}@{guess[1]}" if guess else None
