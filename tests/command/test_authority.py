"""Who may give which command: every role against every command, at the desk; administration and content kept apart."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from cellwright.factory import people, register
from cellwright.factory.credential import RegisterCredential, RevokeCredential
from cellwright.factory.people import ADMINISTRATIVE_ROLES, CONTENT_ROLES, MEANINGS, ROLES
from cellwright.factory.record import Fact
from cellwright.factory.rule import COMMANDS, By, Command, Decision, Need, Refusal
from tests.command.enrolling import by_two_officers
from tests.command.test_desk import QA, SINCE, Place, approve
from tests.factory.world import FakeWorld
from tools import golden

assert register.ROOMS
PERSONS = {role: f"ONLY-{role}" for role in sorted(ROLES)} | {"": "NOTHING"}


def example(kind: type[Command]) -> Command:
    """A command with some value in every field, signed in a role that may give it; authority is judged before the rest."""
    fields = golden._struct(inspect.type_info(kind))
    roles = {name: min(kind.roles) for name in ("role", "verifier_role", "receiver_role") if name in fields}
    return msgspec.convert(fields | roles, kind)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A desk, with one person for each role and one without any."""
    place = Place()
    for role, name in PERSONS.items():
        bodies = [
            people.Enrolled(person=name, account=name.lower(), printed_name=name),
            people.IdentityVerified(person=name, evidence="test"),
            *([people.RoleGranted(person=name, role=role, since=SINCE)] if role else []),
        ]
        place.desk.record([Fact(f"person/{name}", b) for b in bodies], By(person="installation"))
    yield place
    place.ledger.close()


@pytest.mark.requirement("R022")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_only_the_roles_a_command_names_may_give_it(place: Place, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = COMMANDS[name]
    assert kind.roles, "a command that names no role can be given by nobody"
    assert kind.roles <= ROLES
    reached: list[str] = []

    def decide(self: Command, world: object, by: By) -> Decision:
        reached.append(by.person)
        return Decision(facts=())

    monkeypatch.setattr(kind, "decide", decide)
    for role, person in PERSONS.items():
        before = len(reached)
        if role in kind.roles:
            place.desk.prepare(example(kind), By(person=person))
            assert len(reached) == before + 1, role
        else:
            with pytest.raises(Refusal) as refused:
                place.desk.prepare(example(kind), By(person=person))
            assert (refused.value.code, len(reached)) == ("role-missing", before), role
            last = place.ledger.stream(f"person/{person}")[-1]
            assert (last.type, last.body["command"]) == ("person.refused", name)
    with pytest.raises(Refusal) as unknown:
        place.desk.prepare(example(kind), By(person="a stranger"))
    assert unknown.value.code == "unknown-person"


@pytest.mark.requirement("R022")
def test_a_command_that_names_no_role_is_refused_to_everybody(place: Place) -> None:
    class Forgotten(Command):
        def decide(self, world: object, by: By) -> Decision:
            raise AssertionError("reached")

    for person in PERSONS.values():
        with pytest.raises(Refusal) as refused:
            place.desk.prepare(Forgotten(), By(person=person))
        assert refused.value.code == "role-missing"


@pytest.mark.requirement("R023")
def test_no_command_is_open_to_both_administration_and_production() -> None:
    """The security officer keeps accounts and touches no record; only the keeping of accounts is shared with quality."""
    shared = {n for n, k in COMMANDS.items() if k.roles & ADMINISTRATIVE_ROLES and k.roles & CONTENT_ROLES}
    assert all(name.startswith("person.") for name in shared), shared


GRANT = st.tuples(
    st.just("grant"),
    st.sampled_from(sorted(ROLES)),
    st.integers(0, 30),
    st.one_of(st.none(), st.integers(1, 30)),
)
REVOKE = st.tuples(st.just("revoke"), st.sampled_from(sorted(ROLES)), st.just(0), st.none())
WAIT = st.tuples(st.just("wait"), st.just(""), st.integers(1, 20), st.none())


@pytest.mark.requirement("R023")
@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(GRANT, REVOKE, WAIT), max_size=14))
def test_no_sequence_of_grants_gives_one_person_administration_and_content(
    steps: list[tuple[str, str, int, int | None]],
) -> None:
    """Grants may begin later and end; at no moment, past or to come, does anybody hold an excluded pair."""
    world = FakeWorld()
    world.person("SEC-1", "security_officer")
    world.person("X")
    began: datetime = world.now
    refusals: set[str] = set()
    for verb, role, days, lasting in steps:
        try:
            if verb == "wait":
                world.advance(days=days)
            elif verb == "revoke":
                world.do(people.RevokeRole(person="X", role=role, reason="moved"), "SEC-1")
            else:
                since = world.now + timedelta(days=days)
                until = None if lasting is None else people.stamp(since + timedelta(days=lasting))
                world.do(people.GrantRole(person="X", role=role, since=people.stamp(since), until=until), "SEC-1")
        except Refusal as refusal:
            refusals.add(refusal.code)
    assert refusals <= {"roles-excluded"}
    person = people.load(world, "X")
    for day in range(400):
        held = {role for role in ROLES if person.holds(role, began + timedelta(days=day))}
        assert not (held & ADMINISTRATIVE_ROLES and held & CONTENT_ROLES), (day, held)


