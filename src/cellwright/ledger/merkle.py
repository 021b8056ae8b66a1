"""The Merkle tree of RFC 9162 section 2.1, over SHA-256.

A leaf is ``SHA-256(0x00 || data)``, an inner node ``SHA-256(0x01 || left || right)``, and a tree of n > 1 leaves
splits at the largest power of two below n. The two prefixes keep a leaf from ever being read as a node.

Hashes are 32 raw bytes. A leaf's index is the event's position, so the tree needs no index of its own.
How to prove things about a tree that is too big to read whole is in :mod:`cellwright.ledger.proof`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of the tree without leaves: the hash of the empty string (RFC 9162, 2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf: ``SHA-256(0x00 || data)``."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children: ``SHA-256(0x01 || left || right)``."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, level by level: the fast way to hash many at once.

    It also joins partial results: the roots of equally wide subtrees (a power of two leaves each, the last one
    possibly shorter) give the root of the whole, so that several processes may share a verification.
    """
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        lone = [level[-1]] if len(level) & 1 else []  # a node without a sibling rises unchanged
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level += lone
    return level[0]


class Frontier:
    """The right edge of a growing tree: all that must be kept to append leaves and to know the root.

    It holds the roots of the perfect subtrees that make up the tree, the widest first: one for each 1 bit of the
    size, so a log of 2**40 events keeps at most 40 hashes. Appending costs two hashes on average.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash (32 bytes) at the right.

        Raises:
            ValueError: the leaf is not 32 bytes long.
        """
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, this has {len(leaf)}")
        peaks, carry, node = self._peaks, self._size, leaf
        while carry & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            carry >>= 1
        peaks.append(node)
        self._size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add many leaf hashes in order. All or none: a leaf of wrong length refuses the whole call."""
        batch = list(leaves)
        if batch and {*map(len, batch)} != {HASH_BYTES}:
            raise ValueError(f"every leaf hash has {HASH_BYTES} bytes")
        peaks, size = self._peaks, self._size
        for node in batch:
            carry = size
            while carry & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                carry >>= 1
            peaks.append(node)
            size += 1
        self._size = size

    def root(self) -> bytes:
        """The root over all leaves so far; :data:`EMPTY_ROOT` when there are none."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = sha256(b"\x01" + peak + node).digest()
        return node

    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, the widest (leftmost) first."""
        return tuple(self._peaks)

    def copy(self) -> Frontier:
        """An independent frontier with the same leaves."""
        twin = Frontier()
        twin._size, twin._peaks = self._size, self._peaks.copy()
        return twin

    def to_bytes(self) -> bytes:
        """Size (8 bytes, big endian) and the peaks; the empty frontier is the empty string."""
        return self._size.to_bytes(8, "big") + b"".join(self._peaks) if self._size else b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """The inverse of :meth:`to_bytes`.

        Raises:
            ValueError: the length does not fit the size it states, or an empty frontier is not written as empty.
        """
        frontier = cls()
        if not data:
            return frontier
        size = int.from_bytes(data[:8], "big")
        if size == 0 or len(data) != 8 + HASH_BYTES * size.bit_count():
            raise ValueError(f"{len(data)} bytes are no frontier of {size} leaves")
        frontier._size = size
        frontier._peaks = [data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)]
        return frontier

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frontier):
            return NotImplemented
        return self._size == other._size and self._peaks == other._peaks

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"Frontier(size={self._size}, root={self.root().hex()})"
