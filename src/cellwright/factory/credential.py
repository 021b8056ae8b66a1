"""Means of signing: registered with the holder's own proof, revoked by a security officer (R031).

Whoever signs already registers a further means by signing for it with one that counts. Where none counts, at the first
enrolment and after a loss, two security officers answer for it: one signs that a one-time secret was handed over to the
person, another signs the registration when the person shows it. No officer can do both, so none can put a key of his own
on somebody's account and sign as them. The first officers of a new site are enrolled by the installation itself, before
there is anybody else (see `command.founding`).
"""

from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from cellwright.factory.order.scan import two_people
from cellwright.factory.people import (
    CredentialRegistered,
    CredentialRevoked,
    EnrolmentOffered,
    Means,
    PersonState,
    existing,
    stamp,
)
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command

OFFICER: Final = "security_officer"
OFFER_HOLDS: Final = timedelta(days=3)
"""From handing the secret over to using it."""


def fingerprint(secret: str) -> str:
    """What the record keeps of a one-time secret."""
    return sha256(secret.encode()).hexdigest()


def _person(world: World, name: str) -> PersonState:
    state = existing(world, name)
    if state.kind == "service":
        raise Refusal("service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=name)
    return state


def _not_oneself(by: By, person: str) -> None:
    if by.person == person:
        raise Refusal(
            "own-credential",
            "{person} cannot answer for their own means of signing.",
            remedy="Two other security officers do; or sign for it with a means that counts.",
            rule="R031",
            person=person,
        )


@command("person.offer_enrolment", OFFICER)
class OfferEnrolment(Command):
    """Hand a one-time secret over to a person who has no means of signing, or lost theirs; a second officer registers."""

    person: str
    fingerprint: str

    def decide(self, world: World, by: By) -> Decision:
        state = _person(world, self.person)
        _not_oneself(by, self.person)
        until = stamp(world.now + OFFER_HOLDS)
        body = EnrolmentOffered(person=self.person, fingerprint=self.fingerprint, until=until, officer=by.person)
        return Decision(facts=(state.fact(body),), sign=(Need(person=by.person, meaning="handed_over", role=OFFICER),))


@command("person.register_credential", OFFICER)
class RegisterCredential(Command):
    """Register a means of signing: the holder signs for it with one that counts, or shows the secret handed over."""

    person: str
    credential: str
    means: Means
    public_key: str
    simulated: bool = False
    secret: str = ""
    """What another officer handed over to the person; not needed where a means of theirs counts."""

    def decide(self, world: World, by: By) -> Decision:
        state = _person(world, self.person)
        if state.credentials:
            vouched, need = None, self._by_holder(state, world)
        else:
            vouched, need = self._by_two(state, world, by)
        body = CredentialRegistered(
            person=self.person,
            credential=self.credential,
            means=self.means,
            public_key=self.public_key,
            simulated=self.simulated,
            vouched_by=vouched,
        )
        return Decision(facts=(state.fact(body),), sign=(need,))

    def _by_holder(self, state: PersonState, world: World) -> Need:
        roles = sorted(role for role in state.roles if state.holds(role, world.now))
        if not roles:
            raise Refusal(
                "role-missing",
                "{person} holds none of the roles that may do this: {roles}.",
                remedy="Ask somebody who holds the role, or have it granted.",
                rule="R022",
                person=self.person,
                roles="-",
            )
        return Need(person=self.person, meaning="accepted", role=roles[0])

    def _by_two(self, state: PersonState, world: World, by: By) -> tuple[str, Need]:
        _not_oneself(by, self.person)
        offer = state.offer
        known = offer is not None and compare_digest(offer.fingerprint, fingerprint(self.secret))
        if offer is None or not known or stamp(world.now) >= offer.until:
            raise Refusal(
                "secret-not-shown",
                "{person} has no means of signing that counts, and the one-time secret was not shown, or has expired.",
                remedy="A security officer hands a secret over to the person; another one registers when it is shown.",
                rule="R031",
                person=self.person,
            )
        two_people(offer.officer, by.person)
        return offer.officer, Need(person=by.person, meaning="verified", role=OFFICER)


@command("person.revoke_credential", OFFICER)
class RevokeCredential(Command):
    """A lost or replaced means of signing counts no more; one officer is enough to stop it."""

    person: str
    credential: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = existing(world, self.person)
        body = CredentialRevoked(person=self.person, credential=self.credential)
        return Decision(facts=(state.fact(body, reason=self.reason),))
