"""Openings of commitments that this node publishes: names and prose beside the log, which can be erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json, parse_json
from pellucid.statement.commitment import Opening, open_commitment
from pellucid.statement.digest import is_sha256
from pellucid.storage.files import FileObjects

_LIMIT = 1 << 20


class Openings:
    """One file for each commitment, by its root, in the directory `root`."""

    def __init__(self, root: Path) -> None:
        self._objects = FileObjects(root)

    def publish(self, opening: Opening) -> None:
        """Show these fields from now on, in place of what was shown of this commitment; CommitmentError if unfit."""
        open_commitment(opening.root, opening)
        self._objects.replace(opening.root, canonical_json(msgspec.to_builtins(opening)))

    def erase(self, root: str) -> None:
        """Forget what was shown of a commitment; the commitment itself stays, mute."""
        if is_sha256(root):
            self._objects.delete(root)
            self._objects.sync()

    def opening(self, root: str) -> Opening | None:
        """Return what is shown of a commitment, None if nothing is; a damaged file shows nothing."""
        data = self._objects.fetch(root, _LIMIT) if is_sha256(root) else None
        if data is None:
            return None
        try:
            opening = msgspec.convert(parse_json(data, where=root, limit=_LIMIT), Opening)
            open_commitment(root, opening)
        except (EvidenceError, msgspec.ValidationError):
            return None
        return opening

    def fields(self, root: str) -> dict[str, Any]:
        """Return the fields that are shown of a commitment."""
        opening = self.opening(root)
        return {} if opening is None else open_commitment(root, opening)
