"""What a person at a terminal sees and is asked; everything goes to stderr, so that stdout stays the answer's."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_QUIET_SECONDS = 1.0


def is_interactive() -> bool:
    """Tell whether a person can be asked: stdin and stderr are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def printable(text: str) -> str:
    """Return `text` with everything escaped that could steer a terminal; newlines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def say(text: str) -> None:
    """Write one message to stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def ask(question: str) -> str:
    """Return what the person types, without surrounding space; empty at the end of input."""
    sys.stderr.write(printable(question) + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def ask_yes(question: str) -> bool:
    """Ask a question whose safe answer is no."""
    return ask(f"{question} [y/N]").lower() in {"y", "yes"}


class Progress:
    """How far a piece of work has come: a bar on a terminal, else two plain lines when it takes over a second."""

    def __init__(self, what: str, total: int | None, unit: str) -> None:
        self._what = what
        self._begun = time.monotonic()
        self._told = False
        self._done = 0
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - only where a bar is drawn

            self._bar = tqdm(
                desc=printable(what), total=total, unit=unit, unit_scale=True, leave=False, delay=0.3, file=sys.stderr
            )

    def advance(self, amount: int = 1) -> None:
        """Count `amount` more units as done."""
        self._done += amount
        if self._bar is not None:
            self._bar.update(amount)
        elif not self._told and time.monotonic() - self._begun > _QUIET_SECONDS:
            self._told = True
            say(f"{self._what} …")

    def reach(self, done: int, total: int) -> None:
        """Say that `done` of `total` units are done."""
        if self._bar is not None:
            self._bar.total = total
        self.advance(done - self._done)

    def close(self) -> None:
        """End the display."""
        if self._bar is not None:
            self._bar.close()
        elif self._told:
            say(f"{self._what}: {time.monotonic() - self._begun:.0f} s")


@contextmanager
def progress(what: str, total: int | None = None, *, unit: str = "B") -> Iterator[Progress]:
    """Show the progress of the block; `total` in units, None where it is not known."""
    shown = Progress(what, total, unit)
    try:
        yield shown
    finally:
        shown.close()


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
