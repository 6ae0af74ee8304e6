"""The Merkle tree of RFC 6962: hashes, roots, and proofs made and checked.

A node is named `(level, index)`: level 0 are the leaves, and node `(l, i)` covers the entries
`[i * 2**l, (i + 1) * 2**l)`. Only complete subtrees have names, so a named node never changes.
Hashes are 32 bytes, sizes and indices count entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from pellucid.tlog.errors import ProofError

HASH_SIZE = 32
MAX_SIZE = 2**63 - 1
MAX_PROOF = 63
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int]
NodeReader = Callable[[Sequence[Node]], list[bytes]]


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The right edge of a growing tree: one hash for each complete subtree that has no complete parent."""

    __slots__ = ("_edge", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Start from the `hashes` of a tree of `size` entries, largest subtree first; ProofError if too many or few."""
        _require_size(size)
        if len(hashes) != size.bit_count():
            raise ProofError(f"a tree of {size} entries has {size.bit_count()} edge hashes, not {len(hashes)}")
        _require_hashes(hashes)
        remaining = list(hashes)
        self._size = size
        self._edge = [remaining.pop() if size >> level & 1 else b"" for level in range(size.bit_length())]

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return self._size

    @property
    def hashes(self) -> list[bytes]:
        """Return the edge, largest subtree first."""
        return [edge for edge in reversed(self._edge) if edge]

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Sequence[bytes]) -> list[list[bytes]]:
        """Add leaf hashes, 32 bytes each; return the nodes completed by them, level by level.

        Row `l` of the result holds the hashes of the nodes `(l, old_size >> l)` and onward; row 0 is `leaves`.
        """
        _require_size(self._size + len(leaves))
        rows: list[list[bytes]] = []
        row = list(leaves)
        level, digest = 0, sha256
        while row:
            rows.append(row)
            if level == len(self._edge):
                self._edge.append(b"")
            pending = self._edge[level]
            nodes = [pending, *row] if pending else row
            self._edge[level] = nodes[-1] if len(nodes) & 1 else b""
            pairs = iter(nodes)
            row = [digest(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
            level += 1
        self._size += len(leaves)
        return rows

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        return fold(self.hashes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees that lie side by side, largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def subtree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf (or equal-level node) hashes."""
    edge = CompactRange()
    edge.extend(leaves)
    return edge.root()


def edge_nodes(start: int, end: int) -> Iterator[Node]:
    """Name the complete subtrees that make up `[start, end)`, left to right.

    The range must be one that RFC 6962 forms: `start` a multiple of the power of two not below its length.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def tree_root(size: int, read: NodeReader) -> bytes:
    """Return the root of the tree of `size` entries, RFC 6962 §2.1."""
    _require_size(size)
    return _range_roots([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Return the audit path of the entry `index` in the tree of `size`, leaf's sibling first, RFC 6962 §2.1.1.

    `read` is called once with all nodes needed. ProofError if there is no such entry.
    """
    _require_index(index, size)
    siblings: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return _range_roots(siblings[::-1], read)


def consistency_proof(old_size: int, new_size: int, read: NodeReader) -> list[bytes]:
    """Return the proof that the tree of `old_size` is a prefix of the tree of `new_size`, RFC 6962 §2.1.2.

    Empty if the old tree is empty or the sizes are equal. ProofError if `old_size` is the larger.
    """
    _require_sizes(old_size, new_size)
    if old_size in (0, new_size):
        return []
    ranges: list[tuple[int, int]] = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return _range_roots(ranges[::-1], read)


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root to which an audit path leads from a leaf hash; ProofError if its length is wrong."""
    _require_index(index, size)
    inner, border = _path_shape(index, size)
    _require_proof(proof, inner + border)
    _require_hashes((leaf,))
    return _climb_border(_climb_inner(leaf, proof[:inner], index), proof[inner:])


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash is entry `index` of the tree of `size` with this root; ProofError if not."""
    if root_of_inclusion(leaf, index, size, proof) != root:
        raise ProofError(f"the inclusion proof of entry {index} does not lead to the root of size {size}")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the new tree extends the old one; ProofError if it does not.

    Equal sizes need equal roots, the empty tree the empty root, and both an empty proof.
    """
    _require_sizes(old_size, new_size)
    for size, root in ((old_size, old_root), (new_size, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ProofError("a tree of size 0 does not have the root of the empty tree")
    if old_size in (0, new_size):
        _require_proof(proof, 0)
        if old_size == new_size and old_root != new_root:
            raise ProofError(f"two different roots of the same size {new_size}")
        return
    if _roots_of_consistency(old_size, old_root, new_size, proof) != (old_root, new_root):
        raise ProofError(f"the tree of size {new_size} does not extend the tree of size {old_size}")


def _roots_of_consistency(old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Recompute both roots from the largest subtree that the old tree ends with."""
    inner, border = _path_shape(old_size - 1, new_size)
    shift = (old_size & -old_size).bit_length() - 1
    inner -= shift
    whole = old_size == 1 << shift  # the old tree is that subtree: its root is the seed, not sent
    _require_proof(proof, inner + border + (0 if whole else 1))
    seed, path = (old_root, proof) if whole else (proof[0], proof[1:])
    bits = (old_size - 1) >> shift
    lefts = [sibling for level, sibling in enumerate(path[:inner]) if bits >> level & 1]
    old = _climb_border(_climb_border(seed, lefts), path[inner:])
    new = _climb_border(_climb_inner(seed, path[:inner], bits), path[inner:])
    return old, new


def _climb_inner(node: bytes, siblings: Sequence[bytes], bits: int) -> bytes:
    for level, sibling in enumerate(siblings):
        node = node_hash(sibling, node) if bits >> level & 1 else node_hash(node, sibling)
    return node


def _climb_border(node: bytes, lefts: Sequence[bytes]) -> bytes:
    for left in lefts:
        node = node_hash(left, node)
    return node


def _path_shape(index: int, size: int) -> tuple[int, int]:
    """Return how many siblings lie below and above the point where the paths of `index` and the last entry meet."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _range_roots(ranges: Sequence[tuple[int, int]], read: NodeReader) -> list[bytes]:
    named = [list(edge_nodes(start, end)) for start, end in ranges]
    wanted = [node for nodes in named for node in nodes]
    if not wanted:
        return []
    hashes = iter(read(wanted))
    return [fold([next(hashes) for _ in nodes]) for nodes in named]


def _require_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise ProofError(f"{size} is not a tree size (0 to 2**63 - 1)")


def _require_sizes(old_size: int, new_size: int) -> None:
    _require_size(old_size)
    _require_size(new_size)
    if old_size > new_size:
        raise ProofError(f"the old size {old_size} is above the new size {new_size}")


def _require_index(index: int, size: int) -> None:
    _require_size(size)
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} entries has no entry {index}")


def _require_proof(proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise ProofError(f"the proof has {len(proof)} hashes, {length} are needed")
    _require_hashes(proof)


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise ProofError(f"a hash is not {HASH_SIZE} bytes long")
