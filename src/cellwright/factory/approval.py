"""Approved definitions: products, recipes, specifications, plants and protocols in force, by version and hash.

A definition is a file; its bytes are kept by content and named here. It is approved by quality assurance after its
author proposed it, never by the author (D10); what was approved is never changed, only superseded. The rules of a trial
are written by a person from the criteria's text, so both sign: who wrote them, and who compared them with it.
"""

from typing import ClassVar, NamedTuple

from cellwright.factory import people
from cellwright.factory.record import Body, event
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, Seen, State, World, command
from cellwright.factory.stored_file import FileHash

KINDS = ("plant", "product", "recipe", "retention", "specification", "trial")


@event("definition.approved")
class DefinitionApproved(Body):
    """A version of a definition comes into force. `sha256` names its exact bytes in the file store."""

    kind: str
    definition: str
    version: str
    sha256: str
    author: str
    effective_from: str


@event("definition.withdrawn")
class DefinitionWithdrawn(Body):
    """A version may not be used for anything new; what was begun with it ends with it."""

    kind: str
    definition: str
    version: str
    at: str


class Approved(NamedTuple):
    """One approved version: hash of its bytes, and from when until when it may be used for something new."""

    version: str
    sha256: str
    since: str
    until: str | None = None


class DefinitionState(State):
    """All approved versions of one kind; the stream is `definition/<kind>`."""

    room: ClassVar[str] = "definition"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.approved: dict[str, list[Approved]] = {}

    def apply(self, body: Body, seen: Seen) -> None:
        match body:
            case DefinitionApproved():
                one = Approved(body.version, body.sha256, body.effective_from)
                self.approved.setdefault(body.definition, []).append(one)
            case DefinitionWithdrawn():
                self.approved[body.definition] = [
                    a._replace(until=body.at) if a.version == body.version else a
                    for a in self.approved[body.definition]
                ]
            case _:
                pass

    def find(self, definition: str, version: str | None, at: str) -> Approved | None:
        """A named version, or else the newest one effective at this time."""
        versions = self.approved.get(definition, [])
        if version is not None:
            return next((a for a in versions if a.version == version), None)
        effective = [a for a in versions if a.since <= at and (a.until is None or at < a.until)]
        return effective[-1] if effective else None


@command("definition.approve", "quality_assurance")
class Approve(Command):
    """Bring a version of a definition into force; its bytes are in the file store already."""

    kind: str
    definition: str
    version: str
    sha256: FileHash
    author: str
    effective_from: str | None = None
    author_role: str = ""
    """The role in which the author signs too; needed for a trial, whose rules are two people's reading of a text."""

    def decide(self, world: World, by: By) -> Decision:
        state = world.load(DefinitionState, self.kind)
        if self.kind not in KINDS:
            raise Refusal("unknown-kind", "There is no kind of definition {kind}.", kind=self.kind)
        if self.author == by.person:
            raise Refusal(
                "own-definition",
                "{person} wrote {definition} and cannot approve it.",
                remedy="Somebody else of quality assurance approves it.",
                rule="D10",
                person=by.person,
                definition=self.definition,
            )
        if state.find(self.definition, self.version, "") is not None:
            raise Refusal(
                "version-exists",
                "{definition} {version} is approved already and cannot be changed.",
                remedy="Give the changed file a new version.",
                rule="R039",
                definition=self.definition,
                version=self.version,
            )
        if self.kind == "trial" and not self.author_role:
            raise Refusal(
                "encoding-unsigned",
                "The rules of {definition} {version} are signed by one person only.",
                remedy="Name the role in which the author signs that the rules say what the criteria say.",
                rule="D10",
                definition=self.definition,
                version=self.version,
            )
        body = DefinitionApproved(
            kind=self.kind,
            definition=self.definition,
            version=self.version,
            sha256=self.sha256,
            author=self.author,
            effective_from=self.effective_from or people.stamp(world.now),
        )
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        if self.kind != "trial":
            return Decision(facts=(state.fact(body),), sign=(need,))
        encoded = Need(person=self.author, meaning="transcribed", role=self.author_role)
        return Decision(facts=(state.fact(body),), sign=(encoded, need))


@command("definition.withdraw", "quality_assurance")
class Withdraw(Command):
    """End the use of a version for anything new."""

    kind: str
    definition: str
    version: str
    reason: str

    def decide(self, world: World, by: By) -> Decision:
        state = world.load(DefinitionState, self.kind)
        if state.find(self.definition, self.version, "") is None:
            raise Refusal("definition-not-approved", "{definition} {version} is not approved.",
                          definition=self.definition, version=self.version)  # fmt: skip
        body = DefinitionWithdrawn(
            kind=self.kind, definition=self.definition, version=self.version, at=people.stamp(world.now)
        )
        need = Need(person=by.person, meaning="approved", role="quality_assurance")
        return Decision(facts=(state.fact(body, reason=self.reason),), sign=(need,))
