"""Terminals: where somebody offers wrong signatures in other people's names, the terminal stops, not the people (R029).

A failure by one's own hand counts against one's own account. One that somebody else sent in, from a session of theirs,
counts against the terminal it came from: five within a quarter of an hour stop it for another quarter. So nobody locks a
colleague out with garbage, and nobody guesses faster than that; an account stops by itself after fifty such failures.
"""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from cellwright.factory.identity import NAMES, Person
from cellwright.factory.people import stamp
from cellwright.factory.record import Body, Fact, event
from cellwright.factory.rule import Refusal, Seen, State

FAILURES: Final = 5
"""Within the period, from one terminal in other people's names (a site decision, like the period)."""
PERIOD: Final = timedelta(minutes=15)


@event("terminal.proof_refused")
class ProofRefused(Body):
    """A signature in another person's name came from a session here and was not theirs."""

    person: Person
    """In whose name."""
    given_by: Person
    """Whose session it was."""


@event("terminal.stopped")
class Stopped(Body):
    """Too many of them: nobody signs for others here until a time; the security officer is alerted by this fact."""

    until: str
    given_by: Annotated[str, NAMES("person")]
    alerts: tuple[str, ...] = ("security_officer",)


class TerminalState(State):
    """One place that proofs come from."""

    room: ClassVar[str] = "terminal"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.failures: tuple[str, ...] = ()
        """When the latest failures were."""
        self.until = ""

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case ProofRefused():
                self.failures = (*self.failures, seen.at)[-FAILURES:]
            case Stopped():
                self.failures, self.until = (), body.until
            case _:
                pass

    def stopped(self, now: datetime) -> Refusal | None:
        """Why no proof in another's name is taken here now, or None."""
        if stamp(now) >= self.until:
            return None
        return Refusal(
            "terminal-stopped",
            "Too many signatures that were not theirs came from {terminal} in other people's names; it is stopped until {until}.",
            remedy="Let them sign at another terminal, in a session of their own.",
            rule="R029",
            terminal=self.name,
            until=self.until,
        )

    def refused(self, person: str, given_by: str, now: datetime) -> tuple[Fact, ...]:
        """The facts of one more failure here."""
        recent = [at for at in self.failures if at >= stamp(now - PERIOD)]
        fact = self.fact(ProofRefused(person=person, given_by=given_by))
        if len(recent) + 1 < FAILURES:
            return (fact,)
        return (fact, self.fact(Stopped(until=stamp(now + PERIOD), given_by=given_by)))
