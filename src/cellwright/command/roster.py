"""The people of a site, today or as the record stood on a day: the periodic review (R031) and who could do what (R032)."""

from datetime import datetime

from cellwright.command.desk import fold
from cellwright.factory.people import PersonState, stamp
from cellwright.factory.record import Immutable
from cellwright.ledger import Ledger


class Entry(Immutable):
    """What one account was at a moment. Times are UTC as stored."""

    person: str
    account: str
    printed_name: str
    kind: str
    active: bool
    locked: bool
    may_sign: bool
    """Whether identity was verified, accountability declared, and some means of signing counts."""
    roles: tuple[str, ...]
    qualifications: tuple[str, ...]
    means: tuple[str, ...]
    credentials: tuple[str, ...]
    last_sign_in: str | None

    def could(self, role: str) -> bool:
        """Whether this person could act in a role; an authorised person also needs the qualification (R035)."""
        qualified = role != "authorised_person" or (self.may_sign and role in self.qualifications)
        return self.active and not self.locked and role in self.roles and qualified


def roster(ledger: Ledger, moment: datetime) -> list[Entry]:
    """Every account there was at a moment, by name, judged by what was on record then; what was entered later is not seen."""
    return [
        entry(state, moment)
        for name in sorted(claim.value.partition("/")[2] for claim in ledger.claims("account/"))
        if (state := person_at(ledger, name, moment)).exists
    ]


def person_at(ledger: Ledger, name: str, moment: datetime) -> PersonState:
    """One account as the record stood at a moment."""
    state, until = PersonState(name), stamp(moment)
    for event in ledger.stream(state.stream):
        if event.at <= until:
            fold(state, event)
    return state


def entry(person: PersonState, moment: datetime) -> Entry:
    """What a review shows of an account."""
    return Entry(
        person=person.name,
        account=person.account,
        printed_name=person.printed_name,
        kind=person.kind,
        active=person.active,
        locked=person.locked,
        may_sign=person.kind == "person" and person.signing_enabled and bool(person.credentials),
        roles=tuple(sorted(role for role in person.roles if person.holds(role, moment))),
        qualifications=tuple(sorted(q for q in person.qualifications if person.qualified(q, moment))),
        means=tuple(sorted({credential.means for credential in person.credentials.values()})),
        credentials=tuple(sorted(person.credentials)),
        last_sign_in=person.last_sign_in,
    )
