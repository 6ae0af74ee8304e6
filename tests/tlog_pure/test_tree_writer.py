"""However a log grows, its files are those that its entries determine, and it goes on from them after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.tlog.errors import EntryError, TileError
from pellucid.tlog.merkle import EMPTY_ROOT, CompactRange, inclusion_proof, leaf_hash, tree_root, verify_inclusion
from pellucid.tlog.tiles import ENTRIES, Tile, edge_tiles, parse_bundle, parse_hashes, tile_nodes, tiles_of
from pellucid.tlog.tree_writer import TreeWriter

ALL = [b"entry %d" % number * (number % 3) for number in range(66_500)]


def grown(*sizes: int) -> tuple[TreeWriter, dict[str, bytes]]:
    """Return a log that was published at these sizes, and its files."""
    writer, files = TreeWriter(), dict[str, bytes]()
    for size in sizes:
        for path, data in writer.extend(ALL[writer.size : size]):
            assert files.setdefault(path, data) == data
    return writer, files


def root_at(size: int) -> bytes:
    edge = CompactRange()
    edge.extend([leaf_hash(entry) for entry in ALL[:size]])
    return edge.root()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 7, 255, 256, 257, 511, 600]), min_size=1, max_size=7), st.data())
def test_every_published_size_has_its_files(steps: list[int], data: st.DataObject) -> None:
    writer, files = TreeWriter(), dict[str, bytes]()
    for step in steps:
        for path, content in writer.extend(ALL[writer.size : writer.size + step]):
            assert files.setdefault(path, content) == content
        assert {tile.path for tile in edge_tiles(writer.size)} <= set(files)
        restored = TreeWriter.restore(writer.size, files.get, root=writer.root())
        writer = data.draw(st.sampled_from([writer, restored]))
    assert {tile.path for tile in tiles_of(writer.size)} <= set(files)
    assert writer.root() == root_at(writer.size)
    for path, content in files.items():
        tile = Tile.parse(path)
        if tile.level == ENTRIES:
            assert parse_bundle(content, tile) == ALL[tile.first : tile.first + tile.width]
        elif tile.level == 0:
            hashes = [leaf_hash(entry) for entry in ALL[tile.first : tile.first + tile.width]]
            assert parse_hashes(content, tile) == hashes


def test_three_tile_levels() -> None:
    writer, files = grown(300, 65_535, 65_536, 65_537, 66_500)
    assert {tile.path for tile in tiles_of(66_500)} <= set(files)
    assert files["tile/2/000.p/1"] == root_at(65_536)
    read = tile_nodes(66_500, lambda tile: files[tile.path])
    root = tree_root(66_500, read)
    assert root == writer.root() == root_at(66_500)
    for index in (0, 255, 256, 65_535, 65_536, 66_499):
        proof = inclusion_proof(index, 66_500, read)
        verify_inclusion(leaf_hash(ALL[index]), index, 66_500, proof, root)
    for size in (65_535, 65_536, 65_537):
        assert TreeWriter.restore(size, files.get, root=root_at(size)).size == size


def test_a_replay_gives_the_same_files() -> None:
    writer, files = grown(300)
    again = TreeWriter.restore(300, files.get, root=writer.root())
    assert again.extend(ALL[300:900]) == writer.extend(ALL[300:900])


def test_nothing_in_nothing_out() -> None:
    writer = TreeWriter.restore(0, dict[str, bytes]().get, root=EMPTY_ROOT)
    assert writer.extend([]) == []
    assert (writer.size, writer.root()) == (0, EMPTY_ROOT)
    grown_writer, _ = grown(5)
    assert grown_writer.extend([]) == []


def test_an_entry_too_large_leaves_the_log_as_it_was() -> None:
    writer, _ = grown(5)
    before = writer.root()
    with pytest.raises(EntryError):
        writer.extend([b"fine", bytes(65_536)])
    assert (writer.size, writer.root()) == (5, before)
    assert writer.extend(ALL[5:6]) == grown(5)[0].extend(ALL[5:6])


def test_restore_reads_the_full_tile_where_the_partial_one_was_deleted() -> None:
    _, files = grown(300, 600)
    kept = {path: data for path, data in files.items() if not path.endswith(".p/44")}
    assert TreeWriter.restore(300, kept.get, root=root_at(300)).root() == root_at(300)


@pytest.mark.parametrize("tile", [tile.path for tile in edge_tiles(300)])
def test_restore_refuses_a_damaged_or_missing_edge(tile: str) -> None:
    _, files = grown(300)
    with pytest.raises(TileError):
        TreeWriter.restore(300, {**files, tile: files[tile][:-1] + b"!"}.get, root=root_at(300))
    with pytest.raises(TileError, match="missing") as caught:
        TreeWriter.restore(300, {path: data for path, data in files.items() if path != tile}.get, root=root_at(300))
    assert caught.value.where == tile


def test_restore_refuses_another_root() -> None:
    _, files = grown(300)
    with pytest.raises(TileError, match="do not have the root"):
        TreeWriter.restore(300, files.get, root=root_at(299))


def test_a_damaged_tile_is_no_node() -> None:
    _, files = grown(300)
    read = tile_nodes(300, lambda tile: files[tile.path][:-32])
    with pytest.raises(TileError, match="hashes should be"):
        read([(0, 0)])
