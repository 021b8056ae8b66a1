"""Ed25519 and ECDSA P-256 verification in plain Python, with nothing but the standard library.

A stranger who checks a patient's dossier in twenty years has Python, and may have nothing else. This module is
embedded word for word in the stand-alone verifier; it therefore imports nothing of this package. It only verifies: it
never sees a secret, so it need not run in constant time. It is written to be read beside the standards: RFC 8032 for
Ed25519, FIPS 186-5 and SEC 1 for ECDSA on P-256, RFC 9053 for the COSE keys of WebAuthn.

Both verifications compute ``a * P + b * Q`` at once (Straus): the doublings are shared, the scalars are written in
width-w non-adjacent form, and small odd multiples of both points are looked up. One takes a few milliseconds.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

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
