"""Private evidence is found by its digest, whole or not at all."""

from __future__ import annotations

import stat
from hashlib import sha256
from pathlib import Path

import pytest

from pellucid.errors import EvidenceError, InputError
from pellucid.storage.blobs import Blobs


def test_gives_back_what_was_put(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "sha256")
    digest = blobs.put(b"evidence")
    assert digest == sha256(b"evidence").hexdigest()
    assert blobs.put(b"evidence") == digest
    assert blobs.get(digest) == b"evidence"
    assert blobs.get("0" * 64) is None


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "sha256")
    digest = blobs.put(b"private")
    path = tmp_path / "sha256" / digest[:2] / digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_notices_damage_and_can_be_given_it_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "sha256")
    digest = blobs.put(b"evidence")
    (tmp_path / "sha256" / digest[:2] / digest).write_bytes(b"evidencf")
    with pytest.raises(EvidenceError):
        blobs.get(digest)
    assert blobs.put(b"evidence") == digest
    assert blobs.get(digest) == b"evidence"


def test_erases(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "sha256")
    digest = blobs.put(b"a name")
    blobs.delete(digest)
    blobs.delete(digest)
    assert blobs.get(digest) is None


@pytest.mark.parametrize("digest", ["", "../../../etc/passwd", "A" * 64, "0" * 63])
def test_refuses_what_is_no_digest(tmp_path: Path, digest: str) -> None:
    with pytest.raises(InputError):
        Blobs(tmp_path).get(digest)
