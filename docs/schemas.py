"""Writes the JSON Schemas beside this file anew from the program's own models: `python docs/schemas.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from pellucid.capabilities import PREDICATES
from pellucid.record.predicate import NODE_KINDS
from pellucid.record.settings import Settings
from pellucid.release.manifest import manifest_schema
from pellucid.statement.predicate import PredicateKind
from pellucid.trust.pack import Pack
from pellucid.trust.policy import Policy

FOLDER = Path(__file__).parent / "reference/schemas"
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schemas() -> dict[str, str]:
    """Return every schema by its file name: one for each predicate, and those of the files that people keep."""
    kinds = [*PREDICATES.values(), *NODE_KINDS.values()]
    found = {kind.name: _predicate(kind) for kind in kinds}
    found["policy.toml"] = _file("policy.toml", Policy)
    found["node.toml"] = _file("node.toml", Settings)
    found["release-manifest.schema"] = manifest_schema()
    found["evidence"] = _file("X.evidence.json", Pack)
    return {f"{name}.json": json.dumps(schema, indent=2) + "\n" for name, schema in found.items()}


def _predicate(kind: PredicateKind) -> dict[str, Any]:
    return {**_DIALECT, "title": kind.name, "$comment": kind.uri, **msgspec.json.schema(kind.model)}


def _file(name: str, model: Any) -> dict[str, Any]:
    return {**_DIALECT, "title": name, **msgspec.json.schema(model)}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, text in schemas().items():
        (FOLDER / file_name).write_text(text)
