"""The identity of a source tree: git's tree id in both of its object formats, from one pass over the content.

Implements git's blob and tree objects (hash-function-transition) in the SHA-1 and the sha256 format, and SWHID 1.2
`swh:1:dir:` where it is the same value. Only the sha256 id decides; SHA-1 is given for look-ups elsewhere.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from pellucid.errors import InputError

MAX_PATH_LENGTH = 4096
MAX_DEPTH = 256
# What HFS+ leaves out when it compares names (git's `is_hfs_dotgit`), so that ".g\u200cit" is ".git" there.
_HFS_IGNORED = frozenset(
    "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff" + "".join(map(chr, range(0x206A, 0x2070)))
)


class TreeError(InputError):
    """A file that cannot be part of a source tree; `where` is its path."""


class Mode(IntEnum):
    """What git records of a file: plain, executable by its owner, or a symbolic link."""

    FILE = 0o100644
    EXECUTABLE = 0o100755
    SYMLINK = 0o120000


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file or link: path from the root of the tree with "/" between, size in bytes, git blob ids in hex."""

    path: bytes
    mode: Mode
    size: int
    blob_sha1: str
    blob_sha256: str


@dataclass(frozen=True, slots=True)
class TreeIdentity:
    """A tree's ids in hex and what it holds; `members` are sorted by path, bytewise.

    `size` is the sum of the files' sizes in bytes. `swhid` is None when there are empty directories, which a SWHID
    counts and git does not. `collisions` is how many files and directories would fall onto another one where names are
    compared without case and Unicode form.
    """

    sha256: str
    sha1: str
    swhid: str | None
    files: int
    size: int
    empty_directories: int
    members: tuple[TreeFile, ...]
    collisions: int = 0


def printable_path(path: bytes, limit: int = 200) -> str:
    """Return a path as text safe for a terminal: what is not printable UTF-8 is escaped, what is too long is cut."""
    text = path[: limit + 1].decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return text if len(path) <= limit else text[:limit] + "…"


class PathRegister:
    """The paths of one tree so far: refuses what no tree can hold, duplicates, and a file where a directory is.

    Raises TreeError. Costs one set entry per file and per directory.
    """

    def __init__(self, *, path_length: int = MAX_PATH_LENGTH, depth: int = MAX_DEPTH) -> None:
        self._path_length = path_length
        self._depth = depth
        self._files: set[bytes] = set()
        self._holding: set[bytes] = {b""}
        self._named: set[bytes] = {b""}

    def add_file(self, path: bytes) -> None:
        """Register a file or link."""
        if path in self._files:
            raise TreeError(
                "the same path occurs twice", where=printable_path(path), remedy="keep one file of this name"
            )
        if path in self._holding or path in self._named:
            raise _conflict(path)
        self._check_whole(path)
        parent, _, name = path.rpartition(b"/")
        _check_name(name, path)
        self._hold(parent, path)
        self._files.add(path)

    def add_directory(self, path: bytes) -> None:
        """Register a directory; it counts as empty until a file is registered below it."""
        self._check_whole(path)
        while path not in self._named and path not in self._holding:
            if path in self._files:
                raise _conflict(path)
            parent, _, name = path.rpartition(b"/")
            _check_name(name, path)
            self._named.add(path)
            path = parent

    @property
    def empty_directories(self) -> int:
        """How many directories hold no file, however deep below them."""
        return len(self._named - self._holding)

    @property
    def collisions(self) -> int:
        """How many files and directories share their case- and form-folded path with another."""
        paths = self._files | self._holding | self._named
        return len(paths) - len({_folded(path) for path in paths})

    def _check_whole(self, path: bytes) -> None:
        if path[:1] == b"/":
            raise _bad_name(path)
        if len(path) > self._path_length or path.count(b"/") > self._depth:
            raise TreeError(
                f"the path has more than {self._path_length} bytes or {self._depth} directories",
                where=printable_path(path),
                remedy="shorten the path",
            )

    def _hold(self, parent: bytes, path: bytes) -> None:
        """Mark a directory and those above it as holding a file."""
        while parent not in self._holding:
            if parent in self._files:
                raise _conflict(parent)
            above, _, name = parent.rpartition(b"/")
            _check_name(name, path)
            self._holding.add(parent)
            parent = above


