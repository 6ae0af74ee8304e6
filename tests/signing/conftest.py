"""Signing on a node with its people: keys, statements, and what an accreditor says in the log."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.signing.desk import Desk
from tests.world import World, made_home, world

__all__ = ["made_home", "world"]


@pytest.fixture
def desk(world: World) -> Desk:
    """Rita at her desk, signed in, with a key that nobody has heard of."""
    return Desk(world)
