"""Others' Go code, built once, as a judge of what is written here."""

from __future__ import annotations

import pytest
from tests.interop_go.build import Oracle, Refused, asking, build


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """Return a function that asks a subcommand and returns its answer, or raises Refused."""
    return asking(build(tmp_path_factory.mktemp("oracle"), "."))


@pytest.fixture(scope="session")
def refused() -> type[Exception]:
    return Refused
