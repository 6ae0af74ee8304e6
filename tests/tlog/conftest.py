"""The log that tests open; whatever they did to it, it is checked whole at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tlog.homes import LogHome


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LogHome]:
    """Return a home whose log must be whole when the test is over."""
    home = LogHome(tmp_path / "home")
    home.root.mkdir()
    yield home
    home.close()
    if (home.root / "log.db").exists():
        assert home.fsck().problems == []


@pytest.fixture
def broken_home(tmp_path: Path) -> Iterator[LogHome]:
    """Return a home whose log the test will damage."""
    home = LogHome(tmp_path / "home")
    home.root.mkdir()
    yield home
    home.close()
