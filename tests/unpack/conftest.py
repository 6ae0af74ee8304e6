"""Source trees in every form, and the programs that judge what is said of them."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

FileTree = Mapping[bytes, "Content"]


@dataclass(frozen=True, slots=True)
class Content:
    """A file's or link's bytes as a test wants them."""

    data: bytes
    executable: bool = False
    link: bool = False


def git(repo: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run the real git, undisturbed by anybody's settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    done = subprocess.run(
        ["git", "-C", str(repo), *arguments], input=stdin, capture_output=True, env=environment, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def write_directory(at: Path, tree: FileTree) -> Path:
    """Lay a tree out on disk."""
    at.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        path = at / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.link:
            path.symlink_to(os.fsdecode(content.data))
        else:
            path.write_bytes(content.data)
            path.chmod(0o755 if content.executable else 0o644)
    return at


def write_tar(at: Path, tree: FileTree, *, top: str = "", mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    """Pack a tree with the standard library's tarfile."""
    kind = {"gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}.get(at.suffix[1:], mode)
    with tarfile.open(at, kind, format=form) as archive:  # type: ignore[call-overload]
        for name, content in tree.items():
            info = tarfile.TarInfo(top + os.fsdecode(name))
            info.mode = 0o755 if content.executable else 0o644
            if content.link:
                info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(content.data)
                archive.addfile(info)
            else:
                info.size = len(content.data)
                archive.addfile(info, io.BytesIO(content.data))
    return at


def write_zip(at: Path, tree: FileTree, *, top: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack a tree with the standard library's zipfile."""
    with zipfile.ZipFile(at, "w", method) as archive:
        for name, content in tree.items():
            info = zipfile.ZipInfo(top + name.decode())
            kind = stat.S_IFLNK if content.link else stat.S_IFREG
            info.external_attr = (kind | (0o755 if content.executable else 0o644)) << 16
            info.create_system = 3
            info.compress_type = method
            archive.writestr(info, content.data)
    return at


def write_repository(at: Path, tree: FileTree, object_format: str = "sha1") -> Path:
    """Commit a tree with git, bypassing every filter."""
    at.mkdir(parents=True, exist_ok=True)
    git(at, "init", "-q", f"--object-format={object_format}", ".")
    records = []
    for name, content in tree.items():
        blob = git(at, "hash-object", "-w", "--no-filters", "--stdin", stdin=content.data)
        mode = "120000" if content.link else "100755" if content.executable else "100644"
        records.append(f"{mode} {blob}\t".encode() + name + b"\0")
    git(at, "update-index", "-z", "--index-info", stdin=b"".join(records))
    tree_id = git(at, "write-tree")
    commit = git(at, "commit-tree", tree_id, "-m", "one")
    git(at, "update-ref", "HEAD", commit)
    return at


@pytest.fixture
def sample() -> dict[bytes, Content]:
    """A small tree with everything that an identity depends on."""
    return {
        b"README": Content(b"hello\n"),
        b"a.b": Content(b""),
        b"a/b": Content(b"in a\r\n"),
        b"a/deep/er/x": Content(b"\0\1\2" * 1000),
        b"a0": Content(b"sorts behind a/"),
        b"run.sh": Content(b"#!/bin/sh\n", executable=True),
        b"link": Content(b"a/deep/er", link=True),
        b"a/up": Content(b"../README", link=True),
        "na\u00efve \u2713".encode(): Content(b"utf-8 name"),
        b".gitattributes": Content(b"* text=auto eol=crlf\nREADME export-ignore\n"),
    }


Writer = Callable[[Path, FileTree], Path]
