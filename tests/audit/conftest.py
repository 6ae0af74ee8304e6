"""The audit log of a node: alone in a folder, and behind the portal."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.world import made_home, world

from pellucid.audit.trail import Trail
from pellucid.record.card import note_signer
from pellucid.statement.keys import Role, SecretKey, generate_key
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import read_lock
from pellucid.tlog.fsck import fsck
from pellucid.tlog.reader import FileTiles

__all__ = ["made_home", "world"]

ORIGIN = "log.vendor.example/1"


@pytest.fixture(scope="session")
def key() -> SecretKey:
    """The key of an audit log."""
    return generate_key(Role.AUDIT, f"{ORIGIN}/audit")


@pytest.fixture
def trail(tmp_path: Path, key: SecretKey) -> Iterator[Trail]:
    """An audit log in a folder of its own, derived again to the last file at the end."""
    signer = note_signer(ORIGIN, key)
    found = Trail.open(tmp_path, signer)
    yield found
    found.close()
    report = fsck(
        FileTiles(FileObjects(tmp_path / "audit")),
        signer.verifier,
        lock=lambda: read_lock(tmp_path / "audit.db", signer.name),
    )
    assert report.problems == []


@pytest.fixture
def full_disk() -> Callable[[Path], AbstractContextManager[None]]:
    """Let no file grow beyond the size that this one has: the operating system refuses the next write to it."""

    @contextmanager
    def limited(file: Path) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
