"""Cosignatures in a dossier, and how far it is proven that nothing is left out (R003)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from cellwright.command.dossier.archive import unpack
from cellwright.command.site import read_settings
from cellwright.ledger.checkpoint import TIMESTAMP
from cellwright.ledger.event import StoredCheckpoint
from cellwright.ledger.signing_key import generate_keys
from tests.command.dossier import scene
from tests.command.dossier.conftest import Made

pytestmark = pytest.mark.requirement("R003")


def witness_keys(site: Made) -> list[str]:
    (line,) = read_settings(site.folder).witnesses
    return line.split()[1:]


def test_the_demonstrations_witness_cosigned_the_checkpoint(site: Made, verifier: ModuleType) -> None:
    found = verifier.verify_dossier(site.one)
    assert found.ok, found.problems
    assert [(name, known) for name, _, known in found.witnesses] == [("witness.example/simulated", False)] * len(
        witness_keys(site)
    )
    told = verifier.Teller("en").report(found)
    assert told.count("Cosigned by the witness witness.example/simulated") == 1
    assert "its key is named by the site" in told
    for _, at, _ in found.witnesses:
        assert abs(datetime.fromtimestamp(at, UTC) - datetime.now(UTC)).days < 2


def test_a_witness_known_from_elsewhere_is_demanded(site: Made, verifier: ModuleType) -> None:
    keys = witness_keys(site)
    found = verifier.verify_dossier(site.one, witnesses=keys)
    assert found.ok
    assert {known for _, _, known in found.witnesses} == {True}
    assert "whose key you know" in verifier.Teller("en").report(found)
    stranger = str(generate_keys("witness.example/other", witness=True)[0].verifier)
    (problem,) = verifier.verify_dossier(site.one, witnesses=[stranger]).problems
    assert "did not cosign" in str(problem)


def altered(members: dict[str, bytes], manifest: dict[str, object]) -> None:
    name = "cosignatures/1.note"
    head, dash, rest = members[name].decode().rpartition(" ")
    members[name] = f"{head}{dash}{rest[:8]}{'B' if rest[8] == 'A' else 'A'}{rest[9:]}".encode()


def of_another(members: dict[str, bytes], manifest: dict[str, object]) -> None:
    manifest["witnesses"] = [str(generate_keys("witness.example/simulated", witness=True)[0].verifier)]


def of_other_text(members: dict[str, bytes], manifest: dict[str, object]) -> None:
    name = "cosignatures/1.note"
    members[name] = members[name].replace(b"\n", b"1\n", 1)


@pytest.mark.parametrize("attack", [altered, of_another, of_other_text], ids=["altered", "of_another", "of_other_text"])
def test_a_cosignature_that_does_not_hold_is_named(
    site: Made, verifier: ModuleType, attack: Callable[[dict[str, bytes], dict[str, Any]], None]
) -> None:
    archive = scene.sealed_again(site.folder, site.one, attack)
    found = verifier.verify_dossier(archive)
    assert not found.ok
    assert "cosignatures/" in str(found.problems[0])


def test_without_a_witness_the_report_says_so(site: Made, verifier: ModuleType) -> None:
    def none(members: dict[str, bytes], manifest: dict[str, object]) -> None:
        for name in [name for name in members if name.startswith("cosignatures/")]:
            del members[name]
        manifest["witnesses"] = []

    found = verifier.verify_dossier(scene.sealed_again(site.folder, site.one, none))
    assert found.ok
    assert "No witness cosigned this checkpoint." in verifier.Teller("en").report(found)


def test_a_time_stamp_is_enclosed_and_must_name_the_checkpoint(site: Made, verifier: ModuleType) -> None:
    from hashlib import sha256

    def stamped(members: dict[str, bytes], manifest: dict[str, object]) -> None:
        members["timestamps/1.tsr"] = b"\x30\x20" + sha256(members["checkpoint.note"]).digest()

    found = verifier.verify_dossier(scene.sealed_again(site.folder, site.one, stamped))
    assert (found.ok, found.timestamps) == (True, 1)
    assert "openssl ts" in verifier.Teller("en").report(found)

    def other(members: dict[str, bytes], manifest: dict[str, object]) -> None:
        members["timestamps/1.tsr"] = b"\x30\x20" + bytes(32)

    (problem,) = verifier.verify_dossier(scene.sealed_again(site.folder, site.one, other)).problems
    assert "timestamps/1.tsr" in str(problem)


def test_a_token_in_the_ledger_comes_along(site: Made) -> None:
    from cellwright.command.dossier.export import _seen_by_others
    from cellwright.command.site import open_site
    from cellwright.ledger.note import Checkpoint, Note

    note = unpack(site.one)["checkpoint.note"]
    size = Checkpoint.parse(Note.parse(note).text).size
    with open_site(site.folder) as opened:
        opened.ledger.add_checkpoint(
            StoredCheckpoint(size=size, kind=TIMESTAMP, body=b"token", at="2026-03-02T00:00:00.000000Z")
        )
        assert _seen_by_others(opened, note)["timestamps/1.tsr"] == b"token"


def test_everything_that_the_reviewer_signed_is_here(site: Made, verifier: ModuleType) -> None:
    for archive in site.dossiers.values():
        found = verifier.verify_dossier(archive)
        assert found.reviewed is not None
        _, count, missing = found.reviewed
        assert (count > 100, missing) == (True, 0)
        assert "Making and testing are proven complete up to the review" in verifier.Teller("en").report(found)
        summary = verifier.summary(found, verifier.Teller("en"))
        assert json.loads(json.dumps(summary))["reviewed"]["events"] == count
