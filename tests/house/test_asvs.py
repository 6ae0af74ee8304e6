"""Every claim of the list of security requirements names tests, and every test that it names is there."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

# How many requirements of each chapter the standard has at levels 1 and 2, and at 3 where that is promised too.
CHAPTERS = {
    1: 27,
    2: 11,
    3: 19,
    4: 10,
    5: 9,
    6: 47,
    7: 18,
    8: 13,
    9: 7,
    10: 29,
    11: 24,
    12: 9,
    13: 13,
    14: 9,
    15: 13,
    16: 17,
}
MOST_WORDS = 60


@pytest.fixture(scope="module")
def requirements(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((root / "docs/security/asvs.toml").read_text())["requirement"]
    return found


def chapter(requirement: dict[str, Any]) -> int:
    return int(requirement["id"].removeprefix("v5.0.0-").split(".")[0])


def named_tests(root: Path, file: str) -> set[str]:
    path = root / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def problems(root: Path, requirement: dict[str, Any]) -> list[str]:
    """Say what is wrong with one entry of the list."""
    name, state, why, tests = (requirement[key] for key in ("id", "state", "why", "tests"))
    wrong = [f"{name}: unknown state {state}"] if state not in {"met", "not-applicable", "open"} else []
    if state == "met" and not tests:
        wrong.append(f"{name}: met, but no test shows it")
    if not why or len(why.split()) > MOST_WORDS:
        wrong.append(f"{name}: say why in at most {MOST_WORDS} words")
    for test in tests:
        file, _, function = test.partition("::")
        if not function.startswith("test_") or function not in named_tests(root, file):
            wrong.append(f"{name}: there is no test {test}")
    return wrong


def test_every_requirement_of_the_standard_is_answered_once(requirements: list[dict[str, Any]]) -> None:
    names = [requirement["id"] for requirement in requirements]
    assert len(names) == len(set(names))
    assert Counter(map(chapter, requirements)) == CHAPTERS


def test_every_answer_has_its_reason_and_every_test_it_names_is_there(
    root: Path, requirements: list[dict[str, Any]]
) -> None:
    assert [wrong for requirement in requirements for wrong in problems(root, requirement)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"state": "fine"},
        {"tests": []},
        {"why": ""},
        {"tests": ["tests/house/test_asvs.py::test_that_nobody_wrote"]},
        {"tests": ["tests/house/nowhere.py::test_every_requirement_of_the_standard_is_answered_once"]},
    ],
)
def test_a_claim_without_ground_is_found(root: Path, change: dict[str, Any]) -> None:
    sound = {
        "id": "v5.0.0-1.1.1",
        "state": "met",
        "why": "shown",
        "tests": ["tests/house/test_asvs.py::test_a_claim_without_ground_is_found"],
    }
    assert problems(root, sound) == []
    assert problems(root, {**sound, **change}) != []
