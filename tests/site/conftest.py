"""The portal on a hand-made world, asked through Django's test client."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pellucid.site.settings")

import django

django.setup()

from django.test import Client  # noqa: E402 - Django had to be set up first
from tests.site.sample import Sample  # noqa: E402

from pellucid.site import current  # noqa: E402


@pytest.fixture
def serve() -> Iterator[Callable[[Sample], Client]]:
    """Serve a world, and give a client to ask it."""

    def start(world: Sample) -> Client:
        current.serve(world)
        return Client(SERVER_NAME="localhost")

    yield start
    current._served.clear()


@pytest.fixture
def world() -> Sample:
    """A vendor's log that three centers cosign."""
    return Sample()


@pytest.fixture
def client(serve: Callable[[Sample], Client], world: Sample) -> Client:
    """A client of the portal on `world`."""
    return serve(world)
