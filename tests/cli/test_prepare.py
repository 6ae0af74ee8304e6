"""From a manifest to a release statement: what is hashed, what is refused, and when."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import InputError
from pellucid.release.manifest import load_manifest
from pellucid.release.publish import ChangedError, Prepared, prepare, refuse_second
from pellucid.statement.digest import sha256_hex
from pellucid.statement.tree import TreeIdentity
from pellucid.unpack import identify

MANIFEST = """\
[release]
product = "scanner"
version = "4.2"
kind = "software"

[source]
archive = "scanner-4.2.tar.gz"
root = "scanner-4.2"

[[artifact]]
name = "scanner.bin"
path = "scanner.bin"

[[rules]]
path = "rules.yar"
format = "yara"

[sbom]
path = "sbom.json"
"""


def tree(path: Path, rev: str | None, root: str | None) -> TreeIdentity:
    return identify(path, rev=rev, root=root)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "release.toml").write_text(MANIFEST)
    for name in ("scanner.bin", "rules.yar", "sbom.json"):
        (tmp_path / name).write_text(f"content of {name}")
    with tarfile.open(tmp_path / "scanner-4.2.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("scanner-4.2/main.py")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"print\n"))
    return tmp_path


def prepared(folder: Path) -> Prepared:
    return prepare(load_manifest(folder / "release.toml"), tree)


def changed(folder: Path, old: str, new: str) -> InputError:
    path = folder / "release.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        prepared(folder)
    return caught.value


def test_the_statement_names_every_byte_by_its_digest(folder: Path) -> None:
    statement = prepared(folder).statement
    assert statement.subjects[0].digest == {"sha256": sha256_hex(b"content of scanner.bin")}
    predicate: Any = statement.predicate
    assert predicate["rules"][0]["sha256"] == sha256_hex(b"content of rules.yar")
    assert predicate["sbom"] == sha256_hex(b"content of sbom.json")
    (folder / "plain").mkdir()
    (folder / "plain/main.py").write_text("print\n")
    assert predicate["source"]["sha256"] == identify(folder / "plain").sha256


def test_the_same_release_is_the_same_statement(folder: Path) -> None:
    assert prepared(folder).statement.payload() == prepared(folder).statement.payload()


def test_a_missing_artifact_is_named_where_it_stands(folder: Path) -> None:
    error = changed(folder, 'path = "scanner.bin"', 'path = "gone.bin"')
    assert str(error.where).endswith("release.toml:12:1")
    assert "gone.bin" in error.what


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('archive = "scanner-4.2.tar.gz"', 'archive = "gone.tar.gz"', "7:1"),
        ('root = "scanner-4.2"', 'root = "scanner-4.1"', "7:1"),
        ('archive = "scanner-4.2.tar.gz"\nroot = "scanner-4.2"', 'archive = "scanner.bin"', "7:1"),
        ('archive = "scanner-4.2.tar.gz"\nroot = "scanner-4.2"', 'git = "."\nrev = "HEAD"', "7:1"),
    ],
)
def test_a_source_that_cannot_be_identified_is_named_where_it_stands(
    folder: Path, old: str, new: str, place: str
) -> None:
    assert str(changed(folder, old, new).where).endswith(f"release.toml:{place}")


@pytest.mark.parametrize("name", ["scanner.bin", "rules.yar", "sbom.json"])
def test_a_file_that_changes_meanwhile_is_noticed(folder: Path, name: str) -> None:
    ready = prepared(folder)
    ready.require_unchanged()
    (folder / name).write_text("other content")
    with pytest.raises(ChangedError, match=f"{name} changed while") as caught:
        ready.require_unchanged()
    assert "nothing was logged" in str(caught.value.remedy)
    (folder / name).unlink()
    with pytest.raises(ChangedError, match="went away"):
        ready.require_unchanged()


def test_one_place_has_one_live_release(folder: Path) -> None:
    ready, digest = prepared(folder), sha256_hex(b"content of scanner.bin")
    refuse_second(ready, {}, "a" * 64)
    refuse_second(ready, {"scanner.bin": (digest, "a" * 64)}, "a" * 64)
    refuse_second(ready, {"other.bin": ("0" * 64, "b" * 64)}, "a" * 64)
    with pytest.raises(InputError, match="already released with other bytes") as caught:
        refuse_second(ready, {"scanner.bin": ("0" * 64, "b" * 64)}, "a" * 64)
    assert f"statement withdraw {'b' * 64}" in str(caught.value.remedy)
    with pytest.raises(InputError, match="the same bytes"):
        refuse_second(ready, {"scanner.bin": (digest, "b" * 64)}, "a" * 64)
