"""Two desks on one record, each with what it remembers: neither overrules what the other has written meanwhile."""

from threading import Barrier, Thread

import pytest

from cellwright.command.desk import Desk
from cellwright.factory.approval import DefinitionState
from cellwright.factory.rule import By, Refusal
from tests.command.test_desk import QA, Place, approve, place

__all__ = ["place"]


def second(place: Place) -> Desk:
    first = place.desk
    return Desk(place.ledger, clock=place.clock, zone=first.zone, definitions=first.definitions, issuing=first.issuing,
                relying=first.relying, simulated=True, holds=lambda _: True, new_id=first._new_id)  # fmt: skip


@pytest.mark.requirement("R001")
def test_what_another_desk_wrote_is_seen_before_anything_is_recorded(place: Place) -> None:
    other = second(place)
    place.desk.do(approve("1"), QA, place.device)
    other.do(approve("2"), By(person="QA-2"), place.device)
    with pytest.raises(Refusal) as found:
        place.desk.do(approve("2"), QA, place.device)
    assert found.value.code == "version-exists"
    pending = place.desk.prepare(approve("3"), QA)
    proofs = [place.device.sign(person, challenge) for person, challenge in pending.challenges()]
    other.do(approve("3"), By(person="QA-2"), place.device)
    with pytest.raises(Refusal) as moved:
        place.desk.commit(pending, proofs)
    assert moved.value.code in ("record-moved", "version-exists")


@pytest.mark.requirement("R001")
def test_of_two_desks_that_race_one_records_and_the_other_is_told(place: Place) -> None:
    desks = ((place.desk, "QA-1"), (second(place), "QA-2"))
    told: list[str] = []
    for n in range(8):
        start = Barrier(2)

        def give(desk: Desk, person: str, version: str, start: Barrier) -> None:
            start.wait()
            try:
                desk.do(approve(version), By(person=person), place.device)
            except Refusal as refusal:
                told.append(refusal.code)

        racing = [Thread(target=give, args=(desk, person, str(n), start)) for desk, person in desks]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join()
    assert told == ["version-exists"] * 8
    assert len(second(place).state(DefinitionState, "recipe").approved["r"]) == 8
