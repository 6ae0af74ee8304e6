"""A `.tlog-proof` proves that one entry is in one log, alone and offline, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tlog.cosignature import Cosignature, cosign
from pellucid.tlog.errors import BadSignatureError, MalformedNoteError, NoteError, OriginError, ProofError
from pellucid.tlog.merkle import inclusion_proof
from pellucid.tlog.note import Note, NoteSigner, Verifier, encode_base64
from pellucid.tlog.tlog_proof import HEADER, MAX_EXTRA, MAX_TLOG_PROOF, TlogProof

HASH = encode_base64(bytes(32))


class Tree(Protocol):
    entries: list[bytes]

    def read(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]: ...


@pytest.fixture(scope="module")
def proof(tree: Tree, note: Note, asia: NoteSigner) -> TlogProof:
    cosigned = note.with_signatures([cosign(note, asia, 1_700_000_000)])
    return TlogProof(41, tuple(inclusion_proof(41, 70, tree.read)), cosigned)


def test_a_proof_tells_where_an_entry_is_and_who_saw_it(
    proof: TlogProof, tree: Tree, log: NoteSigner, asia: NoteSigner, europe: NoteSigner
) -> None:
    read = TlogProof.parse(proof.to_bytes())
    logged = read.verify(tree.entries[41], log.verifier, [asia.verifier, europe.verifier])
    assert (logged.index, logged.checkpoint.size) == (41, 70)
    assert logged.cosignatures == (Cosignature(asia.verifier, 1_700_000_000),)


def test_the_layout_is_that_of_the_spec(proof: TlogProof) -> None:
    lines = TlogProof(proof.index, proof.path, proof.note, b"more").to_bytes().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 41"]
    assert lines[3] == encode_base64(proof.path[0])
    assert lines[3 + len(proof.path)] == ""
    assert "\n".join(lines[4 + len(proof.path) :]).encode() == proof.note.to_bytes()


def test_a_wrong_entry_index_path_log_or_cosignature_is_refused(
    proof: TlogProof, tree: Tree, log: NoteSigner, asia: NoteSigner
) -> None:
    entry = tree.entries[41]
    with pytest.raises(ProofError):
        proof.verify(tree.entries[40], log.verifier)
    with pytest.raises(ProofError):
        TlogProof(40, proof.path, proof.note).verify(entry, log.verifier)
    with pytest.raises(ProofError):
        TlogProof(70, proof.path, proof.note).verify(entry, log.verifier)
    with pytest.raises(ProofError):
        TlogProof(41, proof.path[:-1], proof.note).verify(entry, log.verifier)
    with pytest.raises(OriginError):
        proof.verify(entry, Verifier("other.example/log", log.kind, log.key.public))
    forged = Note(proof.note.text, (proof.note.signatures[0], asia.sign("another\n", timestamp=5)))
    with pytest.raises(BadSignatureError):
        TlogProof(41, proof.path, forged).verify(entry, log.verifier, [asia.verifier])


@given(st.integers(0, 1000), st.integers(1, 255))
def test_a_changed_byte_breaks_the_proof_or_loses_the_cosigner(
    proof: TlogProof, tree: Tree, log: NoteSigner, asia: NoteSigner, place: int, change: int
) -> None:
    """A cosigner whose name or key ID is changed is a stranger, and ignored."""
    data = bytearray(proof.to_bytes())
    data[place % len(data)] ^= change
    try:
        logged = TlogProof.parse(bytes(data)).verify(tree.entries[41], log.verifier, [asia.verifier])
    except (NoteError, ProofError):
        return
    assert logged.cosignatures == ()


def test_extra_is_carried_and_unauthenticated(proof: TlogProof, tree: Tree, log: NoteSigner) -> None:
    for extra in (b"\0", b"anything at all", bytes(MAX_EXTRA)):
        read = TlogProof.parse(TlogProof(41, proof.path, proof.note, extra).to_bytes())
        assert read.extra == extra
        assert read.verify(tree.entries[41], log.verifier).index == 41


@pytest.mark.parametrize(
    "head",
    [
        "",
        "index 41\n",
        "c2sp.org/tlog-proof@v2\nindex 41\n",
        f"{HEADER}\n",
        f"{HEADER} \nindex 41\n",
        f"{HEADER}\nindex\n",
        f"{HEADER}\nindex \n",
        f"{HEADER}\nindex 041\n",
        f"{HEADER}\nindex -1\n",
        f"{HEADER}\nindex 1\nindex 1\n",
        f"{HEADER}\nextra \nindex 41\n",
        f"{HEADER}\nextra !!!!\nindex 41\n",
        f"{HEADER}\nextra AAAA\nextra AAAA\nindex 41\n",
        f"{HEADER}\nindex 41\nextra AAAA\n",
        f"{HEADER}\nindex 41\nAAAA\n",
        f"{HEADER}\nindex 41\n{HASH} \n",
        f"{HEADER}\r\nindex 41\n",
        f"{HEADER}\nindex 41\n" + f"{HASH}\n" * 64,
        f"{HEADER}\nextra {encode_base64(bytes(MAX_EXTRA + 1))}\nindex 41\n",
    ],
)
def test_what_is_no_proof_is_refused(proof: TlogProof, head: str) -> None:
    with pytest.raises(MalformedNoteError):
        TlogProof.parse(f"{head}\n".encode() + proof.note.to_bytes())


def test_a_proof_is_bounded() -> None:
    with pytest.raises(MalformedNoteError, match="bytes"):
        TlogProof.parse(b"x" * (MAX_TLOG_PROOF + 1))


@given(st.binary(max_size=150))
def test_any_bytes_are_a_proof_in_one_way_or_refused(note: Note, data: bytes) -> None:
    for candidate in (data, f"{HEADER}\n".encode() + data + note.to_bytes()):
        with contextlib.suppress(MalformedNoteError):
            assert TlogProof.parse(candidate).to_bytes() == candidate
