"""`release.toml`: what a vendor may write, and where they are told what is wrong with it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import InputError
from pellucid.release.manifest import load_manifest

Run = Callable[..., Any]

GOOD = """\
[release]
product = "scanner"
version = "4.2"
kind = "update"
previous = "4.1"

[source]
archive = "scanner-4.2.tar.gz"
root = "scanner-4.2"

[[artifact]]
name = "scanner.bin"
path = "dist/scanner.bin"
platform = "linux-x86_64"

[[rules]]
path = "rules.yar"
format = "yara"

[sbom]
path = "sbom.json"

[build]
recipe = "Containerfile"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "release.toml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        load_manifest(write(folder, text))
    assert caught.value.remedy
    return caught.value


def test_everything_that_may_stand_there_is_read(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, GOOD))
    assert [artifact.name for _, artifact in manifest.artifacts] == ["scanner.bin"]
    assert manifest.locate("rules.yar") == tmp_path / "rules.yar"


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        ('previous = "4.1"', 'prevoius = "4.1"', "5:1", "prevoius"),
        ('kind = "update"', 'kind = "upgrade"', "4:1", "upgrade"),
        ('version = "4.2"', "version = 4.2", "3:1", "str"),
        ('version = "4.2"', 'version = "4.2', "3:", "not TOML"),
        ('product = "scanner"\n', "", "1:1", "product"),
        ("[sbom]", "[sboom]", "20:1", "sboom"),
        ('root = "scanner-4.2"', 'rev = "v1"', "9:1", "belong together"),
        ('archive = "scanner-4.2.tar.gz"', 'tree = "."', "9:1", "belongs to `archive`"),
        ('archive = "scanner-4.2.tar.gz"', 'archive = "a.zip"\ntree = "."', "8:1", "archive"),
        ('path = "dist/scanner.bin"', 'paht = "dist/scanner.bin"', "13:1", "paht"),
        ('name = "scanner.bin"', 'name = "dist/scanner.bin"', "12:1", "regex"),
        ('product = "scanner"', 'product = "scan\\u0007ner"', "2:1", "regex"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(tmp_path: Path, old: str, new: str, place: str, what: str) -> None:
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new))
    assert f"release.toml:{place}" in str(error.where)
    assert what in error.what


def test_two_artifacts_of_one_name_are_refused_at_the_second(tmp_path: Path) -> None:
    double = '\n[[artifact]]\nname = "scanner.bin"\npath = "other.bin"\n'
    error = refused(tmp_path, GOOD + double)
    assert str(error.where).endswith(f":{GOOD.count(chr(10)) + 3}:1")


def test_without_an_artifact_the_rule_sets_are_shipped(tmp_path: Path) -> None:
    only_rules = (
        '[release]\nproduct = "r"\nversion = "1"\nkind = "rules"\n[[rules]]\npath = "x/a.yar"\nformat = "yara"\n'
    )
    manifest = load_manifest(write(tmp_path, only_rules))
    assert [artifact.name for _, artifact in manifest.artifacts] == ["a.yar"]
    assert "nothing is shipped" in refused(tmp_path, only_rules.partition("[[rules]]")[0]).what


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_manifest(tmp_path / "release.toml")


def test_a_draft_is_a_manifest_that_can_be_published(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "ship"
    (folder / "dist").mkdir(parents=True)
    (folder / "dist/scanner-4.2-py3-none-any.whl").write_bytes(b"wheel")
    drafted = run("release", "init", folder, "--json").json
    assert drafted == {
        "manifest": str(folder / "release.toml"),
        "product": "scanner",
        "version": "4.2",
        "files": ["dist/scanner-4.2-py3-none-any.whl"],
    }
    manifest = load_manifest(folder / "release.toml")
    assert manifest.artifacts[0][1].purl == "pkg:pypi/scanner@4.2"
    assert manifest.file.source is not None
    assert manifest.file.source.tree == "."


def test_a_draft_finds_the_source_where_it_is(run: Run, tmp_path: Path) -> None:
    packed, kept = tmp_path / "packed", tmp_path / "kept"
    (packed / "scanner-4.2").mkdir(parents=True)
    (packed / "scanner-4.2/main.py").write_text("print()\n")
    shutil.make_archive(str(packed / "scanner-4.2"), "gztar", packed, "scanner-4.2")
    assert run("release", "init", packed).code == 0
    archive = load_manifest(packed / "release.toml").file.source
    assert archive is not None
    assert (archive.archive, archive.root) == ("scanner-4.2.tar.gz", "scanner-4.2")

    (kept / "dist").mkdir(parents=True)
    (kept / "dist/tool-v2.0-linux.tar.gz").write_bytes(b"not looked into")
    options = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    for words in (("init", "-q"), (*options, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", "-C", str(kept), *words], check=True)
    assert run("release", "init", kept).code == 0
    manifest = load_manifest(kept / "release.toml").file
    assert manifest.source is not None
    assert manifest.source.git == "."
    assert len(manifest.source.rev or "") == 40
    assert (manifest.release.product, manifest.release.version) == ("tool", "v2.0")


def test_a_draft_never_overwrites(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a-1.zip").write_bytes(b"PK")
    (tmp_path / "release.toml").write_text("mine")
    answer = run("release", "init", tmp_path)
    assert answer.code == 2
    assert "exists already" in answer.err
    assert (tmp_path / "release.toml").read_text() == "mine"


def test_a_folder_with_nothing_to_ship_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = run("release", "init", tmp_path / "empty")
    assert answer.code == 2
    assert "nothing that looks like a release" in answer.err
