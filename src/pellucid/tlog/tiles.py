"""Tiles and entry bundles of C2SP tlog-tiles: their paths, contents, and the nodes they hold.

Tile level `L` stores the nodes of tree level `8 * L`, 256 to a tile; a tile of fewer is partial and lies at its
own path. `ENTRIES` stands for the level of the entry bundles, which hold the entries themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pellucid.tlog.errors import EntryError, TileError
from pellucid.tlog.merkle import HASH_SIZE, Node, NodeReader, subtree_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_ENTRY = 65_535
MAX_TILE_INDEX = 2**55 - 1
ENTRIES = -1

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_INDEX = re.compile(r"(?:x[0-9]{3}/){0,6}[0-9]{3}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile by its level (`ENTRIES` for a bundle), index and width, 1 to 256; TileError if there is no such."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        """Refuse coordinates that no log has."""
        if not ENTRIES <= self.level <= 63:
            raise TileError(f"{self.level} is not a tile level (0 to 63)")
        if not 0 <= self.index <= MAX_TILE_INDEX:
            raise TileError(f"{self.index} is not a tile index")
        if not 1 <= self.width <= TILE_WIDTH:
            raise TileError(f"{self.width} is not a tile width (1 to 256)")

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path such as `tile/0/x001/067.p/12`; TileError if it is not exactly one."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise TileError("not the path of a tile", where=path[:100])
        level = ENTRIES if match[1] == "entries" else int(match[1])
        width = int(match[3]) if match[3] else TILE_WIDTH
        if match[3] and width >= TILE_WIDTH:
            raise TileError("a partial tile has a width of 1 to 255", where=path)
        return cls(level, decode_index(match[2]), width)

    @property
    def path(self) -> str:
        """Return the path below the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.partial else ""
        return f"tile/{level}/{encode_index(self.index)}{partial}"

    @property
    def partial(self) -> bool:
        """Return whether fewer than 256 nodes or entries are in it."""
        return self.width < TILE_WIDTH

    @property
    def full(self) -> Tile:
        """Return the full tile that a partial one becomes."""
        return Tile(self.level, self.index)

    @property
    def first(self) -> int:
        """Return the index, at its level, of the first node or entry."""
        return self.index * TILE_WIDTH

    @property
    def tree_size(self) -> int:
        """Return the smallest tree size at which the tile exists."""
        return (self.first + self.width) << TILE_HEIGHT * max(self.level, 0)


def encode_index(number: int) -> str:
    """Write a tile index (or a size) in path form: 1234067 is `x001/x234/067`."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def decode_index(text: str) -> int:
    """Read what `encode_index` wrote; TileError for any other spelling."""
    if not _INDEX.fullmatch(text):
        raise TileError("not a number in path form", where=text[:100])
    number = int(text.replace("x", "").replace("/", ""))
    if encode_index(number) != text:
        raise TileError("a number in path form has a needless leading group", where=text)
    return number


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every hash tile and entry bundle that a log of `size` entries must serve, bundles first."""
    yield from _row(ENTRIES, size)
    level = 0
    while count := size >> TILE_HEIGHT * level:
        yield from _row(level, count)
        level += 1


def edge_tiles(size: int) -> list[Tile]:
    """Return the partial tiles, bundle first, of a log of `size` entries."""
    counts = [(ENTRIES, size)]
    counts += [(level, size >> TILE_HEIGHT * level) for level in range(-(-size.bit_length() // TILE_HEIGHT))]
    return [Tile(level, count // TILE_WIDTH, count % TILE_WIDTH) for level, count in counts if count % TILE_WIDTH]


def tile_at(level: int, index: int, size: int) -> Tile:
    """Return the tile `index` of a level as it is in a log of `size` entries; TileError if it has none."""
    count = size >> TILE_HEIGHT * max(level, 0)
    width = min(count - index * TILE_WIDTH, TILE_WIDTH)
    if width < 1:
        raise TileError(f"a log of {size} entries has no tile {index} at level {level}")
    return Tile(level, index, width)


def tile_of_node(node: Node, size: int) -> Tile:
    """Return the hash tile that holds a node, or the nodes below it, in a log of `size` entries."""
    level, index = node
    if level < 0 or index < 0 or (index + 1) << level > size:
        raise TileError(f"a tree of {size} entries has no complete node {node}")
    tile_level, height = divmod(level, TILE_HEIGHT)
    return tile_at(tile_level, (index << height) // TILE_WIDTH, size)


def node_in_tile(node: Node, tile: Tile, data: bytes) -> bytes:
    """Return the hash of a node from the bytes of its tile; TileError if the tile does not hold it."""
    level, index = node
    tile_level, height = divmod(level, TILE_HEIGHT)
    first = (index << height) - tile.first
    if tile_level != tile.level or first < 0 or first + (1 << height) > tile.width:
        raise TileError(f"node {node} is not in this tile", where=tile.path)
    _require_width(data, tile)
    return subtree_root(_split_hashes(data[first * HASH_SIZE : (first + (1 << height)) * HASH_SIZE]))


def tile_nodes(size: int, fetch: Callable[[Tile], bytes]) -> NodeReader:
    """Return a reader of nodes of the tree of `size`; it fetches each tile once per call."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        places = [tile_of_node(node, size) for node in nodes]
        data = {tile: fetch(tile) for tile in dict.fromkeys(places)}
        return [node_in_tile(node, tile, data[tile]) for node, tile in zip(nodes, places, strict=True)]

    return read


def parse_hashes(data: bytes, tile: Tile) -> list[bytes]:
    """Split a hash tile into its hashes; TileError if it has not the tile's width."""
    _require_width(data, tile)
    return _split_hashes(data)


def encode_entry(entry: bytes) -> bytes:
    """Frame an entry for its bundle: length in two bytes, big-endian, and the entry; EntryError above 65,535 bytes."""
    if len(entry) > MAX_ENTRY:
        raise EntryError(
            f"an entry of {len(entry)} bytes; a log takes {MAX_ENTRY} at most",
            remedy="log the digest of what is large and keep the bytes beside the log",
        )
    return len(entry).to_bytes(2, "big") + entry


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entry bundle of up to 256 entries."""
    return b"".join(map(encode_entry, entries))


def parse_bundle(data: bytes, tile: Tile) -> list[bytes]:
    """Split an entry bundle into its entries; TileError unless it holds exactly the tile's width of them."""
    entries: list[bytes] = []
    start, size = 0, len(data)
    while start < size and len(entries) < tile.width:
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if end > size or start + 2 > size:
            raise TileError(f"the bundle ends inside entry {tile.first + len(entries)}", where=tile.path)
        entries.append(data[start + 2 : end])
        start = end
    if len(entries) != tile.width or start != size:
        raise TileError(f"the bundle does not hold exactly {tile.width} entries", where=tile.path)
    return entries


def _require_width(data: bytes, tile: Tile) -> None:
    if len(data) != tile.width * HASH_SIZE:
        raise TileError(f"{len(data)} bytes where {tile.width} hashes should be", where=tile.path)


def _split_hashes(data: bytes) -> list[bytes]:
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def _row(level: int, count: int) -> Iterator[Tile]:
    full, width = divmod(count, TILE_WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if width:
        yield Tile(level, full, width)
