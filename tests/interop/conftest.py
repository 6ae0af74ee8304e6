"""A town of three nodes that others' programs judge: real processes, real sockets, a log of some hundred statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.interop.processes import NodeProcess, Town, make_town, until
from tests.interop.static import StaticServers
from tests.interop_go.build import Oracle, asking, build

from pellucid.statement.dsse import Envelope

pytest.importorskip("granian", reason="the server is part of the full install")

STATEMENTS = 600


@dataclass(frozen=True)
class Served(Town):
    """The town, with what was logged at the vendor: the envelope at each index."""

    entries: tuple[bytes, ...]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a vendor and two centers; the vendor's log has two full tiles and a partial one, all cosigned by both."""
    town = make_town(tmp_path_factory.mktemp("served"), quorum=2)
    try:
        town.start()
        envelopes = [town.vendor.statement(number) for number in range(STATEMENTS)]
        # in parts, so that several sizes are published
        indices = [i for at in range(0, STATEMENTS, 150) for i in _logged(town.vendor, envelopes[at : at + 150])]
        until(lambda: all(center.mirrored(town.vendor) == STATEMENTS for center in town.centers), 30)
        entries = [envelopes[number].to_bytes() for number in sorted(range(STATEMENTS), key=indices.__getitem__)]
        yield Served(town.vendor, town.asia, town.europe, tuple(entries))
    finally:
        town.stop()


def _logged(node: NodeProcess, envelopes: list[Envelope]) -> list[int]:
    indices = node.submit_all(envelopes)
    until(lambda: (node.published() or 0) > max(indices), 30)
    return indices


@pytest.fixture
def serve_files() -> Iterator[Callable[[Path], str]]:
    """Serve a folder as it lies, and return the address."""
    with StaticServers() as servers:
        yield servers.serve


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """Return a function that asks others' Go code about what is served, or raises Refused."""
    return asking(build(tmp_path_factory.mktemp("judge"), "./served"))
