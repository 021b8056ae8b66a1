"""ML-DSA-44 verification in plain Python, with nothing but the standard library.

The signature that a quantum computer cannot forge is the one that still says something about a record after the curve
signatures have fallen; whoever checks a dossier then must be able to check it. Like
:mod:`cellwright.ledger.plaincrypto`, this module is embedded word for word in the stand-alone verifier: it imports nothing
of this package, only verifies, and is written to be read beside the standard, FIPS 204 (August 2024). Names follow its
algorithms; numbers in parentheses are theirs.
"""

from __future__ import annotations

import functools
import hashlib
import itertools

Polynomial = list[int]

_Q = 8380417
_D = 13
_TAU = 39
_GAMMA_1 = 1 << 17
_GAMMA_2 = (_Q - 1) // 88
_K = 4
_L = 4
_BETA = 78
_OMEGA = 80
_CHALLENGE_BYTES = 32
_Z_BYTES = 576
PUBLIC_BYTES = 1312
SIGNATURE_BYTES = 2420


def ml_dsa_44_verify(public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
    """Whether ``signature`` is by ``public`` over ``message`` (ML-DSA.Verify, 3, and Verify_internal, 8)."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES or len(context) > 255:
        return False
    challenge = signature[:_CHALLENGE_BYTES]
    hints = _hint_bit_unpack(signature[_CHALLENGE_BYTES + _L * _Z_BYTES :])
    z = [
        _unpack_z(signature[at : at + _Z_BYTES])
        for at in range(_CHALLENGE_BYTES, _CHALLENGE_BYTES + _L * _Z_BYTES, _Z_BYTES)
    ]
    if hints is None or any(abs(c) >= _GAMMA_1 - _BETA for poly in z for c in poly):
        return False
    matrix, t1 = _expanded_key(public)
    c_hat, z_hat = _ntt(_sample_in_ball(challenge)), [_ntt(poly) for poly in z]
    packed = b""
    for row, t1_hat, hint in zip(matrix, t1, hints, strict=True):
        products = [-c * t for c, t in zip(c_hat, t1_hat, strict=True)]
        for a, poly in zip(row, z_hat, strict=True):
            products = [total + x * y for total, x, y in zip(products, a, poly, strict=True)]
        w = _inverse_ntt([total % _Q for total in products])
        packed += _pack_w1([_use_hint(r, place in hint) for place, r in enumerate(w)])
    signed = b"\x00" + bytes([len(context)]) + context + message
    mu = _h(_h(public, 64) + signed, 64)
    return _h(mu + packed, _CHALLENGE_BYTES) == challenge


def _h(data: bytes, length: int) -> bytes:
    return hashlib.shake_256(data).digest(length)


@functools.lru_cache(maxsize=16)
def _expanded_key(public: bytes) -> tuple[list[list[Polynomial]], list[Polynomial]]:
    """The matrix A (ExpandA, 32) and t1 * 2**d of a key, both transformed."""
    rho = public[:32]
    matrix = [[_rej_ntt_poly(rho + bytes([s, r])) for s in range(_L)] for r in range(_K)]
    packed = [public[at : at + 320] for at in range(32, PUBLIC_BYTES, 320)]
    return matrix, [_ntt([c << _D for c in _chunks(part, 10)]) for part in packed]


def _rej_ntt_poly(seed: bytes, length: int = 1008) -> Polynomial:
    """A uniform transformed polynomial (RejNTTPoly, 30, with CoeffFromThreeBytes, 14).

    ``length``: bytes looked at first, a multiple of 3; more when too many are rejected.
    """
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        triples = zip(stream[::3], stream[1::3], stream[2::3], strict=True)
        values = [low | middle << 8 | (high & 127) << 16 for low, middle, high in triples]
        values = [value for value in values if value < _Q]
        if len(values) >= 256:
            return values[:256]
        length *= 2


def _sample_in_ball(seed: bytes, length: int = 272) -> Polynomial:
    """A polynomial with 39 coefficients of 1 or -1, the others 0 (SampleInBall, 29). ``length`` as above."""
    while True:
        stream = _h(seed, length)
        signs, c, at = int.from_bytes(stream[:8], "little"), [0] * 256, 8
        for i in range(256 - _TAU, 256):
            while at < length and stream[at] > i:
                at += 1
            if at == length:
                break
            c[i], c[stream[at]] = c[stream[at]], 1 - 2 * (signs >> (i + _TAU - 256) & 1)
            at += 1
        else:
            return c
        length *= 2


def _chunks(data: bytes, bits: int) -> list[int]:
    """256 numbers of some bits each, packed little end first (SimpleBitUnpack, 18)."""
    step, mask = bits * 4 // 8, (1 << bits) - 1  # four numbers fill whole bytes
    numbers = []
    for at in range(0, len(data), step):
        word = int.from_bytes(data[at : at + step], "little")
        numbers += [word & mask, word >> bits & mask, word >> 2 * bits & mask, word >> 3 * bits]
    return numbers


def _unpack_z(data: bytes) -> Polynomial:
    """Coefficients from -gamma1 + 1 to gamma1 (BitUnpack, 19)."""
    return [_GAMMA_1 - number for number in _chunks(data, 18)]


def _hint_bit_unpack(data: bytes) -> list[set[int]] | None:
    """For each polynomial the places that have a hint; None where the form is not the one allowed (21)."""
    hints, start = [], 0
    for stop in data[_OMEGA:]:
        places = data[start:stop]
        if not start <= stop <= _OMEGA or any(a >= b for a, b in itertools.pairwise(places)):
            return None
        hints.append(set(places))
        start = stop
    return None if any(data[start:_OMEGA]) else hints


def _use_hint(r: int, hint: bool) -> int:
    """The high part of r, moved by one where there is a hint (Decompose, 36, and UseHint, 40)."""
    low = r % (2 * _GAMMA_2)
    if low > _GAMMA_2:
        low -= 2 * _GAMMA_2
    high, low = (0, low - 1) if r - low == _Q - 1 else ((r - low) // (2 * _GAMMA_2), low)
    if hint:
        high = (high + (1 if low > 0 else -1)) % 44
    return high


def _pack_w1(w1: list[int]) -> bytes:
    """256 numbers of 6 bits (w1Encode, 28)."""
    quads = zip(w1[::4], w1[1::4], w1[2::4], w1[3::4], strict=True)
    return b"".join((a | b << 6 | c << 12 | d << 18).to_bytes(3, "little") for a, b, c, d in quads)


_ZETAS = [pow(1753, int(f"{m:08b}"[::-1], 2), _Q) for m in range(256)]


def _ntt(w: Polynomial) -> Polynomial:
    """The number-theoretic transform (41). Coefficients are reduced at the end only: Python's numbers do not overflow."""
    m, length = 0, 128
    while length:
        out = []
        for start in range(0, 256, 2 * length):
            m += 1
            zeta = _ZETAS[m]
            low = w[start : start + length]
            high = [zeta * x % _Q for x in w[start + length : start + 2 * length]]
            out += [a + b for a, b in zip(low, high, strict=True)]
            out += [a - b for a, b in zip(low, high, strict=True)]
        w, length = out, length >> 1
    return [x % _Q for x in w]


def _inverse_ntt(w: Polynomial) -> Polynomial:
    """The inverse transform (42)."""
    m, length = 256, 1
    while length < 256:
        out = []
        for start in range(0, 256, 2 * length):
            m -= 1
            zeta = _Q - _ZETAS[m]
            low, high = w[start : start + length], w[start + length : start + 2 * length]
            out += [a + b for a, b in zip(low, high, strict=True)]
            out += [zeta * (a - b) % _Q for a, b in zip(low, high, strict=True)]
        w, length = out, length << 1
    return [8347681 * x % _Q for x in w]  # 256**-1
