"""People at the screen: a one-time secret is offered by one officer, shown once, and nowhere else (R031)."""

import re

import pytest
from django.test import Client

from cellwright.command.enrolment import typed
from cellwright.factory.credential import fingerprint
from cellwright.factory.people import PersonState
from cellwright.site.house import House
from tests.site.conftest import signed_in
from tests.site.test_step import sign_all

SECRET = re.compile(r'<b class="mono secret">([A-Z2-9-]+)</b>')


def page(client: Client) -> str:
    return client.get("/people").content.decode()


@pytest.mark.requirement("R031")
def test_a_secret_is_offered_signed_and_shown_once_to_the_officer_who_offered_it(house: House, visitor: Client) -> None:
    officer, other = signed_in(visitor, "SEC-1"), signed_in(Client(HTTP_HOST="localhost"), "SEC-2")
    answer = officer.post("/people/OP-09", {"act": "offer"})
    assert answer["Location"].startswith("/sign/")
    assert not SECRET.search(page(officer)), "nothing is shown before it is signed"
    assert sign_all(officer, answer)["Location"] == "/people#person-OP-09"
    assert not SECRET.search(page(other)), "another session does not see it"
    shown = SECRET.search(page(officer))
    assert shown is not None
    offer = house.desk.state(PersonState, "OP-09").offer
    assert offer is not None and offer.fingerprint == fingerprint(typed(shown[1]))
    assert not SECRET.search(page(officer)), "it is shown once"


def test_an_officer_offers_nothing_to_oneself(visitor: Client) -> None:
    officer = signed_in(visitor, "SEC-1")
    own = re.search(r'<tr id="person-SEC-1">.*?</tr>', page(officer), re.S)
    assert own is not None and 'value="offer"' not in own[0]
    assert officer.post("/people/SEC-1", {"act": "offer"}).status_code == 409
    assert officer.post("/people/NOBODY", {"act": "offer"}).status_code == 409
