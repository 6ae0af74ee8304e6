"""A node with its people, seen by somebody who means it ill."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pellucid.site.settings")

import django

django.setup()

from django.core.cache import cache  # noqa: E402 - Django had to be set up first
from tests.security.walk import Seen, walked  # noqa: E402
from tests.world import World, made_home, world  # noqa: E402, F401 - fixtures

_walks: dict[tuple[str, ...], tuple[Seen, ...]] = {}


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Nothing is remembered of the attempts of other tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(params=[("a visitor", "rita"), pytest.param(("mallory", "otto"), marks=pytest.mark.full)], ids="-".join)
def answers(request: pytest.FixtureRequest, world: World) -> tuple[Seen, ...]:  # noqa: F811 - the fixture
    """What a walk over every address brought, made once for all tests that look at it."""
    if request.param not in _walks:
        _walks[request.param] = walked(world, *request.param)
    return _walks[request.param]
