"""Notes, checkpoints and cosignatures against published examples, and against every byte changed."""

from __future__ import annotations

import base64
import builtins
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.ledger.merkle import EMPTY_ROOT, leaf_hash
from cellwright.ledger.note import (
    NOTE_LIMIT,
    AlgorithmUnavailable,
    Checkpoint,
    Note,
    NoteError,
    NoteMalformed,
    NoteUnsigned,
    Signature,
    SignatureType,
    SignatureWrong,
    VerifierKey,
    cosigned_message,
    open_checkpoint,
    open_note,
)
from cellwright.ledger.signing_key import SigningKey, generate_keys

# The worked example of C2SP signed-note, "Verifier keys".
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

# The example of the Go package golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# The example of C2SP tlog-cosignature (no keys published with it).
SOFA_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()

SEED = bytes(range(32))
ORIGIN = "cellwright.example/site-a"
ED = SigningKey(ORIGIN, SignatureType.ED25519, SEED)
COSIGNER = SigningKey("witness.example/w1", SignatureType.COSIGNATURE_ED25519, SEED[::-1])
LATTICE = SigningKey(ORIGIN, SignatureType.COSIGNATURE_ML_DSA_44, SEED)
CHECKPOINT = Checkpoint(ORIGIN, 42, leaf_hash(b"root"))
NOW = 1_772_438_400


def signed(*keys: SigningKey, text: str = CHECKPOINT.text) -> bytes:
    return Note(text, tuple(key.sign(text, NOW) for key in keys)).to_bytes()


def test_example_of_signed_note() -> None:
    key = VerifierKey.parse(SPEC_VKEY)
    assert (key.name, key.type, key.key_id.hex()) == ("example.com/foo", SignatureType.ED25519, "530d903a")
    opened = open_note(SPEC_NOTE, [key])
    assert opened.note.text == "This is an example message.\n"
    assert opened.note.to_bytes() == SPEC_NOTE


def test_example_of_the_go_package_is_read_and_written() -> None:
    key = SigningKey.from_text(GO_SKEY)
    assert str(key.verifier) == GO_VKEY
    assert key.sign(GO_TEXT, 0).line == GO_LINE
    assert open_note(f"{GO_TEXT}\n{GO_LINE}".encode(), [VerifierKey.parse(GO_VKEY)]).note.text == GO_TEXT


def test_example_of_tlog_cosignature_is_read() -> None:
    note = Note.parse(SOFA_NOTE)
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.text == note.text
    assert note.signatures[1].timestamp == 1_679_315_147
    assert note.to_bytes() == SOFA_NOTE


def test_message_of_an_ed25519_cosignature_is_that_of_the_example() -> None:
    text = Note.parse(SOFA_NOTE).text
    message = cosigned_message(SignatureType.COSIGNATURE_ED25519, "any", 1_679_315_147, text)
    assert message.decode() == "cosignature/v1\ntime 1679315147\n" + text


def test_message_of_an_ml_dsa_cosignature_is_laid_out_as_specified() -> None:
    """Put together by hand from the struct in C2SP tlog-cosignature."""
    message = cosigned_message(SignatureType.COSIGNATURE_ML_DSA_44, "w", 3, "log\n5\n" + "A" * 43 + "=\n")
    expected = "737562747265652f76310a00" + "0177" + "0000000000000003" + "036c6f67" + "00" * 8 + "0000000000000005"
    assert message.hex() == expected + "00" * 32


@pytest.mark.parametrize("keys", [(ED,), (COSIGNER,), (LATTICE,), (ED, LATTICE), (ED, LATTICE, COSIGNER)])
def test_what_is_signed_opens(keys: tuple[SigningKey, ...]) -> None:
    assert open_checkpoint(signed(*keys), [key.verifier for key in keys]) == CHECKPOINT


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_any_changed_byte_of_a_note_is_refused(data: st.DataObject) -> None:
    """Each signature alone must hold the text, and a set of keys must hold every signature of the set."""
    keys = data.draw(st.sampled_from([(ED,), (COSIGNER,), (LATTICE,), (ED, LATTICE)]))
    note = signed(*keys)
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != note[at]))
    with pytest.raises(NoteError):
        open_checkpoint(note[:at] + bytes([other]) + note[at + 1 :], [key.verifier for key in keys])


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_note_with_bytes_lost_or_added_is_refused(data: st.DataObject) -> None:
    note = signed(ED, LATTICE)
    at = data.draw(st.integers(0, len(note) - 1))
    added = data.draw(st.binary(max_size=3))
    lost = data.draw(st.integers(0 if added else 1, 4))
    changed = note[:at] + added + note[at + lost :]
    if changed != note:
        with pytest.raises(NoteError):
            open_checkpoint(changed, [ED.verifier, LATTICE.verifier])


