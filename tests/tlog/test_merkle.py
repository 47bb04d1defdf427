"""Trees and proofs are those of RFC 6962, and no other proof passes."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog import merkle
from edge.evidence.tlog.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)
from tests.tlog.samples import leaves_of

MOST = 70

# Eight entries and the roots of the first 1 to 8 of them, with which implementations of Certificate Transparency test themselves.
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

LEAVES = leaves_of(MOST)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962, part 2.1, writes it down."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    split = next(power for power in (64, 32, 16, 8, 4, 2, 1) if power < len(leaves))
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as part 2.1.1 writes it down."""
    if len(leaves) == 1:
        return []
    split = next(power for power in (64, 32, 16, 8, 4, 2, 1) if power < len(leaves))
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_proof(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF as part 2.1.2 writes it down."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = next(power for power in (64, 32, 16, 8, 4, 2, 1) if power < len(leaves))
    if old <= split:
        return [*naive_proof(old, leaves[:split], whole=whole), naive_root(leaves[split:])]
    return [*naive_proof(old - split, leaves[split:], whole=False), naive_root(leaves[:split])]


ROOTS = [naive_root(LEAVES[:size]) for size in range(MOST + 1)]


def changed(proof: list[bytes], chance: random.Random) -> Iterator[list[bytes]]:
    """Proofs that differ from `proof`: one hash flipped in a bit, left out, doubled, swapped, cut, lengthened or added."""
    for place, value in enumerate(proof):
        flipped = bytearray(value)
        flipped[chance.randrange(HASH_BYTES)] ^= 1 << chance.randrange(8)
        yield [*proof[:place], bytes(flipped), *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], value, *proof[place:]]
        yield [*proof[:place], value[:-1], *proof[place + 1 :]]
        yield [*proof[:place], value + b"\0", *proof[place + 1 :]]
        if place:
            yield [*proof[: place - 1], value, proof[place - 1], *proof[place + 1 :]]
    for other in (bytes(HASH_BYTES), EMPTY_ROOT, LEAVES[0]):
        yield [other, *proof]
        yield [*proof, other]


def test_roots_are_the_published_ones() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == CT_ROOTS
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == Frontier().root() == EMPTY_ROOT


def test_a_growing_tree_has_the_root_of_its_leaves_at_every_size() -> None:
    frontier = Frontier()
    for size in range(MOST + 1):
        assert frontier.size == size
        assert frontier.root() == root_of(LEAVES[:size]) == Frontier.of(LEAVES[:size]).root() == ROOTS[size]
        if size < MOST:
            frontier.append(LEAVES[size])


def test_a_growing_tree_hashes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(left: bytes, right: bytes) -> bytes:
        calls.append(1)
        return node_hash(left, right)

    frontier = Frontier()
    monkeypatch.setattr(merkle, "node_hash", counted)
    for leaf in leaves_of(5000):
        frontier.append(leaf)
    assert len(calls) < 5000
    calls.clear()
    frontier.root()
    assert len(calls) < 13


def test_a_leaf_that_is_not_a_hash_is_refused() -> None:
    for leaf in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="32 bytes"):
            Frontier().append(leaf)
        with pytest.raises(ValueError, match="32 bytes"):
            root_of([leaf])


def test_every_inclusion_proof_is_that_of_the_rfc_and_no_change_of_it_holds() -> None:
    chance = random.Random(1)
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion_proof(LEAVES, index, size)
            assert proof == naive_path(index, LEAVES[:size])
            assert check_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            assert not any(check_inclusion(LEAVES[index], index, size, wrong, ROOTS[size]) for wrong in changed(proof, chance))


def test_an_inclusion_proof_holds_for_one_place_one_leaf_and_one_root() -> None:
    for size in (1, 2, 3, 7, 8, 33, MOST):
        for index in range(size):
            proof = inclusion_proof(LEAVES, index, size)
            for place in range(size):
                assert check_inclusion(LEAVES[index], place, size, proof, ROOTS[size]) == (place == index)
                assert check_inclusion(LEAVES[place], index, size, proof, ROOTS[size]) == (place == index)
            for other in range(MOST + 1):
                assert check_inclusion(LEAVES[index], index, size, proof, ROOTS[other]) == (other == size)


