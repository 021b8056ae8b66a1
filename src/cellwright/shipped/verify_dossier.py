#!/usr/bin/env python3
# ruff: noqa
# fmt: off
# mypy: ignore-errors
"""Verifies a Cellwright dossier: the record of one lot of a cell therapy, offline, with Python's standard library.

    python3 verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--checkpoint NOTE]... [--witness KEY]...
                              [--language en|zh] [--json]

It checks that the archive is whole, that the site sealed its list of contents, that every event stands in the record
that the site's checkpoint speaks of, that every signature of a person is over exactly what it claims and was theirs to
give, and that every enclosed file is the one the record names. With --key it checks too that the site is the one you
know, with --checkpoint that its record continues a checkpoint you received, with --witness that a witness cosigned it. Needs Python 3.11 or later.
Exit code 0: everything holds. 1: something does not, and is named. 2: wrong use.

Composed from cellwright (Apache-2.0); do not edit.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Callable, Iterator
from collections.abc import Callable, Sequence
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from typing import Any, NamedTuple
from typing import Final
import base64
import binascii
import functools
import hashlib
import itertools
import json
import struct
import sys
import zlib


def N_(text):
    """A sentence; its Chinese stands in the table at the end."""
    return text


# -------------------- plaincrypto.py

"""Ed25519 and ECDSA P-256 verification in plain Python, with nothing but the standard library.

A stranger who checks a patient's dossier in twenty years has Python, and may have nothing else. This module is
embedded word for word in the stand-alone verifier; it therefore imports nothing of this package. It only verifies: it
never sees a secret, so it need not run in constant time. It is written to be read beside the standards: RFC 8032 for
Ed25519, FIPS 186-5 and SEC 1 for ECDSA on P-256, RFC 9053 for the COSE keys of WebAuthn.

Both verifications compute ``a * P + b * Q`` at once (Straus): the doublings are shared, the scalars are written in
width-w non-adjacent form, and small odd multiples of both points are looked up. One takes a few milliseconds.
"""


Point = tuple[int, ...]
_KEY_WIDTH = 5  # the form of a key's scalar: 8 odd multiples, made for each verification
_BASE_WIDTH = 8  # the form of the base point's scalar: 64 odd multiples, made once


def _digits(scalar: int, width: int) -> list[int]:
    """Non-adjacent form of a width, least digit first: each digit is 0, or odd and below 2**(width - 1) in size."""
    digits, full = [], 1 << width
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (full - 1)
            if digit >= full >> 1:
                digit -= full
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _paired(first: int, second: int) -> list[tuple[int, int]]:
    """The digits of a base point's and a key's scalar side by side, greatest first."""
    a, b = _digits(first, _BASE_WIDTH), _digits(second, _KEY_WIDTH)
    length = max(len(a), len(b))
    a += [0] * (length - len(a))
    b += [0] * (length - len(b))
    return list(zip(reversed(a), reversed(b), strict=True))


# ---- Ed25519: -x² + y² = 1 + d x² y² over GF(2²⁵⁵ - 19), points as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493  # order of the base point
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_ED_ZERO: Point = (0, 1, 1, 0)


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) is by ``public`` (32 bytes) over ``message``: RFC 8032, 5.1.7.

    Strict: S must be below the group order and both points must be written canonically. As in OpenSSL, the equation is
    checked without the cofactor, ``[S]B = R + [k]A``, and a key of small order is not refused here: whoever decides to
    trust a key asks :func:`ed25519_key_is_sound` first.
    """
    key = _ed_decode(public)
    if key is None or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % _L
    x, y, z, t = key
    return _ed_encode(_ed_straus(s, k, (-x % _P, y, z, -t % _P))) == r


def ed25519_key_is_sound(public: bytes) -> bool:
    """Whether 32 bytes are a canonical point that is not of small order (under such a key anything would verify)."""
    point = _ed_decode(public)
    if point is None:
        return False
    for _times in range(3):
        point = _ed_double(point)
    return point[0] % _P != 0


def _ed_decode(data: bytes) -> Point | None:
    """The point written in 32 bytes (RFC 8032, 5.1.3), or None."""
    if len(data) != 32:
        return None
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x + u) % _P == 0:
        x = x * _ROOT_OF_MINUS_1 % _P
    if (v * x * x - u) % _P != 0 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _ed_encode(point: Point) -> bytes:
    x, y, z, _t = point
    inverse = pow(z, -1, _P)
    return (y * inverse % _P | (x * inverse % _P & 1) << 255).to_bytes(32, "little")


def _ed_double(point: Point) -> Point:
    x, y, z, _t = point
    a, b, h = x * x, y * y, x + y
    e = (h * h - a - b) % _P
    g = (b - a) % _P
    f = (g - 2 * z * z) % _P
    h = (-a - b) % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _ed_ready(point: Point) -> Point:
    """A point prepared for being added: (Y - X, Y + X, 2Z, 2dT)."""
    x, y, z, t = point
    return (y - x) % _P, (y + x) % _P, 2 * z % _P, 2 * _D * t % _P


def _ed_add(point: Point, ready: Point, sign: int) -> Point:
    """``point + ready``, or ``point - ready`` for a negative sign. The formula has no exceptions."""
    x, y, z, t = point
    minus, plus, z2, dt = ready
    if sign < 0:
        minus, plus, dt = plus, minus, -dt
    a, b, c, d = (y - x) * minus, (y + x) * plus, t * dt, z * z2
    e, f, g, h = (b - a) % _P, (d - c) % _P, (d + c) % _P, (b + a) % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _ed_odd_multiples(point: Point, count: int) -> list[Point]:
    twice, multiples = _ed_ready(_ed_double(point)), [point]
    for _times in range(count - 1):
        multiples.append(_ed_add(multiples[-1], twice, 1))
    return [_ed_ready(multiple) for multiple in multiples]


@functools.lru_cache(maxsize=1)
def _ed_base() -> list[Point]:
    base = _ed_decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert base is not None  # a constant of RFC 8032
    return _ed_odd_multiples(base, 1 << (_BASE_WIDTH - 2))


def _ed_straus(base_times: int, point_times: int, point: Point) -> Point:
    """``base_times * B + point_times * point``."""
    base, own, total = _ed_base(), _ed_odd_multiples(point, 1 << (_KEY_WIDTH - 2)), _ED_ZERO
    for a, b in _paired(base_times, point_times):
        total = _ed_double(total)
        if a:
            total = _ed_add(total, base[abs(a) >> 1], a)
        if b:
            total = _ed_add(total, own[abs(b) >> 1], b)
    return total


# ---- ECDSA on P-256: y² = x³ - 3x + b over GF(q), points as (X, Y, Z) with x = X/Z², y = Y/Z³; Z = 0 is infinity

_Q = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of the base point
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G: Point = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
_INFINITY: Point = (1, 1, 0)


def p256_verify(key: tuple[int, int], message: bytes, signature: bytes) -> bool:
    """Whether a DER signature is by ``key`` over ``message`` hashed with SHA-256: FIPS 186-5, 6.4.2."""
    pair = p256_signature(signature)
    if pair is None or not _p256_on_curve(*key):
        return False
    r, s = pair
    if not (1 <= r < _N and 1 <= s < _N):
        return False
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    w = pow(s, -1, _N)
    x, _y, z = _p256_straus(e * w % _N, r * w % _N, (*key, 1))
    if z == 0:
        return False
    return x * pow(z * z, -1, _Q) % _Q % _N == r


def p256_signature(der: bytes) -> tuple[int, int] | None:
    """The numbers r and s of a signature in strict DER, or None."""
    if not 8 <= len(der) <= 72 or der[0] != 0x30 or der[1] != len(der) - 2:
        return None
    r, at = _der_number(der, 2)
    s, at = _der_number(der, at)
    return (r, s) if at == len(der) else None


def _der_number(der: bytes, at: int) -> tuple[int, int]:
    """A non-negative INTEGER at a place, in its shortest form, and where it ends; a place past the end means: none."""
    none = 0, len(der) + 1
    if at + 2 > len(der) or der[at] != 0x02:
        return none
    stop = at + 2 + der[at + 1]
    digits = der[at + 2 : stop]
    if stop > len(der) or not digits or digits[0] & 0x80:
        return none
    padded = len(digits) > 1 and digits[0] == 0 and not digits[1] & 0x80
    return none if padded else (int.from_bytes(digits, "big"), stop)


def p256_key_from_point(data: bytes) -> tuple[int, int]:
    """The key in an uncompressed SEC 1 point (0x04, x, y: 65 bytes).

    Raises:
        ValueError: it is not one, or not on the curve.
    """
    if len(data) != 65 or data[0] != 4:
        raise ValueError("a P-256 key is an uncompressed point of 65 bytes")
    key = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if not _p256_on_curve(*key):
        raise ValueError("the point is not on P-256")
    return key


def p256_key_from_cose(data: bytes) -> tuple[int, int]:
    """The key in a COSE_Key of WebAuthn: ``{1: 2, 3: -7, -1: 1, -2: x, -3: y}`` (RFC 9053, 7.1.1), in any order.

    Raises:
        ValueError: it is not exactly such a map, or the point is not on the curve.
    """
    if not data or data[0] != 0xA5:
        raise ValueError("a COSE key for ES256 is a map of five entries")
    fields: dict[int, int | bytes] = {}
    at = 1
    for _entry in range(5):
        label, at = _cbor(data, at)
        value, at = _cbor(data, at)
        if not isinstance(label, int) or label in fields:
            raise ValueError("a COSE key has a label that is no number, or one twice")
        fields[label] = value
    x, y = fields.get(-2), fields.get(-3)
    if at != len(data) or (fields.get(1), fields.get(3), fields.get(-1)) != (2, -7, 1):
        raise ValueError("the COSE key is not an EC2 key for ES256 on P-256")
    if not isinstance(x, bytes) or not isinstance(y, bytes) or len(x) != 32 or len(y) != 32:
        raise ValueError("the coordinates of a P-256 key have 32 bytes")
    return p256_key_from_point(b"\x04" + x + y)


def _cbor(data: bytes, at: int) -> tuple[int | bytes, int]:
    """One whole number or byte string of CBOR (RFC 8949) in its shortest form, and where it ends."""
    if at >= len(data):
        raise ValueError("a COSE key ends too early")
    kind, value = data[at] >> 5, data[at] & 31
    at += 1
    if value == 24:
        value, at = data[at] if at < len(data) else 0, at + 1
        if value < 24:
            raise ValueError("a COSE key has a number in a longer form than needed")
    elif value > 24:
        raise ValueError("a COSE key has a number too great for it")
    if kind == 0:
        return value, at
    if kind == 1:
        return -1 - value, at
    if kind == 2 and at + value <= len(data):
        return data[at : at + value], at + value
    raise ValueError("a COSE key holds only whole numbers and byte strings")


def _p256_on_curve(x: int, y: int) -> bool:
    return 0 <= x < _Q and 0 <= y < _Q and (y * y - x * x * x + 3 * x - _B) % _Q == 0


def _p256_double(point: Point) -> Point:
    x, y, z = point
    zz, yy = z * z % _Q, y * y % _Q
    beta = x * yy % _Q
    alpha = 3 * (x - zz) * (x + zz) % _Q
    x3 = (alpha * alpha - 8 * beta) % _Q
    return x3, (alpha * (4 * beta - x3) - 8 * yy * yy) % _Q, 2 * y * z % _Q


def _p256_add(first: Point, second: Point) -> Point:
    """The sum of two points, the second not infinity, with the cases the general formula cannot do."""
    if first[2] == 0:
        return second
    x1, y1, z1 = first
    x2, y2, z2 = second
    z1z1, z2z2 = z1 * z1 % _Q, z2 * z2 % _Q
    u1, s1 = x1 * z2z2 % _Q, y1 * z2 * z2z2 % _Q
    h, r = (x2 * z1z1 - u1) % _Q, (y2 * z1 * z1z1 - s1) % _Q
    if h == 0:
        return _INFINITY if r else _p256_double(first)
    hh = h * h % _Q
    hhh, v = h * hh % _Q, u1 * hh % _Q
    x3 = (r * r - hhh - 2 * v) % _Q
    return x3, (r * (v - x3) - s1 * hhh) % _Q, z1 * z2 * h % _Q


def _p256_odd_multiples(point: Point, count: int) -> list[Point]:
    twice, multiples = _p256_double(point), [point]
    for _times in range(count - 1):
        multiples.append(_p256_add(multiples[-1], twice))
    return multiples


@functools.lru_cache(maxsize=1)
def _p256_base() -> list[Point]:
    return _p256_odd_multiples(_G, 1 << (_BASE_WIDTH - 2))


def _p256_signed(multiples: Sequence[Point], digit: int) -> Point:
    x, y, z = multiples[abs(digit) >> 1]
    return (x, y, z) if digit > 0 else (x, -y % _Q, z)


def _p256_straus(base_times: int, point_times: int, point: Point) -> Point:
    """``base_times * G + point_times * point``."""
    base, own, total = _p256_base(), _p256_odd_multiples(point, 1 << (_KEY_WIDTH - 2)), _INFINITY
    for a, b in _paired(base_times, point_times):
        total = _p256_double(total)
        if a:
            total = _p256_add(total, _p256_signed(base, a))
        if b:
            total = _p256_add(total, _p256_signed(own, b))
    return total


# -------------------- plainlattice.py

"""ML-DSA-44 verification in plain Python, with nothing but the standard library.

The signature that a quantum computer cannot forge is the one that still says something about a record after the curve
signatures have fallen; whoever checks a dossier then must be able to check it. Like
:mod:`cellwright.ledger.plaincrypto`, this module is embedded word for word in the stand-alone verifier: it imports nothing
of this package, only verifies, and is written to be read beside the standard, FIPS 204 (August 2024). Names follow its
algorithms; numbers in parentheses are theirs.
"""


Polynomial = list[int]

