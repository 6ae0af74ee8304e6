"""How one attempt to deliver something went."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.outbox.channel import Problem


@dataclass(frozen=True, slots=True)
class Attempt:
    """The end of one attempt: delivered when there is no problem; `final` says that trying again is in vain."""

    problem: Problem | None = None
    final: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the other side took it."""
        return self.problem is None


DELIVERED = Attempt()