@pytest.mark.requirement("R023")
def test_two_roles_that_only_follow_each_other_are_not_excluded() -> None:
    world = FakeWorld()
    world.person("SEC-1", "security_officer")
    world.person("X")
    now, later = people.stamp(world.now), people.stamp(world.now + timedelta(days=9))
    world.do(people.GrantRole(person="X", role="administrator", since=now, until=later), "SEC-1")
    world.do(people.GrantRole(person="X", role="operator", since=later), "SEC-1")
    with pytest.raises(Refusal, match="cannot grant a role to themselves"):
        world.do(people.GrantRole(person="SEC-1", role="administrator", since=now), "SEC-1")


@pytest.mark.requirement("R032")
@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-03-02", None),
        ("2026-03-02T08:12:00Z", None),
        ("soon", None),
        ("2026-03-09T00:00:00.000000Z", "2026-03-09T00:00:00.000000Z"),
        ("2026-03-09T00:00:00.000000Z", "2026-03-08T00:00:00.000000Z"),
        ("2026-03-09T00:00:00.000000Z", "later"),
    ],
)
def test_a_period_is_a_period(since: str, until: str | None) -> None:
    world = FakeWorld()
    world.person("SEC-1", "security_officer")
    world.person("QA-1", "quality_assurance")
    world.person("X")
    for command, by in (
        (people.GrantRole(person="X", role="operator", since=since, until=until), "SEC-1"),
        (people.Qualify(person="X", qualification="q", since=since, until=until), "QA-1"),
        (people.Train(person="X", procedure="p", version="1", since=since, until=until), "QA-1"),
    ):
        with pytest.raises(Refusal) as refused:
            world.do(command, by)
        assert refused.value.code == "not-a-period"


@pytest.mark.requirement("R032")
def test_no_role_is_granted_for_the_past() -> None:
    world = FakeWorld()
    world.person("SEC-1", "security_officer")
    world.person("X")
    yesterday = people.stamp(world.now - timedelta(days=1))
    with pytest.raises(Refusal) as refused:
        world.do(people.GrantRole(person="X", role="operator", since=yesterday), "SEC-1")
    assert refused.value.code == "backdated"


@pytest.mark.requirement("R033")
def test_nobody_signs_before_identity_was_verified_and_accountability_declared(place: Place) -> None:
    desk = place.desk
    credential, key = place.device.enrol("NEW-1")
    officer = By(person="SEC-1")
    desk.do(people.Enrol(person="NEW-1", account="new-1", printed_name="New one"), officer)
    now = people.stamp(place.clock())
    desk.do(people.GrantRole(person="NEW-1", role="quality_assurance", since=now), officer)
    register = RegisterCredential(
        person="NEW-1", credential=credential, means="webauthn", public_key=key, simulated=True
    )
    by_two_officers(desk, register, place.device)
    before = place.ledger.version("definition/recipe")
    with pytest.raises(Refusal) as refused:
        desk.do(approve("r033"), By(person="NEW-1"), place.device)
    assert refused.value.code == "signing-not-enabled"
    assert place.ledger.version("definition/recipe") == before
    desk.do(people.VerifyIdentity(person="NEW-1", evidence="passport seen, statement signed"), officer)
    desk.do(approve("r033"), By(person="NEW-1"), place.device)


@pytest.mark.requirement("R026")
def test_every_signature_keeps_name_time_zone_meaning_account_and_role(place: Place) -> None:
    """The signature manifest (21 CFR 11.50): what every screen and printout shows stands in the signature itself."""
    signature = place.desk.do(approve("r026"), QA, place.device).events[-1].body
    assert (signature["printed_name"], signature["person"]) == ("QA-1 printed", "QA-1")
    assert (signature["meaning"], signature["role"]) == ("approved", "quality_assurance")
    assert signature["signed_at"] == people.stamp(place.clock())
    assert signature["zone"] == "Asia/Shanghai"
    assert place.desk.state(people.PersonState, signature["person"]).account == "qa-1"


@pytest.mark.requirement("R037")
@pytest.mark.parametrize("meaning", sorted(MEANINGS))
def test_a_service_gives_no_signature_of_any_meaning(meaning: str) -> None:
    world = FakeWorld()
    world.person("service/reader", *sorted(CONTENT_ROLES), qualified=("authorised_person",), kind="service")
    reader = people.load(world, "service/reader")
    for role in sorted(CONTENT_ROLES):
        refused = people.may_sign(reader, Need(person="service/reader", meaning=meaning, role=role), world.now)
        assert refused is not None and refused.code == "service-cannot-sign"


@pytest.mark.requirement("R031")
def test_two_accounts_never_share_a_name_and_a_lost_means_signs_nothing(place: Place) -> None:
    enrol = people.Enrol(person="QA-9", account="qa-2", printed_name="Another")
    with pytest.raises(Refusal) as taken:
        place.desk.do(enrol, By(person="SEC-1"))
    assert taken.value.code == "already-taken"
    assert not place.desk.state(people.PersonState, "QA-9").exists
    place.desk.do(RevokeCredential(person="QA-2", credential="simulated-QA-2", reason="lost"), By(person="SEC-1"))
    with pytest.raises(Refusal) as refused:
        place.desk.do(approve("r031"), By(person="QA-2"), place.device)
    assert refused.value.code == "signature-invalid"
