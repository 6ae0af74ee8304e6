"""The bounds of an operator session: a reason that says something, and an end that comes."""

from __future__ import annotations

from pellucid.errors import EvidenceError
from pellucid.statement.commitment import Opening, commit

SHORTEST_REASON = 10
LONGEST_REASON = 500
LONGEST_MINUTES = 240
DEFAULT_MINUTES = 60
MINUTES = (15, 30, 60, 120, LONGEST_MINUTES)

_REASON = "reason"


def commit_reason(reason: str) -> Opening:
    """Bind a reason under a fresh salt: its root goes into the log, the opening stays where it can be erased."""
    return commit({_REASON: reason})[1]


def reason_of(opening: Opening) -> str:
    """Return the reason that an opening shows; EvidenceError if it shows none."""
    for field in opening.fields.values():
        if field.name == _REASON and isinstance(field.value, str):
            return field.value
    raise EvidenceError("shows no reason", where="opening of an operator session")
