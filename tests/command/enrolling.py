"""Two security officers give somebody a means of signing: one hands a secret over, the other registers."""

import msgspec

from cellwright.command.desk import Desk, Outcome
from cellwright.command.enrolment import hand_over
from cellwright.command.signing import Signer
from cellwright.factory.credential import RegisterCredential
from cellwright.factory.rule import By


def by_two_officers(desk: Desk, command: RegisterCredential, signer: Signer) -> Outcome:
    """Register a means of signing for somebody who has none that counts."""
    handed = hand_over(command.person)
    desk.do(handed.command, By(person="SEC-1"), signer)
    shown = msgspec.structs.replace(command, secret=handed.secret)  # type: ignore[type-var]
    return desk.do(shown, By(person="SEC-2"), signer)
