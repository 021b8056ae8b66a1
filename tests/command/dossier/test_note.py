"""The second, plain implementation of trees and notes agrees with the ledger's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.command.dossier import note as plain
from cellwright.command.dossier.finding import Problem
from cellwright.ledger import Draft, open_ledger
from cellwright.ledger.merkle import root_of
from cellwright.ledger.note import Checkpoint, Note
from cellwright.ledger.signing_key import KeyChain, SigningKey, generate_keys, rotation

ORIGIN = "cellwright/test"


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_proofs_of_the_ledger_convince_the_plain_verifier(size: int, data: st.DataObject) -> None:
    with open_ledger("memory:") as ledger:
        for number in range(size):
            draft = Draft(stream="s", type="t.x", body={"n": number}, id=f"id-{number}", actor="a")
            ledger.append([draft])
        leaves = [record.leaf for record in ledger.records()]
        root = root_of(leaves)
        assert plain.root_over(leaves) == root
        pos = data.draw(st.integers(0, size - 1))
        path = ledger.inclusion_proof(pos, size)
        assert plain.included(pos, size, leaves[pos], path, root)
        assert not plain.included((pos + 1) % size, size, leaves[pos], path, root) or size == 1
        assert not plain.included(pos, size, b"\x00" * 32, path, root)
        old = data.draw(st.integers(1, size))
        before = plain.Checkpoint(ORIGIN, old, root_of(leaves[:old]))
        now = plain.Checkpoint(ORIGIN, size, root)
        proof = ledger.consistency_proof(old, size)
        assert plain.continues(before, now, proof)
        assert not plain.continues(before._replace(root=b"\x01" * 32), now, proof)
        if proof:
            assert not plain.continues(before, now, [*proof[:-1], b"\x02" * 32])
            assert not plain.continues(before, now, proof[:-1])
            assert not plain.continues(before, now, [*proof, b"\x02" * 32])


def signed(keys: tuple[SigningKey, ...], checkpoint: Checkpoint) -> bytes:
    return Note(checkpoint.text, tuple(key.sign(checkpoint.text, 7) for key in keys)).to_bytes()


def genesis(keys: tuple[SigningKey, ...]) -> dict[str, object]:
    body = {"origin": ORIGIN, "verifier_keys": [str(key.verifier) for key in keys]}
    return {"pos": 0, "type": "site.opened", "body": body}


def test_keys_are_followed_through_a_change_and_no_further() -> None:
    first, second, thief = (generate_keys(ORIGIN) for _ in range(3))
    chain = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in first])
    change = {"pos": 5, "type": "ledger.key_rotated", "body": rotation(chain, first, second, 7)}
    sets = plain.key_sets([genesis(first), change])
    assert sets.at(5) == tuple(str(key.verifier) for key in first)
    assert sets.at(6) == tuple(str(key.verifier) for key in second)
    stolen = KeyChain.genesis(ORIGIN, [str(key.verifier) for key in thief])
    forged = {"pos": 5, "type": "ledger.key_rotated", "body": rotation(stolen, thief, second, 7)}
    with pytest.raises(Problem):
        plain.key_sets([genesis(first), forged])


def test_a_note_counts_with_every_key_and_no_other_only() -> None:
    keys, others = generate_keys(ORIGIN), generate_keys(ORIGIN)
    vkeys = [str(key.verifier) for key in keys]
    said = Checkpoint(ORIGIN, 3, b"\x05" * 32)
    now = plain.Checkpoint(ORIGIN, 3, b"\x05" * 32)
    plain.check_note(signed(keys, said), now, vkeys, "n")
    altered = signed(keys, said)[:-4] + b"AA=\n"
    for note in (signed(keys[:1], said), signed(others, said), signed((*keys, *others), said), altered, b"", b"\xff"):
        with pytest.raises(Problem):
            plain.check_note(note, now, vkeys, "n")
    with pytest.raises(Problem, match="something else"):
        plain.check_note(signed(keys, said), now._replace(size=4), vkeys, "n")


def test_both_ways_of_checking_a_post_quantum_signature_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = generate_keys(ORIGIN)
    said = Checkpoint(ORIGIN, 3, b"\x05" * 32)
    vkeys = [str(key.verifier) for key in keys]
    assert plain.lattice()[0] == "cryptography"
    note = signed(keys, said)
    monkeypatch.setattr(plain, "lattice", lambda: ("plain Python", plain.ml_dsa_44_verify))
    plain.check_note(note, plain.Checkpoint(*(ORIGIN, 3, b"\x05" * 32)), vkeys, "n")
    other = signed(keys, Checkpoint(ORIGIN, 3, b"\x06" * 32)).partition(b"\n\n")[2]
    ed25519, _, ml_dsa = note.partition(b"\n\n")[2].splitlines()[0], None, other.splitlines()[1]
    mixed = said.text.encode() + b"\n" + ed25519 + b"\n" + ml_dsa + b"\n"
    with pytest.raises(Problem, match="does not fit"):
        plain.check_note(mixed, plain.Checkpoint(ORIGIN, 3, b"\x05" * 32), vkeys, "n")
