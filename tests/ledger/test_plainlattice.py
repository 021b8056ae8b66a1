"""Plain-Python ML-DSA-44 against another implementation's signature, and against the compiled library."""

from __future__ import annotations

import ast
import itertools
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import plainlattice
from cellwright.ledger.note import Note, SignatureType, cosigned_message
from cellwright.ledger.plainlattice import PUBLIC_BYTES, SIGNATURE_BYTES, ml_dsa_44_verify

KEY = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
MESSAGE = b"lot CW-000123 released"
SIGNATURE = next(signature for _try in range(1000) if 10 < (signature := KEY.sign(MESSAGE))[-1] < 79)
"""Signing is randomised; the tests of the hints need some and room for one more (80 is the limit)."""
HINTS = 32 + 4 * 576
"""Where the hints begin: challenge of 32 bytes, then four polynomials of 256 * 18 bits."""


def compiled(public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message, context)
    except InvalidSignature:
        return False
    return True


def test_signature_of_another_implementation() -> None:
    """filippo.io/torchwood, cmd/litewitness/testdata/mldsa.txt: made by filippo.io/mldsa from the seed printed there."""
    seed = bytes.fromhex("2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0")
    public = MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
    note = Note.parse((Path(__file__).parent / "vectors" / "litewitness-mldsa-checkpoint.txt").read_bytes())
    kind = SignatureType.COSIGNATURE_ML_DSA_44
    message = cosigned_message(kind, "example.com/mldsa-log", 0, note.text)
    assert ml_dsa_44_verify(public, message, note.signatures[0].value[8:])
    assert not ml_dsa_44_verify(public, message + b"\0", note.signatures[0].value[8:])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.binary(max_size=255))
@settings(deadline=None, max_examples=40)
def test_what_the_library_signs_verifies(seed: bytes, message: bytes, context: bytes) -> None:
    key = MLDSA44PrivateKey.from_seed_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message, context)
    assert ml_dsa_44_verify(public, message, signature, context)
    assert not ml_dsa_44_verify(public, message + b"\0", signature, context)
    assert not ml_dsa_44_verify(public, message, signature, context[1:] if context else b"\0")


@given(st.integers(0, 8 * SIGNATURE_BYTES - 1))
@settings(deadline=None, max_examples=80)
def test_a_signature_with_a_bit_flipped_is_refused(bit: int) -> None:
    forged = flipped(SIGNATURE, bit)
    assert not ml_dsa_44_verify(PUBLIC, MESSAGE, forged)
    assert not compiled(PUBLIC, MESSAGE, forged)


@given(st.integers(0, 8 * PUBLIC_BYTES - 1))
@settings(deadline=None, max_examples=30)
def test_another_key_is_refused(bit: int) -> None:
    assert not ml_dsa_44_verify(flipped(PUBLIC, bit), MESSAGE, SIGNATURE)


def flipped(data: bytes, bit: int) -> bytes:
    at = bit // 8
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def hinted(places: list[list[int]], padding: int = 0) -> bytes:
    """The signature with other hints: for each polynomial the places, as HintBitPack writes them."""
    flat = [place for each in places for place in each]
    ends = [sum(len(each) for each in places[: n + 1]) for n in range(4)]
    return SIGNATURE[:HINTS] + bytes(flat + [padding] * (80 - len(flat)) + ends)


def real_hints() -> list[list[int]]:
    data = SIGNATURE[HINTS:]
    ends = [0, *data[80:]]
    return [list(data[start:stop]) for start, stop in itertools.pairwise(ends)]


def test_the_hints_are_packed_as_the_test_packs_them() -> None:
    assert hinted(real_hints()) == SIGNATURE


@pytest.mark.parametrize("change", ["order", "twice", "padding", "too many", "shrinking ends"])
def test_hints_in_another_form_are_refused(change: str) -> None:
    """FIPS 204, algorithm 21: without these checks one signature could be written in several ways."""
    hints = real_hints()
    longest = max(range(4), key=lambda n: len(hints[n]))
    forged = hinted(hints)
    match change:
        case "order":
            hints[longest] = hints[longest][::-1]
            forged = hinted(hints)
        case "twice":
            hints[longest] = [hints[longest][0], *hints[longest]]
            forged = hinted(hints)
        case "padding":
            forged = hinted(hints, padding=1)
        case "too many":
            forged = SIGNATURE[:-1] + bytes([81])
        case "shrinking ends":
            forged = SIGNATURE[:-4] + bytes([SIGNATURE[-1], 0, 0, SIGNATURE[-1]])
    assert plainlattice._hint_bit_unpack(forged[HINTS:]) is None
    assert not ml_dsa_44_verify(PUBLIC, MESSAGE, forged)
    assert not compiled(PUBLIC, MESSAGE, forged)


@pytest.mark.parametrize("coefficient", [-(1 << 17) + 1, -(1 << 17) + 78, (1 << 17) - 78, 1 << 17])
def test_a_response_that_is_too_large_is_refused(coefficient: int) -> None:
    """The bound on z, gamma1 - beta: a response beyond it would tell of the private key."""
    word = int.from_bytes(SIGNATURE[32:41], "little")
    word = word >> 18 << 18 | (1 << 17) - coefficient
    forged = SIGNATURE[:32] + word.to_bytes(9, "little") + SIGNATURE[41:]
    assert plainlattice._unpack_z(forged[32 : 32 + 576])[0] == coefficient
    assert not ml_dsa_44_verify(PUBLIC, MESSAGE, forged)


def test_lengths_are_exact() -> None:
    assert ml_dsa_44_verify(PUBLIC, MESSAGE, SIGNATURE)
    for public, signature, context in (
        (PUBLIC[:-1], SIGNATURE, b""),
        (PUBLIC + b"\0", SIGNATURE, b""),
        (PUBLIC, SIGNATURE[:-1], b""),
        (PUBLIC, SIGNATURE + b"\0", b""),
        (PUBLIC, b"", b""),
        (PUBLIC, SIGNATURE, bytes(256)),
    ):
        assert not ml_dsa_44_verify(public, MESSAGE, signature, context)


def test_more_is_drawn_when_too_much_is_rejected() -> None:
    seed = bytes(range(34))
    assert plainlattice._rej_ntt_poly(seed, 96) == plainlattice._rej_ntt_poly(seed)
    ball = plainlattice._sample_in_ball(seed, 17)
    assert ball == plainlattice._sample_in_ball(seed)
    assert sorted(set(ball)) == [-1, 0, 1]
    assert sum(map(abs, ball)) == 39


def test_the_transform_multiplies_polynomials() -> None:
    """FIPS 204, 7.5: multiplication in Z_q[X]/(X^256 + 1), by the definition."""
    a, b = [(n * n + 7) % 8380417 for n in range(256)], [(n * 31 + 1) % 8380417 for n in range(256)]
    product = [0] * 256
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[(i + j) % 256] += x * y if i + j < 256 else -x * y
    transformed = [x * y % 8380417 for x, y in zip(plainlattice._ntt(a), plainlattice._ntt(b), strict=True)]
    assert plainlattice._inverse_ntt(transformed) == [value % 8380417 for value in product]


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(plainlattice.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {str(name).partition(".")[0] for name in imported} <= sys.stdlib_module_names
