"""The tree hasher by itself: git's ids from content in memory, and what no tree can hold."""

from __future__ import annotations

import hashlib
import random

import pytest

from pellucid.statement.tree import Mode, TreeError, TreeHasher, TreeIdentity, is_dot_git, printable_path


def _tree(*paths: bytes) -> TreeIdentity:
    hasher = TreeHasher()
    for path in paths:
        hasher.add(path, Mode.FILE, 1, [b"x"])
    return hasher.finish()


def test_a_blob_has_gits_ids_however_it_comes_in_pieces() -> None:
    for chunks in ([b"hello\n"], [b"", b"hel", b"lo\n"]):
        file = TreeHasher().add(b"a", Mode.EXECUTABLE, 6, chunks)
        assert file.blob_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a"
        assert file.blob_sha256 == hashlib.sha256(b"blob 6\0hello\n").hexdigest()


def test_the_order_of_adding_does_not_matter() -> None:
    paths = [b"a", b"a.b", b"a-b/x", b"a0", b"b/c/d", b"b/c.d", b"b/c0", b"b-"]
    expected = _tree(*paths)
    for seed in range(10):
        random.Random(seed).shuffle(paths)
        assert _tree(*paths) == expected


@pytest.mark.parametrize("chunks", [[], [b"1234"], [b"1234", b"56"], [b"123456"]])
def test_content_of_another_size_than_announced_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(TreeError, match="5 bytes were announced"):
        TreeHasher().add(b"a", Mode.FILE, 5, chunks)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"/a",
        b"a/",
        b"a//b",
        b".",
        b"..",
        b"a/.",
        b"a/../b",
        b"./a",
        b"a\0b",
        b".git",
        b"a/.gIt/b",
        b"a/.git",
    ],
)
def test_paths_that_no_tree_can_hold_are_refused(path: bytes) -> None:
    with pytest.raises(TreeError) as caught:
        _tree(path)
    assert caught.value.remedy
    with pytest.raises(TreeError):
        TreeHasher().add_empty_directory(path or b"/")


@pytest.mark.parametrize("path", [b"a" * 4097, b"d/" * 257 + b"a"])
def test_paths_too_long_or_too_deep_are_refused(path: bytes) -> None:
    assert _tree(b"a" * 4096).files == _tree(b"d/" * 256 + b"a").files == 1
    with pytest.raises(TreeError, match="more than 4096 bytes or 256 directories"):
        _tree(path)


@pytest.mark.parametrize(
    "paths", [(b"a", b"a"), (b"a", b"a/b"), (b"a/b", b"a"), (b"a/b/c", b"a/b"), (b"a/b", b"a/b/c/d")]
)
def test_duplicates_and_conflicts_are_refused(paths: tuple[bytes, ...]) -> None:
    with pytest.raises(TreeError, match=r"occurs twice|both a file and a directory"):
        _tree(*paths)


def test_a_file_and_an_empty_directory_cannot_share_a_path() -> None:
    for first_file in (True, False):
        hasher = TreeHasher()
        steps = [
            lambda hasher=hasher: hasher.add(b"a/b", Mode.FILE, 0, []),
            lambda hasher=hasher: hasher.add_empty_directory(b"a/b/c"),
        ]
        first, second = steps if first_file else reversed(steps)
        first()
        with pytest.raises(TreeError, match="both a file and a directory"):
            second()


def test_a_directory_is_empty_until_something_is_in_it() -> None:
    hasher = TreeHasher()
    hasher.add_empty_directory(b"a/b")
    assert hasher.finish().empty_directories == 2
    hasher.add(b"a/x", Mode.FILE, 0, [])
    assert hasher.finish().empty_directories == 1
    hasher.add(b"a/b/y", Mode.FILE, 0, [])
    assert hasher.finish().empty_directories == 0
    assert hasher.finish().swhid == f"swh:1:dir:{hasher.finish().sha1}"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (b".git", True),
        (b".GIT", True),
        (b"git~1", True),
        (b".git ", True),
        (b".git. .", True),
        (b".git:stream", True),
        (b"a\\.git", True),
        (".g\u200cit".encode(), True),
        (".GI\ufeffT".encode(), True),
        (b".gitignore", False),
        (b".github", False),
        (b"git", False),
        (b"a.git", False),
        (b"git~2", False),
        (b"\xff.git", False),
    ],
)
def test_names_that_mean_dot_git_somewhere_are_known(name: bytes, answer: bool) -> None:
    assert is_dot_git(name) is answer


def test_a_path_is_shown_without_harm() -> None:
    assert printable_path(b"a/\xc3\xa9") == "a/\u00e9"
    shown = printable_path(b"\x1b[31m\n\xff" + "\u202e".encode() + b"x" * 999)
    assert shown.isprintable()
    assert len(shown) <= 201