def test_every_single_byte_changed() -> None:
    note = signed(ED)
    for at in range(len(note)):
        for change in (1, 32, 128):
            with pytest.raises(NoteError):
                open_checkpoint(note[:at] + bytes([note[at] ^ change]) + note[at + 1 :], [ED.verifier])


def test_a_signature_does_not_pass_for_another_checkpoint_time_or_name() -> None:
    other = Checkpoint(ORIGIN, 43, CHECKPOINT.root).text
    for key in (ED, COSIGNER, LATTICE):
        signature = key.sign(CHECKPOINT.text, NOW)
        assert not key.verifier.verify(other, signature)
        if key.verifier.type.timed:
            later = Signature(signature.name, signature.key_id, (NOW + 1).to_bytes(8, "big") + signature.value[8:])
            assert not key.verifier.verify(CHECKPOINT.text, later)
    twin = VerifierKey("somebody.example/else", LATTICE.verifier.type, LATTICE.verifier.public)
    assert not twin.verify(CHECKPOINT.text, LATTICE.sign(CHECKPOINT.text, NOW))


def test_unknown_signatures_are_ignored_and_known_ones_must_fit() -> None:
    note = signed(ED, COSIGNER)
    assert set(open_note(note, [ED.verifier]).signatures) == {ED.verifier}
    with pytest.raises(NoteUnsigned):
        open_note(note, [LATTICE.verifier])
    with pytest.raises(NoteUnsigned):
        open_checkpoint(note, [ED.verifier, LATTICE.verifier])
    wrong = Note.parse(note).signed(SigningKey(ORIGIN, ED.verifier.type, SEED).sign("another\n", NOW))
    with pytest.raises(SignatureWrong):
        open_note(wrong.to_bytes(), [ED.verifier])


def test_two_trusted_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SigningKey(ORIGIN, SignatureType.ED25519, SEED[::-1]).verifier
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda key: b"same"))
    with pytest.raises(NoteMalformed, match="share"):
        open_note(signed(ED), [ED.verifier, other])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        "text\n\n— name AAAAAAA=".encode(),  # the last line is not ended
        "text\n\n— name AAAAAAA=\n\n".encode(),
        "text\n\n— name AAAAAAB=\n".encode(),  # base64 with stray bits
        "text\n\n— name AAAAAAA\n".encode(),  # base64 without its padding
        "text\n\n— name AAAA\n".encode(),  # no room for a key id and a signature
        "text\n\n— na+me AAAAAAA=\n".encode(),
        "text\n\n— na\u2003me AAAAAAA=\n".encode(),  # an em space
        "text\n\n— name  AAAAAAA=\n".encode(),
        b"text\n\n- name AAAAAAA=\n",  # a hyphen
        "te\rxt\n\n— name AAAAAAA=\n".encode(),
        "te\x00xt\n\n— name AAAAAAA=\n".encode(),
        b"te\xffxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        ("text\n\n" + "— name AAAAAAA=\n" * 65).encode(),
        b"x" * (NOTE_LIMIT + 1),
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformed):
        Note.parse(data)


def test_sixteen_signatures_of_the_longest_kind_fit_in_a_note() -> None:
    """C2SP signed-note: verifiers MUST accept at least 16 signatures."""
    note = signed(*[LATTICE] * 16)
    assert len(Note.parse(note).signatures) == 16


def test_a_text_may_have_empty_lines() -> None:
    text = "first\n\nsecond\n"
    assert open_note(signed(ED, text=text), [ED.verifier]).note.text == text


