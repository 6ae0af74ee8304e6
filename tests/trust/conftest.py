"""The verifier's tests share a courtroom, and a world whose logs gave an honest pack."""

from __future__ import annotations

import pytest
from tests.trust.bench_of_judges import Court
from tests.trust.world_pack import Json, World, as_json


@pytest.fixture
def court() -> Court:
    """Return a court before which nothing was said yet."""
    return Court()


@pytest.fixture(scope="module")
def world() -> World:
    """Return a vendor and three centers with a release and a review; not to be changed."""
    return World()


@pytest.fixture(scope="module")
def honest(world: World) -> Json:
    """Return the pack of that world as JSON; to be copied before it is changed."""
    return as_json(world.pack())