def test_every_consistency_proof_is_that_of_the_rfc_and_no_change_of_it_holds() -> None:
    chance = random.Random(2)
    for size in range(MOST + 1):
        for old in range(size + 1):
            proof = consistency_proof(LEAVES, old, size)
            assert proof == (naive_proof(old, LEAVES[:size]) if old else [])
            assert check_consistency(old, size, proof, ROOTS[old], ROOTS[size])
            for wrong in changed(proof, chance):
                assert not check_consistency(old, size, wrong, ROOTS[old], ROOTS[size])


def test_a_consistency_proof_holds_for_two_sizes_and_their_roots() -> None:
    for size in (1, 2, 3, 8, 33, MOST):
        for old in range(1, size + 1):
            proof = consistency_proof(LEAVES, old, size)
            for other in range(MOST + 1):
                assert check_consistency(old, size, proof, ROOTS[other], ROOTS[size]) == (other == old)
                # The empty tree begins every tree, so only its own root can betray that the new one is wrong.
                assert check_consistency(old, size, proof, ROOTS[old], ROOTS[other]) == (other == size)
                assert check_consistency(other, size, proof, ROOTS[old], ROOTS[size]) == (other == old)


def test_a_tree_in_which_one_leaf_was_changed_is_not_consistent() -> None:
    for old in range(1, 20):
        for place in range(old):
            forged = [*LEAVES[:place], leaf_hash(b"forged"), *LEAVES[place + 1 :]]
            for size in range(old, 20):
                proof = consistency_proof(forged, old, size)
                assert not check_consistency(old, size, proof, ROOTS[old], root_of(forged[:size]))


def test_bytes_do_not_move_between_a_hash_and_its_neighbour() -> None:
    left, right = LEAVES[:2]
    moved = left + right[:1], right[1:]
    assert node_hash(*moved) == ROOTS[2]
    assert check_inclusion(left, 0, 2, [right], ROOTS[2])
    assert not check_inclusion(moved[0], 0, 2, [moved[1]], ROOTS[2])
    assert check_consistency(1, 2, [right], left, ROOTS[2])
    assert not check_consistency(1, 2, [moved[1]], moved[0], ROOTS[2])


def test_the_empty_tree_has_one_root_and_needs_no_proof() -> None:
    assert check_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert check_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    assert not check_consistency(0, 5, [], ROOTS[5], ROOTS[5])
    assert not check_consistency(0, 0, [], ROOTS[5], ROOTS[5])
    assert not check_consistency(0, 0, [], EMPTY_ROOT, ROOTS[5])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, MOST + 1), (0, -1)])
def test_no_proof_is_made_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(LEAVES, index, size)
    assert not check_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3), (0, MOST + 1), (-2, -1)])
def test_no_proof_is_made_for_trees_that_are_not_there(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no trees"):
        consistency_proof(LEAVES, old, new)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3), (-2, -1)])
def test_sizes_that_cannot_be_are_not_consistent(old: int, new: int) -> None:
    assert not check_consistency(old, new, [], LEAVES[0], LEAVES[0])


hashes = st.one_of(st.sampled_from(LEAVES[:4] + ROOTS[:8]), st.binary(max_size=40))
sizes = st.one_of(st.integers(-2, 12), st.integers())


@given(hashes, sizes, sizes, st.lists(hashes, max_size=8), st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES))
def test_a_made_up_root_is_never_proved(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    if leaf != root:
        assert not check_inclusion(leaf, index, size, proof, root)


@given(sizes, sizes, st.lists(hashes, max_size=8), hashes, st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES))
def test_a_made_up_root_is_never_that_of_a_grown_tree(
    old: int, new: int, proof: list[bytes], old_root: bytes, root: bytes
) -> None:
    if old not in {0, new}:
        assert not check_consistency(old, new, proof, old_root, root)