_Q_plainlattice = 8380417
_D_plainlattice = 13
_TAU = 39
_GAMMA_1 = 1 << 17
_GAMMA_2 = (_Q_plainlattice - 1) // 88
_K = 4
_L_plainlattice = 4
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
    hints = _hint_bit_unpack(signature[_CHALLENGE_BYTES + _L_plainlattice * _Z_BYTES :])
    z = [
        _unpack_z(signature[at : at + _Z_BYTES])
        for at in range(_CHALLENGE_BYTES, _CHALLENGE_BYTES + _L_plainlattice * _Z_BYTES, _Z_BYTES)
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
        w = _inverse_ntt([total % _Q_plainlattice for total in products])
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
    matrix = [[_rej_ntt_poly(rho + bytes([s, r])) for s in range(_L_plainlattice)] for r in range(_K)]
    packed = [public[at : at + 320] for at in range(32, PUBLIC_BYTES, 320)]
    return matrix, [_ntt([c << _D_plainlattice for c in _chunks(part, 10)]) for part in packed]


def _rej_ntt_poly(seed: bytes, length: int = 1008) -> Polynomial:
    """A uniform transformed polynomial (RejNTTPoly, 30, with CoeffFromThreeBytes, 14).

    ``length``: bytes looked at first, a multiple of 3; more when too many are rejected.
    """
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        triples = zip(stream[::3], stream[1::3], stream[2::3], strict=True)
        values = [low | middle << 8 | (high & 127) << 16 for low, middle, high in triples]
        values = [value for value in values if value < _Q_plainlattice]
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
    high, low = (0, low - 1) if r - low == _Q_plainlattice - 1 else ((r - low) // (2 * _GAMMA_2), low)
    if hint:
        high = (high + (1 if low > 0 else -1)) % 44
    return high


def _pack_w1(w1: list[int]) -> bytes:
    """256 numbers of 6 bits (w1Encode, 28)."""
    quads = zip(w1[::4], w1[1::4], w1[2::4], w1[3::4], strict=True)
    return b"".join((a | b << 6 | c << 12 | d << 18).to_bytes(3, "little") for a, b, c, d in quads)


_ZETAS = [pow(1753, int(f"{m:08b}"[::-1], 2), _Q_plainlattice) for m in range(256)]


def _ntt(w: Polynomial) -> Polynomial:
    """The number-theoretic transform (41). Coefficients are reduced at the end only: Python's numbers do not overflow."""
    m, length = 0, 128
    while length:
        out = []
        for start in range(0, 256, 2 * length):
            m += 1
            zeta = _ZETAS[m]
            low = w[start : start + length]
            high = [zeta * x % _Q_plainlattice for x in w[start + length : start + 2 * length]]
            out += [a + b for a, b in zip(low, high, strict=True)]
            out += [a - b for a, b in zip(low, high, strict=True)]
        w, length = out, length >> 1
    return [x % _Q_plainlattice for x in w]


def _inverse_ntt(w: Polynomial) -> Polynomial:
    """The inverse transform (42)."""
    m, length = 256, 1
    while length < 256:
        out = []
        for start in range(0, 256, 2 * length):
            m -= 1
            zeta = _Q_plainlattice - _ZETAS[m]
            low, high = w[start : start + length], w[start + length : start + 2 * length]
            out += [a + b for a, b in zip(low, high, strict=True)]
            out += [zeta * (a - b) % _Q_plainlattice for a, b in zip(low, high, strict=True)]
        w, length = out, length << 1
    return [8347681 * x % _Q_plainlattice for x in w]  # 256**-1


# -------------------- archive.py

"""A canonical ZIP: stored, sorted by name, without times or attributes, so that there is one archive for one content.

The layout is the ZIP appnote's (local headers, central directory, end record) with every free field fixed; reading
rebuilds the archive and compares, so no byte of it is without meaning (E23).
"""


ARCHIVE_MAX = 1 << 31
"""Bytes of an archive at most; ZIP64 is not used."""
NAMES_MAX = 60_000
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x21
"""1 January 1980, the earliest a ZIP can say."""
_UTF8 = 0x800


class ArchiveBroken(ValueError):
    """The bytes are not a canonical archive; says where they first differ from one."""


def pack(files: dict[str, bytes]) -> bytes:
    """The canonical archive of these files.

    Raises:
        ArchiveBroken: too many files or bytes for the plain ZIP format.
    """
    if len(files) > NAMES_MAX or sum(map(len, files.values())) > ARCHIVE_MAX:
        raise ArchiveBroken(f"more than {NAMES_MAX} files or {ARCHIVE_MAX} bytes")
    body, directory = bytearray(), bytearray()
    for name in sorted(files):
        data, raw = files[name], name.encode()
        shared = (20, _UTF8, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(raw), 0)
        directory += _CENTRAL.pack(b"PK\x01\x02", 20, *shared, 0, 0, 0, 0, len(body)) + raw
        body += _LOCAL.pack(b"PK\x03\x04", *shared) + raw + data
    count = len(files)
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of a canonical archive.

    Raises:
        ArchiveBroken: the bytes are not exactly what `pack` writes.
    """
    files: dict[str, bytes] = {}
    at = 0
    while archive[at : at + 4] == b"PK\x03\x04":
        if at + _LOCAL.size > len(archive):
            raise ArchiveBroken(f"cut short in the header at byte {at}")
        *_, crc, size, _, name_length, _ = _LOCAL.unpack_from(archive, at)
        start = at + _LOCAL.size + name_length
        raw = archive[at + _LOCAL.size : start]
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise ArchiveBroken(f"the file name at byte {at} is not UTF-8") from None
        if name in files or start + size > len(archive):
            raise ArchiveBroken(f"{name}: it stands twice or is cut short")
        data = archive[start : start + size]
        if zlib.crc32(data) != crc:
            raise ArchiveBroken(f"{name}: its content was altered (checksum)")
        files[name] = data
        at = start + size
    again = pack(files)
    if again != archive:
        place = next(
            (n for n, (a, b) in enumerate(zip(again, archive, strict=False)) if a != b), min(len(again), len(archive))
        )
        raise ArchiveBroken(f"the archive's structure was altered at byte {place}{_near(files, place)}")
    return files


def _near(files: dict[str, bytes], place: int) -> str:
    at = 0
    for name in sorted(files):
        at += _LOCAL.size + len(name.encode()) + len(files[name])
        if place < at:
            return f", in {name}"
    return ", in the directory"


# -------------------- finding.py

"""What a verification has to say, as a text and its values, so that it can be said in either language.

Standard library only; a part of the stand-alone verifier.
"""


class Problem(Exception):
    """One thing that is not as it must be. The text names the place; its `{values}` are filled in when it is said."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values

    def __str__(self) -> str:
        return self.text.format(**self.values)


@dataclass
class Findings:
    """What a verification of a dossier found: its problems, and the facts as far as they could be read."""

    problems: list[Problem] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """The site's first verifier keys, as the dossier states them."""
    pinned: bool = False
    """The reader knew the site's keys from elsewhere, and they are these."""
    compared: int = 0
    """Checkpoints from elsewhere that this dossier's record was compared with, and continues."""
    witnesses: list[tuple[str, int, bool]] = field(default_factory=list)
    """Who cosigned the checkpoint, when (Unix seconds), and whether the reader knew the witness's key from elsewhere."""
    timestamps: int = 0
    """Tokens of time-stamping authorities over the checkpoint; their signatures are not checked here."""
    reviewed: tuple[str, int, int] | None = None
    """The last review of the record: when it was signed, over how many events, how many of these are not here."""
    post_quantum: str = ""
    """Which implementation checked the post-quantum signatures; empty when there were none."""
    signatures: int = 0
    elsewhere: int = 0
    """Contents that signatures cover and that belong to other records than this dossier's."""
    files: int = 0

    @property
    def ok(self) -> bool:
        """Everything holds."""
        return not self.problems

    @property
    def simulated(self) -> bool:
        """The record, or the list of contents, says of itself that it was made by simulation."""
        opened = bool(self.events) and bool(self.events[0].get("body", {}).get("simulated"))
        return opened or bool(self.manifest.get("simulated"))


# -------------------- note.py

"""The site's keys, signed notes and proofs, checked with plain Python: C2SP signed notes and checkpoints, RFC 9162 trees.

The same formats as in `cellwright.ledger`, written a second time without anything but the standard library, so that the
stand-alone verifier can hold them.
"""


ED25519, COSIGNATURE_ED25519, ML_DSA_44 = 1, 4, 6
"""Types of signature, as C2SP numbers them."""
SIZE_LIMIT = 1 << 63
KEYS_CHANGED = "ledger.key_rotated"


class Key(NamedTuple):
    """A verifier key: the name it signs under, its id, its type and the public key."""

    name: str
    key_id: bytes
    kind: int
    public: bytes


class Checkpoint(NamedTuple):
    """What a checkpoint says: this log has so many events, and this root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class KeySets(NamedTuple):
    """The site's sets of keys from its first event on, each with the size from which it signs."""

    origin: str
    sets: tuple[tuple[str, ...], ...]
    since: tuple[int, ...]

    def at(self, size: int) -> tuple[str, ...]:
        """The set that signs a checkpoint of this size."""
        return [keys for keys, since in zip(self.sets, self.since, strict=True) if since <= size][-1]


def lattice() -> tuple[str, Callable[[bytes, bytes, bytes], bool]]:
    """What checks ML-DSA-44 here: the package `cryptography` where it is installed, else the plain Python below."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
    except ImportError:
        return "plain Python", ml_dsa_44_verify

    def verify(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return "cryptography", verify


def leaf_of(data: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_over(leaves: Sequence[bytes]) -> bytes:
    """The root over some leaf hashes (RFC 9162, 2.1.1)."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return _joined(root_over(leaves[:split]), root_over(leaves[split:]))


def included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at this place of the tree (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return False
    first, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = _joined(sibling, node)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            node = _joined(node, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and node == root


def continues(old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the newer tree begins with exactly the leaves of the older one (RFC 9162, 2.1.4.2)."""
    if old.size == new.size:
        return old.root == new.root and not path
    if not 0 < old.size < new.size:
        return False
    nodes = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)
    if not nodes:
        return False
    first, last = old.size - 1, new.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = _joined(node, before), _joined(node, after)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            after = _joined(after, node)
        first, last = first >> 1, last >> 1
    return last == 0 and before == old.root and after == new.root


def plain64(text: str, where: str) -> bytes:
    """The bytes of base64 in its one form. Raises Problem."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Problem(N_("{where}: a value is not base64 in its one form"), where=where)
    return data


def read_key(vkey: str) -> Key:
    """A verifier key from its text `name+id+base64`. Raises Problem."""
    name, _, rest = vkey.partition("+")
    key_id, _, blob = rest.partition("+")
    raw = plain64(blob, "verifier key")
    if not raw or hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise Problem(N_("the verifier key {key} does not have the id that it states"), key=vkey[:80])
    if raw[0] in (ED25519, COSIGNATURE_ED25519) and not ed25519_key_is_sound(raw[1:]):
        raise Problem(N_("the verifier key of {name} is no sound Ed25519 key"), name=name)
    if raw[0] not in (ED25519, COSIGNATURE_ED25519, ML_DSA_44):
        raise Problem(N_("the verifier key of {name} is of a type not understood here"), name=name)
    return Key(name, bytes.fromhex(key_id), raw[0], raw[1:])


def key_sets(events: Sequence[dict[str, Any]]) -> KeySets:
    """The site's keys from its first event through every recorded change. Raises Problem."""
    opened = events[0]["body"]
    known = KeySets(opened["origin"], (tuple(opened["verifier_keys"]),), (0,))
    for event in events:
        if event["type"] == KEYS_CHANGED:
            new = tuple(event["body"]["keys"])
            sets = (*known.sets, new)
            leaves = [leaf_of("".join(f"{key}\n" for key in keys).encode()) for keys in sets]
            said = Checkpoint(f"{known.origin}/keys", len(leaves), root_over(leaves))
            check_note(event["body"]["note"].encode(), said, sorted({*known.sets[-1], *new}), "key change")
            known = KeySets(known.origin, sets, (*known.since, event["pos"] + 1))
    return known


def split_note(data: bytes, where: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a signed note, and name, key id and value of each signature. Raises Problem."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise Problem(N_("{where}: it is not UTF-8"), where=where) from None
    body, gap, signed = whole.rpartition("\n\n")
    signatures = []
    for line in signed.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        blob = plain64(value, where)
        if dash != "—" or len(blob) < 5 or not name:
            raise Problem(N_("{where}: a signature line is malformed"), where=where)
        signatures.append((name, blob[:4], blob[4:]))
    again = "".join(f"— {name} {base64.b64encode(i + value).decode()}\n" for name, i, value in signatures)
    if not gap or body + "\n\n" + again != whole:
        raise Problem(N_("{where}: it is not a signed note in its one form"), where=where)
    return body + "\n", signatures


def read_checkpoint(data: bytes, where: str) -> Checkpoint:
    """What an unverified note says as a checkpoint. Raises Problem."""
    text, _ = split_note(data, where)
    lines = text.split("\n")
    sound = len(lines) == 4 and lines[1].isdigit() and str(int(lines[1])) == lines[1]
    if not sound or not 0 < int(lines[1]) < SIZE_LIMIT:
        raise Problem(N_("{where}: it is no checkpoint"), where=where)
    return Checkpoint(lines[0], int(lines[1]), plain64(lines[2], where))


def check_note(data: bytes, said: Checkpoint, vkeys: Sequence[str], where: str) -> None:
    """Check that a note says exactly this, and is signed by each of these keys and by nobody else. Raises Problem."""
    text, signatures = split_note(data, where)
    if text != said.text:
        raise Problem(N_("{where}: it speaks of something else"), where=where)
    keys = [read_key(vkey) for vkey in vkeys]
    known = {(key.name, key.key_id) for key in keys}
    if any((name, key_id) not in known for name, key_id, _ in signatures):
        raise Problem(N_("{where}: a signature is by a key that is not the site's"), where=where)
    for key in keys:
        mine = [value for name, key_id, value in signatures if (name, key_id) == (key.name, key.key_id)]
        if len(mine) != 1:
            raise Problem(N_("{where}: the signature of {name} is missing or stands twice"), where=where, name=key.name)
        if not _signed(key, mine[0], said):
            raise Problem(N_("{where}: the signature of {name} does not fit"), where=where, name=key.name)


def cosigned(data: bytes, said: Checkpoint, vkeys: Sequence[str], where: str) -> tuple[str, str, int]:
    """Which of these witnesses' keys cosigned exactly this checkpoint, under which name, and when (Unix seconds).

    Raises Problem where it is of another text, by another key, or does not fit.
    """
    text, signatures = split_note(data, where)
    if text != said.text:
        raise Problem(N_("{where}: it speaks of something else"), where=where)
    for vkey in vkeys:
        key = read_key(vkey)
        for name, key_id, value in signatures:
            if (name, key_id) == (key.name, key.key_id):
                if key.kind == ED25519 or not _signed(key, value, said):
                    raise Problem(N_("{where}: the signature of {name} does not fit"), where=where, name=name)
                return vkey, name, int.from_bytes(value[:8], "big")
    raise Problem(N_("{where}: it is of no witness that is named"), where=where)


def _signed(key: Key, value: bytes, said: Checkpoint) -> bool:
    if key.kind == ED25519:
        return ed25519_verify(key.public, said.text.encode(), value)
    if key.kind == COSIGNATURE_ED25519:
        at = int.from_bytes(value[:8], "big")
        return ed25519_verify(key.public, f"cosignature/v1\ntime {at}\n{said.text}".encode(), value[8:])
    name, origin = key.name.encode(), said.origin.encode()
    message = (
        b"subtree/v1\n\x00" + bytes([len(name)]) + name + value[:8] + bytes([len(origin)]) + origin
        + bytes(8) + said.size.to_bytes(8, "big") + said.root
    )  # fmt: skip
    _, verify = lattice()
    return verify(key.public, message, value[8:])


# -------------------- required.py

"""Which events count only with a signature, and in which meaning: what the rules of the factory always ask for.

Each rule names its signers when it decides; this table says of the fact alone what must stand beside it, so that
whoever holds only the record can tell that nothing was slipped in without a person's word. Where a fact comes about in
more than one way, each way's meanings stand for themselves. Facts that may rightly stand unsigned are not listed. A
test runs the factory's own story through it.
"""


BOTH: Final = ("performed verified",)
HANDED: Final = ("handed_over received",)

REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "case.closed": ("assessed",),
    "case.investigated": ("assessed",),
    "case.relabelled": BOTH,
    "case.set_aside": BOTH,
    "definition.approved": ("approved",),
    "equipment.qualified": ("approved",),
    "equipment.registered": ("approved",),
    "laboratory.qualified": ("approved",),
    "lot.addendum_added": ("approved performed",),
    "lot.bag_frozen": BOTH,
    "lot.bag_moved": BOTH,
    "lot.bag_taken_out": BOTH,
    "lot.completed": BOTH,
    "lot.container_disposed": BOTH,
    "lot.doubt_lifted": ("performed verified", "assessed"),
    "lot.issued": BOTH,
    "lot.label_applied": BOTH,
    "lot.label_destroyed": BOTH,
    "lot.material_transferred": BOTH,
    "lot.nonconformance_assessed": ("assessed",),
    "lot.nonconformance_closed": ("approved",),
    "lot.operator_replaced": ("accepted",),
    "lot.reading_verified": ("verified",),
    "lot.room_entered": BOTH,
    "lot.sheet_entered": ("transcribed verified",),
    "lot.sheet_voided": BOTH,
    "lot.starting_material_received": ("received verified",),
    "lot.step_completed": ("performed", "transcribed verified"),
    "lot.terminated": ("assessed",),
    "material.received": ("received",),
    "material.rejected": ("rejected",),
    "material.released": ("approved",),
    "order.accepted": ("accepted",),
    "order.administration_recorded_late": BOTH,
    "order.administration_voided": BOTH,
    "order.approved": ("approved",),
    "order.bags_packed": HANDED,
    "order.coi_allocated": ("verified",),
    "order.coi_superseded": ("assessed verified",),
    "order.collected": BOTH,
    "order.collection_started": BOTH,
    "order.container_disposed": BOTH,
    "order.container_relabelled": BOTH,
    "order.dispatched": ("received",),
    "order.dose_judged": ("assessed",),
    "order.doubt_lifted": ("performed verified", "assessed"),
    "order.identity_checked": BOTH,
    "order.infused": BOTH,
    "order.infusion_started": BOTH,
    "order.lot_linked": BOTH,
    "order.lymphodepletion_cleared": ("approved", "attested"),
    "order.material_given": ("assessed requested",),
    "order.material_rebound": ("assessed verified",),
    "order.material_taken": ("assessed requested",),
    "order.moved": HANDED,
    "order.nonconformance_assessed": ("assessed",),
    "order.packed": ("handed_over received", "performed"),
    "order.placed": ("prescribed",),
    "order.prior_infusion_attested": ("transcribed verified",),
    "order.received": HANDED,
    "order.recollection_decided": ("assessed requested",),
    "order.stored": BOTH,
    "order.taken_out": BOTH,
    "pair.chain_allocated": ("verified",),
    "pair.donor_status_decided": ("assessed",),
    "pair.donor_tested": ("transcribed verified",),
    "quality.investigation_concluded": ("approved",),
    "quality.laboratory_phase_concluded": ("performed reviewed",),
    "quality.result_invalidated": ("assessed", "approved"),
    "quality.result_verified": ("verified",),
    "quality.retest_planned": ("approved",),
    "quality.sample_received": HANDED,
    "release.audit_trail_reviewed": ("reviewed",),
    "release.authority_decided": ("attested",),
    "release.awaited_result_arrived": ("verified",),
    "release.completed": ("released",),
    "release.custody_assessed": ("assessed",),
    "release.exceptional_item_recorded": ("attested", "requested", "accepted"),
    "release.exceptionally_supplied": ("approved",),
    "release.recalled": ("approved",),
    "release.record_reviewed": ("reviewed",),
    "release.rejected": ("rejected",),
    "release.released": ("released",),
    "release.suspension_lifted": ("assessed",),
    "room.cleared": BOTH,
    "room.registered": ("approved",),
    "room.taken": BOTH,
    "shipment.deviation_assessed": ("assessed",),
    "shipment.handed_over": ("handed_over",),
    "shipment.packed": ("handed_over received", "performed"),
    "shipment.received": HANDED,
    "shipment.taken_over": ("received",),
    "shipment.temperature_assessed": ("assessed",),
    "subject.key_destroyed": ("assessed verified",),
    "subject.personal_changed": ("attested",),
    "subject.superseded": ("assessed verified",),
    "subject.wristband_voided": BOTH,
}
"""Event type -> the sets of meanings (words with spaces between) one of which must be there."""


# -------------------- signed.py

"""People's signatures, judged by the record they stand in: whose credential, over which statement, covering which events.

One reading of the rules for the whole ledger of a site and for the dossier of a lot (21 CFR 11.50, 11.70; R027, R028).
Standard library only, a part of the stand-alone verifier; a site lends its faster curves.
"""


STATEMENT_PREFIX = b"cellwright.sign.v1\x00"
STATEMENT_KIND = "cellwright.signature.v1"
STATEMENT = (
    "contents", "leaves", "meaning", "nonce", "on", "person", "printed_name", "role", "signed_at", "version", "zone",
)  # fmt: skip
"""Fields of a signature's body that the person signs."""
APPEND_MAX = 1100
"""Positions between an event and a signature recorded with it, at most: one append and its signatures."""


Hold = tuple[str, str]
"""From when until when something holds; times as stored, which compare as text."""
ALWAYS = "~"
"""Later than any time as stored."""


class Curves(NamedTuple):
    """What verifies Ed25519 (public, message, signature) and ECDSA P-256 ((x, y), message, signature in DER)."""

    ed25519: Callable[[bytes, bytes, bytes], bool]
    p256: Callable[[tuple[int, int], bytes, bytes], bool]


PLAIN = Curves(ed25519_verify, p256_verify)


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value: JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_of(event: dict[str, Any]) -> str:
    """The digest (hex) of all that an event says but the place the ledger gave it: what a signature beside it covers."""
    said = {key: value for key, value in event.items() if key not in ("pos", "version", "at")}
    return hashlib.sha256(canonical(said)).hexdigest()


class _Account:
    """What the record says of one person."""

    def __init__(self) -> None:
        self.printed_name = ""
        self.kind = "person"
        self.may_sign = False
        self.ended = False
        self.roles: dict[str, list[Hold]] = {}
        self.authorised: list[Hold] = []
        self.credentials: dict[str, dict[str, Any]] = {}

    def take(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "person.enrolled":
            self.printed_name, self.kind = body["printed_name"], body.get("kind", "person")
        elif kind == "person.identity_verified":
            self.may_sign = True
        elif kind == "person.deactivated":
            self.ended = True
        elif kind == "person.role_granted":
            self.roles.setdefault(body["role"], []).append(_hold(body))
        elif kind == "person.role_revoked":
            held = self.roles.get(body["role"], [])
            self.roles[body["role"]] = [(since, min(until, body["at"])) for since, until in held]
        elif kind == "person.qualified" and body["qualification"] == "authorised_person":
            self.authorised.append(_hold(body))
        elif kind == "person.credential_registered":
            self.credentials[body["credential"]] = body
        elif kind == "person.credential_revoked":
            self.credentials.pop(body["credential"], None)

    def why_not(self, body: dict[str, Any]) -> str:
        """Why this person could not give this signature then, or nothing."""
        at = body["signed_at"]
        if self.kind != "person" or not self.may_sign or self.ended:
            return N_("this account could not sign")
        if body["printed_name"] != self.printed_name:
            return N_("the printed name is not that of the account")
        if not _holds(self.roles.get(body["role"], []), at):
            return N_("the person did not hold the role when signing")
        if body["meaning"] == "released" and not _holds(self.authorised, at):
            return N_("the person was not qualified to certify release")
        return ""


def _hold(body: dict[str, Any]) -> Hold:
    return body["since"], body.get("until") or ALWAYS


def _holds(intervals: list[Hold], at: str) -> bool:
    return any(since <= at < until for since, until in intervals)


class _Beside(NamedTuple):
    """An event that signatures may still come to cover."""

    pos: int
    type: str
    stream: str
    version: int


class Signatures:
    """Follows accounts and signatures through events given in order of position.

    Args:
        site: the body of the site's first event.
        curves: what verifies the two curves' signatures.
        whole: every event of the ledger is given, so that whatever a signature covers must be there.
    """

    def __init__(self, site: dict[str, Any], curves: Curves = PLAIN, *, whole: bool) -> None:
        self._site = site
        self._curves = curves
        self._whole = whole
        self._accounts: dict[str, _Account] = {}
        self._beside: dict[str, _Beside] = {}
        self._owed: dict[int, tuple[str, set[str]]] = {}
        self._leaves: set[bytes] = set()
        self._nonces: set[str] = set()
        self.count = 0
        self.elsewhere = 0

    def take(self, event: dict[str, Any], content: str, leaf: bytes) -> Iterator[tuple[int, Problem]]:
        """The next event: its position and what is wrong, for each thing that is."""
        kind, body, pos = event["type"], event["body"], event["pos"]
        yield from self._settled(pos - APPEND_MAX)
        if kind == "signature.applied":
            self.count += 1
            why = self._judged(event)
            if why:
                name = body.get("printed_name", "?")
                yield pos, Problem(N_("event {pos}: the signature of {name}: {why}"), pos=pos, name=name, why=why)
        elif kind.startswith("person."):
            self._accounts.setdefault(body["person"], _Account()).take(kind, body)
        if kind in REQUIRED:
            self._owed[pos] = (kind, set())
        if len(self._beside) > 2 * APPEND_MAX:
            self._beside = {c: one for c, one in self._beside.items() if one.pos > pos - APPEND_MAX}
        self._beside[content] = _Beside(pos, kind, event["stream"], event["version"])
        self._leaves.add(leaf)

    def ended(self) -> Iterator[tuple[int, Problem]]:
        """What is still wrong when the last event was given."""
        yield from self._settled(1 << 63)

    def _settled(self, before: int) -> Iterator[tuple[int, Problem]]:
        while self._owed:
            pos = next(iter(self._owed))
            if pos >= before:
                return
            kind, meanings = self._owed.pop(pos)
            if not any(meanings >= set(wanted.split()) for wanted in REQUIRED[kind]):
                text = N_("event {pos}: {type} lacks a signature; it must be signed as {meanings}")
                said = " / ".join(wanted.replace(" ", " + ") for wanted in REQUIRED[kind])
                yield pos, Problem(text, pos=pos, type=kind, meanings=said)

    def _judged(self, event: dict[str, Any]) -> str:
        """Why a signature does not hold, or nothing; what it covers is then credited with it."""
        body = event["body"]
        try:
            account = self._accounts.get(body["person"])
            credential = account.credentials.get(body["credential"]) if account else None
            if account is None or credential is None:
                return N_("the credential is not registered to this person, or was revoked")
            if (credential.get("simulated") or body.get("simulated")) and not self._site.get("simulated"):
                return N_("it is simulated, and the site is not")
            why = account.why_not(body) or self._covers(event) or self._statement(body, credential)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError):
            return N_("it cannot be read")
        if not why:
            for digest in body.get("contents", ()):
                covered = self._beside.get(digest)
                if covered is not None and covered.pos in self._owed:
                    self._owed[covered.pos][1].add(body["meaning"])
        return why

    def _covers(self, event: dict[str, Any]) -> str:
        body, pos = event["body"], event["pos"]
        contents, leaves = body.get("contents", ()), body.get("leaves", ())
        if not contents and not leaves:
            return N_("it covers nothing")
        if body["signed_at"] > event["at"]:
            return N_("it was given after it was recorded")
        if body["nonce"] in self._nonces:
            return N_("its nonce was used before")
        self._nonces.add(body["nonce"])
        found = [(index, self._beside.get(digest)) for index, digest in enumerate(contents)]
        here = [(index, one) for index, one in found if one is not None]
        if (self._whole and len(here) < len(contents)) or (contents and not here):
            return N_("it covers something that is not beside it in the record")
        firsts = {one.pos - index for index, one in here}
        if len(firsts) > 1 or any(not first + len(contents) <= pos <= first + APPEND_MAX for first in firsts):
            return N_("it covers something that is not beside it in the record")
        if not {bytes.fromhex(leaf) for leaf in leaves} <= self._leaves:
            return N_("it covers events that are not here")
        self.elsewhere += len(contents) - len(here)
        return ""

    def _statement(self, body: dict[str, Any], credential: dict[str, Any]) -> str:
        if body["on"] == "" or body["means"] != credential["means"]:
            return N_("it was made by other means than registered")
        statement: dict[str, Any] = {name: body.get(name, []) for name in STATEMENT}
        statement["kind"] = STATEMENT_KIND
        challenge = hashlib.sha256(STATEMENT_PREFIX + canonical(statement)).digest()
        if body["means"] == "webauthn":
            return self._assertion(body["proof"], credential["public_key"], challenge)
        good = self._curves.ed25519(
            plain_url64(credential["public_key"]), challenge, plain_url64(body["proof"]["signature"])
        )
        return "" if good else N_("the cryptographic check fails")

    def _assertion(self, proof: dict[str, str], public_key: str, challenge: bytes) -> str:
        """Why a WebAuthn assertion does not hold, or nothing (Web Authentication Level 2, 7.2)."""
        client, authenticator = plain_url64(proof["client"]), plain_url64(proof["authenticator"])
        said = json.loads(client)
        if said["type"] != "webauthn.get" or plain_url64(said["challenge"]) != challenge:
            return N_("it was given for something else")
        if said["origin"] not in self._site["origins"] or said.get("crossOrigin"):
            return N_("it comes from another site")
        if authenticator[:32] != hashlib.sha256(self._site["relying_id"].encode()).digest():
            return N_("it comes from another site")
        if authenticator[32] & 5 != 5:
            return N_("the person was not verified by the device")
        point = plain_url64(public_key)
        key = (int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"))
        message = authenticator + hashlib.sha256(client).digest()
        sound = point[0] == 4 and len(point) == 65
        good = sound and self._curves.p256(key, message, plain_url64(proof["signature"]))
        return "" if good else N_("the cryptographic check fails")


def plain_url64(text: str) -> bytes:
    """The bytes of base64url without padding, in its one form. Raises ValueError."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("not base64url in its one form")
    return data


# -------------------- check.py

"""Verifies a dossier: archive, the site's seal, file hashes, checkpoint, inclusion of every event, people's signatures.

Standard library only; a part of the stand-alone verifier.
"""


SCHEMA = "cellwright.dossier/1"
SEALED_FILE = b"cellwright-file/1\n"
"""How a file that is stored encrypted begins."""
READERS = ("stranger", "hospital")
MANIFEST = {
    "coi": str, "complete": dict, "destroyed": list, "files": dict, "for": str, "lot": str, "opened": dict, "schema": str,
    "sealed": list, "shared": list, "simulated": bool, "size": int, "trimmed": dict, "withheld": list, "witnesses": list,
}  # fmt: skip
"""Fields of the manifest."""


def verify_dossier(
    archive: bytes, pins: Iterable[str] = (), checkpoints: Iterable[bytes] = (), witnesses: Iterable[str] = ()
) -> Findings:
    """Everything that can be known of a dossier without trusting anybody but the site's keys.

    Args:
        archive: the dossier's bytes.
        pins: the site's first verifier keys as known from elsewhere; without them it is for the reader to compare the
            keys that the dossier states.
        checkpoints: signed notes of the site's record as received from elsewhere; the dossier's must agree with them.
        witnesses: keys of witnesses as known from elsewhere; each must have cosigned the dossier's checkpoint.
    """
    found = Findings()
    try:
        files = unpack(archive)
        found.manifest = _manifest(files)
        _sealed(files, found)
        _listed(files, found)
        if found.ok:
            _record(files, frozenset(pins), tuple(checkpoints), found)
            _witnessed(files, tuple(witnesses), found)
    except (ArchiveBroken, Problem) as problem:
        found.problems.append(problem if isinstance(problem, Problem) else Problem("{what}", what=str(problem)))
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        text = N_("the dossier does not have the form of one: {what}")
        found.problems.append(Problem(text, what=f"{type(error).__name__} {error}"[:200]))
    return found


# --- the archive ---------------------------------------------------------------------------------------------------


def _json(files: dict[str, bytes], name: str) -> Any:
    try:
        value = json.loads(files[name])
    except (KeyError, ValueError, RecursionError):
        raise Problem(N_("{where}: it is missing or cannot be read"), where=name) from None
    if canonical(value) != files[name]:
        raise Problem(N_("{where}: it is not in canonical form"), where=name)
    return value


def _manifest(files: dict[str, bytes]) -> dict[str, Any]:
    manifest = _json(files, "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise Problem(
            N_("{where}: it is not the manifest of a dossier ({schema})"), where="manifest.json", schema=SCHEMA
        )
    right = set(manifest) == set(MANIFEST) and all(type(manifest[name]) is kind for name, kind in MANIFEST.items())
    if not right or manifest["for"] not in READERS:
        raise Problem(N_("{where}: its fields are not those of a manifest"), where="manifest.json")
    return manifest


def _sealed(files: dict[str, bytes], found: Findings) -> None:
    """The seal speaks of this manifest, whoever signed it; said first, so that the right one of two is named."""
    said = read_checkpoint(files.get("dossier.note", b""), "dossier.note")
    if said.size != 1 or said.root != leaf_of(files["manifest.json"]):
        text = N_("manifest.json: the seal in dossier.note is not over it; one of the two was altered")
        found.problems.append(Problem(text))


def _listed(files: dict[str, bytes], found: Findings) -> None:
    """What the archive holds is what the manifest lists, with the same content."""
    listed: dict[str, str] = found.manifest["files"]
    for name in sorted({*listed, *files} - {"manifest.json", "dossier.note"}):
        if name not in files:
            found.problems.append(Problem(N_("{where}: it is listed and missing"), where=name))
        elif name not in listed:
            found.problems.append(Problem(N_("{where}: it is not listed in the manifest"), where=name))
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            found.problems.append(Problem(N_("{where}: its content was altered"), where=name))
    found.files = sum(name.startswith("files/") for name in files)


# --- the record ----------------------------------------------------------------------------------------------------


def _record(files: dict[str, bytes], pins: frozenset[str], notes: tuple[bytes, ...], found: Findings) -> None:
    manifest = found.manifest
    events, leaves = _events(files)
    found.events = events
    opened = events[0]["body"]
    keys = key_sets(events)
    found.keys = list(keys.sets[0])
    if pins and not pins <= set(found.keys):
        raise Problem(N_("the site's first keys are not the ones you know: this is the record of another site"))
    found.pinned = bool(pins)
    if any(read_key(key).kind == ML_DSA_44 for key in found.keys):
        found.post_quantum = lattice()[0]
    seal = Checkpoint(f"{keys.origin}/dossier/{manifest['lot']}", 1, leaf_of(files["manifest.json"]))
    check_note(files["dossier.note"], seal, keys.sets[-1], "dossier.note")
    if bool(opened.get("simulated")) != manifest["simulated"]:
        found.problems.append(Problem(N_("manifest.json: it does not say whether the site is simulated")))
    now = read_checkpoint(files.get("checkpoint.note", b""), "checkpoint.note")
    if now.origin != keys.origin or now.size != manifest["size"]:
        raise Problem(N_("checkpoint.note: it is of another record than the dossier"))
    check_note(files["checkpoint.note"], now, keys.at(now.size), "checkpoint.note")
    _compared(files, notes, keys, now, found)
    _inclusion(files, events, leaves, now, found)
    _streams(events, manifest, found)
    _about(events, manifest, found)
    signatures = Signatures(opened, whole=False)
    for event, leaf in zip(events, leaves, strict=True):
        found.problems += [problem for _, problem in signatures.take(event, content_of(event), leaf)]
    found.problems += [problem for _, problem in signatures.ended()]
    found.signatures, found.elsewhere = signatures.count, signatures.elsewhere
    _reviews(events, set(leaves), found)
    _files(files, manifest, events, found)


def _events(files: dict[str, bytes]) -> tuple[list[dict[str, Any]], list[bytes]]:
    lines = files.get("events.jsonl", b"").split(b"\n")
    if lines.pop() or not lines:
        raise Problem(N_("events.jsonl: it is missing, empty or cut short"))
    events = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or canonical(event) != line or not _formed(event):
            raise Problem(N_("events.jsonl, line {line}: it is no event in canonical form"), line=number)
        events.append(event)
    positions = [event["pos"] for event in events]
    if positions != sorted(set(positions)) or positions[0] != 0 or events[0]["type"] != "site.opened":
        raise Problem(N_("events.jsonl: its events do not rise from the site's first event"))
    return events, [leaf_of(line) for line in lines]


def _formed(event: dict[str, Any]) -> bool:
    """Whether the fields that every event has are there, each of its kind."""
    texts = all(isinstance(event.get(name), str) for name in ("actor", "at", "id", "stream", "type"))
    return (
        texts and all(type(event.get(name)) is int for name in ("pos", "version")) and type(event.get("body")) is dict
    )


def _compared(
    files: dict[str, bytes], notes: tuple[bytes, ...], keys: KeySets, now: Checkpoint, found: Findings
) -> None:
    """The dossier's checkpoint agrees with every checkpoint that the reader holds."""
    proofs = _json(files, "consistency.json")
    for note in notes:
        held = read_checkpoint(note, N_("your checkpoint"))
        if held.origin != keys.origin:
            raise Problem(
                N_("your checkpoint is of {origin}, this dossier of {other}"), origin=held.origin, other=keys.origin
            )
        check_note(note, held, keys.at(held.size), N_("your checkpoint"))
        path = [bytes.fromhex(node) for node in proofs.get(str(held.size), ())]
        if held.size == now.size:
            path = []
        elif str(held.size) not in proofs:
            text = N_("your checkpoint of {size} events cannot be compared: have a dossier made with it in hand")
            raise Problem(text, size=held.size)
        if not continues(held, now, path):
            text = N_("the record does not continue your checkpoint of {size} events: one of the two was forged")
            raise Problem(text, size=held.size)
        found.compared += 1


def _witnessed(files: dict[str, bytes], known: tuple[str, ...], found: Findings) -> None:
    """Every enclosed cosignature is over the dossier's checkpoint and by a witness that is named; time stamps name it."""
    now = read_checkpoint(files["checkpoint.note"], "checkpoint.note")
    named = tuple(dict.fromkeys((*known, *map(str, found.manifest["witnesses"]))))
    seen = set()
    for name in sorted(files):
        if name.startswith("cosignatures/"):
            vkey, who, at = cosigned(files[name], now, named, name)
            seen.add(vkey)
            found.witnesses.append((who, at, vkey in known))
            if read_key(vkey).kind == ML_DSA_44:
                found.post_quantum = lattice()[0]
        elif name.startswith("timestamps/"):
            if hashlib.sha256(files["checkpoint.note"]).digest() not in files[name]:
                raise Problem(N_("{where}: it speaks of something else"), where=name)
            found.timestamps += 1
    for vkey in known:
        if vkey not in seen:
            text = N_("the witness {name}, whom you know, did not cosign this checkpoint")
            found.problems.append(Problem(text, name=read_key(vkey).name))


def _inclusion(
    files: dict[str, bytes], events: list[dict[str, Any]], leaves: list[bytes], now: Checkpoint, found: Findings
) -> None:
    proofs = _json(files, "proofs.json")
    for event, leaf in zip(events, leaves, strict=True):
        path = [bytes.fromhex(node) for node in proofs.get(str(event["pos"]), [])]
        if not included(event["pos"], now.size, leaf, path, now.root):
            text = N_("event {pos}: it is not in the record that the checkpoint speaks of")
            found.problems.append(Problem(text, pos=event["pos"]))
    if set(proofs) != {str(event["pos"]) for event in events}:
        found.problems.append(Problem(N_("proofs.json: it has proofs of other events")))


def _streams(events: list[dict[str, Any]], manifest: dict[str, Any], found: Findings) -> None:
    """The streams that the site says are here whole, every version from the first to the last; and the people's.

    Whoever signs is here with all that the record says of the account, or all but what was done at the door.
    """
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event["stream"], []).append(event["version"])
    signers = {f"person/{event['body']['person']}" for event in events if event["type"] == "signature.applied"}
    for stream in sorted(signers - {*manifest["complete"], *manifest["trimmed"]}):
        found.problems.append(Problem(N_("{stream}: it is not said how many events it has"), stream=stream))
    for stream, count in manifest["trimmed"].items():
        here = versions.get(stream, [])
        if not stream.startswith("person/") or here[:1] != [0] or here != sorted(set(here)) or here[-1] >= count:
            text = N_("{stream}: events are missing or out of order; it has {count}")
            found.problems.append(Problem(text, stream=stream, count=count))
    for stream, count in manifest["complete"].items():
        if versions.get(stream, []) != list(range(count)):
            text = N_("{stream}: events are missing or out of order; it has {count}")
            found.problems.append(Problem(text, stream=stream, count=count))


def _about(events: list[dict[str, Any]], manifest: dict[str, Any], found: Findings) -> None:
    """The dossier is of the lot that it names, and of that lot's chain of identity."""
    lot, coi = f"lot/{manifest['lot']}", manifest["coi"]
    first = next((event for event in events if event["stream"] == lot and event["version"] == 0), None)
    if lot not in manifest["complete"] or first is None or first["body"].get("coi", "") != coi:
        found.problems.append(Problem(N_("manifest.json: the lot it names is not the one the events are about")))
    if any(event["stream"].startswith("subject/") for event in events) and manifest["for"] == "stranger":
        found.problems.append(Problem(N_("a stranger's dossier holds the stream of a person")))


def _reviews(events: list[dict[str, Any]], here: set[bytes], found: Findings) -> None:
    """What a reviewer signed is the record that the review says it covers (R052), and how much of it is here.

    A reviewer signs the hashes of every event of making and testing: nothing of these can be left out unnoticed.
    """
    for event in events:
        if event["type"] not in ("release.record_reviewed", "release.audit_trail_reviewed"):
            continue
        content, body = content_of(event), event["body"]
        signed = [
            e["body"]["leaves"] for e in events if content in e["body"].get("contents", ()) and "leaves" in e["body"]
        ]
        if not any(
            len(leaves) == body["events"]
            and hashlib.sha256(bytes.fromhex("".join(leaves))).hexdigest() == body["digest"]
            for leaves in signed
        ):
            text = N_("event {pos}: what was reviewed is not what the reviewer signed")
            found.problems.append(Problem(text, pos=event["pos"]))
            continue
        if event["stream"] == f"release/{found.manifest['lot']}":
            covered = {bytes.fromhex(leaf) for leaves in signed if len(leaves) == body["events"] for leaf in leaves}
            found.reviewed = (event["at"], len(covered), len(covered - here))
            lot = found.manifest["lot"]
            if covered - here and {f"lot/{lot}", f"quality/{lot}"} <= set(found.manifest["complete"]):
                text = N_(
                    "event {pos}: the reviewer signed {missing} events that are not here, of a record said to be whole"
                )
                found.problems.append(Problem(text, pos=event["pos"], missing=len(covered - here)))


# --- files ---------------------------------------------------------------------------------------------------------


def digests_named(value: Any, key: str = "") -> Iterable[str]:
    """Every file address in the body of an event: hexadecimal SHA-256 under a name that ends in `sha256`.

    The parameters of a derivation hold hashes of what was computed with, before it was encrypted for the store; there an
    address is under a name that ends in ` file`.
    """
    if isinstance(value, dict) and key == "parameters":
        for name, inner in value.items():
            if name.endswith(" file") and isinstance(inner, str) and len(inner) == 64:
                yield inner
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from digests_named(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from digests_named(inner, key)
    elif isinstance(value, str) and key.endswith("sha256") and len(value) == 64:
        yield value


def _files(files: dict[str, bytes], manifest: dict[str, Any], events: list[dict[str, Any]], found: Findings) -> None:
    """Every file that the events name is enclosed as stored, or said to be withheld; nothing else is enclosed."""
    named = {digest for event in events for digest in digests_named(event["body"])}
    enclosed = {name.removeprefix("files/") for name in files if name.startswith("files/")}
    for digest in sorted(enclosed):
        if digest not in named:
            found.problems.append(Problem(N_("{where}: no event of this dossier names it"), where=f"files/{digest}"))
        if hashlib.sha256(files[f"files/{digest}"]).hexdigest() != digest:
            found.problems.append(Problem(N_("{where}: its content was altered"), where=f"files/{digest}"))
    if named - enclosed != set(manifest["withheld"]):
        found.problems.append(
            Problem(N_("manifest.json: files are missing, and it does not say that they are withheld"))
        )
    sealed = {digest for digest in enclosed if files[f"files/{digest}"].startswith(SEALED_FILE)}
    opened = {name.removeprefix("opened/") for name in files if name.startswith("opened/")}
    if sealed != set(manifest["sealed"]) or opened != set(manifest["opened"]) or not opened <= sealed:
        found.problems.append(Problem(N_("manifest.json: it does not say rightly which files are encrypted")))
    if opened and manifest["for"] != "hospital":
        found.problems.append(Problem(N_("a stranger's dossier holds an opened file")))


# -------------------- phrases.py

"""What a dossier tells of each event, in a line: a sentence with values of the event's body.

Chinese stands in the catalogue, as for every sentence that people read; the stand-alone verifier carries both.
"""


PHRASES: Final[dict[str, str]] = {
    "pair.formed": N_("Donor {donor} and recipient {recipient} were joined as pair {pair}"),
    "pair.donor_consented": N_("The donor consented on {given_on}"),
    "pair.donor_tested": N_("The donor was tested by {laboratory}"),
    "pair.donor_status_decided": N_("Donor status decided: {status}; legends: {legends}"),
    "pair.chain_allocated": N_("Chain of identity {coi} belongs to this pair"),
    "order.placed": N_("{product} was prescribed by {prescriber} at {hospital}"),
    "order.eligibility_judged": N_("Eligibility judged: {verdict}"),
    "order.consented": N_("The patient consented on {given_on}"),
    "order.consent_withdrawn": N_("Consent was withdrawn"),
    "order.enrolled": N_("Enrolled in {protocol} as {subject_number}"),
    "order.approved": N_("The order was approved"),
    "order.coi_allocated": N_("Chain of identity {coi} was allocated"),
    "order.coi_superseded": N_("Chain of identity {superseded} was superseded by {coi}"),
    "order.weighed": N_("Weight {weight_kg} kg on {weighed_on}"),
    "order.slot_promised": N_("A slot was promised: collect {collect_on}, make {make_on}, deliver {deliver_on}"),
    "order.slot_given_up": N_("Slot {slot} was given up"),
    "order.collection_scheduled": N_("Collection {collection} was scheduled for {days} at {site}"),
    "order.collection_started": N_("Collection {collection} began; the donor was identified by two people"),
    "order.collected": N_("Collection {collection} ended: {din}, containers {containers}"),
    "order.packed": N_("Packed in shipment {shipment}: {containers}"),
    "order.bags_packed": N_("Bags packed in shipment {shipment}: {bags}"),
    "order.dispatched": N_("Sent with {holder}: {containers}"),
    "order.received": N_("Received at {place}: {containers}"),
    "order.accepted": N_("Accepted: {containers}"),
    "order.quarantined": N_("Put into quarantine: {containers}; {why}"),
    "order.stored": N_("{container} was put into store at {position}"),
    "order.taken_out": N_("{container} was taken out of {position}"),
    "order.moved": N_("Moved to {place}: {containers}"),
    "order.container_relabelled": N_("{container} bears the new label {label}; the old one is void"),
    "order.allocated": N_("Allocated to lot {lot}: {containers}"),
    "order.lot_linked": N_("Lot {lot} is made for this order"),
    "order.linked_by": N_("A later order, {order}, follows this one"),
    "order.material_given": N_("Material was given to order {to_order} of the same pair"),
    "order.material_taken": N_("Material was taken over from order {from_order} of the same pair"),
    "order.material_rebound": N_("Material changed its chain of identity within the pair"),
    "order.prior_infusion_recorded": N_("The prior product {product} was given at {infused_at}"),
    "order.prior_infusion_attested": N_(
        "The prior product {product} was given at {hospital} on {infused_on}, as attested"
    ),
    "order.recollection_decided": N_("Cells are collected again after lot {lot}"),
    "order.dose_judged": N_("The dose of lot {lot} was judged at {weight_kg} kg"),
    "order.lymphodepletion_cleared": N_("Lymphodepletion was cleared for {lots}"),
    "order.identity_checked": N_("Identity of bag {bag} and patient was checked by two people ({stage})"),
    "order.thawed": N_("Bag {bag} was thawed; to be used before {use_before}"),
    "order.infusion_started": N_("Infusion of bag {bag} began"),
    "order.infused": N_("Bag {bag} was given: {volume_given_ml} mL, dose {dose}"),
    "order.administration_recorded_late": N_("The giving of bag {bag} was recorded late"),
    "order.administration_voided": N_("The record of giving bag {bag} was voided"),
    "order.followed_up": N_("Follow-up, {kind}: {finding} on {on}"),
    "order.nonconformance_raised": N_("Nonconformance {nonconformance}: {code}"),
    "order.nonconformance_assessed": N_("Nonconformance {nonconformance} was assessed: {severity}"),
    "order.doubt_raised": N_("IDENTITY IN DOUBT: case {case}"),
    "order.doubt_lifted": N_("The doubt of case {case} was lifted"),
    "order.container_disposed": N_("{container}: {disposition}"),
    "order.alias_recorded": N_("Known to {issuer} by a number of theirs"),
    "order.ended": N_("The order ended: {why}"),
    "order.closed": N_("The order was closed: {outcome}"),
    "shipment.packed": N_("Shipment {shipment} was packed for {destination}, seal {seal}"),
    "shipment.handed_over": N_("Handed over to {holder}, seal {seal}, {condition}"),
    "shipment.taken_over": N_("Taken over by {receiver}"),
    "shipment.received": N_("Shipment {shipment} arrived at {place}: {condition}"),
    "shipment.loggers_read": N_("Temperature loggers were read: {verdict}"),
    "shipment.temperature_assessed": N_("The temperature excursion was assessed: {text}"),
    "shipment.deviation_assessed": N_("The deviation was assessed: {text}"),
    "lot.issued": N_("Lot {lot} was issued by recipe {recipe} version {recipe_version}"),
    "lot.room_entered": N_("Entered room {room}"),
    "lot.room_left": N_("Left room {room}"),
    "lot.starting_material_received": N_("Cells {container} entered the lot: {volume_ml} mL"),
    "lot.procedure_transitioned": N_("{unit_procedure}: {before} → {after}"),
    "lot.step_started": N_("Step {step} began: {title}"),
    "lot.step_completed": N_("Step {step} was completed"),
    "lot.operator_replaced": N_("{took_over} took step {step} over from {left}"),
    "lot.reading_taken": N_("Step {step}, measured: {reading}"),
    "lot.reading_verified": N_("Step {step}, {parameter} was verified"),
    "lot.material_added": N_("{code} was added: {used}"),
    "lot.material_transferred": N_("Moved from {sources} into {made}"),
    "lot.volume_measured": N_("Volume of {container} measured: {volume_ml} mL"),
    "lot.container_detached": N_("{container} was detached"),
    "lot.container_disposed": N_("{container}: {disposition}"),
    "lot.sample_drawn": N_("Sample {sample} ({kind}) was drawn from {container}"),
    "lot.label_printed": N_("Label {label} was printed for {container}"),
    "lot.label_verified": N_("Label {label} was read back"),
    "lot.label_applied": N_("Label {label} was applied to {container} before a second person"),
    "lot.label_rejected": N_("Label {label} was rejected"),
    "lot.label_destroyed": N_("Label {label} was destroyed"),
    "lot.bag_frozen": N_("Bag {bag} was frozen at {position}"),
    "lot.bag_moved": N_("Bag {bag} was moved to {position}"),
    "lot.bag_taken_out": N_("Bag {bag} was taken out of the store: {purpose}"),
    "lot.completed": N_("Making was completed: {bags_filled} bags"),
    "lot.terminated": N_("The lot was terminated: {cause}"),
    "lot.addendum_added": N_("Addendum: {text}"),
    "lot.nonconformance_recorded": N_("NONCONFORMANCE {nonconformance}, {severity}: {text}"),
    "lot.nonconformance_assessed": N_("Nonconformance {nonconformance} was assessed: {severity}; {text}"),
    "lot.nonconformance_closed": N_("Nonconformance {nonconformance} was closed: {conclusion}"),
    "lot.doubt_raised": N_("IDENTITY IN DOUBT: case {case}"),
    "lot.doubt_lifted": N_("The doubt of case {case} was lifted"),
    "lot.sheet_printed": N_("Sheet {sheet} for step {step} was printed for an outage"),
    "lot.sheet_entered": N_("Sheet {sheet} of step {step} was transcribed and verified"),
    "lot.sheet_voided": N_("Sheet {sheet} was voided"),
    "case.opened": N_("MIX-UP STOPPED ({point}): expected {expected}, found {scanned}"),
    "case.set_aside": N_("Both were set aside: {where}"),
    "case.doubted": N_("Identity is in doubt: {why}"),
    "case.investigated": N_("Investigated: identity {identity}; {conclusion}"),
    "case.relabelled": N_("{container} was relabelled with {label}"),
    "case.label_read_back": N_("{reader} read the new label {label} back on {container}"),
    "case.closed": N_("The case was closed: {outcome}"),
    "quality.specification_assigned": N_("Tested against specification {specification} version {version}"),
    "quality.sample_received": N_("Sample {sample} ({kind}) was received by the laboratory"),
    "quality.culture_started": N_("Culture for {test} began; it ends at {ends_at}"),
    "quality.culture_read": N_("Culture {culture} was read; growth: {growth}"),
    "quality.culture_abandoned": N_("Culture {culture} was given up: {cause}"),
    "quality.result_recomputed": N_("{test} = {value} {unit}, computed again from the raw file"),
    "quality.result_attested": N_("{test} = {value} {unit}, attested by {laboratory}, not recomputed"),
    "quality.result_verified": N_("Results were verified by {verifier}: {results}"),
    "quality.result_invalidated": N_("Result {result} was invalidated: {cause}"),
    "quality.investigation_opened": N_("Out of specification: {test} = {value} {unit}"),
    "quality.laboratory_phase_concluded": N_("Laboratory phase: {finding}"),
    "quality.retest_planned": N_("Retest number {number} of investigation {investigation} was approved"),
    "quality.retest_started": N_("Retest {retest} began"),
    "quality.investigation_concluded": N_("Investigation concluded: {outcome}; {conclusion}"),
    "plate.mapped": N_("Plate {plate} was laid out"),
    "plate.well_filled": N_("Well {well} was filled"),
    "release.record_reviewed": N_("The record was reviewed: {events} events"),
    "release.audit_trail_reviewed": N_("The audit trail was reviewed: {events} events"),
    "release.custody_assessed": N_("Custody {custody}, temperature {temperature}"),
    "release.physician_informed": N_("{physician} was told which results are awaited: {tests}"),
    "release.exceptional_item_recorded": N_("For exceptional supply: {item}"),
    "release.authority_decided": N_("{authority} decided: {reference}"),
    "release.released": N_("RELEASED ({path}) for {market}"),
    "release.exceptionally_supplied": N_("EXCEPTIONAL SUPPLY, not released"),
    "release.rejected": N_("REJECTED: {cause}"),
    "release.awaited_result_arrived": N_("Awaited result arrived: {test}, {verdict}"),
    "release.completed": N_("All awaited results have arrived; release is complete"),
    "release.suspended": N_("SUSPENDED ({cause}): {text}"),
    "release.suspension_lifted": N_("The suspension was lifted: {text}"),
    "release.recalled": N_("RECALLED: {text}"),
    "release.notification_due": N_("{addressee} must be told by {due}: {text}"),
    "release.notified": N_("{reached} was told ({how})"),
    "signature.applied": N_("signed: {printed_name} ({person}), {role}, {meaning}, {signed_at} ({zone})"),
}
"""Event type -> sentence; a field that the event does not have is shown as a dash."""


# -------------------- words.py

"""What the codes in events are called: roles, meanings of signatures, verdicts, tests, places; for a reader in Chinese.

In English a code is told as it stands in the record. Standard library only; a part of the stand-alone verifier.
"""


WORDS: Final[dict[str, str]] = {
    "Aborted": N_("Aborted"),
    "Cell laboratory": N_("Cell laboratory"),
    "Complete": N_("Complete"),
    "Held": N_("Held"),
    "Idle": N_("Idle"),
    "Receiving": N_("Receiving"),
    "Red tray": N_("Red tray"),
    "Running": N_("Running"),
    "Stopped": N_("Stopped"),
    "absent": N_("absent"),
    "accepted": N_("accepted"),
    "adventitious_viruses": N_("adventitious viruses"),
    "analyst": N_("analyst"),
    "appearance": N_("appearance"),
    "approved": N_("approved"),
    "assessed": N_("assessed"),
    "attested": N_("attested"),
    "authorisation_holder_notified": N_("authorisation holder notified"),
    "authorised_person": N_("authorised person"),
    "authority_notified": N_("authority notified"),
    "autologous_use_only": N_("autologous use only"),
    "beads_counted": N_("beads counted"),
    "bedside": N_("bedside"),
    "biohazard": N_("biohazard"),
    "car_copies_per_100_ng": N_("car copies per 100 ng"),
    "car_positive": N_("car positive"),
    "car_positive_day5": N_("car positive day5"),
    "cd19_transgene_positive": N_("cd19 transgene positive"),
    "cd3_positive": N_("cd3 positive"),
    "cd8_positive": N_("cd8 positive"),
    "cell_laboratory": N_("hospital cell laboratory"),
    "cells_examined": N_("cells examined"),
    "collection_nurse": N_("collection nurse"),
    "collection_receipt": N_("collection receipt"),
    "confirmed": N_("confirmed"),
    "conforms": N_("conforms"),
    "coordinator": N_("coordinator"),
    "courier": N_("courier"),
    "culture": N_("culture"),
    "damaged": N_("damaged"),
    "death": N_("death"),
    "destroyed": N_("destroyed"),
    "destruction": N_("destruction"),
    "downstream": N_("downstream"),
    "eligible": N_("eligible"),
    "end_of_culture": N_("end of culture"),
    "endotoxin": N_("endotoxin"),
    "endotoxin_per_kg_hour": N_("endotoxin per kg hour"),
    "fail": N_("fail"),
    "final_label": N_("final label"),
    "final_product": N_("final product"),
    "finish": N_("finish"),
    "full": N_("full"),
    "growth_failed": N_("growth failed"),
    "handed_over": N_("handed over"),
    "identity_lost": N_("identity lost"),
    "identity_transgene": N_("identity transgene"),
    "ifn_gamma": N_("ifn gamma"),
    "immediate_significant_hazard": N_("immediate significant hazard"),
    "in_limits": N_("in limits"),
    "in_process": N_("in process"),
    "ineligible": N_("ineligible"),
    "infused": N_("infused"),
    "infusion": N_("infusion"),
    "intact": N_("intact"),
    "killing": N_("killing"),
    "made_not_given": N_("made not given"),
    "major": N_("major"),
    "manufacturing_failure": N_("manufacturing failure"),
    "minor": N_("minor"),
    "mycoplasma": N_("mycoplasma"),
    "mycoplasma_day10": N_("mycoplasma day10"),
    "negative": N_("negative"),
    "no_alternative": N_("no alternative"),
    "not_evaluated_for_infectious_substances": N_("not evaluated for infectious substances"),
    "not_shown": N_("not shown"),
    "nurse": N_("ward nurse"),
    "operator": N_("operator"),
    "out_of_limits": N_("out of limits"),
    "pack_out": N_("pack out"),
    "pass": N_("pass"),
    "pending_results": N_("pending results"),
    "performed": N_("performed"),
    "physician": N_("physician"),
    "physician_acceptance": N_("physician acceptance"),
    "physician_request": N_("physician request"),
    "planner": N_("planner"),
    "plate_well": N_("plate well"),
    "positive": N_("positive"),
    "potency_adcc": N_("potency adcc"),
    "potency_difference_4_1": N_("potency difference 4 1"),
    "potency_ifn_gamma": N_("potency ifn gamma"),
    "potency_survival_1_1": N_("potency survival 1 1"),
    "preparation": N_("preparation"),
    "prescribed": N_("prescribed"),
    "prescriber": N_("prescriber"),
    "process_engineer": N_("process engineer"),
    "progression": N_("progression"),
    "protein": N_("protein"),
    "purity_sec": N_("purity sec"),
    "qc_tube": N_("qc tube"),
    "quality_assurance": N_("quality assurance"),
    "raw_file": N_("raw file"),
    "received": N_("received"),
    "record": N_("record"),
    "rejected": N_("rejected"),
    "released": N_("released"),
    "replication_competent_lentivirus": N_("replication competent lentivirus"),
    "requested": N_("requested"),
    "residual_b_cells": N_("residual b cells"),
    "residual_cd19": N_("residual cd19"),
    "result": N_("result"),
    "retained_sample": N_("retained sample"),
    "reviewed": N_("reviewed"),
    "risk_evaluation_sent": N_("risk evaluation sent"),
    "sponsor": N_("sponsor"),
    "sterility": N_("sterility"),
    "sterility_day10": N_("sterility day10"),
    "telephone": N_("telephone"),
    "thaw": N_("thaw"),
    "transcribed": N_("transcribed"),
    "unprocessed_bulk": N_("unprocessed bulk"),
    "upstream": N_("upstream"),
    "used_in_manufacture": N_("used in manufacture"),
    "vector_copies_per_cell": N_("vector copies per cell"),
    "vector_copies_per_transduced_cell": N_("vector copies per transduced cell"),
    "verified": N_("verified"),
    "viability": N_("viability"),
    "viable_cells_per_ml": N_("viable cells per ml"),
    "warehouse": N_("warehouse"),
    "withdrawal": N_("withdrawal"),
}
"""Code -> words; their Chinese stands in the catalogue."""


# -------------------- telling.py

# ruff: noqa: T201 - a program that speaks on standard output
"""Tells what a dossier holds: the verdict first, then the patient's story, in English or Chinese.

Standard library only; the last part of the stand-alone verifier, which brings the Chinese of every sentence with it.
"""


CHINESE: dict[str, str] = {}
"""Sentence -> the same in Chinese; filled in the stand-alone verifier."""
BACKGROUND = ("person", "definition", "equipment", "material", "room", "site", "ledger", "laboratory")
"""Rooms whose events a story rests on without telling them."""
USAGE = N_(
    "usage: verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--checkpoint NOTE]... [--witness KEY]... "
    "[--language en|zh] [--json]"
)
STATUS = {
    "release.released": N_("released"),
    "release.exceptionally_supplied": N_("exceptional supply, not released"),
    "release.rejected": N_("rejected"),
    "release.completed": N_("released, all results arrived"),
    "release.suspended": N_("suspended"),
    "release.suspension_lifted": N_("suspension lifted"),
    "release.recalled": N_("recalled"),
}
"""Event type -> what the lot is after it."""
KEY_SHOWN = 72
"""Characters of a verifier key that are shown."""


class _Gaps(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


class Teller:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.chinese = language.startswith("zh")

    def say(self, text: str, **values: object) -> str:
        """A sentence of ours in this language, its values filled in."""
        said = {key: self.word(value) if isinstance(value, str) else value for key, value in values.items()}
        return (CHINESE.get(text, text) if self.chinese else text).format_map(_Gaps(said))

    def word(self, value: str) -> str:
        """A value that is a sentence or a code of ours, such as the reason of a problem or a role; else as it stands."""
        return CHINESE.get(WORDS.get(value, value), value) if self.chinese else value

    def problem(self, problem: Problem) -> str:
        """A problem in words."""
        return self.say(problem.text, **problem.values)

    def event(self, event: dict[str, Any]) -> str:
        """One event in words; an event type without a sentence is shown by its name."""
        phrase = PHRASES.get(event["type"])
        if phrase is None:
            return str(event["type"])
        shown = {key: shown_value(value, self.word) for key, value in event["body"].items()}
        return (CHINESE.get(phrase, phrase) if self.chinese else phrase).format_map(_Gaps(shown))

    def story(self, events: list[dict[str, Any]]) -> list[str]:
        """A line for each event of the lot, its order, transport and testing: when, what, who; signatures indented."""
        lines = []
        for event in events:
            if event["stream"].partition("/")[0] in BACKGROUND:
                continue
            if event["type"] == "signature.applied":
                lines.append(f"{'':22}✓ {self.event(event)}")
                continue
            actor = event["actor"].partition("/")[2]
            lines.append(f"{event['at'][:19].replace('T', ' ')}Z  {self.event(event)}  [{actor}]")
        return lines

    def status(self, events: list[dict[str, Any]], lot: str) -> str:
        """What the release decisions say of the lot, as a sentence."""
        said = [event for event in events if event["stream"] == f"release/{lot}" and event["type"] in STATUS]
        if not said:
            return self.say(N_("Status: NOT RELEASED; no decision is recorded."))
        last = said[-1]
        state = STATUS[last["type"]]
        if last["type"] == "release.released" and last["body"].get("awaited"):
            state = N_("released with results pending")
        return self.say(
            N_("Status: {status}, {at}, {actor}"), status=state, at=last["at"][:19] + "Z", actor=last["actor"][7:]
        )

    def report(self, found: Findings) -> str:
        """The whole report as text."""
        lines = []
        if found.simulated:
            lines += [self.say(N_("SIMULATED, NOT FOR HUMAN USE")), ""]
        lines.append(self.say(N_("Everything holds.") if found.ok else N_("SOMETHING DOES NOT HOLD:")))
        lines += [f"  ✕ {self.problem(problem)}" for problem in found.problems]
        if not found.ok:
            return "\n".join(lines)
        lines += ["", *self._facts(found), *self._trust(found), "", *self.story(found.events)]
        return "\n".join(lines)

    def _facts(self, found: Findings) -> list[str]:
        manifest = found.manifest
        title = found.events[0]["body"]["title"]["zh" if self.chinese else "en"]
        lines = [
            self.say(
                N_("Site {site}, lot {lot}, chain of identity {coi}"),
                site=title,
                lot=manifest["lot"],
                coi=manifest["coi"] or "–",
            ),
            self.status(found.events, manifest["lot"]),
            self.say(
                N_(
                    "{events} events, {signatures} signatures, {files} files; the record had {size} events at the checkpoint."
                ),
                events=len(found.events),
                signatures=found.signatures,
                files=found.files,
                size=manifest["size"],
            ),
        ]
        sealed, opened = len(manifest["sealed"]), len(manifest["opened"])
        if sealed:
            text = N_("{count} of the files are about the patient and stay encrypted; their hashes are checked.")
            lines.append(self.say(text, count=sealed))
        if opened:
            text = N_("{count} of these are enclosed opened too; that they were opened rightly is the site's word.")
            lines.append(self.say(text, count=opened))
        if manifest["destroyed"]:
            text = N_("What was recorded about {people} was destroyed under the retention rule.")
            lines.append(self.say(text, people=", ".join(map(str, manifest["destroyed"]))))
        if manifest["withheld"]:
            lines.append(self.say(N_("{count} files are not enclosed."), count=len(manifest["withheld"])))
        if manifest["shared"]:
            text = N_("{count} events also name material of somebody else, such as a mix-up that was stopped.")
            lines.append(self.say(text, count=len(manifest["shared"])))
        if found.elsewhere:
            text = N_("Signatures also cover {count} events of other records, of which only the hashes are here.")
            lines.append(self.say(text, count=found.elsewhere))
        return lines

    def _trust(self, found: Findings) -> list[str]:
        lines = []
        if found.post_quantum:
            lines.append(
                self.say(N_("Post-quantum signatures (ML-DSA-44) were checked with: {what}"), what=found.post_quantum)
            )
        if found.compared:
            lines.append(self.say(N_("The record continues the checkpoints you hold: {count}"), count=found.compared))
        lines += self._witnessed(found)
        if found.pinned:
            lines.append(self.say(N_("The site's keys are the ones you know.")))
        else:
            text = N_("The site's keys are taken from the dossier. Compare them with what the site published:")
            lines += [self.say(text), *(f"  {key[:KEY_SHOWN]}{'…' * (len(key) > KEY_SHOWN)}" for key in found.keys)]
        text = N_("A signature by password and code proves the key; that both were asked for is the site's word.")
        if any(e["type"] == "signature.applied" and e["body"]["means"] == "password_and_code" for e in found.events):
            lines.append(self.say(text))
        return lines

    def _witnessed(self, found: Findings) -> list[str]:
        """Who else saw this record, and how far it is proven that nothing is left out."""
        lines = []
        for name, at, known in dict.fromkeys(found.witnesses):
            text = N_("Cosigned by the witness {name}, {at}; its key is named by the site.")
            if known:
                text = N_("Cosigned by the witness {name}, {at}, whose key you know.")
            lines.append(self.say(text, name=name, at=datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
        if not found.witnesses:
            lines.append(self.say(N_("No witness cosigned this checkpoint.")))
        if found.timestamps:
            text = N_("{count} time stamps (RFC 3161) name this checkpoint; check their signatures with openssl ts.")
            lines.append(self.say(text, count=found.timestamps))
        if found.reviewed is not None and not found.reviewed[2]:
            text = N_(
                "Making and testing are proven complete up to the review, {at}: all {count} events that the reviewer signed are here."
            )
            lines.append(self.say(text, at=found.reviewed[0][:19] + "Z", count=found.reviewed[1]))
        elif found.reviewed is not None:
            text = N_("Of the {count} events that the reviewer signed, {missing} are not here.")
            lines.append(self.say(text, count=found.reviewed[1], missing=found.reviewed[2]))
        lines.append(
            self.say(N_("That nothing else is left out at the end of a stream is the site's word, under its seal."))
        )
        return lines


def shown_value(value: Any, word: Callable[[str], str] = str) -> str:
    """A value of a body for a reader: lists and parts are written out, shortly; `word` says what a code is called."""
    if isinstance(value, bool):
        return "+" if value else "–"
    if isinstance(value, list):
        return ", ".join(shown_value(one, word) for one in value)
    if isinstance(value, dict):
        named = [key for key in ("container", "bag", "material", "parameter", "name") if key in value]
        amount = [str(value[key]) for key in ("value", "quantity", "unit") if key in value]
        return " ".join([*(word(str(value[key])) for key in named[:1]), *map(word, amount)]) or f"({len(value)})"
    return word(str(value))


def main(arguments: list[str]) -> int:
    """Run as a program. Returns the exit code: 0 everything holds, 1 something does not, 2 wrong use."""
    pins: list[str] = []
    notes: list[str] = []
    witnesses: list[str] = []
    paths: list[str] = []
    language, as_json = "en", False
    rest = iter(arguments)
    for word in rest:
        if word == "--key":
            pins.append(next(rest, ""))
        elif word == "--checkpoint":
            notes.append(next(rest, ""))
        elif word == "--witness":
            witnesses.append(next(rest, ""))
        elif word == "--language":
            language = next(rest, "")
        elif word == "--json":
            as_json = True
        else:
            paths.append(word)
    teller = Teller(language)
    if len(paths) != 1 or paths[0].startswith("-") or language[:2] not in ("en", "zh"):
        print(teller.say(USAGE), file=sys.stderr)
        return 2
    try:
        archive, held = Path(paths[0]).read_bytes(), [Path(note).read_bytes() for note in notes]
    except OSError as error:
        print(teller.say(N_("{path} cannot be read."), path=str(error.filename)), file=sys.stderr)
        return 2
    found = verify_dossier(archive, pins, held, witnesses)
    print(json.dumps(summary(found, teller), ensure_ascii=False, sort_keys=True) if as_json else teller.report(found))
    return 0 if found.ok else 1


def summary(found: Findings, teller: Teller) -> dict[str, Any]:
    """The report as one JSON document."""
    return {
        "schema": "cellwright.dossier-report/1",
        "simulated": found.simulated,
        "ok": found.ok,
        "problems": [teller.problem(problem) for problem in found.problems],
        "lot": found.manifest.get("lot"),
        "coi": found.manifest.get("coi"),
        "size": found.manifest.get("size"),
        "events": len(found.events),
        "signatures": found.signatures,
        "files": found.files,
        "keys_pinned": found.pinned,
        "checkpoints_compared": found.compared,
        "witnesses": [{"name": name, "at": at, "known": known} for name, at, known in found.witnesses],
        "timestamps": found.timestamps,
        "reviewed": found.reviewed
        and {"at": found.reviewed[0], "events": found.reviewed[1], "missing": found.reviewed[2]},
        "destroyed": found.manifest.get("destroyed", []),
        "post_quantum": found.post_quantum,
        "story": teller.story(found.events) if found.ok else [],
    }


CHINESE.update({
    'A later order, {order}, follows this one': '后续订单 {order} 承接本订单',
    "A signature by password and code proves the key; that both were asked for is the site's word.": '以密码和验证码完成的签名可证明密钥；两者均被要求一事由站点声明。',
    'A slot was promised: collect {collect_on}, make {make_on}, deliver {deliver_on}': '预约生产时段：采集 {collect_on}，生产 {make_on}，交付 {deliver_on}',
    'Aborted': '已中止',
    'Accepted: {containers}': '接受：{containers}',
    'Activate': '活化',
    'Activation and transduction': '活化与转导',
    'Addendum: {text}': '补充说明：{text}',
    'All awaited results have arrived; release is complete': '待定结果全部到达，放行完成',
    'Allocated to lot {lot}: {containers}': '分配至批次 {lot}：{containers}',
    'Awaited result arrived: {test}, {verdict}': '待定结果到达：{test}，{verdict}',
    'Bag {bag} was frozen at {position}': '袋 {bag} 冻存于 {position}',
    'Bag {bag} was given: {volume_given_ml} mL, dose {dose}': '袋 {bag} 已回输：{volume_given_ml} mL，第 {dose} 剂',
    'Bag {bag} was moved to {position}': '袋 {bag} 移至 {position}',
    'Bag {bag} was taken out of the store: {purpose}': '袋 {bag} 出库：{purpose}',
    'Bag {bag} was thawed; to be used before {use_before}': '袋 {bag} 已复苏；须于 {use_before} 前使用',
    'Bags packed in shipment {shipment}: {bags}': '袋装入货运 {shipment}：{bags}',
    'Both were set aside: {where}': '双方已隔离：{where}',
    'Capture': '亲和捕获',
    'Cell laboratory': '细胞实验室',
    'Cells are collected again after lot {lot}': '批次 {lot} 之后重新采集',
    'Cells {container} entered the lot: {volume_ml} mL': '细胞 {container} 进入批次：{volume_ml} mL',
    'Chain of identity {coi} belongs to this pair': '身份链 {coi} 归属该供受对',
    'Chain of identity {coi} was allocated': '分配身份链 {coi}',
    'Chain of identity {superseded} was superseded by {coi}': '身份链 {superseded} 由 {coi} 取代',
    'Collection {collection} began; the donor was identified by two people': '采集 {collection} 开始；供者身份经双人核对',
    'Collection {collection} ended: {din}, containers {containers}': '采集 {collection} 结束：{din}，容器 {containers}',
    'Collection {collection} was scheduled for {days} at {site}': '采集 {collection} 安排于 {days}，地点 {site}',
    'Complete': '已完成',
    'Consent was withdrawn': '知情同意已撤回',
    'Cosigned by the witness {name}, {at}, whose key you know.': '由见证者 {name} 联署，{at}，其公钥为您所知。',
    'Cosigned by the witness {name}, {at}; its key is named by the site.': '由见证者 {name} 联署，{at}；其公钥由站点列出。',
    'Culture': '培养',
    'Culture for {test} began; it ends at {ends_at}': '{test} 培养开始，{ends_at} 结束',
    'Culture to day 10': '培养至第 10 天',
    'Culture to day 12': '培养至第 12 天',
    'Culture to day 5': '培养至第 5 天',
    'Culture {culture} was given up: {cause}': '培养 {culture} 已放弃：{cause}',
    'Culture {culture} was read; growth: {growth}': '读取培养 {culture}；生长：{growth}',
    'Custody {custody}, temperature {temperature}': '保管 {custody}，温度 {temperature}',
    'Donor status decided: {status}; legends: {legends}': '供者状态判定：{status}；警示语：{legends}',
    'Donor {donor} and recipient {recipient} were joined as pair {pair}': '供者 {donor} 与受者 {recipient} 结为供受对 {pair}',
    'Downstream': '下游',
    'EXCEPTIONAL SUPPLY, not released': '例外供应，未放行',
    'Eligibility judged: {verdict}': '入选资格判定：{verdict}',
    'Enrichment': '富集',
    'Enrolled in {protocol} as {subject_number}': '入组 {protocol}，受试者编号 {subject_number}',
    'Entered room {room}': '进入房间 {room}',
    'Everything holds.': '全部核实通过。',
    'Expand': '扩增',
    'Expand to day 10': '扩增至第 10 天',
    'Expand to day 12': '扩增至第 12 天',
    'Expand to day 5': '扩增至第 5 天',
    'Expand, first part': '扩增（前段）',
    'Expand, second part': '扩增（后段）',
    'Expansion': '扩增',
    'Fill final bags': '灌装成品袋',
    'Fill vials': '灌装西林瓶',
    'Filter viruses': '除病毒过滤',
    'Finish': '制剂与冻存',
    'Finish, fresh': '新鲜制剂',
    'Follow-up, {kind}: {finding} on {on}': '随访（{kind}）：{finding}（{on}）',
    'For exceptional supply: {item}': '例外供应条件：{item}',
    'Formulate': '配制',
    'Formulation and filling': '配制与灌装',
    'Freeze': '程序降温',
    'Freezing and storage': '冻存与储存',
    'Handed over to {holder}, seal {seal}, {condition}': '移交 {holder}，封签 {seal}，状态 {condition}',
    'Harvest': '收获',
    'Harvest and clarify': '收获与澄清',
    'Held': '已保持',
    'IDENTITY IN DOUBT: case {case}': '身份存疑：事件 {case}',
    'Identity is in doubt: {why}': '身份存疑：{why}',
    'Identity of bag {bag} and patient was checked by two people ({stage})': '袋 {bag} 与患者身份经双人核对（{stage}）',
    'Idle': '空闲',
    'In-process control': '过程控制',
    'Inactivate viruses': '病毒灭活',
    'Infusion of bag {bag} began': '袋 {bag} 开始回输',
    'Investigated: identity {identity}; {conclusion}': '已调查：身份 {identity}；{conclusion}',
    'Investigation concluded: {outcome}; {conclusion}': '调查结论：{outcome}；{conclusion}',
    'Known to {issuer} by a number of theirs': '在 {issuer} 处以其自己的编号识别',
    'Label {label} was applied to {container} before a second person': '标签 {label} 在第二人见证下贴于 {container}',
    'Label {label} was destroyed': '标签 {label} 销毁',
    'Label {label} was printed for {container}': '为 {container} 打印标签 {label}',
    'Label {label} was read back': '标签 {label} 已回读核对',
    'Label {label} was rejected': '标签 {label} 不合格',
    'Laboratory phase: {finding}': '实验室阶段：{finding}',
    'Left room {room}': '离开房间 {room}',
    'Lot {lot} is made for this order': '批次 {lot} 为本订单生产',
    'Lot {lot} was issued by recipe {recipe} version {recipe_version}': '按配方 {recipe} 第 {recipe_version} 版签发批次 {lot}',
    'Lymphodepletion was cleared for {lots}': '准许清淋（{lots}）',
    'MIX-UP STOPPED ({point}): expected {expected}, found {scanned}': '混淆已拦截（{point}）：应为 {expected}，实为 {scanned}',
    'Making and testing are proven complete up to the review, {at}: all {count} events that the reviewer signed are here.': '截至审核（{at}），生产与检验经证明完整：审核人所签的全部 {count} 个事件均在此处。',
    'Making was completed: {bags_filled} bags': '生产完成：{bags_filled} 袋',
    'Material changed its chain of identity within the pair': '材料在供受对内变更身份链',
    'Material was given to order {to_order} of the same pair': '材料转给同一供受对的订单 {to_order}',
    'Material was taken over from order {from_order} of the same pair': '自同一供受对的订单 {from_order} 接收材料',
    'Moved from {sources} into {made}': '自 {sources} 转入 {made}',
    'Moved to {place}: {containers}': '移至 {place}：{containers}',
    'NONCONFORMANCE {nonconformance}, {severity}: {text}': '不符合项 {nonconformance}（{severity}）：{text}',
    'No witness cosigned this checkpoint.': '没有见证者联署此检查点。',
    'Nonconformance {nonconformance} was assessed: {severity}': '不符合项 {nonconformance} 评估为 {severity}',
    'Nonconformance {nonconformance} was assessed: {severity}; {text}': '不符合项 {nonconformance} 评估为 {severity}；{text}',
    'Nonconformance {nonconformance} was closed: {conclusion}': '不符合项 {nonconformance} 关闭：{conclusion}',
    'Nonconformance {nonconformance}: {code}': '不符合项 {nonconformance}：{code}',
    'Of the {count} events that the reviewer signed, {missing} are not here.': '审核人所签的 {count} 个事件中，有 {missing} 个不在此处。',
    'Out of specification: {test} = {value} {unit}': '超出标准：{test} = {value} {unit}',
    'Packed in shipment {shipment}: {containers}': '装入货运 {shipment}：{containers}',
    'Plate {plate} was laid out': '板 {plate} 布局',
    'Polish': '精纯',
    'Post-quantum signatures (ML-DSA-44) were checked with: {what}': '后量子签名（ML-DSA-44）的核实工具：{what}',
    'Prepare starting cells': '起始细胞制备',
    'Production': '生产',
    'Production culture': '生产培养',
    'Purification': '纯化',
    'Put into quarantine: {containers}; {why}': '隔离：{containers}；{why}',
    'RECALLED: {text}': '召回：{text}',
    'REJECTED: {cause}': '拒绝放行：{cause}',
    'RELEASED ({path}) for {market}': '放行（{path}），市场 {market}',
    'Receipt': '接收',
    'Receive cells': '接收细胞',
    'Received at {place}: {containers}': '于 {place} 接收：{containers}',
    'Receiving': '收货区',
    'Red tray': '红色托盘',
    'Result {result} was invalidated: {cause}': '结果 {result} 作废：{cause}',
    'Results were verified by {verifier}: {results}': '{verifier} 复核结果：{results}',
    'Retest number {number} of investigation {investigation} was approved': '批准调查 {investigation} 的第 {number} 次复检',
    'Retest {retest} began': '复检 {retest} 开始',
    'Running': '运行中',
    'SIMULATED, NOT FOR HUMAN USE': '模拟数据，不得用于人体',
    'SOMETHING DOES NOT HOLD:': '核实未通过：',
    'SUSPENDED ({cause}): {text}': '暂停（{cause}）：{text}',
    'Sample the culture': '培养过程取样',
    'Sample {sample} ({kind}) was drawn from {container}': '自 {container} 取样 {sample}（{kind}）',
    'Sample {sample} ({kind}) was received by the laboratory': '实验室接收样品 {sample}（{kind}）',
    'Seed train': '种子扩增',
    'Select T cells': '分选 T 细胞',
    'Sent with {holder}: {containers}': '交由 {holder} 运送：{containers}',
    'Separate lymphocytes': '分离淋巴细胞',
    'Separation and activation': '分离与活化',
    'Sheet {sheet} for step {step} was printed for an outage': '为停机打印步骤 {step} 的记录表 {sheet}',
    'Sheet {sheet} of step {step} was transcribed and verified': '步骤 {step} 的记录表 {sheet} 已转录并复核',
    'Sheet {sheet} was voided': '记录表 {sheet} 作废',
    'Shipment {shipment} arrived at {place}: {condition}': '货运 {shipment} 到达 {place}：{condition}',
    'Shipment {shipment} was packed for {destination}, seal {seal}': '货运 {shipment} 装箱，目的地 {destination}，封签 {seal}',
    'Signatures also cover {count} events of other records, of which only the hashes are here.': '签名另涵盖其他记录的 {count} 条事件，此处仅有其哈希。',
    'Site {site}, lot {lot}, chain of identity {coi}': '站点 {site}，批号 {lot}，身份链 {coi}',
    'Slot {slot} was given up': '放弃生产时段 {slot}',
    'Status: NOT RELEASED; no decision is recorded.': '状态：未放行；尚无决定记录。',
    'Status: {status}, {at}, {actor}': '状态：{status}，{at}，{actor}',
    'Step {step} began: {title}': '步骤 {step} 开始：{title}',
    'Step {step} was completed': '步骤 {step} 完成',
    'Step {step}, measured: {reading}': '步骤 {step}，测量：{reading}',
    'Step {step}, {parameter} was verified': '步骤 {step}，{parameter} 已复核',
    'Stopped': '已拦下',
    'Store': '入库',
    'Taken over by {receiver}': '由 {receiver} 接手',
    'Temperature loggers were read: {verdict}': '读取温度记录仪：{verdict}',
    'Tested against specification {specification} version {version}': '按质量标准 {specification} 第 {version} 版检验',
    "That nothing else is left out at the end of a stream is the site's word, under its seal.": '事件流末尾再无其他遗漏，系站点在其封签之下的声明。',
    'Thaw cell bank': '复苏细胞库',
    'The audit trail was reviewed: {events} events': '审计追踪已审核：{events} 条事件',
    'The case was closed: {outcome}': '事件关闭：{outcome}',
    'The deviation was assessed: {text}': '偏差评估：{text}',
    'The donor consented on {given_on}': '供者于 {given_on} 知情同意',
    'The donor was tested by {laboratory}': '供者由 {laboratory} 检测',
    'The dose of lot {lot} was judged at {weight_kg} kg': '批次 {lot} 的剂量按体重 {weight_kg} kg 判定',
    'The doubt of case {case} was lifted': '事件 {case} 的疑问解除',
    'The giving of bag {bag} was recorded late': '袋 {bag} 的回输为事后补录',
    'The lot was terminated: {cause}': '批次终止：{cause}',
    'The order ended: {why}': '订单终止：{why}',
    'The order was approved': '订单批准',
    'The order was closed: {outcome}': '订单关闭：{outcome}',
    'The patient consented on {given_on}': '患者于 {given_on} 知情同意',
    'The prior product {product} was given at {hospital} on {infused_on}, as attested': '经证明，前序产品 {product} 于 {infused_on} 在 {hospital} 回输',
    'The prior product {product} was given at {infused_at}': '前序产品 {product} 于 {infused_at} 回输',
    'The record continues the checkpoints you hold: {count}': '该记录延续您持有的检查点：{count} 个',
    'The record of giving bag {bag} was voided': '袋 {bag} 的回输记录作废',
    'The record was reviewed: {events} events': '记录已审核：{events} 条事件',
    "The site's keys are taken from the dossier. Compare them with what the site published:": '站点公钥取自本卷宗自身，请与站点公布的公钥核对：',
    "The site's keys are the ones you know.": '站点公钥与您已知的一致。',
    'The suspension was lifted: {text}': '暂停解除：{text}',
    'The temperature excursion was assessed: {text}': '温度偏差评估：{text}',
    'Transduce': '转导',
    'Transfer to bioreactor': '转入生物反应器',
    'Upstream': '上游',
    'Volume of {container} measured: {volume_ml} mL': '测得 {container} 体积：{volume_ml} mL',
    'Wash cells': '洗涤细胞',
    'Weight {weight_kg} kg on {weighed_on}': '体重 {weight_kg} kg（{weighed_on}）',
    'Well {well} was filled': '加样孔 {well}',
    'What was recorded about {people} was destroyed under the retention rule.': '有关 {people} 的记录已按保存期限规定销毁。',
    "a stranger's dossier holds an opened file": '给陌生人的卷宗中含有解密文件',
    "a stranger's dossier holds the stream of a person": '给陌生人的卷宗中含有个人信息流',
    'absent': '无',
    'accepted': '已接受',
    'adventitious viruses': '外源病毒',
    'analyst': '检验员',
    'appearance': '外观',
    'approved': '已批准',
    'assessed': '已评估',
    'attested': '已证明',
    'authorisation holder notified': '已通知持有人',
    'authorised person': '受权人',
    'authority notified': '已通知监管机构',
    'autologous use only': '仅供自体使用',
    'beads counted': '计数微球',
    'bedside': '床旁',
    'biohazard': '生物危害',
    'car copies per 100 ng': '每 100 ng CAR 拷贝数',
    'car positive': 'CAR 阳性率',
    'car positive day5': '第 5 天 CAR 阳性率',
    'cd19 transgene positive': 'CD19 转基因阳性率',
    'cd3 positive': 'CD3 阳性率',
    'cd8 positive': 'CD8 阳性率',
    'cells examined': '检查的细胞数',
    'checkpoint.note: it is of another record than the dossier': 'checkpoint.note：与卷宗不属于同一记录',
    'collection nurse': '采集护士',
    'collection receipt': '采集物接收',
    'confirmed': '已确认',
    'conforms': '符合',
    'coordinator': '协调员',
    'courier': '运送员',
    'culture': '培养物',
    'damaged': '损坏',
    'death': '死亡',
    'destroyed': '已销毁',
    'destruction': '销毁',
    'downstream': '下游',
    'eligible': '合格',
    'end of culture': '培养结束',
    'endotoxin': '内毒素',
    'endotoxin per kg hour': '每千克每小时内毒素',
    'event {pos}: it is not in the record that the checkpoint speaks of': '事件 {pos}：不在检查点所述的记录中',
    'event {pos}: the reviewer signed {missing} events that are not here, of a record said to be whole': '事件 {pos}：审核人所签的 {missing} 个事件不在此处，而该记录据称完整',
    'event {pos}: the signature of {name}: {why}': '事件 {pos}：{name} 的签名：{why}',
    'event {pos}: what was reviewed is not what the reviewer signed': '事件 {pos}：审核内容与审核人所签不一致',
    'event {pos}: {type} lacks a signature; it must be signed as {meanings}': '事件 {pos}：{type} 缺少签名；须以 {meanings} 签署',
    'events.jsonl, line {line}: it is no event in canonical form': 'events.jsonl 第 {line} 行：不是规范形式的事件',
    'events.jsonl: it is missing, empty or cut short': 'events.jsonl：缺失、为空或被截断',
    "events.jsonl: its events do not rise from the site's first event": 'events.jsonl：事件未自站点首个事件起递增',
    'exceptional supply, not released': '例外供应，未放行',
    'fail': '未通过',
    'final label': '最终标签',
    'final product': '终产品',
    'finish': '收尾',
    'full': '完整',
    'growth failed': '生长失败',
    'handed over': '已交出',
    'hospital cell laboratory': '医院细胞实验室',
    'identity lost': '身份无法确认',
    'identity transgene': '鉴别：转基因',
    'ifn gamma': 'γ 干扰素',
    'immediate significant hazard': '直接重大危害',
    'in limits': '在限度内',
    'in process': '生产中',
    'ineligible': '不合格',
    'infused': '已输注',
    'infusion': '输注',
    'intact': '完整',
    'it cannot be read': '无法读取',
    'it comes from another site': '签名来自其他站点',
    'it covers events that are not here': '所涵盖事件不在此处',
    'it covers nothing': '未涵盖任何内容',
    'it covers something that is not beside it in the record': '所涵盖内容在记录中不与其相邻',
    'it is simulated, and the site is not': '签名为模拟，而站点不是',
    'it was given after it was recorded': '签名时间晚于记录时间',
    'it was given for something else': '签名针对其他内容',
    'it was made by other means than registered': '签名方式与登记不符',
    'its nonce was used before': '其一次性随机数已被使用',
    'killing': '杀伤',
    'made not given': '已生产未输注',
    'major': '主要',
    'manifest.json: files are missing, and it does not say that they are withheld': 'manifest.json：文件缺失，且未说明未附上',
    'manifest.json: it does not say rightly which files are encrypted': 'manifest.json：未如实说明哪些文件被加密',
    'manifest.json: it does not say whether the site is simulated': 'manifest.json：未如实说明站点是否为模拟',
    'manifest.json: the lot it names is not the one the events are about': 'manifest.json：所列批号与事件不符',
    'manifest.json: the seal in dossier.note is not over it; one of the two was altered': 'manifest.json：dossier.note 的封签与其不符；二者之一被更改',
    'manufacturing failure': '生产失败',
    'minor': '次要',
    'mycoplasma': '支原体',
    'mycoplasma day10': '第 10 天支原体',
    'negative': '阴性',
    'no alternative': '无替代方案',
    'not evaluated for infectious substances': '未评估感染性物质',
    'not shown': '未证实',
    'operator': '操作员',
    'out of limits': '超出限度',
    'pack out': '出库装箱',
    'pass': '通过',
    'pending results': '结果待定',
    'performed': '已执行',
    'physician': '医师',
    'physician acceptance': '医师接受',
    'physician request': '医师申请',
    'planner': '计划员',
    'plate well': '板孔',
    'positive': '阳性',
    'potency adcc': '效力：ADCC',
    'potency difference 4 1': '效力：4:1 差值',
    'potency ifn gamma': '效力：γ 干扰素',
    'potency survival 1 1': '效力：1:1 存活率',
    'preparation': '制剂',
    'prescribed': '已开具处方',
    'prescriber': '处方医师',
    'process engineer': '工艺工程师',
    'progression': '疾病进展',
    'proofs.json: it has proofs of other events': 'proofs.json：含有其他事件的证明',
    'protein': '蛋白质',
    'purity sec': '纯度（SEC）',
    'qc tube': '质控管',
    'quality assurance': '质量保证',
    'raw file': '原始文件',
    'recalled': '已召回',
    'received': '已接收',
    'record': '记录',
    'rejected': '已拒收',
    'released': '已放行',
    'released with results pending': '已放行，部分结果待定',
    'released, all results arrived': '已放行，结果已齐',
    'replication competent lentivirus': '复制型慢病毒',
    'requested': '已请求',
    'residual b cells': '残留 B 细胞',
    'residual cd19': '残留 CD19',
    'result': '结果',
    'retained sample': '留样',
    'reviewed': '已审核',
    'risk evaluation sent': '风险评估已送出',
    'signed: {printed_name} ({person}), {role}, {meaning}, {signed_at} ({zone})': '签名：{printed_name}（{person}），{role}，{meaning}，{signed_at}（{zone}）',
    'sponsor': '申办方',
    'sterility': '无菌',
    'sterility day10': '第 10 天无菌',
    'suspended': '已暂停',
    'suspension lifted': '暂停已解除',
    'telephone': '电话',
    'thaw': '复苏',
    'the credential is not registered to this person, or was revoked': '凭据未登记于该人员，或已撤销',
    'the cryptographic check fails': '密码学校验失败',
    'the dossier does not have the form of one: {what}': '卷宗格式不符：{what}',
    'the person did not hold the role when signing': '签名时该人员不具有此角色',
    'the person was not qualified to certify release': '该人员无放行资格',
    'the person was not verified by the device': '设备未验证该人员',
    'the printed name is not that of the account': '印刷姓名与账户不符',
    'the record does not continue your checkpoint of {size} events: one of the two was forged': '记录未延续您的 {size} 条事件的检查点：二者必有一伪',
    "the site's first keys are not the ones you know: this is the record of another site": '站点初始公钥与您已知的不符：这是另一站点的记录',
    'the verifier key of {name} is no sound Ed25519 key': '{name} 的验证公钥不是可靠的 Ed25519 公钥',
    'the verifier key of {name} is of a type not understood here': '{name} 的验证公钥类型无法识别',
    'the verifier key {key} does not have the id that it states': '验证公钥 {key} 与其标识不符',
    'the witness {name}, whom you know, did not cosign this checkpoint': '您所知的见证者 {name} 未联署此检查点',
    'this account could not sign': '该账户不能签名',
    'transcribed': '已转录',
    'unprocessed bulk': '未处理收获液',
    'upstream': '上游',
    'usage: verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--checkpoint NOTE]... [--witness KEY]... [--language en|zh] [--json]': '用法：verify_dossier.py 卷宗.zip [--key 公钥]... [--checkpoint 检查点]... [--witness 公钥]... [--language en|zh] [--json]',
    'used in manufacture': '已用于生产',
    'vector copies per cell': '每细胞载体拷贝数',
    'vector copies per transduced cell': '每转导细胞载体拷贝数',
    'verified': '已核实',
    'viability': '活率',
    'viable cells per ml': '每毫升活细胞数',
    'ward nurse': '病房护士',
    'warehouse': '仓库管理员',
    'withdrawal': '退出',
    'your checkpoint': '您的检查点',
    'your checkpoint is of {origin}, this dossier of {other}': '您的检查点属于 {origin}，本卷宗属于 {other}',
    'your checkpoint of {size} events cannot be compared: have a dossier made with it in hand': '无法比较您的 {size} 条事件的检查点：请让站点据此检查点制作卷宗',
    '{addressee} must be told by {due}: {text}': '须于 {due} 前通知 {addressee}：{text}',
    '{authority} decided: {reference}': '{authority} 决定：{reference}',
    '{code} was added: {used}': '加入 {code}：{used}',
    '{container} bears the new label {label}; the old one is void': '{container} 带有新标签 {label}；旧标签作废',
    '{container} was detached': '{container} 断开连接',
    '{container} was put into store at {position}': '{container} 入库，位置 {position}',
    '{container} was relabelled with {label}': '{container} 重新贴标 {label}',
    '{container} was taken out of {position}': '{container} 自 {position} 取出',
    '{container}: {disposition}': '{container}：{disposition}',
    '{count} events also name material of somebody else, such as a mix-up that was stopped.': '有 {count} 条事件同时涉及他人的材料，例如被拦截的混淆。',
    '{count} files are not enclosed.': '有 {count} 个文件未附上。',
    '{count} of the files are about the patient and stay encrypted; their hashes are checked.': '其中 {count} 个文件涉及患者，保持加密；其哈希已核实。',
    "{count} of these are enclosed opened too; that they were opened rightly is the site's word.": '其中 {count} 个另附解密内容；解密内容与原文件一致由站点声明。',
    '{count} time stamps (RFC 3161) name this checkpoint; check their signatures with openssl ts.': '{count} 个时间戳（RFC 3161）针对此检查点；请用 openssl ts 核实其签名。',
    '{events} events, {signatures} signatures, {files} files; the record had {size} events at the checkpoint.': '{events} 条事件，{signatures} 个签名，{files} 个文件；检查点处的记录共 {size} 条事件。',
    '{path} cannot be read.': '无法读取 {path}。',
    '{physician} was told which results are awaited: {tests}': '已告知 {physician} 待定结果：{tests}',
    '{product} was prescribed by {prescriber} at {hospital}': '{hospital} 的 {prescriber} 处方 {product}',
    '{reached} was told ({how})': '已通知 {reached}（{how}）',
    '{reader} read the new label {label} back on {container}': '{reader} 在 {container} 上复读了新标签 {label}',
    '{stream}: events are missing or out of order; it has {count}': '{stream}：事件缺失或乱序；应有 {count} 条',
    '{stream}: it is not said how many events it has': '{stream}：未说明其事件数',
    '{test} = {value} {unit}, attested by {laboratory}, not recomputed': '{test} = {value} {unit}，由 {laboratory} 证明，未重算',
    '{test} = {value} {unit}, computed again from the raw file': '{test} = {value} {unit}，由原始文件重算',
    '{took_over} took step {step} over from {left}': '{took_over} 自 {left} 接手步骤 {step}',
    '{unit_procedure}: {before} → {after}': '{unit_procedure}：{before} → {after}',
    "{where}: a signature is by a key that is not the site's": '{where}：有签名出自非站点密钥',
    '{where}: a signature line is malformed': '{where}：签名行格式错误',
    '{where}: a value is not base64 in its one form': '{where}：某值不是唯一形式的 base64',
    '{where}: it is listed and missing': '{where}：清单中有，但缺失',
    '{where}: it is missing or cannot be read': '{where}：缺失或无法读取',
    '{where}: it is no checkpoint': '{where}：不是检查点',
    '{where}: it is not UTF-8': '{where}：不是 UTF-8',
    '{where}: it is not a signed note in its one form': '{where}：不是唯一形式的签名文书',
    '{where}: it is not in canonical form': '{where}：不是规范形式',
    '{where}: it is not listed in the manifest': '{where}：未列入清单',
    '{where}: it is not the manifest of a dossier ({schema})': '{where}：不是卷宗清单（{schema}）',
    '{where}: it is of no witness that is named': '{where}：它不属于任何已列出的见证者',
    '{where}: it speaks of something else': '{where}：所述为其他内容',
    '{where}: its content was altered': '{where}：内容被更改',
    '{where}: its fields are not those of a manifest': '{where}：字段与清单不符',
    '{where}: no event of this dossier names it': '{where}：本卷宗中没有事件提及它',
    '{where}: the signature of {name} does not fit': '{where}：{name} 的签名不符',
    '{where}: the signature of {name} is missing or stands twice': '{where}：{name} 的签名缺失或重复',
})

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
