"""The verifier's tests share a courtroom."""

from __future__ import annotations

import pytest
from tests.trust.bench_of_judges import Court


@pytest.fixture
def court() -> Court:
    """Return a court before which nothing was said yet."""
    return Court()
