"""Accounts, roles, separation of duties, lock-outs."""

import pytest

from cellwright.factory import people
from cellwright.factory.credential import RegisterCredential
from cellwright.factory.rule import Need, Refusal
from tests.factory.world import ClaimError, FakeWorld

SINCE = "2020-01-01T00:00:00.000000Z"


@pytest.fixture
def world() -> FakeWorld:
    world = FakeWorld()
    world.person("SEC-1", "security_officer")
    world.person("QA-1", "quality_assurance")
    world.person("OP-1", "operator", qualified=("aseptic_processing",))
    return world


def refusal_of(world: FakeWorld, command: object, by: str) -> str:
    with pytest.raises(Refusal) as refused:
        world.do(command, by)  # type: ignore[arg-type]
    return refused.value.code


@pytest.mark.requirement("R021")
def test_a_retired_account_name_is_never_given_again(world: FakeWorld) -> None:
    world.do(people.Deactivate(person="OP-1", reason="left"), "SEC-1")
    with pytest.raises(ClaimError, match="account/op-1"):
        world.do(people.Enrol(person="OP-9", account="op-1", printed_name="Somebody else"), "SEC-1")
    assert refusal_of(world, people.Enrol(person="OP-1", account="new", printed_name="X"), "SEC-1") == "person-exists"
    assert not people.load(world, "OP-1").active


@pytest.mark.requirement("R022")
def test_no_role_means_no(world: FakeWorld) -> None:
    command = people.Enrol(person="OP-9", account="op-9", printed_name="Nine")
    assert refusal_of(world, command, "OP-1") == "role-missing"
    assert refusal_of(world, command, "nobody") == "unknown-person"


@pytest.mark.requirement("R023")
@pytest.mark.parametrize("administrative", sorted(people.ADMINISTRATIVE_ROLES))
@pytest.mark.parametrize("content", sorted(people.CONTENT_ROLES))
def test_administration_and_content_exclude_each_other(world: FakeWorld, administrative: str, content: str) -> None:
    world.person("A", administrative)
    world.person("C", content)
    assert refusal_of(world, people.GrantRole(person="A", role=content, since=SINCE), "SEC-1") == "roles-excluded"
    assert (
        refusal_of(world, people.GrantRole(person="C", role=administrative, since=SINCE), "SEC-1") == "roles-excluded"
    )


@pytest.mark.requirement("R023")
@pytest.mark.parametrize(("first", "second"), people.INDEPENDENT)
def test_one_person_cannot_give_both_signatures(first: str, second: str) -> None:
    needs = [Need(person="OP-1", meaning=first, role="operator"), Need(person="OP-1", meaning=second, role="operator")]
    refused = people.separated(needs)
    assert refused is not None and refused.code == "same-person-twice"
    assert people.separated([needs[0], Need(person="OP-2", meaning=second, role="operator")]) is None


@pytest.mark.requirement("R029")
def test_failures_lock_and_only_another_security_officer_unlocks(world: FakeWorld) -> None:
    person = people.load(world, "OP-1")
    for n in range(people.FAILURES_BEFORE_LOCK):
        assert not person.locked, n
        world.record(person.fact(body) for body in people.failed(person, "signature"))
    assert person.locked
    assert world.said("person.locked")[0].alerts == ("security_officer",)  # type: ignore[attr-defined]
    need = Need(person="OP-1", meaning="performed", role="operator")
    refused = people.may_sign(person, need, world.now)
    assert refused is not None and refused.code == "account-locked"
    assert refusal_of(world, people.Unlock(person="OP-1", reason="seen in person"), "QA-1") == "role-missing"
    world.do(people.Unlock(person="OP-1", reason="seen in person"), "SEC-1")
    assert people.may_sign(person, need, world.now) is None


@pytest.mark.requirement("R035")
def test_release_is_signed_only_while_the_qualification_is_in_date(world: FakeWorld) -> None:
    world.person("QP-1", "authorised_person")
    need = Need(person="QP-1", meaning="released", role="authorised_person")
    person = people.load(world, "QP-1")
    refused = people.may_sign(person, need, world.now)
    assert refused is not None and refused.code == "not-authorised-person"
    until = people.stamp(world.now.replace(day=10))
    world.do(people.Qualify(person="QP-1", qualification="authorised_person", since=SINCE, until=until), "SEC-1")
    assert people.may_sign(person, need, world.now) is None
    world.advance(days=8)
    assert people.may_sign(person, need, world.now) is not None, "the end of the interval is not inside it"


@pytest.mark.requirement("R037")
def test_a_service_account_can_neither_sign_nor_get_a_credential(world: FakeWorld) -> None:
    world.person("service-reader", "analyst", kind="service")
    need = Need(person="service-reader", meaning="performed", role="analyst")
    refused = people.may_sign(people.load(world, "service-reader"), need, world.now)
    assert refused is not None and refused.code == "service-cannot-sign"
    command = RegisterCredential(person="service-reader", credential="k", means="webauthn", public_key="AA")
    assert refusal_of(world, command, "SEC-1") == "service-cannot-sign"


@pytest.mark.requirement("R032")
@pytest.mark.requirement("R034")
def test_intervals_answer_who_could_do_what_on_a_date(world: FakeWorld) -> None:
    before = world.now
    world.do(people.GrantRole(person="QA-1", role="analyst", since=people.stamp(world.now)), "SEC-1")
    world.do(people.Train(person="OP-1", procedure="car-t-19", version="1", since=SINCE), "QA-1")
    world.advance(days=1)
    world.do(people.RevokeRole(person="QA-1", role="analyst", reason="moved"), "SEC-1")
    person = people.load(world, "QA-1")
    assert person.holds("analyst", before)
    assert not person.holds("analyst", world.now)
    assert people.load(world, "OP-1").trained("car-t-19", "1", world.now)
    assert not people.load(world, "OP-1").trained("car-t-19", "2", world.now), "a new version needs training again"
