"""A stranger at the keyboard: wrong addresses, garbage in forms, forms sent twice, sessions that are over."""

import json
import re

import pytest
from django.test import Client
from django.urls import get_resolver

from cellwright.site import models
from cellwright.site.house import House
from tests.site.conftest import signed_in
from tests.site.test_step import lots, own_code, sign_all

STRANGE = ("NOPE", "中文批号", "x" * 5000, "a b", "..", "%00", "\u202eLOT", "'; DROP TABLE lot; --", "<b>", "A/1")
TEXTS = ("", "\x00", "中文扫码", "=" * 100_000, "=A9999\u202e26", "1e999", "-1", "NaN", "∞", "\U0001f9ec", "9" * 400)
QUIET = frozenset({"person.refused"})
"""A refused page is a fact about the person who asked; nothing else may come of a stranger's wish."""
FIELDS = ("scan", "room", "second", "step", "parameter", "value", "unit", "instrument", "volume-0", "cells", "text",
          "severity", "act", "position", "why", "where", "outcome", "reason", "conclusion", "credential", "lot", "sample",
          "equipment", "findings", "custody", "temperature", "basis", "cause", "legend", "approver", "minutes",
          "purpose", "fields", "how", "physical-finding", "proceeds")  # fmt: skip
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def addresses(name: str) -> list[str]:
    """Every address of the site, with a name in the place of each of its parameters."""
    routes = (str(pattern.pattern) for pattern in get_resolver().url_patterns)
    return ["/" + PARAMETER.sub(lambda found: "7" if found[1] == "int" else name, route) for route in routes]


def facts(house: House, position: int) -> list[str]:
    return [event.type for event in house.desk.ledger.read(position) if event.type not in QUIET]


@pytest.mark.parametrize("name", STRANGE)
def test_a_wrong_address_is_answered_by_a_page_and_never_breaks(house: House, visitor: Client, name: str) -> None:
    signed_in(visitor, "QA-1")
    position = house.desk.ledger.head().size
    for address in addresses(name.replace("%", "%25").replace("#", "%23").replace("?", "%3F")):
        if address.startswith(("/sign-out", "/language", "/sign-in", "/simulated")):
            continue
        answer = visitor.get(address)
        assert answer.status_code < 500, address
        if answer.status_code in (404, 405, 409):
            assert 'data-tone="wrong"' in answer.content.decode(), address
    assert facts(house, position) == []


@pytest.mark.parametrize("person", ["OP-06", "QA-1", "QP-1", "SEC-1", "CO-1"])
def test_garbage_in_a_form_is_refused_and_records_nothing(house: House, visitor: Client, person: str) -> None:
    signed_in(visitor, person)
    position = house.desk.ledger.head().size
    for text in TEXTS:
        for address in addresses("NOPE"):
            if address.startswith(("/sign-out", "/sign-in", "/language", "/simulated", "/proof")):
                continue
            answer = visitor.post(address, dict.fromkeys(FIELDS, text))
            assert answer.status_code < 500, (address, text[:20])
    assert facts(house, position) == []


def test_garbage_on_a_lot_that_exists_is_refused_and_records_nothing(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-06")
    lot = lots(house)[-1]
    position = house.desk.ledger.head().size
    for text in TEXTS:
        for address in addresses(lot):
            if address.startswith(f"/lots/{lot}/") and "report" not in address:
                assert visitor.post(address, dict.fromkeys(FIELDS, text)).status_code < 500, (address, text[:20])
    assert facts(house, position) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"credential": 1}', b"[" * 50_000, b"7", b'"x"'])
def test_a_broken_message_of_a_key_is_answered(house: House, visitor: Client, body: bytes) -> None:
    signed_in(visitor, "OP-06")
    visitor.get("/keys")
    answer = visitor.post("/keys/offer", body, content_type="application/json")
    assert answer.status_code in (400, 409) and json.loads(answer.content)["refused"]
    assert visitor.post("/sign/x/0/key", body, content_type="application/json").status_code in (400, 404, 409)


def test_what_is_signed_twice_or_after_going_back_is_recorded_once(house: House, visitor: Client) -> None:
    signed_in(visitor, "SEC-1")
    answer = visitor.post("/people/OP-07", {"act": "offer"})
    token = answer["Location"]
    position = house.desk.ledger.head().size
    assert sign_all(visitor, answer)["Location"] == "/people#person-OP-07"
    recorded = facts(house, position)
    assert recorded.count("person.enrolment_offered") == 1
    back = visitor.get(token)
    assert back.status_code == 404 and "nothing to sign here any more" in back.content.decode()
    again = visitor.post(f"{token}/0/simulated")
    assert again.status_code == 409 and "Nothing was recorded." in again.content.decode()
    assert visitor.post(f"{token}/withdraw").status_code in (403, 404)
    assert facts(house, position) == recorded


def test_a_decision_is_signed_in_the_session_that_made_it_and_in_no_other(house: House, visitor: Client) -> None:
    answer = signed_in(visitor, "SEC-1").post("/people/OP-07", {"act": "offer"})
    other = signed_in(Client(HTTP_HOST="localhost"), "SEC-2")
    position = house.desk.ledger.head().size
    assert other.get(answer["Location"]).status_code == 404
    assert other.post(f"{answer['Location']}/0/simulated").status_code == 409
    assert visitor.get(f"{answer['Location']}").status_code == 200
    assert visitor.post(f"{answer['Location']}/7/simulated").status_code == 409
    assert facts(house, position) == []


def test_a_form_of_a_session_that_is_over_records_nothing(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-06")
    lot = lots(house)[-1]
    code = own_code(lot)
    models.Seat.objects.filter(person="OP-06").delete()
    position = house.desk.ledger.head().size
    answer = visitor.post(f"/lots/{lot}/scan", {"scan": code})
    assert answer["Location"] == "/sign-in?next=%2F"
    followed = visitor.get(f"/lots/{lot}/step", headers={"HX-Request": "true"})
    assert followed.status_code == 204 and followed["HX-Redirect"].startswith("/sign-in?next=")
    assert facts(house, position) == []


@pytest.mark.parametrize("page", ["²", "-1", "0", "9" * 30, "x", "1e3", "٣"])
def test_a_strange_page_of_the_trail_is_one_of_its_pages(house: House, visitor: Client, page: str) -> None:
    signed_in(visitor, "QA-1")
    assert visitor.get("/trail", {"page": page, "sort": page, "since": page, "until": page}).status_code == 200
    assert visitor.get("/trail/export.exe").status_code == 404


@pytest.mark.parametrize(
    "then", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "javascript:0"]
)
def test_no_form_leads_out_of_the_site(house: House, visitor: Client, then: str) -> None:
    signed_in(visitor, "QA-1")
    assert visitor.post("/simulated/time", {"then": then})["Location"] == "/"
    assert visitor.get("/language/en", {"next": then})["Location"] == "/"
    assert visitor.post("/sign-in/simulated", {"person": "QA-1", "next": then})["Location"] == "/"


def test_a_message_too_long_to_be_read_is_refused_on_a_page(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-06")
    position = house.desk.ledger.head().size
    answer = visitor.post(f"/lots/{lots(house)[-1]}/scan", {"scan": "=" * 2_000_000})
    assert answer.status_code == 400 and "Nothing was recorded." in answer.content.decode()
    many = visitor.post(f"/lots/{lots(house)[-1]}/scan", {f"field-{n}": "x" for n in range(2_000)})
    assert many.status_code == 400 and 'data-tone="wrong"' in many.content.decode()
    assert facts(house, position) == []
