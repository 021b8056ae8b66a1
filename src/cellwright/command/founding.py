"""The first security officers of a real site, enrolled by the installation because nobody else is there yet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cellwright.command.personal_key import Enrolment
from cellwright.command.roster import roster
from cellwright.factory import people
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal

if TYPE_CHECKING:
    from cellwright.command.site import Site

OFFICER = "security_officer"
AT_ONCE = 2
"""The installation enrols two officers and no more. Nobody else can be given a means of signing before there are two:
each unlocks the other, and neither puts a key on anybody's account alone (`factory.credential`)."""


class Officer(NamedTuple):
    """Who becomes a security officer: name in the record, printed name, how identity was verified, a new password."""

    person: str
    printed_name: str
    evidence: str
    password: str


def first_officer(site: "Site", person: str, printed_name: str, evidence: str, password: str) -> Enrolment:
    """Enrol the first security officer with a personal signing key. Raises as `first_officers`."""
    return first_officers(site, [Officer(person, printed_name, evidence, password)])[0]


def first_officers(site: "Site", officers: Sequence[Officer]) -> list[Enrolment]:
    """Enrol the first security officers, each with a personal signing key, at once or one after the other.

    Raises:
        Refusal `officer-exists`: there would be more than two; the others are enrolled by a security officer, in a person's name.
        Refusal `person-exists`, `password-too-weak`.
    """
    assert 1 <= len(officers) <= AT_ONCE
    now, names = site.clock(), [officer.person for officer in officers]
    before = 0
    for entry in roster(site.ledger, now):
        state = site.desk.state(people.PersonState, entry.person)
        before += OFFICER in state.roles
        if OFFICER in state.roles and before + len(officers) > AT_ONCE:
            raise Refusal(
                "officer-exists",
                "{person} is or was a security officer of this site.",
                remedy="A security officer enrols everybody else, and a second officer, so that one can unlock the other.",
                rule="R022",
                person=entry.person,
            )
        if entry.person in names:
            raise Refusal("person-exists", "{person} is enrolled already.", rule="R021", person=entry.person)
    return [_enrolled(site, officer) for officer in officers]


def _enrolled(site: "Site", officer: Officer) -> Enrolment:
    person, account = officer.person, officer.person.lower()
    stream = f"{people.PersonState.room}/{person}"
    enrolment = site.personal_keys.make(person, account, officer.password)
    given = enrolment.command
    facts = [
        people.Enrolled(person=person, account=account, printed_name=officer.printed_name),
        people.IdentityVerified(person=person, evidence=officer.evidence),
        people.RoleGranted(person=person, role=OFFICER, since=people.stamp(site.clock())),
        people.CredentialRegistered(
            person=person, credential=given.credential, means=given.means, public_key=given.public_key
        ),
    ]
    installation = By(person="installation", source="terminal/server")
    site.desk.record([Fact(stream, fact) for fact in facts], installation, expected={stream: 0})
    return enrolment
