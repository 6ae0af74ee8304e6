"""What the demonstration did, what had to come out, and what did; and how that is shown."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from pellucid.errors import PellucidError
from pellucid.terminal import say

_GOT_MOST = 150


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    name: str
    expected: str
    got: str
    ok: bool

    def as_json(self) -> dict[str, Any]:
        """Return the step as it stands in the demonstration's JSON."""
        return {"name": self.name, "expected": self.expected, "got": self.got, "ok": self.ok}


class StepFailedError(Exception):
    """A step on which the others rest did not succeed."""


@dataclass
class Steps:
    """The steps so far; each is told when it begins and when it ends differently than expected."""

    done: list[Step] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every step came out as expected, and there was one."""
        return bool(self.done) and all(step.ok for step in self.done)

    def must(self, name: str, expected: str, do: Callable[[], tuple[bool, str]]) -> None:
        """Do what the rest stands on; raises StepFailedError if it does not come out as expected."""
        self.try_(name, expected, do)
        if not self.done[-1].ok:
            raise StepFailedError(name)

    def try_(self, name: str, expected: str, do: Callable[[], tuple[bool, str]]) -> None:
        """Do something that gives whether it came out as expected, and what came out."""
        say(f"· {name}")
        try:
            ok, got = do()
        except (PellucidError, OSError) as error:
            ok, got = False, f"{type(error).__name__}: {error}"
        self.done.append(Step(name, expected, got, ok))
        if not ok:
            say(f"  not as expected ({expected}): {got}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table with wrapped cells; `widths` are the columns' widths in characters, the last takes the rest."""
    rest = min(150, max(100, shutil.get_terminal_size((118, 24)).columns)) - sum(widths) - 2 * len(widths)
    columns = [*widths, max(20, rest)]
    lines = [_line(head, columns), _line(["─" * width for width in columns], columns)]
    for row in rows:
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, columns, strict=True)]
        lines += [_line(line, columns) for line in zip_longest(*cells, fillvalue="")]
    return "\n".join(lines)


def steps_table(steps: Sequence[Step]) -> str:
    """Return the steps as a table: a mark and a word for each, what was expected, what came out."""
    rows = [("✓ as expected" if s.ok else "✗ WRONG", s.name, s.expected, _short(s.got)) for s in steps]
    return table(("", "step", "expected", "got"), rows, (13, 42, 24))


def _short(text: str) -> str:
    return text if len(text) <= _GOT_MOST else f"{text[:_GOT_MOST]}…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
