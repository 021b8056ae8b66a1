"""Figures and times that would let something hold for ever, or be nothing."""

import pytest

from cellwright.factory.order.figure import day
from cellwright.factory.plant import MaterialState
from cellwright.factory.plant.material import ReceiveMaterial
from cellwright.factory.quality.laboratory import Qualify
from cellwright.factory.rule import Refusal
from tests.factory.plant.test_plant_states import plant
from tests.factory.quality.setting import Laboratory
from tests.factory.world import FakeWorld


@pytest.mark.requirement("R044")
@pytest.mark.parametrize("until", ["zzzz", "~", "20991231", "2099-W01-1", "2099-12-3１", ""])
def test_a_laboratory_is_not_qualified_until_a_day_that_is_none(until: str) -> None:
    bench = Laboratory()
    with pytest.raises(Refusal) as found:
        bench.do(Qualify(laboratory="l", tests=("viability",), until=until, document_sha256="0" * 64), "QA-1")
    assert found.value.code in ("not-a-day", "qualification-empty")


@pytest.mark.requirement("R044")
def test_a_day_is_written_in_one_way() -> None:
    assert day("on", "2026-03-02").isoformat() == "2026-03-02"
    for text in ("20260302", "2026-W10-1", "2026-3-2", "２026-03-02"):
        with pytest.raises(Refusal):
            day("on", text)


@pytest.mark.requirement("R049")
@pytest.mark.parametrize(
    "odd",
    [{"quantity": q} for q in ("NaN", "-5", "1e400", "０", "0", "")]
    + [{"expiry": e} for e in ("~", "zzzz", "2099-12-31", "")],
)
def test_a_delivery_has_a_figure_and_a_last_day(odd: dict[str, str]) -> None:
    world = FakeWorld()
    world.define("site", plant())
    world.person("WH-1", "warehouse")
    plain = {"plant": "site", "material": "V-7", "code": "vector", "supplier_batch": "B", "quantity": "1",
             "expiry": "2026-06-01T00:00:00.000000Z"}  # fmt: skip
    with pytest.raises(Refusal) as found:
        world.do(ReceiveMaterial(**{**plain, **odd}), "WH-1")
    assert found.value.code in ("not-a-number", "not-positive", "not-a-time")
    world.do(ReceiveMaterial(**{**plain, "expiry": "2026-06-01T00:00:00Z"}), "WH-1")
    assert world.load(MaterialState, "V-7").expiry == "2026-06-01T00:00:00.000000Z", "as times compare as text"
