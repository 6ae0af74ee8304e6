"""The API under generated requests, good and bad: no crash, and every answer as its OpenAPI document says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pellucid.statement.dsse import Envelope

pytestmark = pytest.mark.full
schemathesis = pytest.importorskip("schemathesis")
positive_data_acceptance = pytest.importorskip("schemathesis.specs.openapi.checks").positive_data_acceptance
GenerationMode = schemathesis.GenerationMode


EXAMPLES = 25
UNQUESTIONED = {"GET /api/card", "GET /api/logs"}  # nothing can be said wrong there
SUBMISSION = "POST /api/statements"  # an envelope of the right shape is refused all the same, with a signed receipt


@pytest.fixture(scope="module")
def operations(node: Any, sign: Callable[..., Envelope]) -> list[Any]:
    for number in range(3):
        assert node.submit(sign(number)).status == 201
    node.until(lambda: node.size() >= 3)
    schema = schemathesis.openapi.from_url(f"{node.url}/api/openapi.json")
    found = [found.ok() for found in schema.get_all_operations()]
    return [
        item for item in found if "security" not in item.definition.raw
    ]  # `test_schemathesis_roles.py` has the rest


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_documented(operations: list[Any], mode: Any) -> None:
    assert len(operations) == 12
    negatable = [item for item in operations if item.label not in UNQUESTIONED or mode is GenerationMode.POSITIVE]
    assert sum(ask(operation, mode) for operation in negatable) > EXAMPLES


def ask(operation: Any, mode: Any) -> int:
    """Send generated requests to one operation; return how many."""
    asked = 0
    excluded = [positive_data_acceptance] if operation.label == SUBMISSION else []

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(excluded_checks=excluded)

    send()
    return asked


def test_the_log_is_whole_afterwards(node: Any, tmp_path: Path) -> None:
    from pellucid.cli import main

    node.stop()
    home = shutil.copytree(node.home, tmp_path / "home")
    assert main(["fsck", str(home)]) == 0
