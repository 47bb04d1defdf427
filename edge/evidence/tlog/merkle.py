"""The Merkle tree of RFC 6962 over SHA-256: roots, and the proofs that an entry is in a tree and that a tree has only grown.

A tree is a sequence of leaf hashes. More than one leaf are split at the largest power of two below their number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""Root of the tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The leaf for an entry: SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others: SHA-256 of 0x01, the left one and the right one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that is needed to append leaves and to give the root, at most one hash per level.

    Attributes:
        size: Number of leaves.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        """Start with the empty tree."""
        self._peaks: list[bytes] = []  # roots of the whole subtrees, widest first: one for each 1 in the size's binary digits
        self.size = 0

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Frontier:
        """The edge of the tree of these leaf hashes."""
        frontier = cls()
        for leaf in leaves:
            frontier.append(leaf)
        return frontier

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the right.

        Raises:
            ValueError: The leaf is not 32 bytes long.
        """
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, not {len(leaf)}")
        grown, rest = leaf, self.size
        while rest & 1:
            grown = node_hash(self._peaks.pop(), grown)
            rest >>= 1
        self._peaks.append(grown)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree of these leaf hashes.

    Raises:
        ValueError: A leaf is not 32 bytes long.
    """
    return Frontier.of(leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root of the tree of the first `size` leaves, lowest first.

    Args:
        leaves: Leaf hashes, at least `size` of them.
        index: Which leaf, from 0.
        size: How many of the leaves the tree has.

    Raises:
        ValueError: There is no such leaf or no such tree.
    """
    if not 0 <= index < size <= len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {size} from {len(leaves)} leaves")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:  # from the root down
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """The hashes that show that the tree of the first `old_size` leaves is the beginning of that of the first `new_size`.

    Empty for equal sizes and for the empty old tree.

    Raises:
        ValueError: There are no such trees.
    """
    if not 0 <= old_size <= new_size <= len(leaves):
        raise ValueError(f"no trees of {old_size} and {new_size} from {len(leaves)} leaves")
    if old_size == 0:
        return []
    path: list[bytes] = []
    start, end = 0, new_size
    while old_size < end:  # from the root down, until the old tree ends where a subtree ends
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    if start:  # else the subtree is the old tree, whose root the verifier has
        path.append(root_of(leaves[start:end]))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` in the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    result = leaf
    for other, is_left in zip(proof, sides, strict=True):
        result = node_hash(other, result) if is_left else node_hash(result, other)
    return result == root


def check_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows that the tree of `new_size` leaves begins with that of `old_size` (RFC 9162, 2.1.4.2).

    A tree without leaves has one root only and begins every tree; equal sizes need equal roots; neither takes a proof.
    """
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size == 0 and old_root != EMPTY_ROOT:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof
    hashes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not hashes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:  # up to the widest subtree that ends with the old tree; its root comes first
        place, last = place >> 1, last >> 1
    sides = _sides(place, last, len(hashes) - 1)
    if sides is None:
        return False
    old = new = hashes[0]
    for other, is_left in zip(hashes[1:], sides, strict=True):
        if is_left:
            old, new = node_hash(other, old), node_hash(other, new)
        else:
            new = node_hash(new, other)
    return old == old_root and new == new_root


def _sides(place: int, last: int, count: int) -> list[bool] | None:
    """On the way up from a node to the root: whether each hash that is met stands to the left of the way.

    None when the way does not meet exactly `count` hashes. `place` and `last` number the node and the last one of its level.
    """
    sides: list[bool] = []
    for _ in range(count):
        if last == 0:
            return None
        is_left = bool(place & 1) or place == last
        while is_left and place and not place & 1:  # the last node of a level may stand alone for some levels
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
        sides.append(is_left)
    return sides if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
