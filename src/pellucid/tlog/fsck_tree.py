"""The tree of a log derived again from its entry bundles, and every tile file held against it.

Where a bundle and its hash tile differ, the tile above says which of them is right; at the right edge the signed
root does. So a damaged file is named, not its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from pellucid.errors import EvidenceError, UnavailableError
from pellucid.storage.objects import MAX_OBJECT, ObjectStore
from pellucid.tlog.errors import TileError
from pellucid.tlog.merkle import CompactRange, fold, leaf_hash, subtree_root
from pellucid.tlog.sources import TileSource
from pellucid.tlog.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    encode_bundle,
    parse_bundle,
    parse_hashes,
    tile_at,
)

Hashes = list[bytes]
Report = Callable[[str, str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Claims:
    """What is said about the hashes of a tile: by the files below it, named in `below`, and by its own file."""

    tile: Tile
    derived: Hashes | None
    stored: Hashes | None
    below: tuple[str, ...]

    @property
    def agreed(self) -> bool:
        return self.derived is None or self.stored is None or self.derived == self.stored

    @property
    def candidates(self) -> list[Hashes | None]:
        if not self.agreed:
            return [self.derived, self.stored]
        return [self.derived if self.derived is not None else self.stored]


class FileReader:
    """Reads a log's files for checking: what cannot be read is reported, except that a network failure is raised."""

    def __init__(self, source: TileSource, report: Report, *, local: bool) -> None:
        self._source = source
        self._report = report
        self._local = local
        self.files = 0

    def read(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """Return the bytes at `path`, None if there are none or they cannot be had."""
        try:
            data = self._source.fetch(path, limit)
        except EvidenceError as error:
            self._report(path, error.what)
            return None
        except UnavailableError as error:
            if not self._local:
                raise
            self._report(path, error.what)
            return None
        self.files += data is not None
        return data

    def hashes(self, tile: Tile) -> Hashes | None:
        """Return the hashes of a tile file, or the leaf hashes of a bundle file; None, and reported, if damaged."""
        data = self._either(tile)
        if data is None:
            return None
        try:
            if tile.level == ENTRIES:
                return [leaf_hash(entry) for entry in parse_bundle(data, tile)]
            return parse_hashes(data, tile)
        except TileError as error:
            self._report(tile.path, error.what)
            return None

    def _either(self, tile: Tile) -> bytes | None:
        """Return a tile's bytes, cut from the full one where a partial one was superseded."""
        data = self.read(tile.path)
        if data is None and tile.partial and (full := self.read(tile.full.path)) is not None:
            if tile.level != ENTRIES:
                return full[: tile.width * 32]
            try:
                return encode_bundle(parse_bundle(full, tile.full)[: tile.width])
            except TileError:
                data = None
        if data is None:
            self._report(tile.path, "is missing")
        return data


class TreeCheck:
    """Checks the tiles and bundles of a log of `size` entries with `root`.

    After `run`, `roots` has the root at each size of `wanted` that could be derived. With a `store`, every partial
    file of a smaller width that lies there is checked too.
    """

    def __init__(
        self,
        files: FileReader,
        report: Report,
        size: int,
        root: bytes,
        *,
        store: ObjectStore | None,
        wanted: Sequence[int],
    ) -> None:
        self.roots: dict[int, bytes] = {}
        self._files = files
        self._report = report
        self._size = size
        self._root = root
        self._store = store
        self._wanted = sorted({number for number in wanted if number <= size}, reverse=True)
        self._tree: CompactRange | None = CompactRange()
        self._rows: dict[int, list[bytes | None]] = {}
        self._above: dict[int, tuple[Tile, Hashes | None]] = {}
        self._edges: dict[int, _Claims] = {}

    def run(self, progress: Progress | None = None) -> bool:
        """Check everything; return whether the tree has the root that was given."""
        self._feed([])
        for index in range(-(-self._size // TILE_WIDTH)):
            bundle = tile_at(ENTRIES, index, self._size)
            self._settle(0, index, self._files.hashes(bundle), (bundle.path,))
            if progress is not None:
                progress(min(self._size, (index + 1) * TILE_WIDTH), self._size)
        for level in range(1, -(-self._size.bit_length() // TILE_HEIGHT)):
            if row := self._rows.pop(level, []):
                self._settle_row(level, (self._size >> TILE_HEIGHT * level) // TILE_WIDTH, row)
        return self._resolve_edges()

    def _settle_row(self, level: int, index: int, row: list[bytes | None]) -> None:
        derived = [item for item in row if item is not None]
        self._settle(level, index, derived if len(derived) == len(row) else None, ())

    def _settle(self, level: int, index: int, derived: Hashes | None, below: tuple[str, ...]) -> None:
        """Decide what the hashes of a tile are, check its partial files, and hand its root upward."""
        tile = tile_at(level, index, self._size)
        claims = _Claims(tile, derived, self._stored(tile), below)
        if tile.partial:
            self._edges[level] = claims
            return
        parent = self._parent_hash(tile)
        chosen = self._decide(claims, parent)
        self._check_partials(tile, chosen)
        top = subtree_root(chosen) if chosen is not None else None
        if parent is not None and (top is None or not claims.agreed):
            top = parent
        row = self._rows.setdefault(level + 1, [])
        row.append(top)
        if len(row) == TILE_WIDTH:
            self._settle_row(level + 1, index // TILE_WIDTH, self._rows.pop(level + 1))

    def _stored(self, tile: Tile) -> Hashes | None:
        """Return what the tile's own file says, read once."""
        known = self._above.get(tile.level)
        if known is None or known[0] != tile:
            known = (tile, self._files.hashes(tile))
            self._above[tile.level] = known
        return known[1]

    def _parent_hash(self, tile: Tile) -> bytes | None:
        hashes = self._stored(tile_at(tile.level + 1, tile.index // TILE_WIDTH, self._size))
        return None if hashes is None else hashes[tile.index % TILE_WIDTH]

    def _decide(self, claims: _Claims, parent: bytes | None) -> Hashes | None:
        derived, stored = claims.derived, claims.stored
        if claims.agreed or derived is None or stored is None:
            return claims.candidates[0]
        if parent is not None and subtree_root(derived) == parent:
            self._blame_tile(claims)
            return derived
        if parent is None or subtree_root(stored) != parent:
            self._blame_tile(claims)
        self._blame_below(claims)
        return stored

    def _blame_tile(self, claims: _Claims) -> None:
        self._report(claims.tile.path, "does not hold the hashes of what lies below it")

    def _blame_below(self, claims: _Claims) -> None:
        if claims.tile.level == 0:
            for path in claims.below:
                self._report(path, "its entries do not have the hashes that the log signed")
            return
        for place, (ours, theirs) in enumerate(zip(claims.derived or [], claims.stored or [], strict=False)):
            if ours != theirs:
                index, level = claims.tile.first + place, claims.tile.level - 1
                for path in {Tile(level, index).path, *([Tile(ENTRIES, index).path] if level == 0 else [])}:
                    self._report(path, "is not what the log signed, though what lies below it agrees")

    def _check_partials(self, tile: Tile, chosen: Hashes | None) -> None:
        for level in (ENTRIES, 0) if tile.level == 0 else (tile.level,):
            if self._store is not None:
                for path in self._store.walk(f"{Tile(level, tile.index).path}.p/"):
                    self._check_partial(path, tile, chosen)
        if tile.level == 0:
            self._feed(chosen)

    def _check_partial(self, path: str, tile: Tile, chosen: Hashes | None) -> None:
        try:
            partial = Tile.parse(path)
        except TileError:
            return  # the walk over all files reports it
        if partial.width >= tile.width:
            return  # it is the tile itself, or above the checkpoint
        held = self._files.hashes(partial)
        if held is not None and chosen is not None and held != chosen[: partial.width]:
            self._report(path, "differs from the tile that it became")

    def _feed(self, leaves: Hashes | None) -> None:
        """Grow the tree by the leaves of one bundle, noting the roots wanted on the way."""
        if self._tree is None or leaves is None:
            self._tree = None
            return
        start, first = 0, self._tree.size
        while self._wanted and self._wanted[-1] <= first + len(leaves):
            size = self._wanted.pop()
            self._tree.extend(leaves[start : size - first])
            start = size - first
            self.roots[size] = self._tree.root()
        self._tree.extend(leaves[start:])

    def _resolve_edges(self) -> bool:
        """Choose, at the right edge, what leads to the signed root; blame the rest."""
        edges = [self._edges[level] for level in sorted(self._edges, reverse=True)]
        for choice in product(*(claims.candidates for claims in edges)):
            if self._is_root(choice):
                for claims, chosen in zip(edges, choice, strict=True):
                    self._finish_edge(claims, chosen)
                return True
        for claims in edges:
            if not claims.agreed:
                self._blame_tile(claims)
                self._blame_below(claims)
            self._finish_edge(claims, claims.candidates[0], blame=False)
        return False

    def _is_root(self, choice: Sequence[Hashes | None]) -> bool:
        peaks: list[bytes] = []
        for hashes in choice:
            if hashes is None:
                return False
            part = CompactRange()
            part.extend(hashes)
            peaks += part.hashes
        return fold(peaks) == self._root

    def _finish_edge(self, claims: _Claims, chosen: Hashes | None, *, blame: bool = True) -> None:
        if blame and not claims.agreed:
            if chosen is claims.derived:
                self._blame_tile(claims)
            else:
                self._blame_below(claims)
        self._check_partials(claims.tile, chosen)
