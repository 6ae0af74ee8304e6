"""The verifier's tests share the courtroom and the small world that lie beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bench_of_judges import Court


@pytest.fixture
def court() -> Court:
    """Return a court before which nothing was said yet."""
    return Court()
