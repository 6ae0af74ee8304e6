"""Nodes of the small world that answer as `NodeClient` does, truly or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.trust.world_pack import World, WorldNode

from pellucid.errors import UnavailableError
from pellucid.record.client import LookupReply
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.storage.objects import MAX_OBJECT
from pellucid.tlog.listing import KEPT, kept_path
from pellucid.tlog.merkle import leaf_hash
from pellucid.tlog.tiles import encode_bundle


@dataclass
class MemoryTiles:
    """A log of fewer than 256 entries as the files it would be served as."""

    node: WorldNode
    down: bool = False

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """See `TileSource.fetch`."""
        if self.down or limit <= 0:
            raise UnavailableError("no answer", where=self.node.name)
        notes = self.node.notes
        if path == "checkpoint":
            return notes[max(notes)].to_bytes()
        if path.startswith(KEPT):
            return next((note.to_bytes() for size, note in notes.items() if kept_path(size) == path), None)
        name, _, width = path.rpartition("/")
        if name == "tile/0/000.p":
            return b"".join(leaf_hash(entry) for entry in self.node.entries[: int(width)])
        return encode_bundle(self.node.entries[: int(width)]) if name == "tile/entries/000.p" else None

    def kept(self, after: int, limit: int) -> Sequence[int]:
        """See `TileSource.kept`."""
        return sorted(size for size in self.node.notes if size > after)[:limit]


@dataclass
class Answering:
    """The node at one address of the world; `down` and `lag` make it fail, the other fields make it lie."""

    world: World
    name: str
    down: bool = False
    lag: int = 0
    refuses_lookups: bool = False

    def tiles(self, origin: str, *, mirrored: bool) -> MemoryTiles:
        """See `NodeClient.tiles`."""
        assert mirrored is (origin != self.world.nodes[self.name].origin)
        return MemoryTiles(self.log(origin), self.down)

    def lookup(self, origin: str, size: int, refs: Collection[str]) -> LookupReply:
        """See `NodeClient.lookup`."""
        self._require_up()
        is_behind = self.lag > 0 and origin != self.world.nodes[self.name].origin
        self.lag -= is_behind
        if is_behind or self.refuses_lookups:
            raise UnavailableError("not mirrored so far yet")
        return LookupReply(self.answer(self.log(origin), frozenset(refs), size), b"", ())

    def answer(self, log: WorldNode, refs: frozenset[str], size: int) -> Envelope:
        """Return what is signed; an honest node's by default."""
        return self.world.answer(log, self.world.nodes[self.name], refs, size)

    def key(self, key_id: str) -> PublicKey | None:
        """See `NodeClient.key`."""
        self._require_up()
        return self.world.keys().get(key_id)

    def close(self) -> None:
        """See `NodeClient.close`."""

    def log(self, origin: str) -> WorldNode:
        """Return a log by its origin."""
        return next(node for node in self.world.nodes.values() if node.origin == origin)

    def _require_up(self) -> None:
        if self.down:
            raise UnavailableError("no answer", where=self.name)
