"""The bench beyond scanning and measuring: filling, labels one by one, the store, the room; a case to its end; release."""

import re

import pytest
from django.test import Client

from cellwright.factory.lot.state import LotState
from cellwright.ledger import SimulatedClock
from cellwright.site import models
from cellwright.site.house import House
from cellwright.site.view.filling import filling, own, wanted
from cellwright.site.view.step import bench
from tests.site.conftest import signed_in
from tests.site.test_step import SECOND, lots, own_code, sign_all

WRITTEN = ("Simulated recipient", "Simulated donor")


def phase(lot: str) -> str | None:
    at = bench(lot)
    assert at.step is not None
    found = filling(at.read, at.lot, at.recipe, at.step) if at.state else None
    return found.phase if found else None


def page(client: Client, lot: str) -> str:
    return client.get(f"/lots/{lot}/step").content.decode()


def scanned_on(client: Client, lot: str) -> None:
    """Everything the step under way asks to be scanned is scanned, everything it measures is measured."""
    while (use := bench(lot).use) is not None:
        assert client.post(f"/lots/{lot}/scan", {"scan": f"{use.code.upper().replace('_', '-')}-1"}).status_code == 302
    at = bench(lot)
    assert at.step is not None and at.state is not None
    for one in at.step.parameters:
        if one.id not in at.state.readings:
            text = page(client, lot)
            value = re.search(
                rf'name="parameter" value="{one.id}">.*?name="instrument" value="([^"]+)".*?value="([^"]+)"', text, re.S
            )
            assert value is not None, one.id
            client.post(f"/lots/{lot}/reading", {"step": at.step.id, "parameter": one.id, "value": value[2],
                                                 "unit": one.unit, "instrument": value[1]})  # fmt: skip


def begin(client: Client, lot: str) -> None:
    """The step at hand begins, in a room of its class, with equipment where it asks for some."""
    at = bench(lot)
    if at.step is not None and at.step.open_processing and at.room is None:
        taken = re.search(r'/room" class.*?name="room" value="([^"]+)"', page(client, lot), re.S)
        assert taken is not None
        entered = client.post(f"/lots/{lot}/room", {"room": taken[1], "second": SECOND})
        assert sign_all(client, entered).status_code == 302
    text = page(client, lot)
    given = {"scan": own_code(lot)}
    for name in ("equipment", "room"):
        offered = re.search(rf'name="{name}">\s*<option>([^<]+)', text)
        if offered is not None:
            given[name] = offered[1]
    assert sign_all(client, client.post(f"/lots/{lot}/scan", given))["Location"] == f"/lots/{lot}/step"


def to_the_vessel(house: House, client: Client, lot: str) -> None:
    """On to the first step that fills a container: the steps before it are done one after another, each in its time."""
    while True:
        at = bench(lot)
        assert at.step is not None
        if at.state is None:
            begin(client, lot)
            at = bench(lot)
        assert at.step is not None
        if at.step.makes:
            return
        scanned_on(client, lot)
        clock = house.site.clock
        assert isinstance(clock, SimulatedClock)
        clock.advance(at.step.duration.typical)
        answer = client.post(f"/lots/{lot}/complete", {"step": at.step.id, "second": SECOND})
        assert sign_all(client, answer)["Location"] == f"/lots/{lot}/step"


