"""`policy init --custody` writes what `policy check` reads, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.world import World

from pellucid.cli import main
from pellucid.trust.policy import parse_policy
from pellucid.trust.predicate import Custody


@pytest.fixture
def card(world: World, tmp_path: Path) -> Path:
    """The card of a node, as it was sent."""
    path = tmp_path / "card.json"
    path.write_bytes(world.node.card().to_bytes())
    return path


def test_a_drafted_policy_refuses_what_it_does_not_name(
    card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.toml"
    words = ["policy", "init", "--node", str(card), "-o", str(policy), "--custody", "file", "--custody", "token"]
    assert main(words) == 0
    assert "keys must be kept in: file, token" in capsys.readouterr().out
    assert parse_policy(policy.read_bytes()).custody == (Custody.FILE, Custody.TOKEN)
    assert main(["policy", "check", str(policy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["custody"] == ["file", "token"]


def test_without_a_word_it_takes_every_key(card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    assert main(["policy", "init", "--node", str(card), "-o", str(policy)]) == 0
    assert "keys must be kept" not in capsys.readouterr().out
    assert "custody" not in policy.read_text()
    assert parse_policy(policy.read_bytes()).custody == tuple(Custody)


def test_a_custody_that_there_is_not_is_refused(card: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    assert main(["policy", "init", "--node", str(card), "-o", str(policy), "--custody", "drawer"]) == 2
    assert not policy.exists()
