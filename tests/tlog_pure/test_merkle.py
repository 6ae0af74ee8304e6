"""Roots and proofs agree with the recursive definition of RFC 6962, and a wrong proof proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.tlog.errors import ProofError
from pellucid.tlog.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    CompactRange,
    consistency_proof,
    edge_nodes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    tree_root,
    verify_consistency,
    verify_inclusion,
)


class Tree(Protocol):
    entries: list[bytes]

    def forked(self, index: int) -> Tree: ...
    def root(self, size: int | None = None) -> bytes: ...
    def leaf(self, index: int) -> bytes: ...
    def read(self, nodes: Sequence[tuple[int, int]]) -> list[bytes]: ...


# The test vectors that Certificate Transparency implementations share: the inputs, and the roots of 0 to 8 of them.
CT_ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")] + [
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_of_the_shared_ct_vectors() -> None:
    edge = CompactRange()
    for entry, before, after in zip(CT_ENTRIES, CT_ROOTS, CT_ROOTS[1:], strict=False):
        assert edge.root().hex() == before
        edge.append(leaf_hash(entry))
        assert edge.root().hex() == after


def test_leaf_and_node_are_separate_domains() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
    assert leaf_hash(b"a") == sha256(b"\x00a").digest()


@given(st.lists(st.lists(st.binary(max_size=4), max_size=40), max_size=6))
def test_batches_of_any_shape_give_the_same_root(batches: list[list[bytes]]) -> None:
    edge, one_by_one = CompactRange(), CompactRange()
    for batch in batches:
        edge.extend([leaf_hash(entry) for entry in batch])
        for entry in batch:
            one_by_one.append(leaf_hash(entry))
        assert edge.size == one_by_one.size
        assert edge.hashes == one_by_one.hashes
        assert CompactRange(edge.size, edge.hashes).root() == edge.root() == one_by_one.root()


def test_extend_yields_each_completed_node_once(tree: Tree) -> None:
    edge, nodes = CompactRange(), dict[tuple[int, int], bytes]()
    for start, end in ((0, 1), (1, 2), (2, 9), (9, 9), (9, 40), (40, 70)):
        rows = edge.extend([tree.leaf(index) for index in range(start, end)])
        for level, row in enumerate(rows):
            for offset, value in enumerate(row):
                assert nodes.setdefault((level, (start >> level) + offset), value) is value
    wanted = [(level, index) for level in range(7) for index in range(70 >> level)]
    assert sorted(nodes) == wanted
    assert tree.read(wanted) == [nodes[node] for node in wanted]


def test_a_restored_edge_must_fit_its_size() -> None:
    with pytest.raises(ProofError, match="2 edge hashes"):
        CompactRange(3, [EMPTY_ROOT])
    with pytest.raises(ProofError, match="32 bytes"):
        CompactRange(1, [b"short"])
    with pytest.raises(ProofError, match="not a tree size"):
        CompactRange(MAX_SIZE, [EMPTY_ROOT] * 63).append(EMPTY_ROOT)


def test_every_root_and_inclusion_proof_up_to_70(tree: Tree) -> None:
    for size in range(71):
        root = tree.root(size)
        assert tree_root(size, tree.read) == root
        for index in range(size):
            proof = inclusion_proof(index, size, tree.read)
            verify_inclusion(tree.leaf(index), index, size, proof, root)
            assert len(proof) <= size.bit_length()


def test_every_consistency_proof_up_to_70(tree: Tree) -> None:
    roots = [tree.root(size) for size in range(71)]
    for new in range(71):
        for old in range(new + 1):
            verify_consistency(old, roots[old], new, roots[new], consistency_proof(old, new, tree.read))


def test_proofs_read_the_tree_once(tree: Tree) -> None:
    reads: list[int] = []

    def read(nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        reads.append(len(nodes))
        return tree.read(nodes)

    inclusion_proof(37, 70, read)
    consistency_proof(37, 70, read)
    assert reads == [8, 9]


def test_proofs_are_those_of_the_rfc() -> None:
    """RFC 6962 §2.1.3 spells these out for seven leaves, with the names a to l for the nodes."""
    d = [b"%d" % number for number in range(7)]
    a, b, c, d3, e, f, j = (leaf_hash(entry) for entry in d)
    g, h, i = node_hash(a, b), node_hash(c, d3), node_hash(e, f)
    k, last = node_hash(g, h), node_hash(i, j)
    names = {(0, n): leaf_hash(entry) for n, entry in enumerate(d)}
    names |= {(1, 0): g, (1, 1): h, (1, 2): i, (2, 0): k}

    def read(nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        return [names[node] for node in nodes]

    assert inclusion_proof(0, 7, read) == [b, h, last]
    assert inclusion_proof(3, 7, read) == [c, g, last]
    assert inclusion_proof(4, 7, read) == [f, j, k]
    assert inclusion_proof(6, 7, read) == [i, k]
    assert consistency_proof(3, 7, read) == [c, d3, g, last]
    assert consistency_proof(4, 7, read) == [last]
    assert consistency_proof(6, 7, read) == [i, j, k]


@settings(max_examples=300)
@given(st.data())
def test_a_changed_inclusion_proof_proves_nothing(tree: Tree, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, tree.read)
    root = tree.root(size)
    change = data.draw(st.sampled_from(["leaf", "root", "flip", "drop", "add", "index", "swap"]))
    leaf, wrong, at = tree.leaf(index), list(proof), index
    if change == "leaf":
        leaf = leaf_hash(b"another entry")
    elif change == "root":
        root = tree.root(size - 1)
    elif change == "flip" and proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong[place] = bytes([proof[place][0] ^ 1]) + proof[place][1:]
    elif change == "drop" and proof:
        del wrong[data.draw(st.integers(0, len(proof) - 1))]
    elif change == "index" and size > 1:
        at = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
    elif change == "swap" and len(proof) > 1:
        wrong[0], wrong[1] = wrong[1], wrong[0]
    else:
        wrong.append(EMPTY_ROOT)
    with pytest.raises(ProofError):
        verify_inclusion(leaf, at, size, wrong, root)


@settings(max_examples=300)
@given(st.data())
def test_a_changed_consistency_proof_proves_nothing(tree: Tree, data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(old, new, tree.read)
    wrong, old_root, new_root = list(proof), tree.root(old), tree.root(new)
    change = data.draw(st.sampled_from(["old", "new", "flip", "drop", "add"]))
    if change == "old":
        old_root = tree.root(old - 1)
    elif change == "new":
        new_root = tree.root(new - 1)
    elif change == "flip":
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong[place] = bytes([proof[place][0] ^ 1]) + proof[place][1:]
    elif change == "drop":
        del wrong[data.draw(st.integers(0, len(proof) - 1))]
    else:
        wrong.append(EMPTY_ROOT)
    with pytest.raises(ProofError):
        verify_consistency(old, old_root, new, new_root, wrong)


def test_a_forked_tree_is_not_an_extension(tree: Tree) -> None:
    fork = tree.forked(30)
    proof = consistency_proof(40, 70, fork.read)
    verify_consistency(40, fork.root(40), 70, fork.root(), proof)
    with pytest.raises(ProofError, match="does not extend"):
        verify_consistency(40, tree.root(40), 70, fork.root(), proof)


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "proof", "why"),
    [
        (0, leaf_hash(b"x"), 1, leaf_hash(b"x"), [], "root of the empty tree"),
        (0, EMPTY_ROOT, 0, leaf_hash(b"x"), [], "root of the empty tree"),
        (0, EMPTY_ROOT, 1, leaf_hash(b"x"), [EMPTY_ROOT], "1 hashes, 0"),
        (1, leaf_hash(b"x"), 1, leaf_hash(b"y"), [], "two different roots"),
        (1, leaf_hash(b"x"), 1, leaf_hash(b"x"), [EMPTY_ROOT], "1 hashes, 0"),
        (2, EMPTY_ROOT, 1, EMPTY_ROOT, [], "above the new size"),
        (-1, EMPTY_ROOT, 1, EMPTY_ROOT, [], "not a tree size"),
        (1, EMPTY_ROOT, 2**63, EMPTY_ROOT, [], "not a tree size"),
        (1, EMPTY_ROOT, 2, EMPTY_ROOT, [b"short"], "32 bytes"),
    ],
)
def test_degenerate_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes], why: str
) -> None:
    with pytest.raises(ProofError, match=why):
        verify_consistency(old, old_root, new, new_root, proof)


def test_the_empty_tree_is_a_prefix_of_every_tree() -> None:
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    verify_consistency(0, EMPTY_ROOT, 5, leaf_hash(b"any"), [])
    verify_consistency(5, leaf_hash(b"same"), 5, leaf_hash(b"same"), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (0, 2**63)])
def test_no_proof_of_an_entry_that_is_not_there(tree: Tree, index: int, size: int) -> None:
    with pytest.raises(ProofError):
        inclusion_proof(index, size, tree.read)
    with pytest.raises(ProofError):
        root_of_inclusion(EMPTY_ROOT, index, size, [])


def test_a_leaf_hash_has_32_bytes() -> None:
    with pytest.raises(ProofError, match="32 bytes"):
        verify_inclusion(b"", 0, 1, [], b"")


@given(st.integers(0, MAX_SIZE))
def test_edge_nodes_cover_a_tree_without_gap(size: int) -> None:
    position = 0
    for level, index in edge_nodes(0, size):
        assert index << level == position
        position += 1 << level
    assert position == size


def test_a_proof_in_the_largest_tree_is_possible() -> None:
    def read(nodes: Sequence[tuple[int, int]]) -> list[bytes]:
        return [sha256(repr(node).encode()).digest() for node in nodes]

    index, size = 2**62 + 12345, MAX_SIZE
    proof = inclusion_proof(index, size, read)
    leaf = read([(0, index)])[0]
    assert len(proof) == 63
    assert root_of_inclusion(leaf, index, size, proof) != root_of_inclusion(leaf, index - 1, size, proof)
