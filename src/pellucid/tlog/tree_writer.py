"""The growing tree with its right edge in memory: entries in, files of the log out.

What a batch gives depends only on the size before it and its entries, so a replay gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pellucid.tlog.errors import TileError
from pellucid.tlog.merkle import HASH_SIZE, CompactRange, edge_nodes, fold, leaf_hash, subtree_root
from pellucid.tlog.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    edge_tiles,
    encode_entry,
    parse_bundle,
    parse_hashes,
)

_TILE_BYTES = TILE_WIDTH * HASH_SIZE


class LogFile(NamedTuple):
    """A file of the log: its path below the prefix, and its bytes."""

    path: str
    data: bytes


class TreeWriter:
    """Tree, hash tiles and entry bundles of one log, as far as the next batch needs them."""

    __slots__ = ("_edges", "_frames", "_tree")

    def __init__(self) -> None:
        """Start an empty log."""
        self._tree = CompactRange()
        self._edges: list[bytes] = []
        self._frames: list[bytes] = []

    @classmethod
    def restore(cls, size: int, fetch: Callable[[str], bytes | None], *, root: bytes) -> TreeWriter:
        """Continue a log of `size` entries from its partial tiles, at most one for each level and one bundle.

        `fetch` returns the bytes of a path, or None; where a partial tile is gone its full one is read. TileError if
        a tile is missing or damaged, or the tiles do not have the `root` of the checkpoint.
        """
        writer = cls()
        edge = edge_tiles(size)
        hashes = {tile.level: _read(tile, fetch, parse_hashes) for tile in edge if tile.level != ENTRIES}
        for tile in (tile for tile in edge if tile.level == ENTRIES):
            entries = _read(tile, fetch, parse_bundle)
            if [leaf_hash(entry) for entry in entries] != hashes[0]:
                raise TileError("the entries do not have the hashes of their tile", where=tile.path)
            writer._frames = [encode_entry(entry) for entry in entries]
        peaks = [peak for level in sorted(hashes, reverse=True) for peak in _peaks(hashes[level])]
        if fold(peaks) != root:
            raise TileError(f"the tiles of size {size} do not have the root of the checkpoint", where="tile")
        writer._tree = CompactRange(size, peaks)
        writer._edges = [b"".join(hashes.get(level, [])) for level in range(max(hashes, default=-1) + 1)]
        return writer

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return self._tree.size

    def root(self) -> bytes:
        """Return the root of the tree."""
        return self._tree.root()

    def extend(self, entries: Sequence[bytes]) -> list[LogFile]:
        """Add entries; return every file that the log of the new size has and that of the old size had not.

        These are the bundles and tiles that became full, and the partial ones of the new right edge; none replaces a
        file of other bytes. EntryError, and nothing added, if an entry is above 65,535 bytes.
        """
        old_size = self._tree.size
        frames = [encode_entry(entry) for entry in entries]
        rows = self._tree.extend([leaf_hash(entry) for entry in entries])
        files = self._extend_bundles(old_size // TILE_WIDTH, frames) if frames else []
        for level, row in enumerate(rows[::TILE_HEIGHT]):
            files += self._extend_tiles(level, (old_size >> TILE_HEIGHT * level) // TILE_WIDTH, row)
        return files

    def _extend_bundles(self, first: int, frames: Sequence[bytes]) -> list[LogFile]:
        frames = self._frames + list(frames)
        self._frames = frames[len(frames) - len(frames) % TILE_WIDTH :]
        parts = [frames[start : start + TILE_WIDTH] for start in range(0, len(frames), TILE_WIDTH)]
        return [_file(ENTRIES, first + count, len(part), b"".join(part)) for count, part in enumerate(parts)]

    def _extend_tiles(self, level: int, first: int, row: Sequence[bytes]) -> list[LogFile]:
        if level == len(self._edges):
            self._edges.append(b"")
        data = self._edges[level] + b"".join(row)
        self._edges[level] = data[len(data) - len(data) % _TILE_BYTES :]
        parts = [data[start : start + _TILE_BYTES] for start in range(0, len(data), _TILE_BYTES)]
        return [_file(level, first + count, len(part) // HASH_SIZE, part) for count, part in enumerate(parts)]


def _file(level: int, index: int, width: int, data: bytes) -> LogFile:
    return LogFile(Tile(level, index, width).path, data)


def _read(tile: Tile, fetch: Callable[[str], bytes | None], parse: Callable[[bytes, Tile], list[bytes]]) -> list[bytes]:
    data = fetch(tile.path)
    if data is not None:
        return parse(data, tile)
    data = fetch(tile.full.path)
    if data is None:
        raise TileError("missing, and the full tile as well", where=tile.path)
    return parse(data, tile.full)[: tile.width]


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the roots of the complete subtrees over the nodes of a partial tile, largest first."""
    nodes = edge_nodes(0, len(hashes))
    return [subtree_root(hashes[index << level : (index + 1) << level]) for level, index in nodes]