class TreeHasher:
    """Takes the files of a tree in any order, in one pass, and gives the tree's identity.

    Raises TreeError for a path or size that no tree can hold. After an error the hasher is of no further use.
    """

    def __init__(self, *, path_length: int = MAX_PATH_LENGTH, depth: int = MAX_DEPTH) -> None:
        self._register = PathRegister(path_length=path_length, depth=depth)
        self._files: dict[bytes, TreeFile] = {}

    def add(self, path: bytes, mode: Mode, size: int, chunks: Iterable[bytes]) -> TreeFile:
        """Add a file whose content is `chunks`, or a link whose target is; together they must be `size` bytes."""
        self._register.add_file(path)
        header = b"blob %d\0" % size
        sha1 = hashlib.sha1(header, usedforsecurity=False)
        sha256 = hashlib.sha256(header)
        read = 0
        for chunk in chunks:
            read += len(chunk)
            if read > size:
                break
            sha1.update(chunk)
            sha256.update(chunk)
        if read != size:
            raise TreeError(
                f"{size} bytes were announced, but there are {'more' if read > size else read}",
                where=printable_path(path),
                remedy="read it again when nothing writes to it, or get an undamaged copy",
            )
        file = TreeFile(path, mode, size, sha1.hexdigest(), sha256.hexdigest())
        self._files[path] = file
        return file

    def add_copy(self, path: bytes, original: bytes) -> TreeFile:
        """Add a file with the mode and content of one added before; an unknown `original` is refused."""
        source = self._files.get(original)
        if source is None:
            raise TreeError(
                f"it is a hard link to {printable_path(original)}, which is no earlier member",
                where=printable_path(path),
                remedy="make the archive again with copies in place of hard links",
            )
        self._register.add_file(path)
        file = TreeFile(path, source.mode, source.size, source.blob_sha1, source.blob_sha256)
        self._files[path] = file
        return file

    def add_empty_directory(self, path: bytes) -> None:
        """Add a directory that may hold nothing: it is counted if no file comes below it, and is no part of the id."""
        self._register.add_directory(path)

    def finish(self) -> TreeIdentity:
        """Return the identity of everything added so far."""
        members = tuple(self._files[path] for path in sorted(self._files))
        sha1, sha256 = _tree_ids(members)
        empty = self._register.empty_directories
        return TreeIdentity(
            sha256=sha256,
            sha1=sha1,
            swhid=None if empty else f"swh:1:dir:{sha1}",
            files=len(members),
            size=sum(file.size for file in members),
            empty_directories=empty,
            members=members,
            collisions=self._register.collisions,
        )


class _OpenTree:
    """A directory whose entries are still being written, in both formats."""

    __slots__ = ("name", "sha1", "sha256")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.sha1 = bytearray()
        self.sha256 = bytearray()

    def add(self, mode: bytes, name: bytes, sha1: bytes, sha256: bytes) -> None:
        entry = mode + b" " + name + b"\0"
        self.sha1 += entry + sha1
        self.sha256 += entry + sha256

    def ids(self) -> tuple[bytes, bytes]:
        header = b"tree %d\0"
        return (
            hashlib.sha1(header % len(self.sha1) + self.sha1, usedforsecurity=False).digest(),
            hashlib.sha256(header % len(self.sha256) + self.sha256).digest(),
        )


def _tree_ids(members: Iterable[TreeFile]) -> tuple[str, str]:
    """Return the SHA-1 and sha256 tree id of files sorted by path.

    Sorted whole paths put the entries of each directory in git's order: a directory's name sorts as if it ended in "/".
    """
    stack = [_OpenTree(b"")]
    for file in members:
        *directories, name = file.path.split(b"/")
        _close(stack, _shared(stack, directories) + 1)
        stack.extend(_OpenTree(directory) for directory in directories[len(stack) - 1 :])
        stack[-1].add(b"%o" % file.mode, name, bytes.fromhex(file.blob_sha1), bytes.fromhex(file.blob_sha256))
    _close(stack, 1)
    sha1, sha256 = stack[0].ids()
    return sha1.hex(), sha256.hex()


def _shared(stack: list[_OpenTree], directories: list[bytes]) -> int:
    """Count the open directories below the root that the next file is in too."""
    count = 0
    for tree, directory in zip(stack[1:], directories, strict=False):
        if tree.name != directory:
            break
        count += 1
    return count


def _close(stack: list[_OpenTree], depth: int) -> None:
    while len(stack) > depth:
        tree = stack.pop()
        stack[-1].add(b"40000", tree.name, *tree.ids())


def _check_name(name: bytes, path: bytes) -> None:
    """Refuse one component of a path that git would not take."""
    if name in {b"", b".", b".."} or b"\0" in name:
        raise _bad_name(path)
    if is_dot_git(name):
        raise TreeError(
            "a component of the path means '.git' to git or to a file system",
            where=printable_path(path),
            remedy="leave git's own files out; a nested repository (submodule) has an identity of its own",
        )


def _bad_name(path: bytes) -> TreeError:
    return TreeError(
        "the path is absolute, or has an empty, '.' or '..' component or a NUL byte",
        where=printable_path(path),
        remedy="use a plain relative path",
    )


def is_dot_git(name: bytes) -> bool:
    """Tell whether git, HFS+ or NTFS would take a path component for ".git"."""
    if name.isascii():
        lowered = name.lower()
        return b"git" in lowered and any(_ntfs_dot_git(part) for part in lowered.split(b"\\"))
    text = name.decode("utf-8", "surrogateescape")
    plain = "".join(c for c in text if c not in _HFS_IGNORED).casefold()
    return plain == ".git" or any(_ntfs_dot_git(part) for part in name.lower().split(b"\\"))


def _ntfs_dot_git(part: bytes) -> bool:
    """Tell whether NTFS would open ".git": its short name, trailing dots and spaces, alternate streams."""
    for prefix in (b".git", b"git~1"):
        if part.startswith(prefix):
            rest = part[len(prefix) :].partition(b":")[0]
            return not rest.strip(b" .")
    return False


def _conflict(path: bytes) -> TreeError:
    return TreeError(
        "the path is both a file and a directory", where=printable_path(path), remedy="rename one of the two"
    )


def _folded(path: bytes) -> str | bytes:
    if path.isascii():
        return path.lower().decode("ascii")
    return unicodedata.normalize(
        "NFC", unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape")).casefold()
    )
