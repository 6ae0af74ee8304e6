"""How many lines an edit adds and removes, from the length of a longest common subsequence. Pure.

The length is unique, so any program that finds it gets these figures; only the bound on the work is our own. Two exact
methods share the labour: Myers' greedy edit distance, quick where little changed, and the bit-parallel recurrence of
Allison, Dix and Hyyrö, whose cost does not depend on how much did.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

FILE_WORK_LIMIT = 1 << 34
DISTANCE_LIMIT = 1_000
_QUICK_DISTANCE = 48
_LARGE = 1 << 20
_STEP = 64
_MASK_MEMORY = 64 << 20
_Line = TypeVar("_Line", int, bytes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Lines added and removed; whether this is an upper bound (`rewritten`); the work counted for it."""

    added: int
    removed: int
    rewritten: bool
    work: int


def split_lines(text: bytes) -> list[bytes]:
    """Split after each LF, which stays part of its line; what follows the last LF is a line too."""
    lines = [line + b"\n" for line in text.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def line_count(text: bytes) -> int:
    """Return how many lines `split_lines` gives."""
    return text.count(b"\n") + (text[-1:] not in {b"", b"\n"})


def compare_lines(old: list[bytes], new: list[bytes], *, work_left: int) -> Comparison:
    """Count the lines added and removed between two texts, within bounds that `source.delta.Delta` states."""
    left, right, common = _reduce(old, new)
    product = len(left) * len(right)
    work = min(product, FILE_WORK_LIMIT)
    if work > work_left:
        return Comparison(len(new), len(old), rewritten=True, work=0)
    distance = _distance(left, right)
    if distance is None:
        return Comparison(len(new), len(old), rewritten=True, work=work)
    common += (len(left) + len(right) - distance) // 2
    return Comparison(len(new) - common, len(old) - common, rewritten=False, work=work)


def _reduce(old: list[bytes], new: list[bytes]) -> tuple[list[int], list[int], int]:
    """Leave out what is surely common and what is surely not; return the rest, numbered, and how many were common."""
    old, new, trimmed = _trim(old, new)
    numbers = {line: number for number, line in enumerate(set(old) & set(new))}
    left = [numbers[line] for line in old if line in numbers]
    right = [numbers[line] for line in new if line in numbers]
    left, right, trimmed_again = _trim(left, right)
    return left, right, trimmed + trimmed_again


def _trim(old: list[_Line], new: list[_Line]) -> tuple[list[_Line], list[_Line], int]:
    """Take off the longest common start, then the longest common end; return how many lines they had."""
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end], start + end


def _distance(left: list[int], right: list[int]) -> int | None:
    """Return the insertions and deletions between two lists, None when that is too much work to find."""
    product = len(left) * len(right)
    if not product:
        return len(left) + len(right)
    if product > FILE_WORK_LIMIT:
        return _edit_distance(left, right, DISTANCE_LIMIT)
    if product > _LARGE:
        quick = _edit_distance(left, right, _QUICK_DISTANCE)
        if quick is not None:
            return quick
    return len(left) + len(right) - 2 * _common_length(left, right)


def _edit_distance(left: list[int], right: list[int], limit: int) -> int | None:
    """Myers' greedy algorithm: the furthest point on each diagonal after d steps; None beyond `limit` steps."""
    width, height = len(left), len(right)
    if abs(width - height) > limit:
        return None
    snake = _Snake(left, right)
    reach = [-1] * (2 * limit + 3)
    reach[1] = 0
    for distance in range(limit + 1):
        lowest = -distance + 2 * max(0, distance - height)
        highest = distance - 2 * max(0, distance - width)
        for diagonal in range(lowest, highest + 1, 2):
            x = max(reach[diagonal - 1] + 1, reach[diagonal + 1])
            y = x - diagonal
            if x < width and y < height and left[x] == right[y]:
                length = snake.length(x, y)
                x += length
                y += length
            reach[diagonal] = x
            if x >= width and y >= height:
                return distance
    return None


class _Snake:
    """Finds how far two lists run together; compares blocks of memory, so that long runs cost little."""

    def __init__(self, left: list[int], right: list[int]) -> None:
        self._left = array("I", left)
        self._right = array("I", right)

    def length(self, x: int, y: int) -> int:
        """Return the number of equal lines from line `x` of the left and `y` of the right."""
        limit = min(len(self._left) - x, len(self._right) - y)
        found, step = 0, _STEP
        while found < limit and self._equal(x + found, y + found, step):
            found += step
            step = min(2 * step, _STEP << 10)
        while step and found < limit:
            if found + step <= limit and self._equal(x + found, y + found, step):
                found += step
            step //= 2
        return min(found, limit)

    def _equal(self, x: int, y: int, count: int) -> bool:
        return self._left[x : x + count] == self._right[y : y + count]


def _common_length(left: list[int], right: list[int]) -> int:
    """Return the length of a longest common subsequence, a row of the table at a time as bits of one number."""
    wide, narrow = (left, right) if len(left) >= len(right) else (right, left)
    masks = _Masks(wide, narrow)
    full = (1 << len(wide)) - 1
    row = full
    for line in narrow:
        matches = row & masks.of(line)
        row = ((row + matches) | (row ^ matches)) & full
    return len(wide) - row.bit_count()


class _Masks:
    """For a line, the places where it occurs as bits of one number; the costliest ones are kept, within a bound."""

    def __init__(self, wide: list[int], narrow: list[int]) -> None:
        self._size = len(wide) // 8 + 1
        self._places: dict[int, list[int]] = {}
        for place, line in enumerate(wide):
            self._places.setdefault(line, []).append(place)
        cost = Counter({line: uses * len(self._places.get(line, ())) for line, uses in Counter(narrow).items()})
        self._kept = {line: self._mask(line) for line, _ in cost.most_common(_MASK_MEMORY // self._size)}

    def of(self, line: int) -> int:
        """Return the mask of a line."""
        kept = self._kept.get(line)
        return self._mask(line) if kept is None else kept

    def _mask(self, line: int) -> int:
        bits = bytearray(self._size)
        for place in self._places.get(line, ()):
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")
