"""What a dossier holds, what it never holds, and what it says."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from cellwright.command.dossier import required, selection
from cellwright.command.dossier.archive import unpack
from cellwright.command.dossier.export import dossier
from cellwright.command.dossier.source import open_reading
from cellwright.command.site import open_site
from cellwright.factory.people import MEANINGS
from cellwright.factory.record import REGISTER
from cellwright.factory.register import ROOMS
from cellwright.factory.rule import Refusal
from cellwright.ledger.checkpoint import NOTE
from tests.command.dossier import scene
from tests.command.dossier.conftest import Made


def test_a_stranger_finds_that_every_dossier_holds(site: Made, verifier: ModuleType) -> None:
    for lot, archive in site.dossiers.items():
        found = verifier.verify_dossier(archive)
        assert [str(problem) for problem in found.problems] == []
        assert found.manifest["lot"] == lot
        assert found.simulated
        assert found.signatures > 100
        assert found.files >= len(found.manifest["sealed"]) > 0


def test_one_state_of_the_record_gives_one_dossier_but_for_the_seals_time(site: Made) -> None:
    again = unpack(scene.made(site.folder, site.lots[0]))
    assert again.pop("dossier.note")
    before = unpack(site.one)
    before.pop("dossier.note")
    assert again == before


def test_the_whole_story_is_there_from_the_order_to_the_infusion(site: Made) -> None:
    events = scene.events_of(unpack(site.one))
    types = [event["type"] for event in events]
    for kind in (
        "site.opened", "pair.formed", "order.placed", "order.collected", "lot.issued", "lot.step_completed",
        "quality.result_recomputed", "release.record_reviewed", "release.released", "order.infused", "order.closed",
        "equipment.qualified", "room.cleared", "material.released", "person.role_granted", "definition.approved",
    ):  # fmt: skip
        assert kind in types, kind
    lot = next(event for event in events if event["type"] == "lot.issued")["body"]
    approved = [(e["body"]["kind"], e["body"]["definition"]) for e in events if e["type"] == "definition.approved"]
    assert ("recipe", lot["recipe"]) in approved
    assert {name for kind, name in approved if kind == "product"} == {lot["product"]}
    assert all(name.startswith(lot["product"]) for kind, name in approved if kind == "specification")


@pytest.mark.requirement("R061")
def test_from_the_dossier_alone_the_dose_is_traced_to_its_donor_and_back(site: Made) -> None:
    for archive in site.dossiers.values():
        events = scene.events_of(unpack(archive))
        parents = scene.parents(events)
        pair = next(event["body"] for event in events if event["type"] == "pair.formed")
        collected = {
            part["container"]: event["body"]["pair"]
            for event in events
            if event["type"] == "order.collected"
            for part in event["body"]["containers"]
        }
        given = [event["body"] for event in events if event["type"] == "order.infused"]
        checks = [event["body"] for event in events if event["type"] == "order.identity_checked"]
        assert given
        for bag in given:
            origins = scene.origins(bag["bag"], parents)
            assert origins
            assert {collected[container] for container in origins} == {pair["pair"]}, "back to the donor"
            recipients = {check["recipient"]["subject"] for check in checks if check["bag"] == bag["bag"]}
            assert recipients == {pair["recipient"]}, "and on to the recipient"
        final = {event["body"]["container"] for event in events if event["type"].endswith(".container_disposed")}
        final |= {bag["bag"] for bag in given}
        for container in collected:
            leaves = scene.ends(container, parents)
            assert leaves <= final, "every end has its disposition"


@pytest.mark.requirement("R017")
def test_every_recomputed_result_points_to_its_enclosed_file_parser_and_parameters(site: Made) -> None:
    members = unpack(site.one)
    results = [e["body"] for e in scene.events_of(members) if e["type"] == "quality.result_recomputed"]
    assert len(results) > 5
    for result in results:
        assert f"files/{result['file']['sha256']}" in members
        assert result["derivation"]["parser"]
        assert result["derivation"]["parser_version"]


def test_a_strangers_dossier_holds_nothing_personal_and_nothing_of_anybody_else(site: Made) -> None:
    with open_site(site.folder) as opened:
        secrets = scene.personal(opened)
        owned = {e.stream: e.body["coi"] for e in opened.ledger.read() if e.type == "lot.issued"}
    assert len(secrets) >= 4
    for lot, archive in site.dossiers.items():
        for secret in secrets:
            assert secret.encode() not in archive
        members = unpack(archive)
        manifest = json.loads(members["manifest.json"])
        assert not any(event["stream"].startswith("subject/") for event in scene.events_of(members))
        assert not manifest["opened"]
        strangers = {name for other, coi in owned.items() if other != f"lot/{lot}" for name in (other[4:], coi)}
        for event in scene.events_of(members):
            said = json.dumps(event)
            assert event["pos"] in manifest["shared"] or not any(name in said for name in strangers)


def test_files_about_the_patient_are_enclosed_as_stored_and_opened_for_the_hospital_only(
    site: Made, verifier: ModuleType
) -> None:
    stranger = unpack(site.one)
    manifest = json.loads(stranger["manifest.json"])
    assert manifest["sealed"]
    hospital = scene.made(site.folder, site.lots[0], reader="hospital")
    found = verifier.verify_dossier(hospital)
    assert found.ok, found.problems
    members = unpack(hospital)
    assert set(found.manifest["opened"]) == set(manifest["sealed"])
    flow = [name for name in members if name.startswith("opened/") and members[name].startswith(b"FCS3")]
    assert flow
    assert all(members[f"files/{digest}"] == stranger[f"files/{digest}"] for digest in manifest["sealed"])
    assert "enclosed opened" in verifier.Teller("en").report(found)


def test_what_people_did_at_the_door_stays_at_the_site(site: Made) -> None:
    members = unpack(site.one)
    manifest = json.loads(members["manifest.json"])
    types = {event["type"] for event in scene.events_of(members)}
    (releaser,) = manifest["trimmed"]
    assert releaser in ("person/QP-1", "person/QP-2")
    assert "person.signed_in" not in types
    assert "person.credential_registered" in types


def test_a_lot_that_is_not_there_and_one_not_yet_published_are_refused(site: Made, tmp_path: Path) -> None:
    with open_reading(site.folder) as reading:
        with pytest.raises(Refusal, match="There is no lot L-0"):
            dossier(reading, "L-0")
        reading.ledger.checkpoints = lambda kind=None: []  # type: ignore[method-assign]
        with pytest.raises(Refusal, match="does not yet cover"):
            dossier(reading, site.lots[0])


def test_a_site_open_for_reading_gives_the_same_dossier(site: Made) -> None:
    with open_reading(site.folder) as reading:
        assert unpack(dossier(reading, site.lots[0]))["events.jsonl"] == unpack(site.one)["events.jsonl"]


def test_a_checkpoint_received_earlier_is_continued_or_the_forgery_is_named(site: Made, verifier: ModuleType) -> None:
    with open_reading(site.folder) as reading:
        notes = [stored.body for stored in reading.ledger.checkpoints(NOTE)]
        archive = dossier(reading, site.lots[0], held=notes)
    found = verifier.verify_dossier(archive, checkpoints=notes)
    assert found.ok, found.problems
    assert found.compared == len(notes)
    forged = notes[0].replace(notes[0].splitlines()[2], b"A" * 43 + b"=")
    assert [str(p) for p in verifier.verify_dossier(archive, checkpoints=[forged]).problems] == [
        "your checkpoint: the signature of cellwright/e-town-demo does not fit"
    ]


def test_keys_known_from_elsewhere_are_demanded(site: Made, verifier: ModuleType) -> None:
    keys = verifier.verify_dossier(site.one).keys
    assert verifier.verify_dossier(site.one, keys[:1]).pinned
    other = scene.generate_other_key()
    assert "another site" in str(verifier.verify_dossier(site.one, [other]).problems[0])


def test_what_must_be_signed_is_of_this_factory_and_of_the_people() -> None:
    assert ROOMS
    known = {kind for kind, _ in REGISTER}
    assert set(required.REQUIRED) <= known
    assert {word for sets in required.REQUIRED.values() for one in sets for word in one.split()} <= MEANINGS


def test_what_the_record_always_shows_signed_is_demanded(site: Made) -> None:
    """Whatever stands in the whole site with the same meaning each time is in the table, so that none is forgotten."""
    by_content, meanings = {}, {}
    with open_reading(site.folder) as reading:
        for event in reading.ledger.read():
            by_content[selection.content(event)] = event
            if event.type == "signature.applied":
                for digest in event.body.get("contents", ()):
                    covered = by_content[digest]
                    meanings.setdefault((covered.type, covered.pos), set()).add(event.body["meaning"])
    types = {event.type for event in by_content.values()}
    for kind in types:
        of_kind = [meanings.get((kind, e.pos), set()) for e in by_content.values() if e.type == kind]
        always = set.intersection(*of_kind)
        assert not always or kind in {*required.REQUIRED, *NOT_ALWAYS}, f"{kind} is always signed as {always}"


@pytest.mark.requirement("R026")
def test_a_signature_is_told_with_name_account_role_meaning_and_time_with_zone(
    site: Made, verifier: ModuleType
) -> None:
    report = verifier.Teller("en").report(verifier.verify_dossier(site.one))
    released = report.partition("RELEASED (full)")[2].splitlines()[1].strip()
    form = r"✓ signed: Authorised person \d \(simulated\) \(QP-\d\), authorised_person, released, "
    assert re.fullmatch(form + r"2026-\d\d-\d\dT[\d:.]+Z \(Asia/Shanghai\)", released), released


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_begins_with_simulated_and_tells_the_story(site: Made, verifier: ModuleType, language: str) -> None:
    report = verifier.Teller(language).report(verifier.verify_dossier(site.one))
    first = report.splitlines()[0]
    assert first == {"en": "SIMULATED, NOT FOR HUMAN USE", "zh": "模拟数据，不得用于人体"}[language]
    assert {"en": "Everything holds.", "zh": "全部核实通过。"}[language] in report
    assert {"en": "RELEASED (full) for EU", "zh": "放行（完整），市场 EU"}[language] in report
    assert not re.search(r"\{\w+\}", report)
    told = [line for line in report.splitlines() if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert len(told) > 80
    assert not any(re.search(r"Z  [a-z]+\.[a-z_]+  \[", line) for line in told), "an event without a sentence"


def test_every_event_of_a_story_has_a_sentence_whose_fields_it_has(verifier: ModuleType) -> None:
    rooms = {"pair", "order", "shipment", "lot", "quality", "release", "case", "plate"}
    for (kind, _), body in REGISTER.items():
        if kind.partition(".")[0] in rooms:
            phrase = verifier.PHRASES.get(kind)
            assert phrase or kind in WITHOUT, kind
            fields = set(re.findall(r"\{(\w+)\}", phrase or ""))
            assert fields <= {f.encode_name for f in scene.fields_of(body)}, kind


WITHOUT = {"pair.chimerism_recorded", "pair.donor_consent_withdrawn"}
"""Facts that are told by their name."""
NOT_ALWAYS = {"order.eligibility_judged"}
"""A person's verdict is signed; one that follows from the protocol alone needs nobody's word."""
