"""Nodes whose machine, disk, clock or neighbours fail: a town of three served nodes, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.interop.processes import NodeProcess, Town, make_town
from tests.interop.static import StaticServers

pytest.importorskip("granian", reason="the server is part of the full install")

MakeTown = Callable[[int], Town]


@pytest.fixture(scope="session")
def made_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The homes of a vendor and two centers, joined; nothing runs."""
    return make_town(tmp_path_factory.mktemp("town"), quorum=1)


def copied(node: NodeProcess, root: Path) -> NodeProcess:
    """Return a node on a copy of its home, to be run instead of the first."""
    return replace(node, home=shutil.copytree(node.home, root / node.home.name), process=None)


@pytest.fixture
def town(made_town: Town, tmp_path: Path) -> Iterator[Town]:
    """A vendor whose log one of two centers must have cosigned; all run."""
    town = Town(*(copied(node, tmp_path) for node in made_town.nodes))
    try:
        town.start()
        yield town
    finally:
        town.stop()


@pytest.fixture
def alone(made_town: Town, tmp_path: Path) -> Iterator[NodeProcess]:
    """A center that publishes without anybody's cosignature, not running."""
    node = copied(made_town.asia, tmp_path)
    for name in ("log.vendor.example", "log.europe.example"):
        parted = node.command("peer", "remove", name, "--quorum", "0")
        assert parted.code == 0, parted.err
    yield node
    node.stop()


@pytest.fixture
def serve_files() -> Iterator[Callable[[Path], str]]:
    """Serve a folder as it lies, and return the address."""
    with StaticServers() as servers:
        yield servers.serve
