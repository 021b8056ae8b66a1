"""Nothing about a dossier can be changed without being named: by a stranger, or by the site that made it."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from cellwright.command.dossier.archive import pack, unpack
from cellwright.command.dossier.export import dossier
from cellwright.command.site import open_site
from cellwright.ledger.note import Checkpoint, Note
from cellwright.ledger.signing_key import generate_keys, load_keys
from tests.command.dossier import scene
from tests.command.dossier.conftest import Made

Members = dict[str, bytes]
Manifest = dict[str, Any]
FLIPS = 100


def problems(verifier: ModuleType, archive: bytes, **more: Any) -> list[str]:
    return [str(problem) for problem in verifier.verify_dossier(archive, **more).problems]


def flipped(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :]


@pytest.mark.requirement("R003")
def test_any_byte_of_the_file_that_changes_is_named(site: Made, verifier: ModuleType) -> None:
    random = Random(1)
    for archive in (*[site.one] * FLIPS, *site.dossiers.values()):
        assert problems(verifier, flipped(archive, random))


def test_any_byte_of_any_member_that_changes_is_named_with_its_member(site: Made, verifier: ModuleType) -> None:
    """Repacked, so that no checksum of the archive gives it away; the members that matter more than once."""
    random = Random(2)
    members = unpack(site.one)
    small = ["events.jsonl", "proofs.json", "manifest.json", "dossier.note", "checkpoint.note", "consistency.json"]
    for name in [*members, *small * 15]:
        if members[name]:
            found = problems(verifier, pack({**members, name: flipped(members[name], random)}))
            assert any(name in problem for problem in found), (name, found)


def dropped(members: Members, other: Members) -> None:
    lines = members["events.jsonl"].splitlines(keepends=True)
    members["events.jsonl"] = b"".join(lines[:-1])


def reordered(members: Members, other: Members) -> None:
    lines = members["events.jsonl"].splitlines(keepends=True)
    members["events.jsonl"] = b"".join([*lines[:5], lines[6], lines[5], *lines[7:]])


def taken_from_another(members: Members, other: Members) -> None:
    members["events.jsonl"] = other["events.jsonl"]


def proofs_swapped(members: Members, other: Members) -> None:
    members["proofs.json"] = other["proofs.json"]


def files_swapped(members: Members, other: Members) -> None:
    first, second, *_ = sorted(name for name in members if name.startswith("files/"))
    members[first], members[second] = members[second], members[first]


def file_removed(members: Members, other: Members) -> None:
    del members[next(name for name in members if name.startswith("files/"))]


def file_added(members: Members, other: Members) -> None:
    members["more.txt"] = b"more"


def manifest_of_another(members: Members, other: Members) -> None:
    members["manifest.json"], members["dossier.note"] = other["manifest.json"], other["dossier.note"]


def seal_of_another(members: Members, other: Members) -> None:
    members["dossier.note"] = other["dossier.note"]


def manifest_rewritten(members: Members, other: Members) -> None:
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = scene.canonical({**manifest, "lot": "L-0"})


def manifest_emptied(members: Members, other: Members) -> None:
    members["manifest.json"] = b"{}"


def checkpoint_as_seal(members: Members, other: Members) -> None:
    members["dossier.note"] = members["checkpoint.note"]


@pytest.mark.parametrize(
    "attack",
    [
        dropped, reordered, taken_from_another, proofs_swapped, files_swapped, file_removed, file_added,
        manifest_of_another, seal_of_another, manifest_rewritten, manifest_emptied, checkpoint_as_seal,
    ],
)  # fmt: skip
def test_what_a_stranger_rearranges_is_named(
    site: Made, verifier: ModuleType, attack: Callable[[Members, Members], None]
) -> None:
    members, other = unpack(site.one), unpack(site.dossiers[site.lots[1]])
    attack(members, other)
    assert problems(verifier, pack(members))


# --- the site itself, with its keys in hand, against a record whose checkpoint others hold ---------------------------


def lines_of(members: Members) -> list[dict[str, Any]]:
    return scene.events_of(members)


def rewrite(members: Members, events: list[dict[str, Any]]) -> None:
    members["events.jsonl"] = b"".join(scene.canonical(event) + b"\n" for event in events)


def without(members: Members, positions: set[int]) -> None:
    """Take events out, with their proofs."""
    rewrite(members, [event for event in lines_of(members) if event["pos"] not in positions])
    proofs = json.loads(members["proofs.json"])
    members["proofs.json"] = scene.canonical({p: proof for p, proof in proofs.items() if int(p) not in positions})


def event_dropped(members: Members, manifest: Manifest) -> None:
    without(members, {next(event["pos"] for event in lines_of(members) if event["type"] == "lot.step_completed")})


def signature_dropped(members: Members, manifest: Manifest) -> None:
    """The release without its signature, and the manifest no longer says that its stream is whole."""
    events = lines_of(members)
    stream = next(event["stream"] for event in events if event["type"] == "release.released")
    without(members, {e["pos"] for e in events if e["stream"] == stream and e["type"] == "signature.applied"})
    del manifest["complete"][stream]


def result_changed(members: Members, manifest: Manifest) -> None:
    events = lines_of(members)
    next(event for event in events if event["type"] == "quality.result_recomputed")["body"]["value"] = "99"
    rewrite(members, events)


def signature_moved(members: Members, manifest: Manifest) -> None:
    """The proof of one signature under the statement of another of the same person."""
    events = lines_of(members)
    of_person: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["type"] == "signature.applied":
            of_person.setdefault(event["body"]["person"], []).append(event["body"])
    one, two, *_ = next(bodies for bodies in of_person.values() if len(bodies) > 1)
    one["proof"] = two["proof"]
    rewrite(members, events)


def role_invented(members: Members, manifest: Manifest) -> None:
    events = lines_of(members)
    grant = next(e for e in events if e["type"] == "person.role_granted" and e["body"]["role"] == "authorised_person")
    without(members, {grant["pos"]})
    manifest["complete"].pop(grant["stream"], None)
    manifest["trimmed"][grant["stream"]] = 100


def account_not_counted(members: Members, manifest: Manifest) -> None:
    manifest["trimmed"].clear()


def end_of_the_record_left_out(members: Members, manifest: Manifest) -> None:
    """From the last reviewed event of making on: the site takes it out and says that the stream ends before it."""
    stream = f"lot/{manifest['lot']}"
    events = lines_of(members)
    review = next(event["pos"] for event in events if event["type"] == "release.record_reviewed")
    mine = [event for event in events if event["stream"] == stream]
    last = max(event["version"] for event in mine if event["pos"] < review)
    without(members, {event["pos"] for event in mine if event["version"] >= last})
    manifest["complete"][stream] = last


def account_cut(members: Members, manifest: Manifest) -> None:
    manifest["trimmed"][next(iter(manifest["trimmed"]))] = 2


def credential_replaced(members: Members, manifest: Manifest) -> None:
    events = lines_of(members)
    for event in events:
        if event["type"] == "person.credential_registered":
            event["body"]["public_key"] = next(
                e["body"]["public_key"]
                for e in events
                if e["type"] == "person.credential_registered" and e["body"]["person"] != event["body"]["person"]
            )
    rewrite(members, events)


def file_replaced(members: Members, manifest: Manifest) -> None:
    name = next(name for name in members if name.startswith("files/"))
    members[name] = b"another content"


def file_withheld_in_silence(members: Members, manifest: Manifest) -> None:
    name = next(name for name in members if name.startswith("files/") and name[6:] not in manifest["sealed"])
    del members[name]


def file_smuggled_in(members: Members, manifest: Manifest) -> None:
    members["files/" + "0" * 64] = b"x"


def another_lot_named(members: Members, manifest: Manifest) -> None:
    manifest["lot"] = "L-0"


def another_patient_named(members: Members, manifest: Manifest) -> None:
    manifest["coi"] = "CHA9999260000ZZ"


def called_real(members: Members, manifest: Manifest) -> None:
    manifest["simulated"] = False


def opened_for_a_stranger(members: Members, manifest: Manifest) -> None:
    digest = manifest["sealed"][0]
    members[f"opened/{digest}"] = b"FCS3.1 with a name"
    manifest["opened"][digest] = "0" * 64


def simulated_stripped(members: Members, manifest: Manifest) -> None:
    events = lines_of(members)
    del events[0]["body"]["simulated"]
    manifest["simulated"] = False
    rewrite(members, events)


INSIDE: tuple[tuple[Callable[[Members, Manifest], None], str], ...] = (
    (event_dropped, "events are missing"),
    (signature_dropped, "lacks a signature"),
    (result_changed, "not in the record"),
    (signature_moved, "the signature of"),
    (role_invented, "did not hold the role"),
    (account_not_counted, "it is not said how many events it has"),
    (end_of_the_record_left_out, "the reviewer signed"),
    (account_cut, "events are missing"),
    (credential_replaced, "the cryptographic check fails"),
    (file_replaced, "its content was altered"),
    (file_withheld_in_silence, "files are missing"),
    (file_smuggled_in, "no event of this dossier names it"),
    (another_lot_named, "the lot it names is not"),
    (another_patient_named, "the lot it names is not"),
    (called_real, "whether the site is simulated"),
    (opened_for_a_stranger, "holds an opened file"),
    (simulated_stripped, "not in the record"),
)


@pytest.mark.requirement("R003", "R027", "R028")
@pytest.mark.parametrize(("attack", "named"), INSIDE, ids=[attack.__name__ for attack, _ in INSIDE])
def test_what_the_site_itself_alters_and_seals_again_is_named(
    site: Made, verifier: ModuleType, attack: Callable[[Members, Manifest], None], named: str
) -> None:
    found = problems(verifier, scene.sealed_again(site.folder, site.one, attack))
    assert any(named in problem for problem in found), found


def test_a_seal_made_again_without_a_change_holds(site: Made, verifier: ModuleType) -> None:
    assert not problems(verifier, scene.sealed_again(site.folder, site.one, lambda members, manifest: None))


def test_keys_replaced_are_found_by_whoever_knows_the_sites(site: Made, verifier: ModuleType, tmp_path: Path) -> None:
    """Somebody who makes a whole site of his own, with the same name, is told by the keys alone."""
    thief = tmp_path / "thief"
    lots = scene.build(thief)
    forged = scene.made(thief, lots[0])
    assert not problems(verifier, forged)
    keys = verifier.verify_dossier(site.one).keys
    assert "another site" in problems(verifier, forged, pins=keys)[0]


def test_a_fork_is_found_by_whoever_holds_a_checkpoint(site: Made, verifier: ModuleType) -> None:
    """Two dossiers of one site whose records differ: the checkpoint of one refutes the other."""
    keys = load_keys(site.folder / "keys" / "checkpoint.keys")
    with open_site(site.folder) as opened:
        size = opened.ledger.head().size - 5
        said = Checkpoint(opened.settings.origin, size, b"\x07" * 32)
        fork = Note(said.text, tuple(key.sign(said.text, 1) for key in keys)).to_bytes()
        archive = dossier(opened, site.lots[0], held=[fork])
    assert "one of the two was forged" in problems(verifier, archive, checkpoints=[fork])[0]
    assert "have a dossier made with it" in problems(verifier, site.one, checkpoints=[fork])[0]


def test_a_checkpoint_by_other_keys_is_refused(site: Made, verifier: ModuleType) -> None:
    def by_a_thief(members: Members, manifest: Manifest) -> None:
        text = Note.parse(members["checkpoint.note"]).text
        thief = generate_keys("cellwright/e-town-demo")
        members["checkpoint.note"] = Note(text, tuple(key.sign(text, 1) for key in thief)).to_bytes()

    found = problems(verifier, scene.sealed_again(site.folder, site.one, by_a_thief))
    assert found == ["checkpoint.note: a signature is by a key that is not the site's"]


def spoilt(value: Any, random: Random) -> Any:
    """A JSON value with something somewhere in it of another kind."""
    other = random.choice([None, 0, -1, "", "x", [], {}, True, 1.5, [[]], {"a": 1}])
    if random.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return other
    if isinstance(value, dict):
        key = random.choice(sorted(value))
        if random.random() < 0.2:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: spoilt(value[key], random)}
    at = random.randrange(len(value))
    return [*value[:at], spoilt(value[at], random), *value[at + 1 :]]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_form_it_has_the_verifier_answers(site: Made, verifier: ModuleType, seed: int) -> None:
    """Events, manifest, proofs spoilt in kind, and sealed by the site itself: always a named problem, never a crash."""
    random = Random(seed)

    def spoil(members: Members, manifest: Manifest) -> None:
        name = random.choice(["events.jsonl", "events.jsonl", "manifest", "proofs.json", "consistency.json"])
        if name == "manifest":
            key = random.choice(sorted(set(manifest) - {"files", "lot", "schema"}))
            manifest[key] = spoilt(manifest[key], random)
        elif name == "events.jsonl":
            events = lines_of(members)
            at = random.randrange(1, len(events))
            events[at] = spoilt(events[at], random)
            rewrite(members, events)
        else:
            members[name] = scene.canonical(spoilt(json.loads(members[name]), random))

    archive = scene.sealed_again(site.folder, site.one, spoil)
    found = verifier.verify_dossier(archive)
    report = verifier.Teller("zh").report(found)
    if unpack(archive)["events.jsonl"] != unpack(site.one)["events.jsonl"]:
        assert not found.ok
    assert found.ok or "✕" in report
