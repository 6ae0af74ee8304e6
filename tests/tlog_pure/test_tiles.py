"""Tiles lie where tlog-tiles says, hold what it says, and nothing else is taken for one."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tlog.errors import EntryError, TileError
from pellucid.tlog.merkle import leaf_hash
from pellucid.tlog.tiles import (
    ENTRIES,
    MAX_ENTRY,
    MAX_TILE_INDEX,
    Tile,
    decode_index,
    edge_tiles,
    encode_bundle,
    encode_entry,
    encode_index,
    node_in_tile,
    parse_bundle,
    parse_hashes,
    tile_at,
    tile_of_node,
    tiles_of,
)

tiles = st.builds(Tile, st.integers(ENTRIES, 63), st.integers(0, MAX_TILE_INDEX), st.integers(1, 256))


@pytest.mark.parametrize(
    ("number", "path"),
    [(0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**6, "x001/x000/000")],
)
def test_index_paths_of_the_spec(number: int, path: str) -> None:
    assert encode_index(number) == path
    assert decode_index(path) == number


@given(st.integers(0, 2**63 - 1))
def test_every_size_has_one_path(number: int) -> None:
    assert decode_index(encode_index(number)) == number


@given(tiles)
def test_every_tile_has_one_path(tile: Tile) -> None:
    assert Tile.parse(tile.path) == tile


def test_paths_of_the_spec() -> None:
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 1).path == "tile/1/000.p/1"
    assert Tile(ENTRIES, 273, 112).path == "tile/entries/273.p/112"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/data/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 1000 + "000",
    ],
)
def test_what_is_no_tile_path_is_refused(path: str) -> None:
    with pytest.raises(TileError):
        Tile.parse(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(path: str) -> None:
    with contextlib.suppress(TileError):
        assert Tile.parse(f"tile/{path}").path == f"tile/{path}"


def test_tiles_of_the_sizes_that_the_spec_works_out() -> None:
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert [tile.path for tile in edge_tiles(70_000)] == [
        "tile/entries/273.p/112",
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    names = [tile.path for tile in tiles_of(70_000)]
    assert len([name for name in names if name.startswith("tile/0/") and ".p/" not in name]) == 273
    assert list(tiles_of(0)) == edge_tiles(0) == []


@given(st.integers(0, 200_000))
def test_edge_tiles_are_the_partial_ones(size: int) -> None:
    everything = list(tiles_of(size))
    assert edge_tiles(size) == [tile for tile in everything if tile.partial]
    assert all(tile_at(tile.level, tile.index, size) == tile for tile in everything)
    assert all(tile.tree_size <= size for tile in everything)


def test_tiles_that_a_log_does_not_have() -> None:
    for level, index in ((0, 1), (1, 1), (2, 0), (ENTRIES, 1)):
        with pytest.raises(TileError, match="no tile"):
            tile_at(level, index, 256)
    with pytest.raises(TileError, match="no complete node"):
        tile_of_node((3, 12), 100)
    with pytest.raises(TileError):
        Tile(64, 0)
    with pytest.raises(TileError):
        Tile(0, -1)
    with pytest.raises(TileError):
        Tile(0, MAX_TILE_INDEX + 1)
    with pytest.raises(TileError):
        Tile(0, 0, 257)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundles_read_back(entries: list[bytes]) -> None:
    if entries:
        assert parse_bundle(encode_bundle(entries), Tile(ENTRIES, 0, len(entries))) == entries


@given(st.binary(max_size=600), st.integers(1, 256))
def test_any_bytes_are_a_bundle_in_one_way_or_refused(data: bytes, width: int) -> None:
    try:
        entries = parse_bundle(data, Tile(ENTRIES, 3, width))
    except TileError:
        return
    assert len(entries) == width
    assert encode_bundle(entries) == data


def test_a_damaged_bundle_names_its_place() -> None:
    tile = Tile(ENTRIES, 1, 2)
    good = encode_bundle([b"one", b"two"])
    for data, what in ((good[:-1], "inside entry 257"), (good + b"\0\0", "exactly 2"), (good[:5], "exactly 2")):
        with pytest.raises(TileError, match=what) as caught:
            parse_bundle(data, tile)
        assert caught.value.where == "tile/entries/001.p/2"
    with pytest.raises(TileError, match="inside entry 257"):
        parse_bundle(good[:6], tile)


def test_entries_up_to_65535_bytes() -> None:
    assert len(encode_entry(bytes(MAX_ENTRY))) == 2 + MAX_ENTRY
    with pytest.raises(EntryError, match="65536 bytes"):
        encode_entry(bytes(MAX_ENTRY + 1))


def test_hash_tiles_have_their_width() -> None:
    assert parse_hashes(bytes(64), Tile(0, 0, 2)) == [bytes(32)] * 2
    for size in (0, 63, 65, 96):
        with pytest.raises(TileError, match="2 hashes should be"):
            parse_hashes(bytes(size), Tile(0, 0, 2))


def test_nodes_come_from_their_tile_only() -> None:
    data = b"".join(leaf_hash(b"%d" % number) for number in range(10))
    tile = Tile(0, 0, 10)
    assert node_in_tile((0, 9), tile, data) == leaf_hash(b"9")
    for node in ((0, 10), (2, 2), (4, 0), (8, 0)):
        with pytest.raises(TileError, match="not in this tile"):
            node_in_tile(node, tile, data)
