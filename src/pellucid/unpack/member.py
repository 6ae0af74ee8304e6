"""What every kind of source is read as: a sequence of members."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pellucid.statement.tree import Mode, printable_path
from pellucid.unpack.errors import UnpackError

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class TreeSource:
    """Where a source tree is found: a directory, an archive, or a git repository with `rev`.

    `root` names the one top directory that holds the whole tree, such as "pkg-1.0" in a source archive; it is never
    guessed.
    """

    path: Path
    rev: str | None = None
    root: str | None = None

    def __post_init__(self) -> None:
        try:
            usable = b"\0" not in os.fsencode(self.path) + self.prefix
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise UnpackError(
                "the path or root holds what no name of a file can",
                where=repr(str(self.path)),
                remedy="give it as it is on disk",
            )

    def __str__(self) -> str:
        return f"{self.path} at {self.rev}" if self.rev is not None else str(self.path)

    @property
    def prefix(self) -> bytes:
        """What stands before every path of the tree in this source: the root with a slash, or nothing."""
        return b"" if self.root is None else os.fsencode(self.root) + b"/"

    def at(self, path: bytes) -> str:
        """Return the text that names one member of this source in an error."""
        return f"{self}: {printable_path(path)}"


@dataclass(frozen=True, slots=True)
class Member:
    """One file, link or directory (`mode` None) of a source; `size` in bytes.

    `chunks()` gives the content, for a link its target, once, and only until the next member is asked for. A hard link
    in a tar has `copy_of`, the path of the earlier member whose mode and content are its own, and no content here.
    """

    path: bytes
    mode: Mode | None
    size: int
    chunks: Callable[[], Iterator[bytes]]
    copy_of: bytes | None = None


def no_chunks() -> Iterator[bytes]:
    """Give no content."""
    return iter(())


def held(data: bytes) -> Callable[[], Iterator[bytes]]:
    """Return the `chunks` of content that is in memory already."""
    return lambda: iter((data,))
