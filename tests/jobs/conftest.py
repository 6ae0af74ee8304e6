"""Jobs on each adapter, and a PostgreSQL server for the whole session."""

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

from tests.postgres import postgres  # noqa: E402 - the path had to be set first
from tests.world import made_home, world  # noqa: E402, F401 - fixtures


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a database that nobody else uses."""
    with postgres() as url:
        yield url
