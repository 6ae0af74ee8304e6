"""No pattern of a model lets a final newline through: two texts that look alike must not both be good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.record.predicate import NODE_KINDS
from pellucid.record.settings import Settings
from pellucid.release.manifest import ManifestFile
from pellucid.trust.pack import Pack
from pellucid.trust.policy import Policy

MODELS = (
    *(kind.model for kind in (*PREDICATES.values(), *NODE_KINDS.values())),
    *(kind.model for kind in REQUIREMENTS.values()),
    *(Settings, ManifestFile, Policy, Pack),
)


def texts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every text of a JSON Schema that has a pattern."""
    if isinstance(schema, dict):
        if "pattern" in schema:
            yield schema
        for value in schema.values():
            yield from texts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from texts(value)


def lets_a_newline_through(text: dict[str, Any]) -> bool:
    fixed = text.get("minLength") is not None and text.get("minLength") == text.get("maxLength")
    return not fixed and text["pattern"].endswith("$")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_final_newline_is_refused(model: Any) -> None:
    for text in texts(msgspec.json.schema(model)):
        assert not lets_a_newline_through(text), text


def test_such_a_pattern_would_be_found() -> None:
    assert lets_a_newline_through({"pattern": "^a+$"})
    assert not lets_a_newline_through({"pattern": "^a+$(?!\\n)"})
    assert not lets_a_newline_through({"pattern": "^a{4}$", "minLength": 4, "maxLength": 4})