@pytest.mark.requirement("R068")
def test_a_container_is_filled_labelled_read_back_and_detached_at_the_screen(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-04")
    lot = lots(house)[2]
    to_the_vessel(house, visitor, lot)
    while (use := bench(lot).use) is not None:
        assert visitor.post(f"/lots/{lot}/scan", {"scan": f"{use.code.upper().replace('_', '-')}-1"}).status_code == 302
    assert phase(lot) == "fill" and "Measured volume" in page(visitor, lot)
    volume = re.search(r'name="volume-0" value="([^"]+)"', page(visitor, lot))
    assert volume is not None
    given = {"scan": own_code(lot), "volume-0": volume[1], "second": SECOND}
    assert sign_all(visitor, visitor.post(f"/lots/{lot}/fill", given))["Location"] == f"/lots/{lot}/step"
    assert phase(lot) == "print"
    assert visitor.post(f"/lots/{lot}/label/print").status_code == 302 and phase(lot) == "read_back"
    label = next(iter(bench(lot).lot.labels.values()))
    for text in wanted(label):
        assert phase(lot) == "read_back"
        read = visitor.post(f"/lots/{lot}/label/scan", {"scan": text, "legend": list(label.legends)})
        assert read.status_code == 302
    assert phase(lot) == "apply"
    applied = visitor.post(f"/lots/{lot}/label/scan", {"scan": own(label), "second": SECOND})
    assert sign_all(visitor, applied)["Location"] == f"/lots/{lot}/step" and phase(lot) == "detach"
    assert visitor.post(f"/lots/{lot}/label/detach").status_code == 302 and phase(lot) == "done"
    vessel = next(c for c in bench(lot).lot.containers.values() if c.label == label.label)
    assert vessel.detached


@pytest.mark.requirement("R051")
def test_a_nonconformance_is_recorded_from_the_step_and_assessed_on_the_record(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-04")
    lot = lots(house)[2]
    before = len(bench(lot).lot.nonconformances)
    said = {"text": "The clamp was open for a moment.", "severity": "minor", "step": "receive"}
    assert visitor.post(f"/lots/{lot}/report", said)["Location"] == f"/lots/{lot}/step"
    name, found = list(bench(lot).lot.nonconformances.items())[before]
    assert (found.severity, found.step, found.status) == ("minor", "receive", "open")
    assert f"Nonconformance {name} waits for quality assurance." in page(visitor, lot)
    judged = f"/lots/{lot}/findings/{name}"
    assert visitor.post(judged, {"act": "close", "text": "x"}).status_code == 403
    quality = signed_in(Client(HTTP_HOST="localhost"), "QA-1")
    assert "The clamp was open for a moment." in quality.get(f"/lots/{lot}").content.decode()
    assess = {"act": "assess", "severity": "minor", "text": "Closed system, no contact.", "proceeds": "yes"}
    assert sign_all(quality, quality.post(judged, assess))["Location"] == f"/lots/{lot}#findings"
    assert sign_all(quality, quality.post(judged, {"act": "close", "text": "No effect."})).status_code == 302
    assert bench(lot).lot.nonconformances[name].status == "closed"


@pytest.mark.requirement("R102")
def test_the_release_page_says_what_is_missing_and_refuses_what_comes_too_early(house: House, visitor: Client) -> None:
    made = models.Lot.objects.filter(status="complete").first()
    lot = made.lot if made is not None else models.Lot.objects.order_by("lot").first().lot  # type: ignore[union-attr]
    signed_in(visitor, "QP-1")
    text = visitor.get(f"/lots/{lot}/release").content.decode()
    assert "conditions are not met" in text and "Release and sign" in text and "Record reviewed, sign" not in text
    early = visitor.post(f"/lots/{lot}/release/decide", {"act": "release"})
    assert early.status_code == 409 and "missing" in early.content.decode()
    assert visitor.post(f"/lots/{lot}/release/decide", {"act": "wish"}).status_code == 404
    quality = signed_in(Client(HTTP_HOST="localhost"), "QA-1")
    custody = {"act": "custody", "custody": "intact", "temperature": "in_limits", "basis": "loggers of both shipments"}
    assert sign_all(quality, quality.post(f"/lots/{lot}/release/decide", custody))["Location"] == f"/lots/{lot}/release"
    page_now = quality.get(f"/lots/{lot}/release").content.decode()
    assert re.search(r'id="gate-custody"><span class="shape ok"', page_now)
    operator = signed_in(Client(HTTP_HOST="localhost"), "OP-05")
    assert operator.get(f"/lots/{lot}/release").status_code == 200
    assert operator.post(f"/lots/{lot}/release/decide", {"act": "release"}).status_code == 403


@pytest.mark.requirement("R066")
def test_a_doubt_is_investigated_and_closed_by_quality_assurance(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-04")
    mine = lots(house)[2]
    foreign = next(
        own_code(lot) for lot in lots(house) if lot != mine and bench(lot).lot.coi and not bench(lot).lot.in_doubt
    )
    answer = visitor.post(f"/lots/{mine}/scan", {"scan": foreign})
    assert answer["Location"].startswith("/cases/")
    case = answer["Location"].partition("?")[0]
    assert visitor.post(f"{case}/in-doubt", {"why": "was held together with the other"}).status_code == 302
    quality = signed_in(Client(HTTP_HOST="localhost"), "QA-1")
    assert "Record the investigation and sign" in quality.get(case).content.decode()
    evidence = {"conclusion": "Both are what their labels say."}
    for kind in ("physical", "biological"):
        evidence |= {f"{kind}-method": "seals", f"{kind}-finding": "fits", f"{kind}-supports": "yes"}
    assert visitor.post(f"{case}/investigate", evidence).status_code == 403
    assert sign_all(quality, quality.post(f"{case}/investigate", evidence)).status_code == 302
    close = {"outcome": "confirmed", "reason": "Shown by both.", "second": "QP-1"}
    assert sign_all(quality, quality.post(f"{case}/close", close)).status_code == 302
    assert "Identity confirmed" in quality.get(case).content.decode() and not bench(mine).lot.in_doubt


@pytest.mark.requirement("R047")
def test_a_room_is_left_cleaned_and_cleared_by_two(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-05")
    lot = lots(house)[1]
    taken = re.search(r'/room" class.*?name="room" value="([^"]+)"', page(visitor, lot), re.S)
    assert taken is not None
    name = taken[1]
    entered = visitor.post(f"/lots/{lot}/room", {"room": name, "second": SECOND})
    assert sign_all(visitor, entered).status_code == 302
    assert visitor.post(f"/lots/{lot}/leave", {"room": name}).status_code == 302
    assert "to be cleared" in visitor.get(f"/rooms/{name}").content.decode()
    for piece in re.findall(r'name="equipment" value="([^"]+)"', visitor.get(f"/rooms/{name}").content.decode()):
        assert visitor.post(f"/rooms/{name}/clean", {"equipment": piece}).status_code == 302
    answer = visitor.post(f"/rooms/{name}/clear", {"second": SECOND})
    assert sign_all(visitor, answer)["Location"] == f"/rooms/{name}"
    assert "cleared, free" in visitor.get(f"/rooms/{name}").content.decode()


def test_no_name_of_a_patient_is_in_the_tables(house: House) -> None:
    """Whatever a page stored, whatever was logged: the file of the tables holds no name (E11)."""
    from django.db import connection

    state: LotState = bench(lots(house)[0]).lot
    assert state.coi
    house.projector.wait(house.desk.ledger.head().size)
    text = "\n".join(connection.connection.iterdump())
    assert state.coi in text
    for name in WRITTEN:
        assert name not in text
