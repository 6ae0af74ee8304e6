"""The demonstration is run with a package index on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.demo.package_index import Index, serving


@pytest.fixture(scope="session")
def index() -> Iterator[Index]:
    """Serve a small product of two releases."""
    with serving() as found:
        yield found
