"""Every job is explained, and shown in the same words wherever it is offered."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pellucid import capabilities
from pellucid.jobs.port import JobState
from pellucid.jobs.portal.pages import SUMMARIES, WORDS
from pellucid.jobs.work import Kind, registry_of

PAGE = (Path(__file__).parents[2] / "docs/reference/jobs.md").read_text()
KINDS = capabilities.jobs()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_job_and_its_arguments_are_explained(kind: Kind) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind.name}` |")]
    assert len(rows) == 1
    for field in msgspec.structs.fields(kind.arguments):
        assert f"`{field.name}`" in rows[0]


def test_every_state_is_explained_and_has_a_word() -> None:
    assert set(WORDS) == set(JobState)
    for state in JobState:
        assert f"| `{state.value}` |" in PAGE


def test_what_is_offered_is_said_in_one_way() -> None:
    assert {kind.name: kind.summary for kind in KINDS.values() if kind.offered} == SUMMARIES


def test_two_jobs_of_one_name_are_a_mistake() -> None:
    kind = KINDS["reindex"]
    with pytest.raises(ValueError, match="reindex"):
        registry_of(kind, kind)
