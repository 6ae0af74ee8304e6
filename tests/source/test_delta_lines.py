"""Lines added and removed: exact by an independent table, and a stated bound where the work is too much."""

from __future__ import annotations

import random
import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.source import lines
from pellucid.source.lines import FILE_WORK_LIMIT, compare_lines, line_count, split_lines


def _longest_common(old: list[bytes], new: list[bytes]) -> int:
    """Fill the whole textbook table."""
    above = [0] * (len(new) + 1)
    for left in old:
        row = [0]
        for at, right in enumerate(new):
            row.append(above[at] + 1 if left == right else max(above[at + 1], row[at]))
        above = row
    return above[-1]


_TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"\n", b"\r", b"a\n", b"bb\n", b"{\n", b"}\n"]), max_size=60).map(
    b"".join
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, _TEXTS)
@example(b"", b"")
@example(b"a", b"a\n")
@example(b"a\n", b"")
def test_the_figures_are_those_of_the_textbook(old: bytes, new: bytes) -> None:
    left, right = split_lines(old), split_lines(new)
    assert b"".join(left) == old
    assert line_count(old) == len(left)
    common = _longest_common(left, right)
    result = compare_lines(left, right, work_left=1 << 40)
    assert (result.added, result.removed, result.rewritten) == (len(right) - common, len(left) - common, False)
    back = compare_lines(right, left, work_left=1 << 40)
    assert (back.added, back.removed) == (result.removed, result.added)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=80), st.lists(st.integers(0, 5), max_size=80))
def test_both_methods_agree(left: list[int], right: list[int]) -> None:
    common = lines._common_length(left, right)
    distance = len(left) + len(right) - 2 * common
    assert lines._edit_distance(left, right, 200) == distance
    if distance:
        assert lines._edit_distance(left, right, distance - 1) is None
    assert lines._edit_distance(left, right, distance) == distance


def test_runs_around_the_block_sizes_are_found() -> None:
    source = random.Random(2)
    for length in (1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 1000, 70_000):
        run = [source.randrange(1 << 30) for _ in range(length)]
        assert lines._Snake([*run, 1], [*run, 2]).length(0, 0) == length
        assert lines._Snake([9, *run], run).length(1, 0) == length
        assert lines._Snake(run, run).length(0, 0) == length


def _large(size: int, seed: int) -> list[bytes]:
    source = random.Random(seed)
    return [b"%d\n" % source.randrange(size // 8) for _ in range(size)]


def test_a_large_file_with_few_edits_is_quick_and_exact() -> None:
    old = _large(400_000, 3)
    new = [*old[:1000], b"new\n", *old[1000:200_000], *old[200_003:399_000], old[5], *old[399_000:]]
    started = time.perf_counter()
    result = compare_lines(old, new, work_left=1 << 40)
    assert (result.added, result.removed, result.rewritten) == (2, 3, False)
    assert time.perf_counter() - started < 10


def test_much_moved_about_is_exact_up_to_the_bound() -> None:
    old = _large(20_000, 4)
    new = list(old)
    random.Random(5).shuffle(new)
    result = compare_lines(old, new, work_left=1 << 40)
    assert not result.rewritten
    assert result.added == result.removed > 10_000
    # Where the work left is less than what this takes, the bound holds instead.
    bounded = compare_lines(old, new, work_left=result.work - 1)
    assert (bounded.added, bounded.removed, bounded.rewritten, bounded.work) == (20_000, 20_000, True, 0)


def test_beyond_the_bound_a_file_counts_as_rewritten_in_time() -> None:
    old = _large(140_000, 6)
    new = list(reversed(old))
    assert len(old) * len(new) > FILE_WORK_LIMIT
    started = time.perf_counter()
    result = compare_lines(old, new, work_left=1 << 40)
    assert (result.added, result.removed, result.rewritten) == (140_000, 140_000, True)
    assert result.work == FILE_WORK_LIMIT
    assert time.perf_counter() - started < 20
