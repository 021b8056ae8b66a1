"""Laboratories outside, and the house's own bench: who may report what until when (D11)."""

from typing import ClassVar

from cellwright.factory.order.figure import day
from cellwright.factory.quality.fact import LaboratoryQualified, LaboratorySuspended
from cellwright.factory.record import Body
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command
from cellwright.factory.stored_file import FileHash


class LaboratoryState(State):
    """One laboratory and the tests it is qualified for."""

    room: ClassVar[str] = "laboratory"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.tests: dict[str, str] = {}
        """Test code to the day until which the qualification holds, that day included."""

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case LaboratoryQualified():
                self.tests |= dict.fromkeys(body.tests, body.until)
            case LaboratorySuspended():
                self.tests = {}
            case _:
                pass

    def qualified(self, test: str, today: str) -> bool:
        """Whether the laboratory may report this test today (ISO 8601 date)."""
        return today <= self.tests.get(test, "")


@command("laboratory.qualify", "quality_assurance")
class Qualify(Command):
    """Qualify a laboratory for tests until a day, from the report of its audit."""

    laboratory: str
    tests: tuple[str, ...]
    until: str
    document_sha256: FileHash

    def decide(self, world: World, by: By) -> Decision:
        state = world.load(LaboratoryState, self.laboratory)
        day("until", self.until)
        if not self.tests or self.until < world.now.date().isoformat():
            raise Refusal(
                "qualification-empty",
                "The qualification of {laboratory} names no test, or has ended already.",
                rule="D11",
                laboratory=self.laboratory,
            )
        body = LaboratoryQualified(
            laboratory=self.laboratory,
            tests=self.tests,
            until=self.until,
            document_sha256=self.document_sha256,
            assessor=by.person,
        )
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        return Decision(facts=(state.fact(body),), sign=(need,))


@command("laboratory.suspend", "quality_assurance")
class Suspend(Command):
    """End a laboratory's qualification at once."""

    laboratory: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = world.load(LaboratoryState, self.laboratory)
        if not state.tests:
            raise Refusal(
                "laboratory-not-qualified", "{laboratory} is not qualified.", rule="D11", laboratory=self.laboratory
            )
        body = LaboratorySuspended(laboratory=self.laboratory, assessor=by.person)
        need = Need(person=by.person, meaning="assessed", role="quality_assurance")
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=(need,))