ROOT = base64.b64encode(CHECKPOINT.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n5\n",
        f"origin\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"origin\n05\n{ROOT}\n",
        f"origin\n+5\n{ROOT}\n",
        f"origin\n-5\n{ROOT}\n",
        f"origin\n٥\n{ROOT}\n",  # an Arabic five
        f"origin\n5 \n{ROOT}\n",
        f"origin\n{1 << 63}\n{ROOT}\n",
        f"origin\n{'9' * 5000}\n{ROOT}\n",
        f"origin\n5\n{ROOT[:-4]}\n",
        f"origin\n5\n{ROOT}\n\n",
        f"origin\n5\n{ROOT}\n\nextension\n",
        f"origin\n0\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text)


def test_checkpoints_come_back_from_their_text() -> None:
    for checkpoint in (
        CHECKPOINT,
        Checkpoint(ORIGIN, 0, EMPTY_ROOT),
        Checkpoint("上海.example/一号", 2**63 - 1, CHECKPOINT.root, ("more", "and more")),
    ):
        assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_ml_dsa_does_not_speak_for_extension_lines() -> None:
    """C2SP tlog-cosignature: they are not in the message, so a note that has them is not held by this signature."""
    plain = LATTICE.sign(CHECKPOINT.text, NOW)
    extended = Checkpoint(ORIGIN, 42, CHECKPOINT.root, ("released by nobody",)).text
    assert not LATTICE.verifier.verify(extended, plain)
    with pytest.raises(NoteMalformed, match="extension"):
        LATTICE.sign(extended, NOW)
    assert COSIGNER.verifier.verify(extended, COSIGNER.sign(extended, NOW))


@pytest.mark.parametrize("kind", [SignatureType.COSIGNATURE_ED25519, SignatureType.COSIGNATURE_ML_DSA_44])
def test_a_cosigner_signs_checkpoints_only(kind: SignatureType) -> None:
    key = SigningKey("w", kind, SEED)
    with pytest.raises(NoteMalformed):
        key.sign("pay the bearer\n", NOW)
    blob = (key.verifier.key_id + bytes(kind.signature_bytes))[4:]
    assert not key.verifier.verify("pay the bearer\n", Signature("w", key.verifier.key_id, blob))


def test_a_name_too_long_for_a_cosigned_message_is_refused() -> None:
    with pytest.raises(NoteMalformed, match="255"):
        LATTICE.sign(Checkpoint("o" * 256, 42, CHECKPOINT.root).text, NOW)
    assert COSIGNER.sign(Checkpoint("o" * 256, 42, CHECKPOINT.root).text, NOW)


def test_a_time_beyond_the_limit_is_refused() -> None:
    signature = COSIGNER.sign(CHECKPOINT.text, 2**63)
    assert not COSIGNER.verifier.verify(CHECKPOINT.text, signature)


def test_every_part_of_a_verifier_key_counts() -> None:
    """As the Go package's own test: no piece of a vkey and no vkey with a byte changed is a vkey."""
    for start in range(len(GO_VKEY)):
        for stop in range(start + 1, len(GO_VKEY) + 1):
            if (start, stop) != (0, len(GO_VKEY)):
                with pytest.raises(NoteMalformed):
                    VerifierKey.parse(GO_VKEY[start:stop])
    for at, ch in enumerate(GO_VKEY):
        with pytest.raises(NoteMalformed):
            VerifierKey.parse(GO_VKEY[:at] + chr(ord(ch) + 1) + GO_VKEY[at + 1 :])


@pytest.mark.parametrize("key", [ED, COSIGNER, LATTICE])
def test_verifier_keys_come_back_from_their_text(key: SigningKey) -> None:
    assert VerifierKey.parse(str(key.verifier)) == key.verifier


def test_keys_that_could_not_be_trusted_are_refused() -> None:
    with pytest.raises(NoteMalformed, match="sound"):
        VerifierKey("name", SignatureType.ED25519, bytes([1]) + bytes(31))  # of order 1: anything verifies
    with pytest.raises(NoteMalformed, match="length"):
        VerifierKey("name", SignatureType.ED25519, bytes(31))
    for name in ("", "a b", "a+b", "a\nb", "\ud800"):
        with pytest.raises(NoteMalformed, match="name"):
            VerifierKey(name, SignatureType.ED25519, ED.verifier.public)
    with pytest.raises(NoteMalformed, match="not understood"):
        VerifierKey.parse("name+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode())


def test_with_an_older_library_ml_dsa_is_verified_but_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    note, real = signed(ED, LATTICE), builtins.__import__

    def without_ml_dsa(name: str, *rest: Any) -> Any:
        if name.endswith(".mldsa"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ml_dsa)
    assert open_checkpoint(note, [ED.verifier, LATTICE.verifier]) == CHECKPOINT
    parsed = Note.parse(note)
    wrong = replace(parsed.signatures[1], value=parsed.signatures[1].value[:-1] + b"\x01")
    with pytest.raises(SignatureWrong):
        open_checkpoint(replace(parsed, signatures=(parsed.signatures[0], wrong)).to_bytes(), [LATTICE.verifier])
    with pytest.raises(AlgorithmUnavailable):
        SigningKey("name", SignatureType.COSIGNATURE_ML_DSA_44, SEED)
    assert [key.verifier.type for key in generate_keys("name")] == [SignatureType.ED25519]


def test_ml_dsa_checkpoint_of_another_implementation() -> None:
    """A checkpoint signed by filippo.io/torchwood (cmd/litewitness/testdata/mldsa.txt), with the seed printed there."""
    seed = bytes.fromhex("2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0")
    key = SigningKey("example.com/mldsa-log", SignatureType.COSIGNATURE_ML_DSA_44, seed).verifier
    assert key.key_id.hex() == "b5df45c5"
    note = (Path(__file__).parent / "vectors" / "litewitness-mldsa-checkpoint.txt").read_bytes()
    assert open_checkpoint(note, [key]) == Checkpoint("example.com/mldsa-log", 1, leaf_hash(b"testonly"))
