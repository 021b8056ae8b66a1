"""After infusion: adverse reactions, responses and long-term follow-up attach to order and lots, closed or not (D23)."""

from cellwright.factory.order import permission
from cellwright.factory.order.fact import giving
from cellwright.factory.order.figure import past_day
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command
from cellwright.factory.stored_file import FileHash


@command("order.record_adverse_reaction", "physician", "nurse")
class RecordAdverseReaction(Command):
    """Record an adverse reaction with its grade, 1 to 5."""

    order: str
    finding: str
    grade: int
    on: str
    document_sha256: FileHash | None = None

    def decide(self, world: World, by: By) -> Decision:
        if not 1 <= self.grade <= 5:
            raise Refusal("not-a-grade", "{grade} is not a grade from 1 to 5.", rule="R044", grade=self.grade)
        return _followed(
            world, by, self.order, "adverse_reaction", self.finding, self.on, self.grade, self.document_sha256
        )


@command("order.record_response", "physician")
class RecordResponse(Command):
    """Record a response, for example `complete remission`."""

    order: str
    finding: str
    on: str
    document_sha256: FileHash | None = None

    def decide(self, world: World, by: By) -> Decision:
        return _followed(world, by, self.order, "response", self.finding, self.on, None, self.document_sha256)


@command("order.record_follow_up", "physician", "coordinator")
class RecordFollowUp(Command):
    """Record a visit of the long-term follow-up."""

    order: str
    finding: str
    on: str
    document_sha256: FileHash | None = None

    def decide(self, world: World, by: By) -> Decision:
        return _followed(world, by, self.order, "follow_up", self.finding, self.on, None, self.document_sha256)


def _followed(
    world: World,
    by: By,
    name: str,
    kind: giving.FollowUpKind,
    finding: str,
    on: str,
    grade: int | None,
    document: str | None,
) -> Decision:
    order = permission.known(world, name)
    if not order.given:
        raise Refusal(
            "nothing-given",
            "Nothing of order {order} was given.",
            remedy="Record the infusion first.",
            rule="D23",
            order=name,
        )
    past_day("on", on, world)
    body = giving.FollowedUp(
        kind=kind,
        finding=finding,
        on=on,
        lots=tuple(dict.fromkeys(infusion.lot for infusion in order.given)),
        recorded_by=by.person,
        grade=grade,
        document_sha256=document,
    )
    return Decision(facts=(order.fact(body),))
