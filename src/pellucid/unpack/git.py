"""A git revision as members, read from git's objects: no checkout, no filters, no attributes, no hooks, no network."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from pellucid.statement.tree import Mode, TreeFile
from pellucid.unpack.errors import SourceReadError, UnpackError
from pellucid.unpack.limits import Limits, exceeded
from pellucid.unpack.member import CHUNK, Member, TreeSource, no_chunks

_SUBMODULE = "160000"
_TREE = "040000"
_LINK = "120000"
_LONGEST_REVISION = 1_000
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_QUIET = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


@dataclass(frozen=True, slots=True)
class _Listed:
    path: bytes
    mode: str
    object_id: bytes


class GitRevision:
    """One revision of a repository, resolved once to a tree.

    Raises UnpackError for a revision or repository that cannot be used, SourceReadError where git is missing or fails.
    """

    def __init__(self, source: TreeSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._blobs: dict[bytes, str] = {}
        self.tree_id = self._resolve()

    def members(self, only: Collection[bytes] | None = None) -> Iterator[Member]:
        """Yield the directories, then the files and links as git lists them, or `only` those of them at these paths.

        Files of old modes such as 100664 come as plain or executable, as git lists them and a checkout gives them.
        """
        listed = list(self._list())
        yield from (Member(entry.path, None, 0, no_chunks) for entry in listed if entry.mode == _TREE)
        files = [entry for entry in listed if entry.mode != _TREE]
        if only is not None:
            files = [entry for entry in files if entry.path in only]
        self._blobs = {entry.path: entry.object_id.decode("ascii") for entry in files}
        with tempfile.TemporaryFile() as wanted:
            wanted.writelines(entry.object_id + b"\n" for entry in files)
            wanted.seek(0)
            with self._git(["cat-file", "--batch", "--buffer"], stdin=wanted) as out:
                for entry in files:
                    yield from self._read(out, entry)

    def check(self, files: Iterable[TreeFile], prefix: bytes) -> None:
        """Refuse a repository whose blobs do not hash to their names; `prefix` stands before the files' paths there."""
        for file in files:
            stated = self._blobs[prefix + file.path]
            if stated != (file.blob_sha1 if len(stated) == 40 else file.blob_sha256):
                raise UnpackError(
                    f"the repository is damaged: the blob {stated} has other content",
                    where=self._source.at(prefix + file.path),
                    remedy="run `git fsck` on it, and clone it again",
                )

    def _resolve(self) -> str:
        rev = self._source.rev or ""
        if not rev or rev.startswith("-") or not rev.isprintable() or len(rev) > _LONGEST_REVISION:
            raise UnpackError(
                "this cannot be a git revision", where=str(self._source), remedy="give a tag, a branch or a commit id"
            )
        found = self._output(["rev-parse", "--verify", "--quiet", rev])
        tree = self._output(["rev-parse", "--verify", "--quiet", found + "^{tree}"])
        if not _OBJECT_ID.fullmatch(tree):
            raise self._failure("")
        return tree

    def _output(self, arguments: Sequence[str]) -> str:
        with self._git(arguments) as out:
            return out.read(_LONGEST_REVISION).decode("ascii", "replace").strip()

    def _list(self) -> Iterator[_Listed]:
        count = 0
        with self._git(["ls-tree", "-r", "-t", "-z", "--full-tree", self.tree_id, "--"]) as out:
            rest = b""
            while chunk := out.read(CHUNK):
                *records, rest = (rest + chunk).split(b"\0")
                count += len(records)
                if count > 2 * self._limits.members:
                    raise exceeded(f"it has more than {self._limits.members} members", where=str(self._source))
                yield from map(self._parse, records)

    def _parse(self, record: bytes) -> _Listed:
        about, _, path = record.partition(b"\t")
        mode, _, object_id = about.split(b" ")
        entry = _Listed(path, mode.decode("ascii"), object_id)
        if entry.mode == _SUBMODULE:
            raise UnpackError(
                "it is a submodule: the revision holds its commit id only, not its content",
                where=self._source.at(path),
                remedy="identify the submodule's repository by itself, or give a directory with its files and no .git",
            )
        return entry

    def _read(self, out: IO[bytes], entry: _Listed) -> Iterator[Member]:
        header = out.readline(200).split()
        if len(header) != 3 or header[1] != b"blob":
            raise UnpackError(
                "its content is not in the repository",
                where=self._source.at(entry.path),
                remedy="fetch it whole (a shallow depth is fine, a filtered clone is not), or run `git fsck`",
            )
        size = int(header[2])
        if size > self._limits.member_size:
            raise exceeded(
                f"it has {size} bytes, more than {self._limits.member_size}", where=self._source.at(entry.path)
            )
        content = _pieces(out, size)
        yield Member(entry.path, _mode(entry.mode), size, lambda: content)
        for _ in content:
            pass
        out.read(1)

    @contextmanager
    def _git(self, arguments: Sequence[str], stdin: IO[Any] | None = None) -> Iterator[IO[bytes]]:
        """Run git on the repository and give its output; raises when it fails."""
        with tempfile.TemporaryFile() as errors:
            process = self._start(arguments, errors, stdin)
            with process:
                if process.stdout is None:  # pragma: no cover - it is a pipe
                    raise SourceReadError("git has no output", where=str(self._source))
                try:
                    yield process.stdout
                    failed = process.wait() != 0
                finally:
                    process.kill()
            if failed:
                errors.seek(0)
                raise self._failure(errors.read(2_000).decode("utf-8", "replace"))

    def _start(self, arguments: Sequence[str], errors: IO[Any], stdin: IO[Any] | None) -> subprocess.Popen[bytes]:
        try:
            path = self._source.path.resolve(strict=True)
            kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
            return subprocess.Popen(
                ["git", "--no-pager", *arguments],
                cwd=path,
                env=kept | _QUIET | {"GIT_CEILING_DIRECTORIES": str(path.parent)},
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        except OSError as error:
            if error.filename == "git":
                raise SourceReadError(
                    "git is not installed", where=str(self._source), remedy="install git, or give an archive"
                ) from error
            raise UnpackError(
                f"cannot be read: {error.strerror}", where=str(self._source), remedy="give the path of a repository"
            ) from error

    def _failure(self, said: str) -> UnpackError:
        first = "".join(c if c.isprintable() else " " for c in said.strip().split("\n")[0])[:300]
        if "dubious ownership" in said:
            remedy = "the repository belongs to somebody else: clone it as yourself, or give an archive"
        else:
            remedy = "check that this is the top of a git repository, and that the revision exists in it"
        return UnpackError(
            f"git cannot read it: {first}" if first else "there is no such revision",
            where=str(self._source),
            remedy=remedy,
        )


def _mode(text: str) -> Mode:
    if text == _LINK:
        return Mode.SYMLINK
    return Mode.EXECUTABLE if int(text, 8) & 0o100 else Mode.FILE


def _pieces(out: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = out.read(min(size, CHUNK))
        if not piece:
            return
        size -= len(piece)
        yield piece
