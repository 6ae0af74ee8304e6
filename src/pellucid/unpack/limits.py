"""How much of a stranger's bytes is read before saying no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pellucid.statement.tree import MAX_DEPTH, MAX_PATH_LENGTH
from pellucid.unpack.errors import UnpackError

_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds: counts, and sizes in bytes.

    `ratio` is unpacked bytes per packed byte and only counts once more than `ratio_floor` bytes were unpacked.
    `header_size` is the most that one member's extra headers may take in a tar, `memory` the most that a decompressor
    may take, `link_length` the longest target of a symbolic link.
    """

    members: int = 1_000_000
    member_size: int = 4 * _GIB
    total: int = 64 * _GIB
    ratio: int = 1_000
    ratio_floor: int = 64 * _MIB
    path_length: int = MAX_PATH_LENGTH
    depth: int = MAX_DEPTH
    link_length: int = 4_096
    header_size: int = _MIB
    memory: int = 128 * _MIB


class Budget:
    """Counts members and bytes of one source against its limits; `name` gives a member's name for an error."""

    def __init__(self, limits: Limits, name: Callable[[bytes], str]) -> None:
        self._limits = limits
        self._name = name
        self._members = 0
        self._total = 0

    def spend(self, path: bytes, size: int) -> None:
        """Count one member of `size` bytes, or raise UnpackError."""
        self._members += 1
        self._total += size
        if size > self._limits.member_size:
            raise exceeded(f"it has {size} bytes, more than {self._limits.member_size}", where=self._name(path))
        if self._members > self._limits.members:
            raise exceeded(f"there are more than {self._limits.members} members", where=self._name(path))
        if self._total > self._limits.total:
            raise exceeded(f"the members have more than {self._limits.total} bytes together", where=self._name(path))


def exceeded(what: str, *, where: str) -> UnpackError:
    """Return the error for a limit that was reached."""
    return UnpackError(what, where=where, remedy="give a smaller source, or raise this limit if you trust its author")
