"""The working step: two people, a scan, a measurement, signatures; and a swap that stops at the screen."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from cellwright.factory.lot.state import LotState
from cellwright.ledger import Event, SimulatedClock
from cellwright.site import models
from cellwright.site.house import House
from cellwright.site.view.step import bench, code
from tests.site.conftest import signed_in

SECOND = "OP-02"


def lots(house: House) -> list[str]:
    """The lots at a bench, oldest first; the very first lot has all its steps behind it."""
    return list(models.Lot.objects.order_by("lot").values_list("lot", flat=True))[1:]


def since(house: House, position: int) -> list[Event]:
    return list(house.desk.ledger.read(position))


def sign_all(client: Client, answer: HttpResponse) -> HttpResponse:
    """Everybody who is asked signs with their simulated key."""
    while answer.status_code == 302 and answer["Location"].startswith("/sign/"):
        where = answer["Location"]
        buttons = re.findall(rf'action="({where}/\d+/simulated)"', client.get(where).content.decode())
        answer = client.post(buttons[0])
    return answer


def own_code(lot: str) -> str:
    state: LotState = bench(lot).lot
    return next(code(state, c) for c in state.containers.values() if c.volume_ml > 0)


def begun(client: Client, lot: str) -> None:
    """The lot is in a cleared room and its step has begun."""
    if bench(lot).room is None:
        free = re.search(r'name="room" value="([^"]+)"', client.get(f"/lots/{lot}/step").content.decode())
        assert free is not None
        assert (
            sign_all(client, client.post(f"/lots/{lot}/room", {"room": free[1], "second": SECOND})).status_code == 302
        )
    equipment = re.search(r'name="equipment">\s*<option>([^<]+)', client.get(f"/lots/{lot}/step").content.decode())
    assert equipment is not None
    answer = client.post(f"/lots/{lot}/scan", {"scan": own_code(lot), "equipment": equipment[1]})
    assert sign_all(client, answer)["Location"] == f"/lots/{lot}/step"


@pytest.mark.requirement("R026")
def test_a_step_from_its_scan_to_its_signature(house: House, operator: Client) -> None:
    lot = lots(house)[0]
    page = operator.get(f"/lots/{lot}/step").content.decode()
    assert "Wash cells" in page and "Take a cleared room" in page
    begun(operator, lot)
    assert bench(lot).use is not None
    added = operator.post(f"/lots/{lot}/scan", {"scan": "WASH-BUFFER-1"})
    assert added["Location"] == f"/lots/{lot}/step"
    instrument = re.search(r'name="instrument" value="([^"]+)"', operator.get(f"/lots/{lot}/step").content.decode())
    assert instrument is not None
    value = {"step": "wash", "parameter": "viability", "value": "91.5", "unit": "%", "instrument": instrument[1]}
    assert operator.post(f"/lots/{lot}/reading", value).status_code == 302
    clock = house.site.clock
    assert isinstance(clock, SimulatedClock)
    clock.advance(timedelta(minutes=45))
    answer = operator.post(f"/lots/{lot}/complete", {"step": "wash"})
    assert answer["Location"].startswith("/sign/")
    assert "Operator 1 (simulated)" in operator.get(answer["Location"]).content.decode()
    assert sign_all(operator, answer)["Location"] == f"/lots/{lot}/step"
    state = bench(lot).lot
    assert "wash" in state.done and not state.nonconformances
    assert state.steps["wash"].readings["viability"].reading.value == "91.5"
    record = operator.get(f"/lots/{lot}").content.decode()
    signatures = record[record.index('id="signatures"') :]
    rows = [row for row in re.findall(r"<tr>(.*?)</tr>", signatures, re.S) if "op-01" in row]
    assert rows
    for row in rows:
        for item in ("Operator 1 (simulated)", "op-01", "operator", "Asia/Shanghai"):
            assert item in row
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+08:00", row)
    assert any("<b>performed</b>" in row for row in rows)


@pytest.mark.requirement("R066")
def test_a_swap_at_the_screen_is_stopped_and_nothing_is_recorded_as_used(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-03")
    mine, theirs = lots(house)[1:3]
    free = re.search(r'name="room" value="([^"]+)"', visitor.get(f"/lots/{mine}/step").content.decode())
    assert free is not None
    sign_all(visitor, visitor.post(f"/lots/{mine}/room", {"room": free[1], "second": SECOND}))
    before = house.desk.ledger.head().size
    answer = visitor.post(f"/lots/{mine}/scan", {"scan": own_code(theirs), "equipment": ""})
    assert answer.status_code == 302 and answer["Location"].startswith("/cases/")
    events = since(house, before)
    assert {e.type for e in events} <= {
        "issuer.block_reserved",
        "case.opened",
        "lot.doubt_raised",
        "order.doubt_raised",
    }
    assert bench(mine).lot.in_doubt and bench(theirs).lot.in_doubt
    page = visitor.get(answer["Location"]).content.decode()
    for words in ("Stopped. Nothing was recorded as used.", "Set aside", "In doubt"):
        assert words in page
    refused = visitor.post(f"/lots/{mine}/scan", {"scan": own_code(mine), "equipment": ""})
    assert refused.status_code == 409 and "The way out" in refused.content.decode()
    case = answer["Location"].partition("?")[0]
    same = visitor.post(f"{case}/set-aside", {"where": "red tray", "second": "OP-03"})
    assert same.status_code == 409
    assert (
        sign_all(visitor, visitor.post(f"{case}/set-aside", {"where": "red tray", "second": SECOND})).status_code == 302
    )
    assert not bench(mine).lot.in_doubt and not bench(theirs).lot.in_doubt
    begun(visitor, mine)
    again = visitor.post(f"/lots/{mine}/scan", {"scan": own_code(theirs)})
    assert again["Location"].startswith("/cases/")
    assert bench(mine).lot.steps["wash"].additions == ()
    doubt = again["Location"].partition("?")[0]
    visitor.post(f"{doubt}/in-doubt", {"why": "was connected for a moment"})
    assert "In quarantine until quality assurance has decided." in visitor.get(doubt).content.decode()


@pytest.mark.requirement("R025")
def test_being_signed_in_is_no_signature(house: House, visitor: Client) -> None:
    """The decision waits; neither the session, nor another session, nor an invented assertion records it."""
    signed_in(visitor, "QA-1")
    lot = lots(house)[0]
    before = house.desk.ledger.head().size
    waiting = prepared_visit(house, visitor, lot)
    stranger = signed_in(Client(HTTP_HOST="localhost"), "QA-2")
    assert stranger.get(waiting).status_code == 404
    assert stranger.post(f"{waiting}/0/simulated").status_code == 409
    forged = {"credential": "x", "authenticator": "AA", "client": "AA", "signature": "AA"}
    assert visitor.post(f"{waiting}/0/key", forged, content_type="application/json").status_code == 409
    assert visitor.post(f"{waiting}/9/simulated").status_code == 409
    assert not [e for e in since(house, before) if e.type in ("signature.applied", "lot.addendum_added")]


def prepared_visit(house: House, client: Client, lot: str) -> str:
    """A decision of this session that waits for a signature: the qualification of a laboratory."""
    from cellwright.factory.quality.laboratory import Qualify as QualifyLaboratory
    from cellwright.factory.rule import By
    from cellwright.site.view.signing import prepared

    paper = house.site.files.put(b"contract and audit report").sha256
    command = QualifyLaboratory(laboratory="L", tests=("viability",), until="2027-12-31", document_sha256=paper)
    by = By(person="QA-1")
    session = client.session.session_key
    assert session is not None
    return f"/sign/{house.waiting.put(session, command, by, prepared(command, by), '/').token}"


def test_what_does_not_exist_is_said_to_be_missing(operator: Client) -> None:
    for path in ("/lots/L-none", "/lots/L-none/step", "/orders/O-none", "/cases/K-none", "/patients/C-none", "/nowhere",
                 "/sign/none"):  # fmt: skip
        assert operator.get(path).status_code == 404, path


@pytest.mark.requirement("R066")
def test_a_foreign_scan_stops_even_where_nothing_is_asked_for(house: House, visitor: Client) -> None:
    """The step of the first test of this file goes on: its next step begins, and everything it asks for is scanned."""
    signed_in(visitor, "OP-01")
    mine = lots(house)[0]
    others = [lot for lot in models.Lot.objects.exclude(lot=mine).values_list("lot", flat=True) if bench(lot).lot.coi]
    foreign = next(code(s, c) for lot in others for s in (bench(lot).lot,) for c in s.containers.values())
    if bench(mine).state is None:
        begun(visitor, mine)
    while (use := bench(mine).use) is not None:
        assert (
            visitor.post(f"/lots/{mine}/scan", {"scan": f"{use.code.upper().replace('_', '-')}-1"}).status_code == 302
        )
    assert visitor.post(f"/lots/{mine}/scan", {"scan": own_code(mine)})["Location"] == f"/lots/{mine}/step"
    assert not bench(mine).lot.in_doubt
    answer = visitor.post(f"/lots/{mine}/scan", {"scan": foreign})
    assert answer["Location"].startswith("/cases/") and bench(mine).lot.in_doubt
    assert "a container of lot" in visitor.get(answer["Location"]).content.decode()
