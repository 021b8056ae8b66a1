"""The audit trail: search, sorting, and exports that read back to the same set."""

import json
import threading

import pytest
from django.test import Client

from cellwright.ledger.merkle import leaf_hash, root_of
from cellwright.site import models
from cellwright.site.house import House
from cellwright.site.trail_file import NotATrail, read_csv, read_json
from tests.site.conftest import signed_in


def positions(house: House, **fit: str) -> set[int]:
    """What the ledger itself says: positions whose event fits."""
    found = set()
    for event in house.desk.ledger.read():
        record = fit.get("record")
        names = {event.stream, event.stream.partition("/")[2], *event.tags, *(t.partition("/")[2] for t in event.tags)}
        if record is not None and record not in names:
            continue
        if "actor" in fit and fit["actor"] not in event.actor:
            continue
        if "action" in fit and not event.type.startswith(fit["action"]):
            continue
        if "since" in fit and event.at < fit["since"]:
            continue
        found.add(event.pos)
    return found


def exported(client: Client, query: str) -> list[dict[str, object]]:
    """The same export in both forms, read back."""
    text = client.get(f"/trail/export.json?{query}").content.decode()
    table = client.get(f"/trail/export.csv?{query}").content.decode()
    events = read_json(text)
    assert read_csv(table) == events
    return events


@pytest.mark.requirement("R011")
def test_every_filter_finds_what_the_ledger_holds_and_an_export_reads_back_to_it(house: House, quality: Client) -> None:
    lot = models.Lot.objects.order_by("lot").first()
    assert lot is not None
    house.projector.wait(house.desk.ledger.head().size)
    day = "2026-03-02T00:01"
    asked = (
        ({"record": lot.lot}, f"record={lot.lot}"),
        ({"record": lot.coi}, f"record={lot.coi}"),
        ({"actor": "WH-1"}, "actor=WH-1"),
        ({"action": "lot.step"}, "action=lot.step"),
        ({"since": day, "action": "order."}, f"since={day}&action=order."),
    )
    for fit, query in asked:
        wanted = positions(house, **fit)
        assert wanted
        events = exported(quality, query)
        assert {e["pos"] for e in events} == wanted, query
        for event in events:
            record = next(house.desk.ledger.records(int(str(event["pos"])), int(str(event["pos"])) + 1))
            assert event == {**json.loads(record.data), "leaf": leaf_hash(record.data).hex()}


@pytest.mark.requirement("R011")
def test_an_export_says_what_it_is_of_and_an_altered_one_is_not_read(house: House, quality: Client) -> None:
    text = quality.get("/trail/export.json?action=person.signed_in").content.decode()
    said = json.loads(text)
    head = house.desk.ledger.head()
    assert (said["size"], said["root"]) == (head.size, head.root.hex())
    assert said["asked"] == {"action": "person.signed_in"} and said["exported_by"] == "QA-1"
    assert said["mark"] == "SIMULATED, NOT FOR HUMAN USE"
    assert said["events"], "somebody signed in: the one who asks"
    said["events"][0]["actor"] += "X"
    with pytest.raises(NotATrail):
        read_json(json.dumps(said))
    with pytest.raises(NotATrail):
        read_json('{"schema": "other"}')


@pytest.mark.requirement("R011")
def test_an_export_right_after_a_write_holds_it(house: House, quality: Client) -> None:
    """A projector in a thread of its own, held back: the export waits for it, and states the head that it holds."""
    projector = house.projector
    assert projector.position < house.desk.ledger.head().size, "the sign-in of the one who asks is not on the screens"

    def follow_when_asked() -> None:
        projector._wanted.wait(30)
        while projector.follow():
            pass

    projector._wanted.clear()
    projector._thread = threading.Thread(target=follow_when_asked)
    projector._thread.start()
    try:
        said = json.loads(quality.get("/trail/export.json?action=person.").content)
    finally:
        projector._thread.join()
        projector._thread = None
    assert said["size"] == said["record"] == house.desk.ledger.head().size and "note" not in said
    wanted = {e.pos for e in house.desk.ledger.read() if e.type.startswith("person.")}
    assert {e["pos"] for e in said["events"]} == wanted


@pytest.mark.requirement("R011")
def test_an_export_that_could_not_wait_longer_says_how_far_it_goes(
    house: House, quality: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.projector.wait(house.desk.ledger.head().size)
    covered = house.projector.position
    signed_in(Client(HTTP_HOST="localhost"), "QA-2")
    monkeypatch.setattr("cellwright.site.middleware.WAIT_S", 0.05)
    monkeypatch.setattr(type(house.projector), "follow", lambda self: 0)
    text = quality.get("/trail/export.json").content.decode()
    said = json.loads(text)
    assert (said["size"], said["record"]) == (covered, house.desk.ledger.head().size) and covered < said["record"]
    assert said["note"] == f"not up to date, up to position {covered - 1}"
    leaves = [record.leaf for record in house.desk.ledger.records(0, covered)]
    assert said["root"] == root_of(leaves).hex() and len(read_json(text)) == covered
    table = quality.get("/trail/export.csv").content.decode()
    assert f"# {said['note']}" in table and len(read_csv(table)) == covered
    for page in ("/", "/trail"):
        assert f"Not up to date, up to position {covered - 1}." in quality.get(page).content.decode()


@pytest.mark.requirement("R011")
def test_the_page_searches_and_sorts(quality: Client) -> None:
    page = quality.get("/trail?action=definition.approved&sort=record").content.decode()
    assert "definition/plant" in page and 'aria-sort="ascending"' in page
    streams = [line for line in page.split('class="mono">') if line.startswith("definition/")]
    names = [s.partition("<")[0] for s in streams]
    assert names == sorted(names)
    assert "Nothing fits all of this." in quality.get("/trail?text=no+such+word+anywhere").content.decode()


def test_one_event_stands_with_its_proof(house: House, quality: Client) -> None:
    page = quality.get("/trail/5").content.decode()
    record = next(house.desk.ledger.records(5, 6))
    assert record.leaf.hex() in page and record.event.id in page
    assert quality.get("/trail/999999999").status_code == 404


def test_whoever_makes_lots_does_not_search_the_sign_ins_of_others(visitor: Client) -> None:
    assert signed_in(visitor, "OP-01").get("/trail/export.json").status_code == 403
