"""The demonstration: every scene of the story happens, in every run of 24 patients, through the real rules and ledger."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from cellwright import shipped
from cellwright.command.demo import report
from cellwright.command.demo.published import PUBLISHED
from cellwright.command.demo.run import LINKED, STORY_PATIENTS, Demo, open_demo
from cellwright.command.demo.story import Recall
from cellwright.command.verification import verify_site
from cellwright.cytometry import read_fcs
from cellwright.cytometry.analysis import analyse, read_analysis, read_record
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.state import OrderState
from cellwright.factory.quality.file import QualityState
from cellwright.factory.release.state import ReleaseState
from cellwright.ledger.checkpoint import NOTE
from cellwright.ledger.verify import verify

POINTS = {"collection_receipt", "in_process", "final_label", "qc_tube", "plate_well", "raw_file", "bedside"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = open_demo(tmp_path_factory.mktemp("demo") / "site")
    demo.run(STORY_PATIENTS, lambda done, total: None)
    yield demo
    demo.site.close()


def outcomes(demo: Demo, code: str) -> list[dict[str, str]]:
    return [o for way in demo.ways for o in way.patient.outcomes if o["code"] == code]


@pytest.mark.requirement("R003")
def test_the_whole_site_verifies(story: Demo) -> None:
    """Every file that an event names, analysis sheets and records too, is in the store and is what it was."""
    site = story.site
    found = verify_site(site.ledger, folder=site.folder, settings=site.settings, processes=1)
    assert found.ok, found.findings[:5]
    assert found.simulated
    assert found.files > 500


def test_there_is_one_entry_for_each_patient_with_what_was_decided_of_each_lot(story: Demo) -> None:
    patients = report.document(story, "1")["patients"]
    assert [one["number"] for one in patients] == list(range(1, STORY_PATIENTS + 1))
    assert {len(one["orders"]) for one in patients if one["number"] != LINKED} == {1}
    assert [order["product"] for order in patients[LINKED - 1]["orders"]] == ["CAR-T-19", "aT19"]
    for one in patients:
        codes = {outcome["code"] for outcome in one["outcomes"]}
        for word in ("rejected", "recalled"):
            assert word not in codes or word in {order["release_status"] for order in one["orders"]}


def test_checkpoints_are_published_on_the_way(story: Demo) -> None:
    """A run that is cut off half-way leaves a record that others can hold it to."""
    sizes = [row.size for row in story.site.ledger.checkpoints(NOTE)]
    assert len(sizes) > 5
    assert max(after - before for before, after in pairwise(sizes)) < 2000


def test_every_scene_of_the_story_happens(story: Demo) -> None:
    assert set(report.document(story, "1")["codes"]) == set(report.CODES)
    assert {o["point"] for o in outcomes(story, "swap_stopped")} == POINTS
    assert {o["reason"] for o in outcomes(story, "made_not_given")} == {"death", "progression", "withdrawal"}
    assert outcomes(story, "multi_dose")[0]["doses"] == "20"


@pytest.mark.requirement("R003")
def test_the_record_of_the_story_verifies(story: Demo) -> None:
    result = verify(story.site.ledger, processes=1)
    assert result.ok, result.findings
    assert result.size == story.site.ledger.head().size > 5000


@pytest.mark.requirement("R066")
def test_every_swap_left_nothing_used(story: Demo) -> None:
    """After each hard stop comes its end: the item set aside before a second person, and the doubt lifted on both sides."""
    for outcome in outcomes(story, "swap_stopped"):
        types = [event.type for event in story.site.ledger.stream(f"case/{outcome['case']}")]
        assert types[0] == "case.opened" and "case.set_aside" in types, types


@pytest.mark.requirement("R102")
@pytest.mark.parametrize("lot", PUBLISHED, ids=lambda lot: lot.name)
def test_published_lots_keep_their_published_figures(story: Demo, lot: object) -> None:
    """ARI-0001: PMC6319086 Table 2; humanized CD19: PMC12456031 Table 2. All six were released."""
    way = next(way for way in story.ways if way.published is lot)
    assert way.published is not None
    quality = story.site.desk.state(QualityState, way.patient.lot)
    recorded = {result.test: result.value for result in quality.results.values()}
    for test, value in way.published.results.items():
        assert Decimal(recorded[test]) == Decimal(value), test
    assert story.site.desk.state(ReleaseState, way.patient.lot).status == "released"


@pytest.mark.requirement("R017")
def test_values_stand_on_raw_files_kept_byte_for_byte(story: Demo) -> None:
    """The flow result of a lot is recomputed from the FCS file in the store, opened with the person's key."""
    from cellwright.command.demo import bench
    from cellwright.ledger.files import FileRef

    way = story.ways[0]
    events = story.site.ledger.stream(f"quality/{way.patient.lot}")
    result = next(e.body for e in events if e.type == "quality.result_recomputed" and e.body["test"] == "car_positive")
    sha256 = result["file"]["sha256"]
    stored = story.site.stored(sha256)
    data = story.site.files.get(FileRef(sha256, len(stored), way.patient.donor))
    sheet = read_analysis(shipped.content(bench.PANEL))
    again = analyse(sheet, read_fcs(data))
    assert again.file.events == bench.FLOW_EVENTS
    assert again.file.sample == result["sample"]
    assert again.output("car_positive").value == result["value"]
    assert result["derivation"]["parameters"]["analysis_sha256"] == sheet.sha256
    assert [(c["name"], c["passed"], len(c["value"])) for c in result["controls"]] == [
        ("instrument_qc", True, 64),
        ("unstained", True, 64),
    ]
    assert b"FCS3" not in stored, "what lies on the disk is encrypted"
    told = result["derivation"]["parameters"]

    def kept(name: str) -> bytes:
        address = told[f"{name} file"]
        return story.site.files.get(FileRef(address, len(story.site.stored(address)), way.patient.donor))

    assert hashlib.sha256(kept("record")).hexdigest() == told["record_sha256"]
    for name in ("fmo:CAR", "unstained"):
        assert read_fcs(kept(name)).sha256 == told[f"{name} sha256"]
    assert read_record(kept("record")).file.sha256 == again.file.sha256


