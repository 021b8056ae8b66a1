"""Inclusion and consistency proofs of RFC 9162, sections 2.1.3 and 2.1.4.

An inclusion proof shows that one event is at its position in a log of which somebody holds a checkpoint; a
consistency proof shows that a log has only grown since an earlier checkpoint. Both are short lists of hashes,
checked by pure functions that need neither the log nor trust in it.

To make a proof, :class:`TiledNodes` reads the log in tiles of 256 hashes (C2SP tlog-tiles), so that a proof in a log
of millions of events touches a few of them. Tiles are only a cache: a wrong tile makes a proof that fails, never a
false one that passes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cellwright.ledger.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_of

TILE_HEIGHT: Final = 8
"""Levels of the tree in one tile."""
TILE_WIDTH: Final = 1 << TILE_HEIGHT
TILES_KEPT: Final = 2048
"""Tiles held in memory at most (8 KiB each)."""
NODES_KEPT: Final = 1 << 16
"""Nodes inside tiles held in memory at most."""
PROOF_LIMIT: Final = 63
"""Hashes in a proof at most (C2SP tlog-witness); enough for 2**63 leaves."""


class Nodes(Protocol):
    """Read access to the inner nodes of a log."""

    def node(self, level: int, index: int) -> bytes:
        """The root of the perfect subtree over leaves ``[index << level, (index + 1) << level)``."""


class LeafNodes:
    """Nodes of a log whose leaf hashes are all at hand; for small logs and for tests."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves

    def node(self, level: int, index: int) -> bytes:
        start, stop = index << level, (index + 1) << level
        if stop > len(self._leaves):
            raise IndexError(f"node {level}/{index} needs {stop} leaves, the log has {len(self._leaves)}")
        return root_of(self._leaves[start:stop])


class TiledNodes:
    """Nodes of a big log, read through tiles of 256 hashes.

    Tile ``(level, n)`` holds the hashes ``n * 256 … n * 256 + 255`` of tree level ``level * 8``, joined. Tiles of
    level 0 are the leaf hashes themselves. A complete tile never changes; an incomplete one is extended in memory as
    the log grows and never stored.

    Args:
        leaves: ``leaves(start, stop)`` gives the leaf hashes of these positions, fewer when the log is shorter.
        load: gives a stored complete tile of level 1 and up (8192 bytes), or None. Left out: nothing is stored.
        save: stores a complete tile of level 1 and up.
    """

    def __init__(
        self,
        leaves: Callable[[int, int], Sequence[bytes]],
        load: Callable[[int, int], bytes | None] | None = None,
        save: Callable[[int, int, bytes], None] | None = None,
    ) -> None:
        self._leaves, self._load, self._save = leaves, load, save
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._lock = threading.RLock()

    def node(self, level: int, index: int) -> bytes:
        with self._lock:
            known = self._nodes.get((level, index))
            if known is not None:
                return known
            tile_level, height = divmod(level, TILE_HEIGHT)
            tile_index, first = divmod(index << height, TILE_WIDTH)
            stop = first + (1 << height)
            tile = self._tile(tile_level, tile_index, stop)
            node = root_of(_split(tile[first * HASH_BYTES : stop * HASH_BYTES]))
            if height > 0:
                if len(self._nodes) >= NODES_KEPT:
                    self._nodes.clear()
                self._nodes[level, index] = node
            return node

    def complete(self, size: int) -> None:
        """Make (and store) every complete tile of a log of ``size`` leaves, so that later proofs are quick."""
        level, width = 1, TILE_WIDTH * TILE_WIDTH
        while width <= size:
            for index in range(size // width):
                with self._lock:
                    self._tile(level, index, TILE_WIDTH)
            level, width = level + 1, width * TILE_WIDTH

    def _tile(self, level: int, index: int, count: int) -> bytes:
        """A tile with at least its first ``count`` hashes."""
        key = (level, index)
        tile = self._kept.get(key, b"")
        if len(tile) >= count * HASH_BYTES:
            self._kept.move_to_end(key)
            return tile
        if level == 0:
            tile = b"".join(self._leaves(index * TILE_WIDTH, (index + 1) * TILE_WIDTH))
        else:
            tile = self._stored(level, index) or self._extended(level, index, tile, count)
        if len(tile) < count * HASH_BYTES:
            raise IndexError(f"the log has no {count} hashes in tile {level}/{index}")
        self._kept[key] = tile
        self._kept.move_to_end(key)
        if len(self._kept) > TILES_KEPT:
            self._kept.popitem(last=False)
        return tile

    def _stored(self, level: int, index: int) -> bytes | None:
        tile = self._load(level, index) if self._load else None
        if tile is not None and len(tile) != TILE_WIDTH * HASH_BYTES:
            raise ValueError(f"stored tile {level}/{index} has {len(tile)} bytes; rebuild the tiles")
        return tile

    def _extended(self, level: int, index: int, tile: bytes, count: int) -> bytes:
        have = len(tile) // HASH_BYTES
        below = range(index * TILE_WIDTH + have, index * TILE_WIDTH + count)
        tile += b"".join(root_of(_split(self._tile(level - 1, child, TILE_WIDTH))) for child in below)
        if count == TILE_WIDTH and self._save:
            self._save(level, index, tile)
        return tile


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def range_root(nodes: Nodes, start: int, stop: int) -> bytes:
    """The root over leaves ``[start, stop)`` where start is a multiple of the widest perfect subtree in it."""
    if start == stop:
        return EMPTY_ROOT
    peaks = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start % (1 << level):
            raise ValueError(f"leaves {start} to {stop} are no subtree")
        peaks.append(nodes.node(level, start >> level))
        start += 1 << level
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def _split_point(count: int) -> int:
    """The largest power of two below ``count`` (> 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The proof that leaf ``index`` is in the tree of ``size`` leaves (PATH of RFC 9162, 2.1.3.1), leaf side first.

    Raises:
        IndexError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise IndexError(f"a log of {size} events has no position {index}")
    start, stop, path = 0, size, list[bytes]()
    while stop - start > 1:
        middle = start + _split_point(stop - start)
        if index < middle:
            path.append(range_root(nodes, middle, stop))
            stop = middle
        else:
            path.append(range_root(nodes, start, middle))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows ``leaf`` at ``index`` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(proof) > PROOF_LIMIT or not _all_hashes(leaf, root, *proof):
        return False
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` leaves begins with the tree of ``old`` leaves (RFC 9162, 2.1.4.1).

    Empty when the sizes are equal or the old tree is empty.

    Raises:
        ValueError: not ``0 <= old <= new``.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a log of {new} events cannot be proved to grow from {old}")
    if old in (0, new):
        return []
    start, stop, path, whole = 0, new, list[bytes](), True
    while old != stop:
        middle = start + _split_point(stop - start)
        if old <= middle:
            path.append(range_root(nodes, middle, stop))
            stop = middle
        else:
            path.append(range_root(nodes, start, middle))
            start, whole = middle, False
    if not whole:  # the verifier knows the old root, but not this part of it
        path.append(range_root(nodes, start, stop))
    return path[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the new tree begins with the old one (RFC 9162, 2.1.4.2).

    The empty tree is consistent with every tree; its proof is empty (C2SP tlog-witness).
    """
    if not 0 <= old <= new or len(proof) > PROOF_LIMIT or not _all_hashes(old_root, new_root, *proof):
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(node, before), node_hash(node, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, node)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _all_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
