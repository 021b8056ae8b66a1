"""Private keys in files, and the change of keys that only the keys before can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellwright.ledger.merkle import leaf_hash
from cellwright.ledger.note import Checkpoint, Note, NoteError, NoteMalformed, NoteUnsigned, SignatureType
from cellwright.ledger.signing_key import (
    KeyChain,
    KeyChainBroken,
    KeyRefused,
    SigningKey,
    generate_keys,
    load_keys,
    rotation,
    save_keys,
)

ORIGIN = "cellwright.example/site-a"
NOW = 1_772_438_400
FIRST, SECOND, THIRD = (generate_keys(ORIGIN) for _generation in range(3))
CHAIN = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in FIRST])


def checkpoint(size: int, *keys: SigningKey) -> bytes:
    text = Checkpoint(ORIGIN, size, leaf_hash(b"root")).text
    return Note(text, tuple(key.sign(text, NOW) for key in keys)).to_bytes()


def test_a_site_has_a_classical_and_a_quantum_safe_key() -> None:
    assert [key.verifier.type for key in FIRST] == [SignatureType.ED25519, SignatureType.COSIGNATURE_ML_DSA_44]
    witness = generate_keys("w.example", witness=True)
    assert [key.verifier.type for key in witness] == [
        SignatureType.COSIGNATURE_ED25519,
        SignatureType.COSIGNATURE_ML_DSA_44,
    ]


def test_keys_are_kept_in_a_file_of_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "site.key"
    save_keys(path, FIRST)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [key.verifier for key in load_keys(path)] == [key.verifier for key in FIRST]
    assert load_keys(path)[0].sign("text\n", NOW) == FIRST[0].sign("text\n", NOW)
    assert [entry.name for entry in path.parent.iterdir()] == ["site.key"]


def test_a_private_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    save_keys(path, FIRST)
    with pytest.raises(KeyRefused, match="never overwritten"):
        save_keys(path, SECOND)
    assert load_keys(path)[0].verifier == FIRST[0].verifier
    assert [entry.name for entry in tmp_path.iterdir()] == ["site.key"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "site.key"
    save_keys(path, FIRST)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        load_keys(path)


def test_a_missing_empty_or_damaged_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be read"):
        load_keys(tmp_path / "none.key")
    path = tmp_path / "site.key"
    save_keys(path, ())
    with pytest.raises(KeyRefused, match="empty"):
        load_keys(path)
    text = FIRST[0].to_text()
    for at in range(0, len(text), 3):
        damaged = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        path.write_text(damaged + "\n", encoding="utf-8")
        with pytest.raises(KeyRefused, match="damaged"):
            load_keys(path)


def test_a_printed_key_shows_no_secret() -> None:
    secret = FIRST[0].to_text().rpartition("+")[2]
    assert secret not in repr(FIRST[0])
    assert str(FIRST[0].verifier) in repr(FIRST[0])


def test_a_seed_of_wrong_length_is_refused() -> None:
    with pytest.raises(NoteMalformed, match="32"):
        SigningKey("name", SignatureType.ED25519, bytes(31))


def test_checkpoints_need_every_key_in_force() -> None:
    assert CHAIN.open(checkpoint(7, *FIRST)).size == 7
    for keys in (FIRST[:1], FIRST[1:], SECOND):
        with pytest.raises(NoteUnsigned):
            CHAIN.open(checkpoint(7, *keys))


def test_keys_change_by_record_and_the_new_set_is_needed_from_there() -> None:
    body = rotation(CHAIN, FIRST, SECOND, NOW)
    chain = CHAIN.rotated(body, 100).rotated(rotation(CHAIN.rotated(body, 100), SECOND, THIRD, NOW), 200)
    assert chain.current == tuple(key.verifier for key in THIRD)
    for size, keys in ((0, FIRST), (100, FIRST), (101, SECOND), (200, SECOND), (201, THIRD), (10**9, THIRD)):
        data = checkpoint(size, *keys) if size else empty_checkpoint(keys)
        assert chain.open(data).size == size
    for size, keys in ((100, SECOND), (101, FIRST), (200, THIRD), (201, SECOND), (201, FIRST)):
        with pytest.raises(NoteUnsigned):
            chain.open(checkpoint(size, *keys))


def empty_checkpoint(keys: tuple[SigningKey, ...]) -> bytes:
    text = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    return Note(text, tuple(key.sign(text, NOW) for key in keys)).to_bytes()


def test_a_checkpoint_of_another_log_is_refused() -> None:
    other = KeyChain("cellwright.example/site-b", CHAIN.sets)
    with pytest.raises(NoteMalformed, match="site-a, not of"):
        other.open(checkpoint(7, *FIRST))


def _forgeries(good: dict[str, Any]) -> dict[str, Mapping[str, Any]]:
    outsider = generate_keys(ORIGIN)
    outsiders = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in outsider])
    other_log = KeyChain("cellwright.example/site-b", CHAIN.sets)
    note = Note.parse(good["note"].encode())
    return {
        "nothing": {},
        "no note": {"keys": good["keys"]},
        "no list": {**good, "keys": good["keys"][0]},
        "no keys": {**good, "keys": []},
        "a key twice": {**good, "keys": [good["keys"][0], good["keys"][0]]},
        "no key": {**good, "keys": ["nonsense"]},
        "one key less": {**good, "keys": good["keys"][:1]},
        "another order": {**good, "keys": good["keys"][::-1]},
        "keys of an outsider": {**good, "keys": [str(key.verifier) for key in outsider]},
        "signed by an outsider": rotation(outsiders, outsider, SECOND, NOW),
        "signed for another log": rotation(other_log, FIRST, SECOND, NOW),
        "not signed by an old key": {**good, "note": _without(note, FIRST[1])},
        "not signed by a new key": {**good, "note": _without(note, SECOND[0])},
        "not text": {**good, "note": "\ud800"},
    }


def _without(note: Note, key: SigningKey) -> str:
    kept = tuple(signature for signature in note.signatures if signature.key_id != key.verifier.key_id)
    assert len(kept) == len(note.signatures) - 1
    return replace(note, signatures=kept).to_bytes().decode()


GOOD = rotation(CHAIN, FIRST, SECOND, NOW)


@pytest.mark.parametrize("kind", _forgeries(GOOD))
def test_a_forged_change_of_keys_is_refused(kind: str) -> None:
    with pytest.raises(KeyChainBroken):
        CHAIN.rotated(_forgeries(GOOD)[kind], 100)


def test_a_change_of_keys_cannot_be_replayed() -> None:
    chain = CHAIN.rotated(GOOD, 100)
    with pytest.raises(KeyChainBroken):
        chain.rotated(GOOD, 200)
    back = chain.rotated(rotation(chain, SECOND, FIRST, NOW), 200)
    with pytest.raises(KeyChainBroken, match="another place"):
        back.rotated(GOOD, 300)
    with pytest.raises(KeyChainBroken):
        CHAIN.rotated(GOOD, 100).rotated(rotation(chain, SECOND, THIRD, NOW), 100)


def test_only_the_keys_in_force_can_hand_over() -> None:
    with pytest.raises(KeyChainBroken):
        rotation(CHAIN, SECOND, THIRD, NOW)


def test_a_chain_needs_keys() -> None:
    with pytest.raises(NoteError):
        KeyChain.genesis(ORIGIN, [])