@pytest.mark.requirement("R074")
def test_orders_that_were_closed_have_an_end_for_every_container(story: Demo) -> None:
    closed = 0
    for way in story.ways:
        order = story.site.desk.state(OrderState, way.patient.order)
        if not order.closed:
            continue
        closed += 1
        lot = story.site.desk.state(LotState, way.patient.lot)
        at_plant = [c for c in lot.containers.values() if c.disposition is None and c.container not in order.containers]
        assert not at_plant, at_plant
    assert closed >= 15


@pytest.mark.requirement("R090")
def test_every_final_label_was_read_back_from_its_picture(story: Demo) -> None:
    """What the commands got is what a reader of another make found in the picture; the print is kept by its hash."""
    from cellwright.ledger.files import FileRef

    way = story.ways[0]
    events = story.site.ledger.stream(f"lot/{way.patient.lot}")
    bags = {bag.container for bag in story.site.desk.state(LotState, way.patient.lot).bags}
    printed = {e.body["label"]: e.body for e in events if e.type == "lot.label_printed"}
    verified = [e.body for e in events if e.type == "lot.label_verified"]
    assert len(verified) == len(printed)
    for body in verified:
        symbols = printed[body["label"]]["symbols"]
        assert symbols[-1] == f"]d1{body['label']}" and symbols[0].startswith(
            "]d1=+04000" if body["container"] in bags else "]d1=+"
        )
    kept = [body["picture_sha256"] for body in verified if body["container"] in bags]
    assert len(kept) >= len(bags)
    stored = story.site.stored(kept[0])
    drawing = story.site.files.get(FileRef(kept[0], len(stored), way.patient.subject)).decode()
    assert "SIMULATED, NOT FOR HUMAN USE" in drawing and "仅供自体使用" in drawing
    assert f"Simulated recipient {way.patient.number}" in drawing
    assert b"Simulated recipient" not in stored, "a name is kept under its person's key only"


