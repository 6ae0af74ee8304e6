"""Makes the small worlds of this folder importable by its tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bench_of_judges import Court


@pytest.fixture
def court() -> Court:
    return Court()
