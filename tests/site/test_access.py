"""Who may open which page: every address says so, and whatever does not opens for nobody."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver

from cellwright.factory.people import ROLES
from cellwright.site import models
from cellwright.site.access import Permission, page, permission_of
from cellwright.site.house import House
from cellwright.site.middleware import Authority
from tests.site.conftest import signed_in

PUBLIC = {"sign-in", "sign-in-simulated", "language"}
PLAIN = ("", "trail", "proof", "people", "keys")
ROLE_OF = {
    "OP-01": "operator", "QA-1": "quality_assurance", "SEC-1": "security_officer", "CR-1": "courier",
    "PE-1": "process_engineer",
}  # fmt: skip


def patterns() -> list[URLPattern]:
    return [p for p in get_resolver("cellwright.site.urls").url_patterns if isinstance(p, URLPattern)]


@pytest.mark.requirement("R022")
def test_every_address_declares_who_may_open_it(house: House) -> None:
    assert len(patterns()) > 25
    for pattern in patterns():
        permission = getattr(pattern.callback, "permission", None)
        assert isinstance(permission, Permission), pattern.name
        assert permission.public == (pattern.name in PUBLIC), pattern.name
        assert permission.public or permission.roles <= ROLES


@pytest.mark.requirement("R022")
def test_a_page_that_says_nothing_opens_for_nobody(house: House) -> None:
    def forgotten(request: HttpRequest) -> HttpResponse:
        raise AssertionError("opened")

    assert not any(permission_of(forgotten).allows(frozenset({role})) for role in ROLES)
    request = RequestFactory().get("/", HTTP_HOST="localhost")
    request.session = type("Session", (dict,), {"session_key": None})()  # type: ignore[assignment]
    answer = Authority(forgotten).process_view(request, forgotten, (), {})
    assert answer is not None and answer.status_code == 302
    with pytest.raises(AssertionError):
        page()


@pytest.mark.requirement("R022")
def test_without_a_session_every_page_leads_to_the_sign_in(visitor: Client) -> None:
    values = {"lot": "L", "order": "O", "coi": "C", "case": "K", "token": "t", "index": 0, "position": 1, "form": "csv",
              "person": "OP-01"}  # fmt: skip
    for pattern in patterns():
        if pattern.name in PUBLIC:
            continue
        path = "/" + str(pattern.pattern)
        for name, value in values.items():
            path = path.replace(f"<str:{name}>", str(value)).replace(f"<int:{name}>", str(value))
        for answer in (visitor.get(path), visitor.post(path)):
            assert answer.status_code == 302 and answer["Location"].startswith("/sign-in"), path


@pytest.mark.requirement("R022")
@pytest.mark.parametrize("person", sorted(ROLE_OF))
def test_each_role_opens_what_is_declared_for_it_and_a_refusal_is_on_record(
    house: House, visitor: Client, person: str
) -> None:
    signed_in(visitor, person)
    before = house.desk.ledger.head().size
    refusals = 0
    for path in PLAIN:
        view = get_resolver("cellwright.site.urls").resolve(f"/{path}").func
        allowed = permission_of(view).allows(frozenset({ROLE_OF[person]}))
        answer = visitor.get(f"/{path}")
        assert answer.status_code == (200 if allowed else 403), path
        refusals += not allowed
    recorded = [e for e in house.desk.ledger.read(before) if e.type == "person.refused"]
    assert len(recorded) == refusals
    assert all(e.stream == f"person/{person}" for e in recorded)


def test_nothing_runs_that_was_not_shipped(visitor: Client) -> None:
    answer = visitor.get("/sign-in")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "http" not in policy
    text = answer.content.decode()
    assert "<script>" not in text and "onclick" not in text and "https://" not in text


def test_a_name_is_shown_to_whom_needs_it_only_after_the_record_says_so(house: House, visitor: Client) -> None:
    order = models.Order.objects.exclude(coi="").first()
    assert order is not None
    signed_in(visitor, "OP-01")
    assert "Show the name" not in visitor.get(f"/orders/{order.order}").content.decode()
    assert visitor.post(f"/orders/{order.order}/reveal", {"purpose": "curious"}).status_code == 403
    nurse = signed_in(Client(HTTP_HOST="localhost"), "RN-1")
    assert "Simulated recipient" not in nurse.get(f"/orders/{order.order}").content.decode()
    assert nurse.post(f"/orders/{order.order}/reveal", {"purpose": " "}).status_code == 409
    before = house.desk.ledger.head().size
    page = nurse.post(f"/orders/{order.order}/reveal", {"purpose": "bedside check"})
    assert "Simulated recipient" in page.content.decode() and page["Cache-Control"] == "no-store"
    (said,) = [e for e in house.desk.ledger.read(before) if e.type == "subject.revealed"]
    assert said.body["shown_to"] == "RN-1" and said.body["purpose"] == "bedside check"
    assert said.body["fields"] == ["name", "birth_date"]
    assert "Simulated recipient" not in str(said)