@pytest.mark.requirement("R079")
def test_containers_are_scanned_by_compound_symbols(story: Demo) -> None:
    """One symbol with donation, product, division and chain of identity; never a name typed by a program."""
    way = story.ways[0]
    lot = story.site.desk.state(LotState, way.patient.lot)
    assert lot.containers
    for name in lot.containers:
        din, division = name.rsplit("-", 1)
        assert din[:5] + din[8:10] + din[11:] in way.patient.codes[name], "the donation number stands in the symbol"
        assert f"0{division}" in way.patient.codes[name] and way.patient.coi in way.patient.codes[name]


def test_the_antibody_is_a_stock_lot_that_belongs_to_no_patient(story: Demo) -> None:
    """Law 3: stock flows into personal items, personal never into stock; every claim of the lot is `stock/mil62`."""
    assert story.stock is not None
    number = story.stock.patient.lot
    lot = story.site.desk.state(LotState, number)
    assert (lot.coi, lot.order, lot.owner, lot.status) == (None, None, "stock/mil62", "complete")
    assert story.site.desk.state(ReleaseState, number).status == "released"
    claims = {
        value
        for e in story.site.ledger.stream(f"lot/{number}")
        for key, value in e.claims.items()
        if "nonce" not in key
    }
    assert claims == {"stock/mil62"}
    litres = {c.volume_ml for c in lot.containers.values() if c.kind == "bulk"}
    assert litres == {Decimal(39_950)}, "forty litres less one sample"
    coi = {way.patient.coi for way in story.ways}
    assert not [e for e in story.site.ledger.stream(f"lot/{number}") if coi & {tag.partition("/")[2] for tag in e.tags}]
    (told,) = report.document(story, "1")["stock"]
    assert told["owner"] == "stock/mil62" and told["outcomes"] == [{"code": "released"}]
    assert any(row[1] == "MIL62" for row in report.rows(story))


def test_a_demonstration_that_ends_with_the_recalled_lot_waits_for_nobody(tmp_path: Path) -> None:
    """The recalled lot waits for a second one of its vector lot; with twenty patients there is none."""
    demo = open_demo(tmp_path / "site")
    journeys = demo.setting.prepare(demo.signer), demo.journeys(20)
    assert len(journeys[1]) == 21, "twenty patients, and the second product of the linked pair"
    demo.site.close()
    assert Recall(demo.setting, alone=True).kept_is_released and not Recall(demo.setting).kept_is_released


def test_a_short_demonstration_says_what_it_leaves_out(tmp_path: Path) -> None:
    demo = open_demo(tmp_path / "site", seed="3")
    demo.run(2, lambda done, total: None)
    document = report.document(demo, "3")
    demo.site.close()
    assert set(document["codes"]) | set(document["left_out"]) == set(report.CODES)
    assert "recalled" in document["left_out"] and document["stock"] == []


def test_everything_is_stamped_as_simulated(story: Demo) -> None:
    genesis = story.site.ledger.event(0)
    assert genesis.body["simulated"] is True and genesis.body["clock"] == "simulated"
    signatures = [e for e in story.site.ledger.read() if e.type == "signature.applied"]
    assert signatures and all(e.body.get("simulated") for e in signatures)


def test_two_signatures_are_by_password_and_code(story: Demo) -> None:
    """E17: the office's means is used twice; everything else is signed with authenticators."""
    means = [e.body["means"] for e in story.site.ledger.read() if e.type == "signature.applied"]
    assert means.count("password_and_code") == 2 and means.count("webauthn") > 1000


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    told = []
    for name in ("a", "b"):
        demo = open_demo(tmp_path / name, seed="7")
        demo.run(9, lambda done, total: None)
        told.append(report.document(demo, "7"))
        demo.site.close()
    assert told[0] == told[1]


def test_the_command_prints_one_document_and_refuses_a_used_folder(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("cellwright")),
        "demo",
        "--patients",
        "1",
        "--dir",
        str(tmp_path / "site"),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "cellwright.demo.v2"
    (first,) = document["patients"]
    assert first["outcomes"] == [{"code": "released"}] and len(first["orders"]) == 1
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2 and "not empty" in again.stderr
