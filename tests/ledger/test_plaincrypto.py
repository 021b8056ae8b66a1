"""Plain-Python signatures against published vectors, edge cases, and the compiled library."""

from __future__ import annotations

import ast
import hashlib
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger import plaincrypto
from cellwright.ledger.plaincrypto import (
    ed25519_key_is_sound,
    ed25519_verify,
    p256_key_from_cose,
    p256_key_from_point,
    p256_signature,
    p256_verify,
)

# RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc); secret, public, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]

# RFC 6979, A.2.5: ECDSA on P-256 with SHA-256.
RFC_6979_KEY = (
    0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
RFC_6979 = [
    (
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
]

# The canonical encodings of the eight points of small order of Curve25519's Edwards form; published in, among others,
# Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (2020), table 6, without the non-canonical ones.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
ORDER_ED25519 = 2**252 + 27742317777372353535851937790883648493
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME_P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1


@pytest.mark.parametrize("vector", RFC_8032)
def test_ed25519_vectors_of_rfc_8032(vector: tuple[str, str, str, str]) -> None:
    _secret, public, message, signature = map(bytes.fromhex, vector)
    assert ed25519_verify(public, message, signature)
    assert not ed25519_verify(public, message + b"\x00", signature)
    assert ed25519_key_is_sound(public)


def test_ed25519_signature_with_s_above_the_order_is_refused() -> None:
    """RFC 8032, 5.1.7: without the bound on S a second signature could be made from a first one."""
    _secret, public, message, signature = map(bytes.fromhex, RFC_8032[1])
    s = int.from_bytes(signature[32:], "little")
    for forged in (s + ORDER_ED25519, s + 2 * ORDER_ED25519):
        assert not ed25519_verify(public, message, signature[:32] + forged.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_ed25519_points_of_small_order_are_no_sound_keys(point: str) -> None:
    assert not ed25519_key_is_sound(bytes.fromhex(point))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_ed25519_judges_points_of_small_order_as_openssl_does(point: str) -> None:
    """With a key of order n, R = identity and S = 0 verify whenever n divides the hash of them: it must be the same."""
    public, identity = bytes.fromhex(point), bytes([1]) + bytes(31)
    answers = set()
    for count in range(24):
        message, signature = bytes([count]), identity + bytes(32)
        answers.add(ours := ed25519_verify(public, message, signature))
        assert ours == _openssl_ed25519(public, message, signature)
    assert True in answers


@pytest.mark.parametrize(
    "public",
    [
        (2**255 - 19).to_bytes(32, "little"),  # y = p, the non-canonical zero
        (2**255 - 18).to_bytes(32, "little"),  # y = p + 1, the non-canonical one
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
        (2).to_bytes(32, "little"),  # no point has y = 2
        bytes(31),
        bytes(33),
    ],
)
def test_ed25519_key_that_is_no_canonical_point_is_refused(public: bytes) -> None:
    assert not ed25519_key_is_sound(public)
    assert not ed25519_verify(public, b"", bytes([1]) + bytes(63))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.integers(0, 511))
@settings(deadline=None, max_examples=60)
def test_ed25519_agrees_with_openssl(seed: bytes, message: bytes, bit: int) -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519_verify(public, message, signature)
    forged = _flip(signature, bit)
    assert ed25519_verify(public, message, forged) is False
    assert _openssl_ed25519(public, message, forged) is False
    assert not ed25519_verify(public, message, signature[:-1])


@pytest.mark.parametrize("vector", RFC_6979)
def test_p256_vectors_of_rfc_6979(vector: tuple[bytes, int, int]) -> None:
    message, r, s = vector
    assert p256_verify(RFC_6979_KEY, message, encode_dss_signature(r, s))
    assert p256_verify(RFC_6979_KEY, message, encode_dss_signature(r, ORDER_P256 - s))  # ECDSA itself allows both
    assert not p256_verify(RFC_6979_KEY, message + b".", encode_dss_signature(r, s))


def test_p256_signature_out_of_range_is_refused() -> None:
    """The special cases of Project Wycheproof's ecdsa_secp256r1_sha256: r or s is 0, n, above n, or the field's p."""
    message, r, s = RFC_6979[0]
    strange = (0, ORDER_P256, ORDER_P256 + 1, PRIME_P256, PRIME_P256 + 1, 2**256 - 1)
    for r_or_s in strange:
        for pair in ((r_or_s, s), (r, r_or_s), (r_or_s, r_or_s), (r_or_s, 0), (r_or_s, 1), (1, r_or_s)):
            assert not p256_verify(RFC_6979_KEY, message, encode_dss_signature(*pair))
    assert not p256_verify(RFC_6979_KEY, message, encode_dss_signature(r + ORDER_P256, s))
    assert not p256_verify(RFC_6979_KEY, message, encode_dss_signature(r, s + ORDER_P256))


def test_p256_the_point_at_infinity_verifies_nothing() -> None:
    """r and s chosen so that u1 * G + u2 * Q is infinity: e = -r * d for the secret d."""
    secret = 7
    numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
    message = b"infinity"
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    r = -e * pow(secret, -1, ORDER_P256) % ORDER_P256
    assert not p256_verify((numbers.x, numbers.y), message, encode_dss_signature(r, 5))


@pytest.mark.parametrize("secret", [1, 2, 3, 64, 127, 128, ORDER_P256 - 1, ORDER_P256 - 2, (ORDER_P256 + 1) // 2])
def test_p256_keys_that_meet_the_base_points_multiples(secret: int) -> None:
    """Keys whose multiples equal or oppose those of G: the additions that the general formula cannot do."""
    private = ec.derive_private_key(secret, ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    for count in range(8):
        signature = private.sign(bytes([count]), ec.ECDSA(hashes.SHA256()))
        assert p256_verify((numbers.x, numbers.y), bytes([count]), signature)
        assert not p256_verify((numbers.x, numbers.y), bytes([count, 0]), signature)


@given(st.integers(1, ORDER_P256 - 1), st.binary(max_size=300), st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_p256_agrees_with_openssl(secret: int, message: bytes, bit: int) -> None:
    private = ec.derive_private_key(secret, ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    signature = private.sign(message, ec.ECDSA(hashes.SHA256()))
    assert p256_verify((numbers.x, numbers.y), message, signature)
    forged = _flip(signature, bit % (8 * len(signature)))
    assert p256_verify((numbers.x, numbers.y), message, forged) is _openssl_p256(private.public_key(), message, forged)


@pytest.mark.parametrize(
    "der",
    [
        "",
        "3006020101020101ff",  # something after the end
        "3007020101020101",  # a length that is not so
        "30820006020101020101",  # a long length
        "308106020101020101",
        "3006020181020101",  # negative r
        "300702020001020101",  # r with a needless zero
        "3006020101030101",  # s is no integer
        "300402010102",
        "3003020101",
        "3005020002010100",
        "30050201010200",  # an empty s
        "3006020501020101",  # r runs past the end
    ],
)
def test_p256_signature_in_other_than_strict_der_is_refused(der: str) -> None:
    assert p256_signature(bytes.fromhex(der)) is None
    assert not p256_verify(RFC_6979_KEY, b"sample", bytes.fromhex(der))


def test_p256_signature_in_der_is_read() -> None:
    assert p256_signature(bytes.fromhex("3006020101020100")) == (1, 0)
    assert p256_signature(bytes.fromhex("30080202008002020081")) == (128, 129)


def _cose(x: bytes, y: bytes) -> bytes:
    return bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y


X, Y = (number.to_bytes(32, "big") for number in RFC_6979_KEY)


def test_p256_keys_are_read_from_points_and_from_cose() -> None:
    assert p256_key_from_point(b"\x04" + X + Y) == RFC_6979_KEY
    assert p256_key_from_cose(_cose(X, Y)) == RFC_6979_KEY
    reordered = bytes.fromhex("a5225820") + Y + bytes.fromhex("215820") + X + bytes.fromhex("200103260102")
    assert p256_key_from_cose(reordered) == RFC_6979_KEY


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _cose(X, Y)[:-1],
        _cose(X, Y) + b"\x00",
        _cose(Y, X),  # not on the curve
        _cose(X, Y).replace(b"\x03\x26", b"\x03\x27"),  # EdDSA
        _cose(X, Y).replace(b"\x20\x01", b"\x20\x02"),  # P-384
        _cose(X, Y).replace(b"\x01\x02", b"\x01\x03"),  # RSA
        bytes.fromhex("a50102032620012158") + b"\x1f" + X[:31] + bytes.fromhex("225820") + Y,
        bytes.fromhex("a50102010220012158") + b"\x20" + X + bytes.fromhex("225820") + Y,  # a label twice
        bytes.fromhex("a5180102032620012158") + b"\x20" + X + bytes.fromhex("225820") + Y,  # a long form of 1
        bytes.fromhex("a5") + b"\x81" * 9,
        bytes.fromhex("a501020326"),  # ends after two entries
        b"\xa5" + b"\x19\x00\x01" * 5,
    ],
)
def test_a_cose_key_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"COSE|P-256"):
        p256_key_from_cose(data)


@pytest.mark.parametrize("data", [b"\x04" + X + X, b"\x02" + X, b"\x04" + X + Y + b"\x00", bytes(65)])
def test_a_point_that_is_no_key_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="P-256"):
        p256_key_from_point(data)


def test_a_key_off_the_curve_verifies_nothing() -> None:
    message, r, s = RFC_6979[0]
    x, y = RFC_6979_KEY
    for key in ((x, y + 1), (x + PRIME_P256, y), (0, 0), (-1, y)):
        assert not p256_verify(key, message, encode_dss_signature(r, s))


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(plaincrypto.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {str(name).partition(".")[0] for name in imported} <= sys.stdlib_module_names


def _flip(data: bytes, bit: int) -> bytes:
    at = bit // 8
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def _openssl_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _openssl_p256(public: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    try:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
