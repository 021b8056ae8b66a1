"""Signing in and out: both factors, lock-out, idle sessions, accounts that end."""

from base64 import b32decode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from cellwright.command import one_time_code
from cellwright.factory.people import Deactivate, PersonState
from cellwright.factory.rule import By
from cellwright.ledger import SimulatedClock
from cellwright.site import models, seats
from cellwright.site.house import House
from tests.site.conftest import signed_in

PASSWORD = "four grey cranes over water"


def last(house: House, type_: str) -> dict[str, object]:
    return [e.body for e in house.desk.ledger.read() if e.type == type_][-1]


def with_password(house: House, person: str) -> bytes:
    """Give a person a personal key. Returns the secret of their one-time codes."""
    made = house.site.personal_keys.enrol(person, PASSWORD)
    house.desk.do(made.command, By(person="SEC-1"), house.keys)
    return b32decode(parse_qs(urlsplit(made.code_address).query)["secret"][0])


def later(house: House) -> None:
    """Past the codes that were used."""
    clock = house.site.clock
    assert isinstance(clock, SimulatedClock)
    clock.advance(timedelta(seconds=120))


def test_one_tap_is_an_event_and_so_is_leaving(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-05")
    assert last(house, "person.signed_in") == {"person": "OP-05", "means": "simulated"}
    assert visitor.post("/sign-out").status_code == 302
    assert last(house, "person.signed_out")["person"] == "OP-05"
    assert visitor.get("/").status_code == 302


def test_a_real_site_knows_no_simulated_people(house: House, visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    monkeypatch.setattr(house, "keys", None)
    monkeypatch.setattr(house.site, "settings", msgspec.structs.replace(house.site.settings, simulated=False))
    page = visitor.get("/sign-in").content.decode()
    assert "OP-05" not in page and "SIMULATED" not in page
    assert visitor.post("/sign-in/simulated", {"person": "OP-05"})["Location"] == "/sign-in"
    assert visitor.get("/").status_code == 302


def test_both_factors_open_a_session_and_a_code_works_once(house: House, visitor: Client) -> None:
    secret = with_password(house, "QC-4")
    given = {"account": "qc-4", "password": PASSWORD, "code": one_time_code.code(secret, house.desk.clock())}
    assert visitor.post("/sign-in", {**given, "code": "000000"}).status_code == 403
    answer = visitor.post("/sign-in", {**given, "next": "https://elsewhere.example/"})
    assert answer.status_code == 302 and answer["Location"] == "/"
    assert last(house, "person.signed_in") == {"person": "QC-4", "means": "password_and_code"}
    assert Client(HTTP_HOST="localhost").post("/sign-in", given).status_code == 403


@pytest.mark.requirement("R029")
def test_repeated_failures_lock_the_account_and_say_so_in_the_record(house: House, visitor: Client) -> None:
    secret = with_password(house, "QC-3")
    for _ in range(5):
        answer = visitor.post("/sign-in", {"account": "qc-3", "password": "wrong", "code": "123456"})
        assert answer.status_code == 403
    assert last(house, "person.sign_in_failed").get("purpose", "sign_in") == "sign_in"
    assert last(house, "person.locked")["person"] == "QC-3"
    later(house)
    right = {"account": "qc-3", "password": PASSWORD, "code": one_time_code.code(secret, house.desk.clock())}
    answer = visitor.post("/sign-in", right)
    assert answer.status_code == 403 and "locked" in answer.content.decode()


def test_an_unknown_account_is_told_the_same(visitor: Client) -> None:
    answer = visitor.post("/sign-in", {"account": "nobody", "password": "x", "code": "1"})
    assert answer.status_code == 403 and "do not fit together" in answer.content.decode()


@pytest.mark.requirement("R030")
def test_an_idle_session_ends_and_a_page_that_refreshes_itself_does_not_keep_it(
    house: House, visitor: Client, operator: Client
) -> None:
    seat = models.Seat.objects.get(session=visitor.session.session_key)
    past = timezone.now() - timedelta(seconds=settings.IDLE_LIMIT_S - 60)
    models.Seat.objects.filter(session=seat.session).update(seen=past)
    assert visitor.get("/", HTTP_X_LIVE="1").status_code == 200
    assert models.Seat.objects.get(session=seat.session).seen == past
    assert seats.end_idle(house.site, timezone.now() + timedelta(seconds=120)) >= 1
    assert last(house, "person.signed_out") == {"person": "OP-01", "cause": "idle"}
    assert visitor.get("/").status_code == 302


def test_an_idle_session_is_over_even_before_it_is_swept(visitor: Client, operator: Client) -> None:
    past = timezone.now() - timedelta(seconds=settings.IDLE_LIMIT_S + 1)
    models.Seat.objects.filter(session=visitor.session.session_key).update(seen=past)
    assert visitor.get("/").status_code == 302


def test_the_sessions_of_an_account_end_with_it(house: House, visitor: Client) -> None:
    signed_in(visitor, "OP-12")
    house.desk.do(Deactivate(person="OP-12", reason="left"), By(person="SEC-1"))
    house.projector.wait(house.desk.ledger.head().size)
    assert not models.Seat.objects.filter(person="OP-12").exists()
    assert visitor.get("/").status_code == 302
    assert not house.desk.state(PersonState, "OP-12").active


def test_the_language_is_the_readers_choice(visitor: Client) -> None:
    assert '<html lang="en"' in visitor.get("/sign-in").content.decode()
    assert '<html lang="zh-Hans"' in visitor.get("/sign-in", HTTP_ACCEPT_LANGUAGE="zh-CN,zh").content.decode()
    answer = visitor.get("/language/zh-Hans?next=//elsewhere.example")
    assert answer["Location"] == "/"
    assert '<html lang="zh-Hans"' in visitor.get("/sign-in").content.decode()
