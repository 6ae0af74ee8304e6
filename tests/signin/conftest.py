"""Sign-in on a real node, with nothing remembered of the attempts of other tests."""

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
from tests.world import made_home, world  # noqa: E402, F401

from pellucid.site.accounts.passwords import NodeArgon2  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def light_hashes() -> Iterator[None]:
    """The same hash with the least work, for those who sign in by the hundred."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NodeArgon2, "time_cost", 1)
        patch.setattr(NodeArgon2, "memory_cost", 64)
        yield


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
