"""Directories and git revisions: what is passed over, what is refused, and that nothing of theirs is ever run."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unpack.conftest import Content, git, write_directory, write_repository, write_tar

from pellucid.unpack import SourceReadError, TreeSource, UnpackError, identify, members

_TREE = {b"a": Content(b"a\n"), b"sub/b": Content(b"b\n")}


def _refused(source: Path, what: str, **options: str) -> UnpackError:
    with pytest.raises(UnpackError, match=what) as caught:
        identify(source, **options)  # type: ignore[arg-type]
    assert caught.value.remedy
    return caught.value


def test_the_repository_around_a_checkout_is_no_part_of_it(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", _TREE)
    before = identify(directory)
    git(directory, "init", "-q", ".")
    assert identify(directory) == before
    (directory / "x" / ".git").mkdir(parents=True)
    assert "x" in str(_refused(directory, "submodule or a nested clone").where)


def test_a_worktrees_git_file_is_passed_over_at_the_top_only(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", _TREE)
    before = identify(directory)
    (directory / ".git").write_text("gitdir: elsewhere\n")
    assert identify(directory) == before
    (directory / "sub" / ".git").write_text("gitdir: elsewhere\n")
    _refused(directory, "submodule")
    (directory / "sub" / ".git").unlink()
    (directory / ".GIT").mkdir()
    _refused(directory, "'.git'")


def test_links_are_content_and_never_followed(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", {**_TREE, b"loop": Content(b".", link=True)})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"s")
    (directory / "out").symlink_to(tmp_path / "outside")
    (directory / "dangling").symlink_to("nowhere")
    assert [file.path for file in identify(directory).members] == [b"a", b"dangling", b"loop", b"out", b"sub/b"]


def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write_directory(tmp_path / "d", _TREE)
    os.mkfifo(directory / "pipe")
    assert "pipe" in str(_refused(directory, "it is a FIFO").where)
    (directory / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(directory)
        listener.bind("sock")
        _refused(directory, "it is a socket")
    _refused(directory / "sock", "no regular file")
    os.mkfifo(tmp_path / "pipe")
    _refused(tmp_path / "pipe", "no regular file")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", {b"a": Content(b"x" * 100), b"b": Content(b"y")})
    for content in (b"x" * 101, b""):
        found = members(directory)
        member = next(found)
        (directory / "a").write_bytes(content)
        with pytest.raises(UnpackError, match="changed while it was read"):
            b"".join(member.chunks())
    found = members(directory)
    next(found)
    (directory / "c").write_bytes(b"new")
    with pytest.raises(UnpackError, match="changed while it was read"):
        list(found)
    found = members(directory)
    next(found)
    os.utime(directory / "a")
    with pytest.raises(UnpackError, match="changed while it was read"):
        next(found)


def test_an_archive_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "t.tar", _TREE)
    found = members(archive)
    next(found)
    os.utime(archive)
    with pytest.raises(UnpackError, match="changed while it was read"):
        list(found)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    _refused(tmp_path / name, "no name of a file")
    _refused(tmp_path, "no name of a file", root=name)
    _refused(tmp_path, "no name of a file|cannot be a git revision", rev=name)


def test_what_may_not_be_read_is_said(tmp_path: Path) -> None:
    _refused(tmp_path / "none", "No such file")
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    directory = write_directory(tmp_path / "d", _TREE)
    (directory / "a").chmod(0)
    _refused(directory, "may not be read")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may read; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root's rights away from itself")
def test_what_may_not_be_read_is_said_to_others_than_root(open_folder: Path) -> None:
    directory = write_directory(open_folder, _TREE)
    (directory / "a").chmod(0)
    pid = os.fork()
    if not pid:
        os.setuid(65534)
        try:
            identify(directory)
        except UnpackError as error:
            os._exit(7 if "may not be read" in error.what and str(error.where).endswith("a") else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_a_submodule_in_a_revision_is_refused_with_the_remedy(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    git(repo, "update-index", "--add", "--cacheinfo", "160000", "1" * 40, "lib/sub")
    tree = git(repo, "write-tree")
    error = _refused(repo, "it is a submodule", rev=tree)
    assert "lib/sub" in str(error.where)


@pytest.mark.parametrize("rev", ["-h", "--all", "", "none", "HEAD:", "a..b", "^HEAD", "HEAD\n", "x" * 2000, "HEAD^@"])
def test_what_is_no_revision_is_refused(tmp_path: Path, rev: str) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    if rev == "HEAD:":
        assert identify(repo, rev=rev) == identify(repo, rev="HEAD")
    else:
        _refused(repo, "revision|git cannot read", rev=rev)


def test_tags_branches_commits_and_trees_name_a_revision(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    git(repo, "tag", "-a", "-m", "t", "v1")
    git(repo, "branch", "side")
    expected = identify(repo, rev="HEAD")
    for rev in ("v1", "side", git(repo, "rev-parse", "HEAD"), git(repo, "rev-parse", "HEAD^{tree}")):
        assert identify(repo, rev=rev) == expected
    assert identify(repo, rev="HEAD:sub").files == 1
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(bare))
    assert identify(bare, rev="v1") == expected


def test_only_the_top_of_a_repository_is_taken(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    (repo / "sub").mkdir()
    _refused(repo / "sub", "git cannot read", rev="HEAD")
    _refused(tmp_path / "none", "cannot be read", rev="HEAD")


def test_nothing_of_the_repository_or_the_environment_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = write_repository(tmp_path / "r", {**_TREE, b".gitattributes": Content(b"* filter=evil text eol=crlf\n")})
    expected = identify(repo, rev="HEAD")
    trap = tmp_path / "sprung"
    for setting in ("filter.evil.smudge", "core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(repo, "config", setting, f"touch {trap}; cat")
    git(repo, "config", "core.autocrlf", "true")
    for hook in (repo / ".git" / "hooks", tmp_path / "hooks"):
        hook.mkdir(exist_ok=True)
        (hook / "post-index-change").write_text(f"#!/bin/sh\ntouch {trap}\n")
    other = write_repository(tmp_path / "o", {b"other": Content(b"o")})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_PAGER", f"touch {trap}")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.worktree")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/")
    assert identify(repo, rev="HEAD") == expected
    assert not trap.exists()


def test_replaced_objects_are_not_taken_for_the_real_ones(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    expected = identify(repo, rev="HEAD")
    evil = git(repo, "hash-object", "-w", "--stdin", stdin=b"evil\n")
    git(repo, "replace", git(repo, "rev-parse", "HEAD:a"), evil)
    assert git(repo, "cat-file", "blob", "HEAD:a") == "evil"
    assert identify(repo, rev="HEAD") == expected


def test_missing_and_damaged_objects_are_refused(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    blob, other = git(repo, "rev-parse", "HEAD:a"), git(repo, "rev-parse", "HEAD:sub/b")
    files = [repo / ".git" / "objects" / name[:2] / name[2:] for name in (blob, other)]
    files[0].chmod(0o644)
    whole = files[0].read_bytes()
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(UnpackError, match="repository is damaged"):
        identify(repo, rev="HEAD")
    files[0].unlink()
    error = _refused(repo, "not in the repository", rev="HEAD")
    assert str(error.where).endswith(": a")
    files[0].write_bytes(whole)
    assert identify(repo, rev="HEAD").files == 2


def test_old_file_modes_count_as_a_checkout_gives_them(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", {b"a": Content(b"a\n")})
    blob = bytes.fromhex(git(repo, "rev-parse", "HEAD:a"))
    old = git(repo, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=b"100664 a\0" + blob)
    assert old != git(repo, "rev-parse", "HEAD^{tree}")
    assert identify(repo, rev=old) == identify(repo, rev="HEAD")


def test_hostile_names_inside_a_tree_object_are_refused(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", {b"a": Content(b"a\n")})
    blob = bytes.fromhex(git(repo, "rev-parse", "HEAD:a"))
    for name in (b"..", b".git", b".Git", b"."):
        data = b"100644 " + name + b"\0" + blob
        tree = git(repo, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=data)
        _refused(repo, "'.git'|'..'|git cannot read|no such revision", rev=tree)


def test_git_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = write_repository(tmp_path / "r", _TREE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceReadError, match="git is not installed") as caught:
        identify(TreeSource(repo, "HEAD"))
    assert caught.value.exit_code == 3


def test_no_process_is_left_when_reading_stops_early(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", {b"%d" % number: Content(b"x" * 70_000) for number in range(30)})
    found = members(repo, rev="HEAD")
    next(found)
    found.close()  # type: ignore[attr-defined]
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("the kernel does not list children")
    names = [Path(f"/proc/{child}/comm").read_text().strip() for child in children.read_text().split()]
    assert "git" not in names
