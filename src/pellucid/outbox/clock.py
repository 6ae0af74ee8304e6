"""Clocks: what has to be told because time went by, or because something has been wrong for too long.

A room registers its clocks when it is loaded (in the `ready` of its Django app, or at the end of its module); the
worker of a served node asks each of them every `every` seconds. A clock must be quick, must only read, and gives the
same key for the same thing each time it is asked: what was told before is not told again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pellucid.errors import FatalError
from pellucid.outbox.notice import Notice
from pellucid.people.permissions import Permission


@dataclass(frozen=True, slots=True)
class Due:
    """A notice for these accounts (ids), and for everybody who holds the permission `holders`."""

    notice: Notice
    accounts: frozenset[str] = frozenset()
    holders: Permission | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong now: `subject` names it, `due` makes the notice from when it was first seen so.

    `subject` has 300 characters at most.
    """

    subject: str
    due: Callable[[int], Due]


@dataclass(frozen=True, slots=True)
class Clock:
    """Asked for what is due at a moment (Unix seconds); `every` is in seconds."""

    name: str
    ask: Callable[[int], Iterable[Due]]
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Asked for what is wrong at a moment (Unix seconds), told once it has been so for `patience` seconds.

    What is over and comes back is told anew. None says that nobody knows at this moment: nothing is begun or over.
    """

    name: str
    ask: Callable[[int], Iterable[Wrong] | None]
    every: float = 30.0
    patience: float = 900.0


@dataclass
class Clocks:
    """The clocks and watches of this process, by name."""

    clocks: dict[str, Clock] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)

    def register(self, *found: Clock | Watch) -> None:
        """Take clocks and watches in; the same name twice is a mistake in the program."""
        for item in found:
            known: Mapping[str, Clock | Watch] = {**self.clocks, **self.watches}
            if known.get(item.name, item) != item:
                raise FatalError(f"two clocks are called {item.name!r}")
            if isinstance(item, Clock):
                self.clocks[item.name] = item
            else:
                self.watches[item.name] = item


clocks = Clocks()
