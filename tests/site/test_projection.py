"""The projections: exactly what the record says, made again at any time, never half."""

from typing import Any

import pytest
from django.db import DatabaseError

from cellwright.site import models
from cellwright.site.house import House

TABLES: tuple[Any, ...] = (models.Entry, models.Lot, models.Order, models.Room, models.Case)


def rows(house: House) -> dict[str, list[dict[str, Any]]]:
    house.projector.wait(house.desk.ledger.head().size)
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in TABLES}


def test_what_is_made_again_is_the_same(house: House) -> None:
    before = rows(house)
    assert len(before["Entry"]) == house.desk.ledger.head().size and before["Lot"] and before["Order"]
    house.projector.rebuild()
    assert models.Entry.objects.count() == 0
    again = rows(house)
    for name in ("Entry", "Room", "Case"):
        assert again[name] == before[name]
    kept = ("lot", "coi", "status", "step", "done", "doubt", "open_findings", "release")
    assert [{k: r[k] for k in kept} for r in again["Lot"]] == [{k: r[k] for k in kept} for r in before["Lot"]]
    assert [r["stage"] for r in again["Order"]] == [r["stage"] for r in before["Order"]]


def test_rows_and_cursor_are_written_together_or_not_at_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(house)
    house.projector.rebuild()

    def fails(self: object, events: object) -> None:
        models.Entry.objects.create(position=0, at="", actor="", type="", stream="", coi="", text="")
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(house.projector), "_write", fails)
        with pytest.raises(DatabaseError):
            house.projector.follow()
    assert models.Entry.objects.count() == 0 and house.projector.position == 0
    assert len(rows(house)["Entry"]) == house.desk.ledger.head().size


def test_live_pages_hear_of_their_own_tags_only(house: House) -> None:
    rows(house)
    house.projector.recent.clear()
    lot = models.Lot.objects.first()
    assert lot is not None
    position = house.projector.position
    assert not house.projector.touched(position, frozenset())
    house.projector.recent.append((position - 1, frozenset({f"coi/{lot.coi}"})))
    assert house.projector.touched(position - 1, frozenset({f"coi/{lot.coi}"}))
    assert not house.projector.touched(position - 1, frozenset({"coi/other"}))
