"""Signed checkpoints that contradict each other, kept as evidence until a person has looked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from pellucid.storage.files import FileObjects

_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two notes of one log that do not fit together, or one that should not exist.

    `proven` says that the notes alone convince anybody; otherwise `why` is our word only. `held` and `offered`
    are notes as text; `held` is empty where only one is needed.
    """

    origin: str
    why: str
    proven: bool
    held: str
    offered: str

    @property
    def name(self) -> str:
        """Return the file name: the same contradiction is kept once, an unproven one once per held checkpoint."""
        parts = (self.origin, self.held, self.offered if self.proven else "")
        return sha256("\0".join(parts).encode()).hexdigest()[:32] + ".json"


Alarms = Callable[[Alarm], None]


class AlarmFolder:
    """Keeps each alarm as a JSON file in a directory, durable when the call returns; 10,000 at most."""

    def __init__(self, root: Path) -> None:
        self._objects = FileObjects(root)

    def __call__(self, alarm: Alarm) -> None:
        """Keep the alarm; the same one again changes nothing."""
        names = self._objects.children("")
        if alarm.name not in names and len(names) < _MOST_FILES:
            self._objects.replace(alarm.name, json.dumps(asdict(alarm), indent=1).encode() + b"\n")

    def all(self) -> list[Alarm]:
        """Return every alarm kept."""
        found = (self._objects.fetch(name) for name in self._objects.children(""))
        return [Alarm(**json.loads(data)) for data in found if data is not None]
