"""The people of the demonstration: simulated, with roles, qualifications, training and software authenticators.

Names are role words and numbers, never names of people.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from cellwright.command.desk import Desk
from cellwright.command.signing import SoftwareAuthenticator
from cellwright.factory import people
from cellwright.factory.people import Means
from cellwright.factory.record import Body, Fact
from cellwright.factory.rule import By

SINCE: Final = "2025-01-01T00:00:00.000000Z"
"""From when roles, qualifications and training of the simulated people are in force."""
EXPIRED: Final = "2026-02-01T00:00:00.000000Z"
"""When the one expired qualification of the story ended: before the first day of the demonstration."""


class Member(NamedTuple):
    """One simulated person: stream name, printed name, roles, qualifications with their end (None: open)."""

    name: str
    printed_name: str
    roles: tuple[str, ...]
    qualifications: tuple[tuple[str, str | None], ...] = ()
    means: Means = "webauthn"


MEMBERS: Final = (
    Member("SEC-1", "Security officer 1 (simulated)", ("security_officer",)),
    Member("SEC-2", "Security officer 2 (simulated)", ("security_officer",)),
    Member("MD-1", "Prescriber 1 (simulated)", ("prescriber", "physician")),
    Member("MD-2", "Prescriber 2 (simulated)", ("prescriber", "physician")),
    Member("CO-1", "Coordinator 1 (simulated)", ("coordinator",)),
    Member("CO-2", "Coordinator 2 (simulated)", ("coordinator",)),
    Member("AN-1", "Collection nurse 1 (simulated)", ("collection_nurse",)),
    Member("AN-2", "Collection nurse 2 (simulated)", ("collection_nurse",)),
    Member("CR-1", "Courier 1 (simulated)", ("courier",)),
    Member("CR-2", "Courier 2 (simulated)", ("courier",)),
    Member("WH-1", "Warehouse 1 (simulated)", ("warehouse",)),
    Member("WH-2", "Warehouse 2 (simulated)", ("warehouse",)),
    *(Member(f"OP-{n:02d}", f"Operator {n} (simulated)", ("operator",)) for n in range(1, 13)),
    Member("OP-13", "Operator 13 (simulated)", ("operator",), (("aseptic_processing", EXPIRED),)),
    *(Member(f"QC-{n}", f"Analyst {n} (simulated)", ("analyst",)) for n in range(1, 5)),
    Member("QA-1", "Quality assurance 1 (simulated)", ("quality_assurance",)),
    Member("QA-2", "Quality assurance 2 (simulated)", ("quality_assurance",)),
    Member("QA-3", "Quality assurance 3 (simulated)", ("quality_assurance",)),
    Member("QP-1", "Authorised person 1 (simulated)", ("authorised_person",), (("authorised_person", None),)),
    Member("QP-2", "Authorised person 2 (simulated)", ("authorised_person",), (("authorised_person", None),)),
    Member("PE-1", "Process engineer 1 (simulated)", ("process_engineer",)),
    Member("PL-1", "Planner 1 (simulated)", ("planner",)),
    Member("CL-1", "Hospital cell laboratory 1 (simulated)", ("cell_laboratory",)),
    Member("CL-2", "Hospital cell laboratory 2 (simulated)", ("cell_laboratory",)),
    Member("RN-1", "Ward nurse 1 (simulated)", ("nurse",)),
    Member("RN-2", "Ward nurse 2 (simulated)", ("nurse",)),
)
"""Everybody at the simulated site and its simulated hospital."""


def by(person: str, source: str | None = None) -> By:
    """A person at their usual terminal."""
    return By(person=person, source=source or f"terminal/{person.partition('-')[0].lower()}")


def employ(
    desk: Desk,
    authenticator: SoftwareAuthenticator,
    trained_for: tuple[tuple[str, str], ...],
    qualifications: Sequence[str] = (),
) -> None:
    """Enrol everybody with roles, qualifications, training for these (recipe, version) pairs, and a credential.

    The first security officer enrols everybody else; who enrols the first one is the installation itself.
    """
    installer = By(person="installation", source="terminal/server")
    for member in MEMBERS:
        credential, key = authenticator.enrol(member.name)
        bodies: list[Body] = [
            people.Enrolled(person=member.name, account=member.name.lower(), printed_name=member.printed_name),
            people.IdentityVerified(
                person=member.name, evidence="simulated identity check and accountability statement"
            ),
            *(people.RoleGranted(person=member.name, role=role, since=SINCE) for role in member.roles),
            *(
                people.Qualified(person=member.name, qualification=q, since=SINCE, until=u)
                for q, u in {**_usual(member, qualifications), **dict(member.qualifications)}.items()
            ),
            *(
                people.Trained(person=member.name, procedure=procedure, version=version, since=SINCE)
                for procedure, version in trained_for
                if "operator" in member.roles
            ),
            people.CredentialRegistered(
                person=member.name, credential=credential, means="webauthn", public_key=key, simulated=True
            ),
        ]
        who = installer if member is MEMBERS[0] else by(MEMBERS[0].name)
        desk.record([Fact(f"person/{member.name}", body) for body in bodies], who)


def _usual(member: Member, qualifications: Sequence[str]) -> dict[str, str | None]:
    """Operators hold every qualification the recipes ask for, unless their own line says otherwise."""
    return dict.fromkeys(qualifications) if "operator" in member.roles else {}
