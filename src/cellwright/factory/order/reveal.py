"""A name is shown for a moment: labelling and bedside work need it, everything else sees the chain of identity (D6).

Who was shown whose name, and for what, is a fact before anything is decrypted. The name itself is never in it.
"""

from cellwright.factory.identity import Person
from cellwright.factory.order.subject import SubjectName, known
from cellwright.factory.record import Body, event
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command


@event("subject.revealed")
class Revealed(Body):
    """Personal fields of a subject were shown to one person for a moment (D6)."""

    subject: SubjectName
    shown_to: Person
    fields: tuple[str, ...]
    purpose: str


@command("subject.reveal", "coordinator", "collection_nurse", "nurse", "physician", "prescriber", "cell_laboratory")
class Reveal(Command):
    """Ask to see personal fields of a subject, and say what for."""

    subject: str
    fields: tuple[str, ...]
    purpose: str

    def decide(self, world: World, by: By) -> Decision:
        state = known(world, self.subject)
        if not self.purpose.strip():
            raise Refusal(
                "purpose-missing",
                "Nobody sees the name of {subject} without saying what for.",
                remedy="Say what the name is needed for: a label, the bedside, the collection.",
                rule="D6",
                subject=self.subject,
            )
        if state.forgotten:
            raise Refusal(
                "key-destroyed",
                "What was recorded about {subject} was destroyed under the retention rule.",
                rule="D6",
                subject=self.subject,
            )
        shown = tuple(name for name in self.fields if name in state.personal)
        body = Revealed(subject=self.subject, shown_to=by.person, fields=shown, purpose=self.purpose.strip())
        return Decision(facts=(state.fact(body),))
