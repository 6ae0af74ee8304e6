"""Reading a log that nobody trusts: every byte used is traced to the root of a checkpoint its log signed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from pellucid.errors import EvidenceError
from pellucid.tlog.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from pellucid.tlog.errors import ProofError, TileError
from pellucid.tlog.listing import kept_path
from pellucid.tlog.merkle import (
    CompactRange,
    Node,
    consistency_proof,
    fold,
    inclusion_proof,
    leaf_hash,
    tree_root,
)
from pellucid.tlog.note import MAX_NOTE, Verifier
from pellucid.tlog.recent import Recent
from pellucid.tlog.sources import FileTiles, HttpTiles, TileSource
from pellucid.tlog.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    edge_tiles,
    encode_bundle,
    parse_bundle,
    parse_hashes,
    tile_at,
    tile_of_node,
)

__all__ = ["FileTiles", "ForkError", "HttpTiles", "LogReader", "TileSource", "TreeView", "fetch_tile"]

Rows = list[list[bytes]]

_TILES_CACHED = 256
_BUNDLES_CACHED = 4
_MOST_TILE = TILE_WIDTH * 32


class ForkError(EvidenceError):
    """A log signed two checkpoints that contradict each other; `held` and `offered` are the notes."""

    def __init__(self, what: str, *, held: bytes, offered: bytes, where: str | None = None) -> None:
        super().__init__(what, where=where, remedy="keep both checkpoints and show them to the log's other witnesses")
        self.held = held
        self.offered = offered


def _cut_bundle(full: bytes, tile: Tile) -> bytes:
    return encode_bundle(parse_bundle(full, tile.full)[: tile.width])


def fetch_tile(source: TileSource, tile: Tile) -> bytes:
    """Return the bytes of a hash tile or bundle, cut from the full one where the partial one is gone.

    They are not checked against anything. TileError if they are missing.
    """
    limit = _MOST_TILE if tile.level != ENTRIES else tile.width * (2 + 65_535)
    data = source.fetch(tile.path, limit)
    if data is not None or not tile.partial:
        if data is None:
            raise TileError("is missing", where=tile.path)
        return data
    full = source.fetch(tile.full.path)
    if full is None:
        raise TileError("is missing, and so is the full one", where=tile.path)
    return full[: tile.width * 32] if tile.level != ENTRIES else _cut_bundle(full, tile)


class TreeView:
    """The tree of one size and root as a source serves it; every tile and entry is checked before it is used.

    Safe between threads. TileError names the file that does not lead to the root.
    """

    def __init__(self, source: TileSource, size: int, root: bytes) -> None:
        self.source = source
        self.size = size
        self.root = root
        self._tiles: Recent[Tile, Rows] = Recent(_TILES_CACHED)
        self._bundles: Recent[Tile, list[bytes]] = Recent(_BUNDLES_CACHED)
        self._edge: dict[Tile, Rows] | None = None

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return the hashes of nodes of this tree; a `NodeReader`."""
        found = []
        for level, index in nodes:
            tile = tile_of_node((level, index), self.size)
            height = level % TILE_HEIGHT
            found.append(self._rows(tile)[height][index - (tile.first >> height)])
        return found

    def hashes(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile of this tree."""
        return self._rows(tile)[0]

    def _rows(self, tile: Tile) -> Rows:
        """Return a tile's hashes and, row by row, the complete nodes above them inside the tile."""
        edge = self._load_edge()
        if tile in edge:
            return edge[tile]
        rows = self._tiles.get(tile)
        if rows is None:
            rows = CompactRange().extend(parse_hashes(fetch_tile(self.source, tile), tile))
            above = self.hashes(tile_at(tile.level + 1, tile.index // TILE_WIDTH, self.size))
            if tile.partial or rows[TILE_HEIGHT][0] != above[tile.index % TILE_WIDTH]:
                raise TileError("does not match the checkpoint", where=tile.path)
            self._tiles.put(tile, rows)
        return rows

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries `[256 * index, 256 * index + 256)`, as many as the tree has."""
        tile = tile_at(ENTRIES, index, self.size)
        found = self._bundles.get(tile)
        if found is None:
            found = parse_bundle(fetch_tile(self.source, tile), tile)
            if [leaf_hash(entry) for entry in found] != self.hashes(tile_at(0, index, self.size)):
                raise TileError("does not match the checkpoint", where=tile.path)
            self._bundles.put(tile, found)
        return found

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries `[start, stop)`."""
        if not 0 <= start <= stop <= self.size:
            raise ProofError(f"a tree of {self.size} entries has no entries {start} to {stop}")
        for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = index * TILE_WIDTH
            yield from self.bundle(index)[max(start - first, 0) : stop - first]

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had at `size` entries."""
        if size > self.size:
            raise ProofError(f"the tree has {self.size} entries, not {size}")
        return self.root if size == self.size else tree_root(size, self.read)

    def inherit(self, older: TreeView) -> None:
        """Take over what an older view of the same, shorter tree has read; the caller has checked that it is."""
        for tile, rows in older._tiles.items():
            self._tiles.put(tile, rows)

    def _load_edge(self) -> dict[Tile, Rows]:
        if self._edge is None:
            edge: dict[Tile, Rows] = {}
            peaks: list[bytes] = []
            for tile in sorted(edge_tiles(self.size), reverse=True):
                if tile.level != ENTRIES:
                    part = CompactRange()
                    edge[tile] = part.extend(parse_hashes(fetch_tile(self.source, tile), tile))
                    peaks += part.hashes
            if fold(peaks) != self.root:
                paths = ", ".join(tile.path for tile in edge) or "no tile"
                raise TileError("the right edge does not have the checkpoint's root", where=paths)
            self._edge = edge
        return self._edge


class LogReader:
    """A log or mirror read through a `TileSource`, under the log's key; safe between threads.

    It keeps the newest checkpoint seen and takes a newer one only if its tree extends that.
    """

    def __init__(self, source: TileSource, log: Verifier) -> None:
        self.source = source
        self.log = log
        self._mutex = threading.Lock()
        self._head: SignedCheckpoint | None = None
        self._view: TreeView | None = None

    def checkpoint(self) -> SignedCheckpoint:
        """Fetch the newest checkpoint; return it, or the one already held if that is newer.

        EvidenceError if there is none or it is not signed by the log; ForkError if it contradicts the one held.
        """
        data = self.source.fetch("checkpoint", MAX_NOTE)
        if data is None:
            raise EvidenceError("this log has no checkpoint", where="checkpoint", remedy="check the address")
        offered = open_checkpoint(data, self.log)
        with self._mutex:
            return self._advance(offered)

    def view(self) -> TreeView:
        """Return the tree of the newest checkpoint seen, fetching one if there is none yet."""
        if self._view is None:
            self.checkpoint()
        view = self._view
        if view is None:
            raise EvidenceError("this log has no checkpoint", where="checkpoint")
        return view

    def entry(self, index: int) -> bytes:
        """Return one entry."""
        return next(self.entries(index, index + 1))

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries `[start, stop)`."""
        return self._view_of(stop).entries(start, stop)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of an entry in the tree of `size` (default: the newest seen)."""
        view = self._view_of(size or 0)
        return inclusion_proof(index, view.size if size is None else size, view.read)

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the tree of `size` (default: the newest seen) extends the one of `old_size`."""
        view = self._view_of(size or old_size)
        return consistency_proof(old_size, view.size if size is None else size, view.read)

    def root(self, size: int) -> bytes:
        """Return the root of the log at `size` entries."""
        return self._view_of(size).root_at(size)

    def kept_checkpoint(self, size: int) -> SignedCheckpoint | None:
        """Return the checkpoint kept for `size`, None if there is none; ForkError if its root is not this log's."""
        data = self.source.fetch(kept_path(size), MAX_NOTE)
        if data is None:
            return None
        kept = open_checkpoint(data, self.log, where=kept_path(size))
        if kept.checkpoint.size != size:
            raise EvidenceError(f"is of size {kept.checkpoint.size}", where=kept_path(size))
        view = self._view_of(size)
        if view.root_at(size) != kept.checkpoint.root:
            held = self._head.to_bytes() if self._head else b""
            raise ForkError("is not of this tree", held=held, offered=data, where=kept_path(size))
        return kept

    def covering(self, index: int) -> SignedCheckpoint | None:
        """Return the first kept checkpoint that covers entry `index`, None if none is kept."""
        sizes = self.source.kept(index, 1)
        return self.kept_checkpoint(sizes[0]) if sizes else None

    def _view_of(self, size: int) -> TreeView:
        view = self.view()
        if size > view.size:
            self.checkpoint()
            view = self.view()
        return view

    def _advance(self, offered: SignedCheckpoint) -> SignedCheckpoint:
        new = offered.checkpoint
        if self._head is None or self._view is None:
            self._head, self._view = offered, TreeView(self.source, new.size, new.root)
            return offered
        held = self._head
        if new.size > held.checkpoint.size:
            view = TreeView(self.source, new.size, new.root)
            self._require_same(view.root_at(held.checkpoint.size), held.checkpoint, offered)
            view.inherit(self._view)
            self._view = view
        else:
            self._require_same(self._view.root_at(new.size), new, offered)
        if new.size >= held.checkpoint.size:
            self._head = offered
        return self._head

    def _require_same(self, root: bytes, checkpoint: Checkpoint, offered: SignedCheckpoint) -> None:
        if root != checkpoint.root and self._head is not None:
            raise ForkError(
                f"the log signed two trees that differ within the first {checkpoint.size} entries",
                held=self._head.to_bytes(),
                offered=offered.to_bytes(),
                where=self.log.name,
            )
