"""The exceptions that reach a person: each says what happened, where, and how to mend it.

    PellucidError
    ├── InputError        exit 2   unusable input or usage; nothing was changed
    ├── EvidenceError     exit 1   the answer is no: a broken proof, damaged evidence, a log that contradicts itself
    ├── UnavailableError  exit 3   could not be done now: network, disk, sandbox, a peer
    └── FatalError        exit 3   the state in memory is unknown; the process must end and recover from disk

Folders derive their own families from these and never raise the base.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PellucidError(Exception):
    """Something a person must be told, with `where` it happened and a `remedy` where there is one."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what

    def as_json(self) -> dict[str, Any]:
        """Return `{"error": {"what", "where", "remedy"}}`, the shape of every error under `--json`."""
        return {"error": {"what": self.what, "where": self.where, "remedy": self.remedy}}


class InputError(PellucidError):
    """What was given cannot be used; nothing was changed."""

    exit_code = 2


class EvidenceError(PellucidError):
    """Evidence is damaged, forged or contradicts itself: the answer is no."""

    exit_code = 1


class UnavailableError(PellucidError):
    """It could not be done now; the same call may work later."""

    exit_code = 3


class FatalError(PellucidError):
    """What is on disk is no longer known for sure: end the process and recover on the next start."""

    exit_code = 3
