"""The peer really verifies: its bundle is accepted for the file and refused for any other."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from bench.harness import PeerError
from bench.sigstore_peer import RECIPE, prepare

MISSING = [name for name in ("node", "npm") if shutil.which(name) is None]
if importlib.util.find_spec("sigstore") is None:
    MISSING.append("sigstore")


@pytest.mark.full
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_sigstore_accepts_the_bundle_for_its_file_and_for_no_other(tmp_path: Path) -> None:
    file, changed = tmp_path / "file", tmp_path / "changed"
    file.write_bytes(b"one artifact")
    changed.write_bytes(b"one artefact")
    try:
        peer = prepare(file, tmp_path / "scratch")
    except PeerError as error:
        if error.where == "npm ci":
            pytest.skip(str(error))
        raise
    assert peer.verify(file).time() > 0
    assert peer.verify(changed, accepts=False).time() > 0
    with pytest.raises(PeerError, match="digest mismatch"):
        peer.verify(changed).time()


def test_npm_packages_are_pinned_by_digest_and_by_no_address() -> None:
    lock = json.loads((RECIPE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
