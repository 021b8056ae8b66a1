"""The first security officer of a real site, enrolled by the installation because nobody else is there yet."""

from typing import TYPE_CHECKING

from cellwright.command.personal_key import Enrolment
from cellwright.command.roster import roster
from cellwright.factory import people
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal

if TYPE_CHECKING:
    from cellwright.command.site import Site

OFFICER = "security_officer"


def first_officer(site: "Site", person: str, printed_name: str, evidence: str, password: str) -> Enrolment:
    """Enrol the first security officer with a personal signing key.

    Raises:
        Refusal `officer-exists`: there has been one; the others are enrolled by a security officer, in a person's name.
        Refusal `person-exists`, `password-too-weak`.
    """
    now = site.clock()
    for entry in roster(site.ledger, now):
        state = site.desk.state(people.PersonState, entry.person)
        if OFFICER in state.roles:
            raise Refusal(
                "officer-exists",
                "{person} is or was a security officer of this site.",
                remedy="A security officer enrols everybody else, and a second officer, so that one can unlock the other.",
                rule="R022",
                person=entry.person,
            )
        if entry.person == person:
            raise Refusal("person-exists", "{person} is enrolled already.", rule="R021", person=person)
    account, stream = person.lower(), f"{people.PersonState.room}/{person}"
    enrolment = site.personal_keys.make(person, account, password)
    given = enrolment.command
    facts = [
        people.Enrolled(person=person, account=account, printed_name=printed_name),
        people.IdentityVerified(person=person, evidence=evidence),
        people.RoleGranted(person=person, role=OFFICER, since=people.stamp(now)),
        people.CredentialRegistered(
            person=person, credential=given.credential, means=given.means, public_key=given.public_key
        ),
    ]
    installation = By(person="installation", source="terminal/server")
    site.desk.record([Fact(stream, fact) for fact in facts], installation, expected={stream: 0})
    return enrolment
