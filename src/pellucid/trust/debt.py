"""How far a source tree lies from what somebody read: shortest ways over deltas, counted in unread lines."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec


class Step(msgspec.Struct, frozen=True):
    """From `target` one can go back to `base` by leaving `lines` changed lines unread (0: somebody read them)."""

    target: str
    base: str
    lines: int


def debts_from(tree: str, steps: Iterable[Step]) -> Mapping[str, int]:
    """Return every tree that can be reached back from `tree`, with the fewest unread lines on the way."""
    onward: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for step in steps:
        onward[step.target].append((step.base, step.lines))
    return _shortest({tree: 0}, onward)


def debts_to(read: Iterable[str], steps: Iterable[Step]) -> Mapping[str, int]:
    """Return every tree from which one of the trees `read` in full can be reached, with the fewest unread lines."""
    backward: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for step in steps:
        backward[step.base].append((step.target, step.lines))
    return _shortest(dict.fromkeys(read, 0), backward)


def _shortest(start: Mapping[str, int], edges: Mapping[str, list[tuple[str, int]]]) -> Mapping[str, int]:
    best: dict[str, int] = {}
    queue = [(cost, tree) for tree, cost in start.items()]
    heapq.heapify(queue)
    while queue:
        cost, tree = heapq.heappop(queue)
        if tree in best:
            continue
        best[tree] = cost
        for neighbour, lines in edges.get(tree, ()):
            if neighbour not in best:
                heapq.heappush(queue, (cost + lines, neighbour))
    return best
