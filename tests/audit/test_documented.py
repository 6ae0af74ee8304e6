"""The page on audit events is the program's own table, in words."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from pellucid.audit.details import DETAILS, TARGETS
from pellucid.audit.events import Event, EventType
from pellucid.audit.portal.words import WORDS
from pellucid.audit.proof import AccountProof

PAGE = Path(__file__).parents[2] / "docs/reference/audit-events.md"


def rows() -> dict[str, list[str]]:
    """The rows of every table, by their first cell."""
    lines = [line.strip("| ").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


@pytest.mark.parametrize("kind", EventType, ids=lambda item: item.value)
def test_every_event_is_explained_with_exactly_its_details(kind: EventType) -> None:
    cells = rows()[f"`{kind.value}`"]
    assert cells[0]
    details = re.sub(r"\([^)]*\)", "", cells[1] if len(cells) > 1 else "")
    assert set(re.findall(r"`([a-z]+)`", details)) == set(DETAILS[kind])


def test_no_event_is_explained_that_is_gone() -> None:
    events = {row.strip("`") for row in rows() if re.fullmatch(r"`[a-z-]+\.[a-z-]+`", row)}
    assert events == {kind.value for kind in EventType}


def test_every_target_and_every_field_is_explained() -> None:
    first = {name for cell in rows() for name in re.findall(r"`([^`]+)`", cell)}
    assert set(TARGETS) <= first
    assert {field.name for field in msgspec.structs.fields(Event)} <= first
    assert {field.name for field in msgspec.structs.fields(AccountProof)} <= first


def test_every_event_has_a_name_on_pages() -> None:
    assert set(WORDS) == set(EventType)
