"""Proofs against published paths, against the definition, and against forgers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import proof
from cellwright.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of
from cellwright.ledger.proof import (
    LeafNodes,
    TiledNodes,
    consistency_proof,
    inclusion_proof,
    range_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(str(n).encode()) for n in range(70_000)]

# The reference tree of Certificate Transparency (google/certificate-transparency, merkle_tree_test.cc).
CT_LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_INCLUSION = {  # (leaf index, tree size): path
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CT_CONSISTENCY = {  # (old size, new size): path
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.mark.parametrize(("place", "path"), CT_INCLUSION.items())
def test_inclusion_paths_of_certificate_transparency(place: tuple[int, int], path: list[str]) -> None:
    index, size = place
    proof = inclusion_proof(LeafNodes(CT_LEAVES), index, size)
    assert [node.hex() for node in proof] == path
    assert verify_inclusion(CT_LEAVES[index], index, size, proof, root_of(CT_LEAVES[:size]))


@pytest.mark.parametrize(("sizes", "path"), CT_CONSISTENCY.items())
def test_consistency_paths_of_certificate_transparency(sizes: tuple[int, int], path: list[str]) -> None:
    old, new = sizes
    proof = consistency_proof(LeafNodes(CT_LEAVES), old, new)
    assert [node.hex() for node in proof] == path
    assert verify_consistency(old, new, root_of(CT_LEAVES[:old]), root_of(CT_LEAVES[:new]), proof)


def test_every_proof_of_small_trees_verifies() -> None:
    nodes, roots = LeafNodes(LEAVES), [root_of(LEAVES[:size]) for size in range(41)]
    for size in range(1, 41):
        for index in range(size):
            assert verify_inclusion(LEAVES[index], index, size, inclusion_proof(nodes, index, size), roots[size])
        for old in range(size + 1):
            assert verify_consistency(old, size, roots[old], roots[size], consistency_proof(nodes, old, size))


def test_no_proof_of_small_trees_passes_for_another_place() -> None:
    nodes, roots = LeafNodes(LEAVES), [root_of(LEAVES[:size]) for size in range(18)]
    for size in range(1, 18):
        for index in range(size):
            proof = inclusion_proof(nodes, index, size)
            for other in range(size):
                assert verify_inclusion(LEAVES[index], other, size, proof, roots[size]) == (other == index)
                assert verify_inclusion(LEAVES[other], index, size, proof, roots[size]) == (other == index)
        for old in range(1, size):
            proof = consistency_proof(nodes, old, size)
            for other in range(size):
                assert verify_consistency(old, size, roots[other], roots[size], proof) == (other == old)
                assert not verify_consistency(old, size, roots[old], roots[other], proof)


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_a_forged_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_of(LEAVES[:size]), inclusion_proof(LeafNodes(LEAVES), index, size)
    assert verify_inclusion(LEAVES[index], index, size, proof, root)
    forged = data.draw(mutations(proof))
    assert not verify_inclusion(LEAVES[index], index, size, forged, root)


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_a_forged_consistency_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    before, after = root_of(LEAVES[:old]), root_of(LEAVES[:new])
    proof = consistency_proof(LeafNodes(LEAVES), old, new)
    assert verify_consistency(old, new, before, after, proof)
    assert not verify_consistency(old, new, before, after, data.draw(mutations(proof)))


@st.composite
def mutations(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """The proof with one bit flipped, one hash lost, doubled or added, cut short or out of order."""
    kinds = ["add"] + (["flip", "drop", "double", "cut"] if proof else []) + (["swap"] if len(proof) > 1 else [])
    kind = draw(st.sampled_from(kinds))
    at = draw(st.integers(0, max(len(proof) - 1, 0)))
    match kind:
        case "flip":
            bit = draw(st.integers(0, 255))
            flipped = bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(proof[at]))
            return [*proof[:at], flipped, *proof[at + 1 :]]
        case "drop":
            return [*proof[:at], *proof[at + 1 :]]
        case "double":
            return [*proof[: at + 1], *proof[at:]]
        case "cut":
            return [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        case "swap":
            return [*proof[1:], proof[0]]
        case _:
            return [*proof[:at], draw(st.binary(min_size=32, max_size=32)), *proof[at:]]


def test_a_fork_and_a_rollback_have_no_proof() -> None:
    nodes = LeafNodes(LEAVES)
    forked = [*LEAVES[:5], leaf_hash(b"rewritten"), *LEAVES[6:20]]
    proof = consistency_proof(nodes, 9, 20)
    assert not verify_consistency(9, 20, root_of(LEAVES[:9]), root_of(forked), proof)
    forged = consistency_proof(LeafNodes(forked), 9, 20)
    assert not verify_consistency(9, 20, root_of(LEAVES[:9]), root_of(forked), forged)
    assert not verify_consistency(20, 9, root_of(LEAVES[:20]), root_of(LEAVES[:9]), proof)


def test_the_empty_tree_is_the_start_of_every_tree_and_of_nothing_else() -> None:
    root = root_of(LEAVES[:3])
    assert verify_consistency(0, 3, EMPTY_ROOT, root, [])
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not verify_consistency(0, 3, root, root, [])
    assert not verify_consistency(0, 0, EMPTY_ROOT, root, [])
    assert not verify_consistency(0, 3, EMPTY_ROOT, root, [root])


def test_a_proof_is_asked_for_only_where_it_can_exist() -> None:
    nodes = LeafNodes(LEAVES[:10])
    with pytest.raises(IndexError, match="no position 10"):
        inclusion_proof(nodes, 10, 10)
    with pytest.raises(IndexError, match="has 10"):
        inclusion_proof(nodes, 0, 11)
    with pytest.raises(ValueError, match="grow from 11"):
        consistency_proof(nodes, 11, 10)
    with pytest.raises(ValueError, match="no subtree"):
        range_root(nodes, 1, 3)


class Shelf:
    """A log and a tile table that count what is read."""

    def __init__(self) -> None:
        self.size = 0
        self.read = 0
        self.tiles: dict[tuple[int, int], bytes] = {}

    def leaves(self, start: int, stop: int) -> list[bytes]:
        stop = min(stop, self.size)
        self.read += max(0, stop - start)
        return LEAVES[start:stop]

    def nodes(self) -> TiledNodes:
        return TiledNodes(self.leaves, lambda level, n: self.tiles.get((level, n)), self._save)

    def _save(self, level: int, n: int, tile: bytes) -> None:
        assert (level, n) not in self.tiles
        assert len(tile) == 8192
        self.tiles[level, n] = tile


def test_tiles_give_the_same_proofs_and_read_little() -> None:
    shelf = Shelf()
    shelf.size = len(LEAVES)
    shelf.nodes().complete(shelf.size)
    assert set(shelf.tiles) == {(1, 0)}  # 70,000 leaves: one complete tile of level 1, none of level 2
    shelf.read = 0
    nodes, plain = shelf.nodes(), LeafNodes(LEAVES)
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert inclusion_proof(nodes, index, shelf.size) == inclusion_proof(plain, index, shelf.size)
    assert shelf.read < 5_000 + 4_464  # a few tiles of level 0 and the unfinished edge, not the log
    for old, new in ((1, 70_000), (255, 256), (65_536, 65_537), (12_345, 67_890)):
        assert consistency_proof(nodes, old, new) == consistency_proof(plain, old, new)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=6), st.data())
@settings(deadline=None, max_examples=25)
def test_tiles_follow_a_growing_log(growth: list[int], data: st.DataObject) -> None:
    shelf = Shelf()
    nodes, plain, frontier = shelf.nodes(), LeafNodes(LEAVES), Frontier()
    for more in growth:
        old = shelf.size
        frontier.extend(LEAVES[old : old + more])
        shelf.size = frontier.size
        index = data.draw(st.integers(0, shelf.size - 1))
        proof = inclusion_proof(nodes, index, shelf.size)
        assert proof == inclusion_proof(plain, index, shelf.size)
        assert verify_inclusion(LEAVES[index], index, shelf.size, proof, frontier.root())
        assert consistency_proof(nodes, old, shelf.size) == consistency_proof(plain, old, shelf.size)


def test_proofs_stay_right_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "TILES_KEPT", 2)
    monkeypatch.setattr(proof, "NODES_KEPT", 10)
    shelf, plain = Shelf(), LeafNodes(LEAVES)
    shelf.size = 5_000
    nodes = shelf.nodes()
    for index in (0, 4_999, 1_234, 256, 0):
        assert inclusion_proof(nodes, index, 5_000) == inclusion_proof(plain, index, 5_000)
    assert range_root(nodes, 0, 0) == EMPTY_ROOT


def test_a_damaged_tile_makes_a_proof_that_fails() -> None:
    shelf = Shelf()
    shelf.size = 66_000
    shelf.nodes().complete(shelf.size)
    good = shelf.tiles[1, 0]
    shelf.tiles[1, 0] = good[:100] + bytes([good[100] ^ 1]) + good[101:]
    proof = inclusion_proof(shelf.nodes(), 7, shelf.size)
    assert not verify_inclusion(LEAVES[7], 7, shelf.size, proof, root_of(LEAVES[:66_000]))
    shelf.tiles[1, 0] = good[:-32]
    with pytest.raises(ValueError, match="rebuild the tiles"):
        inclusion_proof(shelf.nodes(), 7, shelf.size)


def test_a_log_shorter_than_asked_is_said() -> None:
    shelf = Shelf()
    shelf.size = 300
    with pytest.raises(IndexError, match="has no"):
        inclusion_proof(shelf.nodes(), 0, 500)
