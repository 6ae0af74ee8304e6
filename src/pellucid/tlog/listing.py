"""Numbered objects of a store in the order of their numbers: tiles, bundles and kept checkpoints.

Tile indices and sizes are spelled `x001/x234/067`, so the order of names is not the order of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pellucid.storage.objects import ObjectStore
from pellucid.tlog.tiles import TILE_HEIGHT, TILE_WIDTH, decode_index, encode_index

KEPT = "checkpoints/"
MAX_NUMBER = 2**63 - 1

_GROUP = re.compile(r"x[0-9]{3}/")
_LEAF = re.compile(r"[0-9]{3}(?:\.p/)?")
_MOST_GROUPS = 7


def kept_path(size: int) -> str:
    """Return where the checkpoint that was first published at `size` entries is kept for ever."""
    return KEPT + encode_index(size)


def kept_size(path: str) -> int:
    """Return the size in the path of a kept checkpoint; TileError if it is not one."""
    return decode_index(path.removeprefix(KEPT))


def kept_sizes(store: ObjectStore, *, after: int = -1, below: int = MAX_NUMBER) -> Iterator[int]:
    """Yield the sizes of the kept checkpoints in `(after, below)`, ascending."""
    return (number for number, _ in numbered(store, KEPT, start=after + 1, stop=below))


def last_kept_size(store: ObjectStore, *, below: int) -> int | None:
    """Return the largest size under `below` whose checkpoint is kept."""
    return next((number for number, _ in numbered(store, KEPT, stop=below, descending=True)), None)


def numbered(
    store: ObjectStore, prefix: str, *, start: int = 0, stop: int = MAX_NUMBER, descending: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield `(number, path)` below `prefix` for `start <= number < stop`, in the order of numbers.

    A path that ends in `.p/` is the folder of a tile's partial versions.
    """
    if start >= stop or not store.children(prefix):
        return
    first, last = encode_index(start).count("/") + 1, encode_index(stop - 1).count("/") + 1
    depths = range(first, min(last, _MOST_GROUPS) + 1)
    for depth in reversed(depths) if descending else depths:
        for number, path in _at_depth(store, prefix, depth, 0, (start, stop), descending):
            if number >= 1000 ** (depth - 1) or depth == 1:
                yield number, path


def clear_above(store: ObjectStore, size: int) -> int:
    """Delete every tile and bundle, full or partial, that a log of `size` entries has not; return how many.

    What lies there was written for a checkpoint that was never signed, and may be torn.
    """
    doomed: list[str] = []
    for name in store.children("tile/"):
        level = 0 if name == "entries/" else int(name[:-1]) if re.fullmatch(r"[0-9]{1,2}/", name) else None
        if level is not None:
            doomed += _above(store, f"tile/{name}", size >> TILE_HEIGHT * level)
    for path in doomed:
        store.delete(path)
    return len(doomed)


def clear_superseded(store: ObjectStore, old_size: int, size: int) -> int:
    """Delete the partial tiles and bundles that became full between two published sizes; return how many."""
    doomed: list[str] = []
    for name in ["entries", *(str(level) for level in range(-(-size.bit_length() // TILE_HEIGHT)))]:
        shift = TILE_HEIGHT * (0 if name == "entries" else int(name))
        first, last = (old_size >> shift) // TILE_WIDTH, (size >> shift) // TILE_WIDTH
        for index in range(first, last):
            doomed += store.walk(f"tile/{name}/{encode_index(index)}.p/")
    for path in doomed:
        store.delete(path)
    return len(doomed)


def _above(store: ObjectStore, prefix: str, count: int) -> Iterator[str]:
    edge, width = divmod(count, TILE_WIDTH)
    for number, path in numbered(store, prefix, start=edge):
        if not path.endswith(".p/"):
            yield path
            continue
        for name in store.walk(path):
            partial = name.rpartition("/")[2]
            if number > edge or not partial.isdigit() or int(partial) > width:
                yield name


def _at_depth(
    store: ObjectStore, prefix: str, depth: int, base: int, bounds: tuple[int, int], descending: bool
) -> Iterator[tuple[int, str]]:
    span = 1000 ** (depth - 1)
    pattern = _GROUP if depth > 1 else _LEAF
    names = store.children(prefix)
    for name in reversed(names) if descending else names:
        if not pattern.fullmatch(name):
            continue
        number = base * 1000 + int(name.lstrip("x")[:3])
        if number * span >= bounds[1] or (number + 1) * span <= bounds[0]:
            continue
        if depth == 1:
            yield number, prefix + name
        else:
            yield from _at_depth(store, prefix + name, depth - 1, number, bounds, descending)
