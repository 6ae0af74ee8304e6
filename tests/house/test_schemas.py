"""The JSON Schemas in the documentation are those of the program, and say what it says."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

DIGEST = "ab" * 32
RELEASE: dict[str, Any] = {
    "product": "product",
    "version": "1.0",
    "kind": "software",
    "artifacts": [{"name": "product.tar.gz", "size": 1}],
}


@pytest.fixture(scope="module")
def written(root: Path) -> dict[str, str]:
    """The schemas as they stand in the documentation."""
    return {file.name: file.read_text() for file in (root / "docs/reference/schemas").glob("*.json")}


def test_the_schemas_are_up_to_date(root: Path, written: dict[str, str]) -> None:
    made = runpy.run_path(str(root / "docs/schemas.py"))["schemas"]()
    assert written == made, "run: .venv/bin/python docs/schemas.py"


def test_another_program_can_use_each_of_them(written: dict[str, str]) -> None:
    for text in written.values():
        jsonschema_rs.validator_for(json.loads(text))


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"previous": "0.9"}, True),
        ({"kind": "firmware"}, False),
        ({"unknown": 1}, False),
        ({"sbom": DIGEST + "\n"}, False),
        ({"artifacts": []}, False),
    ],
)
def test_a_schema_takes_what_the_program_takes(written: dict[str, str], change: dict[str, Any], *, fits: bool) -> None:
    schema = jsonschema_rs.validator_for(json.loads(written["release.json"]))
    assert schema.is_valid({**RELEASE, **change}) is fits
