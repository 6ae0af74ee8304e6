"""Go's own sumdb packages and transparency-dev's cosignatures accept what is written here, and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pellucid.statement.keys import Role, generate_key
from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosign, cosignatures
from pellucid.tlog.errors import BadSignatureError
from pellucid.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_root
from pellucid.tlog.note import Note, NoteSigner, SignatureKind, Verifier, encode_base64
from pellucid.tlog.tiles import Tile, tile_nodes
from pellucid.tlog.tree_writer import TreeWriter

Oracle = Callable[..., Any]
ENTRIES = [b"entry %d" % number for number in range(700)]
SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 700)
TIME = 1_700_000_000


class Log:
    """A log of 700 entries that was published at each of `SIZES`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        writer = TreeWriter()
        for size in SIZES:
            self.files.update(writer.extend(ENTRIES[writer.size : size]))

    def root(self, size: int) -> str:
        return encode_base64(tree_root(size, self._read(size)))

    def inclusion(self, index: int, size: int) -> dict[str, Any]:
        proof = _texts(inclusion_proof(index, size, self._read(size)))
        entry = encode_base64(ENTRIES[index])
        return {"index": index, "size": size, "root": self.root(size), "entry": entry, "proof": proof}

    def consistency(self, old: int, new: int) -> dict[str, Any]:
        proof = _texts(consistency_proof(old, new, self._read(new)))
        roots = {"old_root": self.root(old), "new_root": self.root(new)}
        return {"old_size": old, "new_size": new, "proof": proof, **roots}

    def _read(self, size: int) -> Callable[[Sequence[tuple[int, int]]], list[bytes]]:
        return tile_nodes(size, lambda tile: self.files[tile.path])


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [encode_base64(item) for item in hashes]


@pytest.fixture(scope="module")
def log() -> Log:
    return Log()


@pytest.fixture(scope="module")
def signer() -> NoteSigner:
    return NoteSigner("vendor.example/log", SignatureKind.ED25519, generate_key(Role.LOG, "log"))


@pytest.fixture(scope="module")
def witness() -> NoteSigner:
    return NoteSigner("asia.example/w", SignatureKind.COSIGNATURE, generate_key(Role.WITNESS, "w"))


@pytest.fixture(scope="module")
def note(signer: NoteSigner, witness: NoteSigner) -> Note:
    signed = sign_checkpoint(Checkpoint(signer.name, 700, bytes(32)), signer)
    return signed.with_signatures([cosign(signed, witness, TIME)])


def test_go_opens_our_checkpoint_with_our_vkey(oracle: Oracle, note: Note, signer: NoteSigner) -> None:
    answer = oracle("open", note=note.to_bytes().decode(), vkey=signer.vkey)
    assert answer["text"] == note.text
    assert answer["hash"].to_bytes(4, "big") == signer.verifier.key_id


def test_go_refuses_a_changed_checkpoint_and_a_changed_vkey(
    oracle: Oracle, refused: type[Exception], note: Note, signer: NoteSigner
) -> None:
    changed = note.to_bytes().decode().replace("\n700\n", "\n701\n")
    with pytest.raises(refused, match="invalid signature"):
        oracle("open", note=changed, vkey=signer.vkey)
    with pytest.raises(refused, match="invalid verifier hash"):
        oracle("open", note=note.to_bytes().decode(), vkey=signer.vkey.replace("vendor", "bendor"))


def test_go_opens_our_cosignature_and_reads_its_time(oracle: Oracle, note: Note, witness: NoteSigner) -> None:
    answer = oracle("cosigned", note=note.to_bytes().decode(), vkey=witness.vkey)
    assert (answer["name"], answer["time"]) == (witness.name, TIME)


def test_go_refuses_a_cosignature_moved_in_time(
    oracle: Oracle, refused: type[Exception], note: Note, witness: NoteSigner
) -> None:
    line = note.signatures[1]
    later = type(line)(line.name, line.key_id, (TIME + 1).to_bytes(8, "big") + line.signature[8:])
    forged = note.with_signatures([later]).to_bytes().decode()
    with pytest.raises(refused, match="invalid signature"):
        oracle("cosigned", note=forged, vkey=witness.vkey)


def test_we_open_what_go_signed(oracle: Oracle) -> None:
    text = Checkpoint("go.example/log", 12, bytes(32)).text
    signed = oracle("sign", text=text, log_name="go.example/log", witness_name="go.example/witness")
    note = Note.parse(signed["note"].encode())
    assert open_checkpoint(note, Verifier.parse(signed["log_vkey"])).checkpoint.size == 12
    witness = Verifier.parse(signed["witness_vkey"])
    assert cosignatures(note, [witness])[0].timestamp > TIME
    with pytest.raises(BadSignatureError):
        cosignatures(Note(text.replace("12", "13"), note.signatures), [witness])


@pytest.mark.parametrize("size", SIZES)
def test_go_checks_our_inclusion_proofs(oracle: Oracle, log: Log, size: int) -> None:
    for index in {0, size // 2, size - 1}:
        assert oracle("inclusion", **log.inclusion(index, size)) == encode_base64(leaf_hash(ENTRIES[index]))


def test_go_refuses_an_inclusion_proof_of_another_entry(oracle: Oracle, refused: type[Exception], log: Log) -> None:
    question = log.inclusion(41, 700)
    for change in ({"entry": encode_base64(b"another")}, {"index": 40}, {"proof": question["proof"][:-1]}):
        with pytest.raises(refused, match="invalid"):
            oracle("inclusion", **{**question, **change})


@pytest.mark.parametrize("old", SIZES)
def test_go_checks_our_consistency_proofs(oracle: Oracle, log: Log, old: int) -> None:
    assert oracle("consistency", **log.consistency(old, 700))


def test_go_refuses_a_consistency_proof_from_another_root(oracle: Oracle, refused: type[Exception], log: Log) -> None:
    question = log.consistency(257, 700)
    for change in ({"old_root": log.root(256)}, {"new_root": log.root(512)}, {"proof": question["proof"][1:]}):
        with pytest.raises(refused, match="invalid"):
            oracle("consistency", **{**question, **change})


@pytest.mark.parametrize("tile", [Tile(0, 0), Tile(0, 999), Tile(1, 1000, 7), Tile(3, 1_234_067), Tile(0, 10**6, 255)])
def test_go_names_tiles_as_we_do(oracle: Oracle, tile: Tile) -> None:
    path = oracle("tile", level=tile.level, index=tile.index, width=tile.width)
    assert path.replace("tile/8/", "tile/", 1) == tile.path
