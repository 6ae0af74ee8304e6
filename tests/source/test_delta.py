"""How far two trees lie apart: git's minimal diff gives the same lines, and every form of source the same figures."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from pellucid.source.delta import TEXT_LIMIT, Delta, measure_between, measure_delta
from pellucid.unpack import TreeSource, UnpackError, identify

Files = dict[str, bytes]


def _write(at: Path, files: Files) -> TreeSource:
    for name, content in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    at.mkdir(exist_ok=True)
    return TreeSource(at)


def _measure(at: Path, old: Files, new: Files) -> Delta:
    return measure_delta(_write(at / "old", old), _write(at / "new", new))


def _figures(delta: Delta) -> dict[str, int]:
    return {name: value for name, value in asdict(delta).items() if name not in {"base", "target"} and value}


def test_nothing_changed_is_nothing(tmp_path: Path) -> None:
    delta = _measure(tmp_path, {"a": b"x\n"}, {"a": b"x\n"})
    assert _figures(delta) == {}
    assert delta.base == delta.target == identify(tmp_path / "old").sha256


@pytest.mark.parametrize(
    ("old", "new", "figures"),
    [
        ({}, {"a": b"1\n2\n3"}, {"files_added": 1, "lines_added": 3}),
        ({"a": b"1\n2\n3\n"}, {}, {"files_removed": 1, "lines_removed": 3}),
        ({"a": b"1\n2\n"}, {"a": b"1\nx\n2\n"}, {"files_changed": 1, "lines_added": 1}),
        ({"a": b"1\n2"}, {"a": b"1\n2\n"}, {"files_changed": 1, "lines_added": 1, "lines_removed": 1}),
        ({"a": b"1\r\n"}, {"a": b"1\n"}, {"files_changed": 1, "lines_added": 1, "lines_removed": 1}),
        ({"a": b""}, {}, {"files_removed": 1}),
        (
            {"a": b"1\n"},
            {"b": b"1\n"},
            {"files_added": 1, "files_removed": 1, "lines_added": 1, "lines_removed": 1},
        ),
        ({"a": b"1\n"}, {"a": b"1\n\0"}, {"files_changed": 1, "binary_changed": 1, "binary_bytes": 3}),
        ({"a": b"1\n"}, {"a": b"x" * 4095 + b"\n"}, {"files_changed": 1, "lines_added": 1, "lines_removed": 1}),
        ({"a": b"1\n"}, {"a": b"x" * 4096 + b"\n"}, {"files_changed": 1, "binary_changed": 1, "binary_bytes": 4097}),
        ({"a": b"\0abc"}, {"a": b"text\n"}, {"files_changed": 1, "binary_changed": 1, "binary_bytes": 5}),
        ({}, {"a": b"\0abc"}, {"files_added": 1, "binary_changed": 1, "binary_bytes": 4}),
        ({"a": b"\0abc"}, {}, {"files_removed": 1, "binary_changed": 1}),
        (
            {"a": b"\0abc", "b": b"1\n"},
            {"a/b": b"1\n", "b": b"1\n"},
            {"files_added": 1, "files_removed": 1, "binary_changed": 1, "lines_added": 1},
        ),
    ],
)
def test_each_kind_of_change_is_counted_as_stated(
    tmp_path: Path, old: Files, new: Files, figures: dict[str, int]
) -> None:
    assert _figures(_measure(tmp_path, old, new)) == figures


def test_modes_and_links_are_changes_of_a_file(tmp_path: Path) -> None:
    old = _write(tmp_path / "old", {"run": b"1\n2\n", "l": b"run", "m": b""})
    new = _write(tmp_path / "new", {"run": b"1\n2\n"})
    (tmp_path / "new" / "run").chmod(0o755)
    (tmp_path / "new" / "l").symlink_to("run")
    (tmp_path / "old" / "m").unlink()
    (tmp_path / "old" / "m").symlink_to("run")
    (tmp_path / "new" / "m").symlink_to("l")
    figures = {"files_changed": 3, "lines_added": 2, "lines_removed": 2}
    assert _figures(measure_delta(old, new)) == figures


def test_a_file_too_large_for_a_text_counts_as_binary(tmp_path: Path) -> None:
    size = TEXT_LIMIT + 1
    delta = _measure(tmp_path, {"a": b"1\n"}, {"a": b"x" * size})
    assert _figures(delta) == {"files_changed": 1, "binary_changed": 1, "binary_bytes": size}


def _edited(source: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    for _ in range(source.randrange(1, 8)):
        at = source.randrange(len(lines) + 1)
        kind = source.randrange(4)
        if kind == 0:
            lines[at:at] = [b"new %d\n" % source.randrange(9)] * source.randrange(1, 6)
        elif kind == 1:
            del lines[at : at + source.randrange(1, 9)]
        elif kind == 2 and lines:
            moved = lines[at : at + 10]
            del lines[at : at + 10]
            lines[source.randrange(len(lines) + 1) : 0] = moved
        else:
            lines[at : at + 1] = [b"}\n"]
    return b"".join(lines)


def _release(seed: int, files: int) -> tuple[Files, Files]:
    source = random.Random(seed)
    words = [b"{\n", b"}\n", b"\n", b"return x;\n", *(b"call(%d);\n" % number for number in range(40))]
    old = {
        f"src/{number % 7}/f{number}.c": b"".join(source.choices(words, k=source.randrange(1, 400)))
        for number in range(files)
    }
    new = {name: _edited(source, content) if source.random() < 0.5 else content for name, content in old.items()}
    for name in source.sample(sorted(new), files // 10):
        new["moved/" + name] = new.pop(name) + b"no end of line"
    return old, new


def _numstat(at: Path) -> tuple[int, int, int]:
    command = ["git", "-C", str(at), "diff", "--no-index", "--minimal", "--numstat", "--no-renames", "old", "new"]
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    out = subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout
    rows = [line.split("\t")[:2] for line in out.splitlines()]
    return len(rows), sum(int(added) for added, _ in rows), sum(int(removed) for _, removed in rows)


@pytest.mark.parametrize("seed", range(4))
def test_gits_minimal_diff_counts_the_same_lines(tmp_path: Path, seed: int) -> None:
    delta = _measure(tmp_path, *_release(seed, 60))
    files, added, removed = _numstat(tmp_path)
    assert (delta.lines_added, delta.lines_removed, delta.rewritten_files) == (added, removed, 0)
    assert delta.files_added + delta.files_removed + delta.files_changed == files
    assert delta.files_changed > 10


def _tar(at: Path, files: Files) -> TreeSource:
    with tarfile.open(at / "t.tar.gz", "w:gz") as tar:
        for name, content in reversed(files.items()):
            info = tarfile.TarInfo("pkg/" + name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return TreeSource(at / "t.tar.gz", root="pkg")


def _zip(at: Path, files: Files) -> TreeSource:
    with zipfile.ZipFile(at / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return TreeSource(at / "z.zip")


def _git(at: Path, files: Files) -> TreeSource:
    repo = at / f"repo-{len(list(at.iterdir()))}"
    _write(repo, files)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false"]
    for command in (["init", "-q", "."], ["add", "-A"], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=repo, check=True)
    return TreeSource(repo, rev="HEAD")


@pytest.mark.parametrize("form", [_tar, _zip, _git])
def test_every_form_of_source_gives_the_same_figures(tmp_path: Path, form: Callable[[Path, Files], TreeSource]) -> None:
    old, new = _release(9, 40)
    old["bin"], new["bin"] = b"\0old", b"\0newer"
    expected = _measure(tmp_path, old, new)
    assert measure_delta(TreeSource(tmp_path / "old"), form(tmp_path, new)) == expected
    assert measure_delta(form(tmp_path, old), TreeSource(tmp_path / "new")) == expected
    back = measure_delta(TreeSource(tmp_path / "new"), TreeSource(tmp_path / "old"))
    assert (back.lines_added, back.lines_removed) == (expected.lines_removed, expected.lines_added)


def test_hard_links_in_a_tar_are_read_as_the_copies_they_are(tmp_path: Path) -> None:
    base = _write(tmp_path / "old", {"a": b"1\n"})
    target = _write(tmp_path / "new", {"a": b"1\n2\n"})
    for name in ("b", "c"):
        os.link(tmp_path / "new" / "a", tmp_path / "new" / name)
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(tmp_path / "new", ".")
    packed = measure_delta(base, TreeSource(tmp_path / "t.tar"))
    assert packed == measure_delta(base, target)
    assert _figures(packed) == {"files_added": 2, "files_changed": 1, "lines_added": 5}


def test_a_source_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    base, target = _write(tmp_path / "old", {"a": b"1\n"}), _write(tmp_path / "new", {"a": b"2\n"})
    old, new = identify(base), identify(target)
    for content in (b"3\n", b"longer\n", None):
        if content is None:
            (tmp_path / "new" / "a").unlink()
        else:
            (tmp_path / "new" / "a").write_bytes(content)
        with pytest.raises(UnpackError, match="changed after the tree was identified"):
            measure_between(base, old, target, new)
