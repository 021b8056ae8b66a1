"""The tree hash against published values and against its recursive definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of

# The reference tree of Certificate Transparency (google/certificate-transparency, merkle_tree_test.cc; also in
# transparency-dev/merkle, testonly/constants.go): eight inputs and the root after each.
CT_INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
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


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(count)]


def test_empty_root_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == EMPTY_ROOT == Frontier().root()


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_tree_of_certificate_transparency(size: int) -> None:
    leaves = [leaf_hash(data) for data in CT_INPUTS[:size]]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    assert root_of(leaves).hex() == CT_ROOTS[size - 1] == frontier.root().hex()


def test_node_hash_is_of_known_value() -> None:
    left, right = leaf_hash(CT_INPUTS[0]), leaf_hash(CT_INPUTS[1])
    assert node_hash(left, right).hex() == CT_ROOTS[1]


def test_all_sizes_agree_with_the_recursive_definition() -> None:
    frontier = Frontier()
    leaves = numbered(300)
    for size in range(301):
        assert frontier.size == size
        assert frontier.root() == root_of(leaves[:size]) == naive_root(leaves[:size])
        assert len(frontier.peaks()) == size.bit_count()
        if size < 300:
            frontier.append(leaves[size])


@given(st.integers(0, 200), st.integers(0, 200))
@settings(deadline=None, max_examples=60)
def test_extend_equals_appends_and_bytes_come_back(first: int, more: int) -> None:
    leaves = numbered(first + more)
    frontier = Frontier()
    frontier.extend(leaves[:first])
    stored = Frontier.from_bytes(frontier.to_bytes())
    assert stored == frontier
    twin = stored.copy()
    twin.extend(leaves[first:])
    assert twin.root() == naive_root(leaves)
    assert stored.size == first  # the copy did not touch it
    assert stored.root() == naive_root(leaves[:first])


@given(st.integers(0, 6), st.integers(1, 700))
@settings(deadline=None, max_examples=60)
def test_roots_of_equal_subtrees_join_to_the_root(width_bits: int, size: int) -> None:
    leaves, width = numbered(size), 1 << width_bits
    parts = [root_of(leaves[at : at + width]) for at in range(0, size, width)]
    assert root_of(parts) == naive_root(leaves)


def test_a_leaf_of_wrong_length_is_refused_and_changes_nothing() -> None:
    frontier = Frontier()
    frontier.extend(numbered(5))
    before = frontier.copy()
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.append(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.extend([*numbered(2), b""])
    assert frontier == before


def test_frontiers_are_equal_by_their_leaves_and_show_their_root() -> None:
    one, two = Frontier(), Frontier()
    one.extend(numbered(3))
    assert one != two
    assert one != "a frontier"
    two.extend(numbered(3))
    assert one == two
    assert repr(one) == f"Frontier(size=3, root={naive_root(numbered(3)).hex()})"


@pytest.mark.parametrize(
    "data", [b"\x00", bytes(8), bytes(8 + 32), (3).to_bytes(8, "big") + bytes(32), (1).to_bytes(8, "big") + bytes(33)]
)
def test_bytes_that_are_no_frontier_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no frontier"):
        Frontier.from_bytes(data)
