"""The PyPI tool tlog-scales reads the log over HTTP: it makes and checks proofs from what a node serves.

It has no reader of `.tlog-proof` files, so ours is given to it in parts: checkpoint and signatures, path, entry.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.statement.keys import Role
from pellucid.tlog.errors import ProofError
from pellucid.tlog.merkle import leaf_hash
from pellucid.tlog.tlog_proof import TlogProof

peer_tlog = pytest.importorskip("tlog_scales.tlog", reason="tlog-scales is not installed")
peer_signing = pytest.importorskip("tlog_scales.signing", reason="tlog-scales is not installed")
peer_tiles = pytest.importorskip("tlog_scales.tiles", reason="tlog-scales is not installed")
TOOL = Path(sys.executable).with_name("tlog-tiles")


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([TOOL, *arguments], capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("index", [0, 255, 256, 599])
def test_the_proof_that_it_makes_from_the_served_log_holds(served: Any, index: int) -> None:
    made = run("gen-proof", served.vendor.url, str(index))
    assert made.returncode == 0, made.stderr
    proof = TlogProof.parse(made.stdout)
    log, witnesses = served.vendor.key(Role.LOG), [center.key(Role.WITNESS) for center in served.centers]
    logged = proof.verify(served.entries[index], log, witnesses)
    assert (logged.index, logged.checkpoint.size, len(logged.cosignatures)) == (index, len(served.entries), 2)
    with pytest.raises(ProofError):
        proof.verify(served.entries[index - 1], log, witnesses)


def test_it_makes_the_same_proof_from_a_mirror(served: Any) -> None:
    mirror = f"{served.asia.url}/mirror/{served.vendor.log_id}"
    proofs = [TlogProof.parse(run("gen-proof", url, "300").stdout) for url in (served.vendor.url, mirror)]
    assert proofs[0].path == proofs[1].path
    logged = proofs[1].verify(served.entries[300], served.vendor.key(Role.LOG), [served.asia.key(Role.MIRROR)])
    assert len(logged.cosignatures) == 1


def test_it_finds_each_entry_included_to_the_byte(served: Any) -> None:
    for index in (0, 255, 256, 511, 512, 599):
        assert run("get-leaf", "--check", served.vendor.url, str(index)).stdout == served.entries[index]
    assert run("get-leaf", "--check", served.vendor.url, "-1").stdout == served.entries[-1]


def test_it_refuses_an_entry_that_was_changed(served: Any, tmp_path: Path, serve_files: Callable[[Path], str]) -> None:
    copy = shutil.copytree(served.vendor.home / "log", tmp_path / "log")
    assert run("get-leaf", "--check", serve_files(copy), "300").stdout == served.entries[300]
    bundle = copy / "tile/entries/001"
    bundle.write_bytes(bundle.read_bytes().replace(served.entries[300][:-3], served.entries[300][:-4] + b"A"))
    refused = run("get-leaf", "--check", serve_files(copy), "300")
    assert refused.returncode != 0
    assert b"InclusionProofInvalid" in refused.stderr


def test_it_checks_our_proof_file_and_refuses_a_changed_one(served: Any, tmp_path: Path) -> None:
    log = served.vendor.log_id
    answer = served.vendor.get(f"/api/logs/{log}/inclusion?index=417&size=600").json
    checkpoint = peer_tlog.Checkpoint.from_text(served.vendor.get("/checkpoint").body.decode())
    path = [bytes.fromhex(item) for item in answer["proof"]]
    proof = peer_tlog.InclusionProof(417, 600, path)
    proof.check(leaf_hash(served.entries[417]), checkpoint.root_hash)
    with pytest.raises(peer_tlog.InclusionProofInvalid):
        proof.check(leaf_hash(served.entries[416]), checkpoint.root_hash)
    with pytest.raises(peer_tlog.InclusionProofInvalid):
        peer_tlog.InclusionProof(417, 600, path[::-1]).check(leaf_hash(served.entries[417]), checkpoint.root_hash)


def test_it_checks_our_consistency_between_all_published_sizes(served: Any) -> None:
    log = served.vendor.log_id
    sizes = [size for size in served.vendor.get(f"/api/logs/{log}/checkpoints").json["sizes"] if size]
    assert len(sizes) >= 4
    notes = {size: served.vendor.get(f"/checkpoints/{_encoded(size)}").body.decode() for size in sizes}
    roots = {size: peer_tlog.Checkpoint.from_text(note).root_hash for size, note in notes.items()}
    for old in sizes[:-1]:
        path = f"/api/logs/{log}/consistency?old={old}&new={sizes[-1]}"
        hashes = [bytes.fromhex(item) for item in served.vendor.get(path).json["proof"]]
        proof = peer_tlog.ConsistencyProof(old, sizes[-1], hashes)
        proof.check(roots[old], roots[sizes[-1]])
        with pytest.raises(peer_tlog.ConsistencyProofInvalid):
            proof.check(bytes(32), roots[sizes[-1]])


def test_it_accepts_every_signature_on_the_served_checkpoint(served: Any) -> None:
    text = served.vendor.get("/checkpoint").body.decode()
    nodes = [served.vendor.key(Role.LOG), *(center.key(Role.WITNESS) for center in served.centers)]
    keys = peer_signing.VkeySet(*(peer_signing.Vkey.from_string(key.vkey) for key in nodes))
    checkpoint = peer_tlog.Checkpoint.from_text(text)
    assert len(keys.verify(checkpoint.signatures, checkpoint)) == 3
    other = peer_tlog.Checkpoint.from_text(text.replace("\n600\n", "\n599\n"))
    assert keys.verify(other.signatures, other) == set()


def test_a_proof_file_of_ours_is_read_back_in_its_parts(served: Any, tmp_path: Path) -> None:
    """What `gen-proof` prints and what we write for the same entry are the same bytes."""
    made = run("gen-proof", served.vendor.url, "417").stdout
    ours = TlogProof.parse(made)
    answer = served.vendor.get(f"/api/logs/{served.vendor.log_id}/inclusion?index=417&size=600").json
    assert [item.hex() for item in ours.path] == answer["proof"]
    assert ours.to_bytes() == made
    assert json.loads(served.entries[417])["payloadType"] == "application/vnd.in-toto+json"


def _encoded(size: int) -> str:
    thousands, rest = divmod(size, 1000)
    return f"x{thousands:03d}/{rest:03d}" if thousands else f"{rest:03d}"
