"""The PyPI tool tlog-scales reads our files, makes the proofs that we make, and checks our signatures.

It has no reader of `.tlog-proof` files, so it is asked for each part: checkpoint and signatures, path, entry.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosign
from pellucid.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_root
from pellucid.tlog.note import Note, NoteSigner
from pellucid.tlog.tiles import tile_nodes
from pellucid.tlog.tlog_proof import TlogProof
from pellucid.tlog.tree_writer import TreeWriter

signing = pytest.importorskip("tlog_scales.signing", reason="tlog-scales is not installed")
peer_tlog = pytest.importorskip("tlog_scales.tlog", reason="tlog-scales is not installed")

ENTRIES = [b"entry %d" % number for number in range(600)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, log: NoteSigner, asia: NoteSigner) -> Path:
    """Write a log of 600 entries with a cosigned checkpoint to a directory."""
    home = tmp_path_factory.mktemp("log")
    writer = TreeWriter()
    for path, data in writer.extend(ENTRIES):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)
    note = sign_checkpoint(Checkpoint(log.name, 600, writer.root()), log)
    (home / "checkpoint").write_bytes(note.with_signatures([cosign(note, asia, 1_700_000_000)]).to_bytes())
    return home


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-c", "from tlog_scales.cli import main; main()"]
    return subprocess.run([*program, *arguments], capture_output=True, check=False, timeout=60)


def our_proof(home: Path, index: int) -> TlogProof:
    read = tile_nodes(600, lambda tile: (home / tile.path).read_bytes())
    return TlogProof(index, tuple(inclusion_proof(index, 600, read)), Note.parse((home / "checkpoint").read_bytes()))


@pytest.mark.parametrize("index", [0, 255, 599])
def test_it_makes_the_proof_that_we_make(home: Path, log: NoteSigner, asia: NoteSigner, index: int) -> None:
    made = run("gen-proof", str(home), str(index))
    assert made.stdout == our_proof(home, index).to_bytes(), made.stderr
    logged = TlogProof.parse(made.stdout).verify(ENTRIES[index], log.verifier, [asia.verifier])
    assert logged.cosignatures[0].timestamp == 1_700_000_000


def test_it_finds_an_entry_included_and_a_changed_one_not(home: Path, tmp_path: Path) -> None:
    assert run("get-leaf", "--check", str(home), "300").stdout == ENTRIES[300]
    copy = tmp_path / "log"
    for source in home.rglob("*"):
        if source.is_file():
            target = copy / source.relative_to(home)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes().replace(b"entry 300", b"entry 3OO"))
    refused = run("get-leaf", "--check", str(copy), "300")
    assert refused.returncode != 0
    assert b"InclusionProofInvalid" in refused.stderr


def test_it_accepts_our_signatures_and_refuses_changed_ones(home: Path, log: NoteSigner, asia: NoteSigner) -> None:
    text = (home / "checkpoint").read_text(encoding="utf-8")
    keys = signing.VkeySet(*(signing.Vkey.from_string(signer.vkey) for signer in (log, asia)))
    checkpoint = peer_tlog.Checkpoint.from_text(text)
    assert len(keys.verify(checkpoint.signatures, checkpoint)) == 2
    assert checkpoint.serialize() == text
    changed = peer_tlog.Checkpoint.from_text(text.replace("\n600\n", "\n601\n"))
    assert keys.verify(changed.signatures, changed) == set()


def test_it_accepts_our_proofs_and_refuses_changed_ones(home: Path) -> None:
    read = tile_nodes(600, lambda tile: (home / tile.path).read_bytes())
    old = TreeWriter()
    old.extend(ENTRIES[:257])
    root = tree_root(600, read)
    inclusion = peer_tlog.InclusionProof(41, 600, inclusion_proof(41, 600, read))
    inclusion.check(leaf_hash(ENTRIES[41]), root)
    with pytest.raises(peer_tlog.InclusionProofInvalid):
        inclusion.check(leaf_hash(ENTRIES[40]), root)
    consistency = peer_tlog.ConsistencyProof(257, 600, consistency_proof(257, 600, read))
    consistency.check(old.root(), root)
    with pytest.raises(peer_tlog.ConsistencyProofInvalid):
        consistency.check(leaf_hash(b"another root"), root)
