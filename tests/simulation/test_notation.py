"""The file form: the same data as the builder's, and every error with its line."""

import json

import msgspec
import pytest

from cellwright import language
from cellwright.simulation import Found, Model, ModelData, exponential, notation, triangular, vocabulary
from tests.simulation.models import everything

CLINIC = """\
name: clinic
unit: min
resources:
  nurse: 2
  room: {capacity: 3, calendar: [[0, 3], [600, 1]], period: 1440}
stocks: {kit: 4}
processes:
  visit:
    arrivals: {exponential: 10}
    rate: [[0, 2], [720, 0]]
    period: 1440
    steps:
      - use: nurse
        for: {triangular: [5, 10, 30]}
      - take: kit
      - acquire: {nurse: 1, room: 1}
        patience: 60
        otherwise: away
      - delay: 20
      - release: {nurse: 1, room: 1}
      - measure: stay
      - end
      - label: away
      - count: away
breakdowns:
  room: {between: {exponential: 5000}, repair: 60, interrupts: false}
found:
  - {process: visit, at: 5}
"""


def test_a_file_is_the_builders_data() -> None:
    m = Model("clinic", unit="min")
    m.resource("nurse", 2)
    m.resource("room", 3, calendar=[(0, 3), (600, 1)], period=1440)
    m.stock("kit", 4)
    m.breakdown("room", exponential(5000), 60, interrupts=False)
    p = m.process("visit", arrivals=exponential(10), rate=[(0, 2), (720, 0)], period=1440)
    p.use("nurse", triangular(5, 10, 30)).take("kit").acquire({"nurse": 1, "room": 1}, patience=60, otherwise="away")
    p.delay(20).release({"nurse": 1, "room": 1}).measure("stay").end().label("away").count("away")
    m.given([Found(process="visit", at=5)])
    read = notation.read(CLINIC)
    assert read == m.data() and read.sha256 == m.data().sha256


def test_every_step_is_written_and_read_again_the_same() -> None:
    data = everything().data()
    assert notation.read(vocabulary.dump(data)) == data
    assert msgspec.json.decode(msgspec.json.encode(data), type=ModelData) == data
    said = {next(iter(one)) for p in vocabulary.written_model(data)["processes"].values() for one in p["steps"]}
    assert said >= set(vocabulary.STEPS) - {"use"}


def test_the_schema_knows_every_word() -> None:
    schema = vocabulary.schema()
    json.dumps(schema)
    words = {one["required"][0] for one in schema["$defs"]["step"]["oneOf"] if "required" in one}
    assert words == set(vocabulary.STEPS)


def test_every_error_of_a_file_is_told_at_once_with_its_line() -> None:
    text = """\
name: wrong
resources:
  nurse: two
  room: {capcity: 3}
processes:
  visit:
    arrivals: {exponential: -1}
    steps:
      - use: nurse
      - acquire: nurse
        patiance: 5
      - delay: {triangle: [1, 2, 3]}
      - delay: {triangular: [1, 2]}
      - fly: away
"""
    with pytest.raises(notation.FileError) as caught:
        notation.read(text, "wrong.yaml")
    lines = [line for line, _what in caught.value.problems]
    assert lines == [3, 4, 4, 7, 9, 11, 12, 13, 14]
    assert str(caught.value).startswith("wrong.yaml:3: A whole number is expected here, not two.")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("      - release: {nurse: 1, room: 1}\n", ""), 21, "still holds 1 nurse, 1 room"),
        (("{nurse: 1, room: 1}\n        patience", "{nurse: 9, room: 1}\n        patience"), 16, "never has more than 2"),
        (("otherwise: away", "otherwise: gone"), 16, "gone"),
        (("[[0, 3], [600, 1]]", "[[0, 0], [600, 0]]"), 5, "nobody ever works"),
        (("  room: {between", "  cellar: {between"), 26, "cellar"),
        (("- take: kit", "- take: nurse"), 15, "take and put use stocks"),
        (("name: clinic", "name: &a clinic\nunit: *a"), 1, "References"),
        (("name: clinic", "name: [clinic"), 2, "not YAML"),
    ],
)  # fmt: skip
def test_an_error_of_the_whole_has_the_line_of_its_place(change: tuple[str, str], line: int, says: str) -> None:
    with pytest.raises(notation.FileError, match=says) as caught:
        notation.read(CLINIC.replace(*change))
    assert caught.value.problems[0][0] == line
    with language.use("zh-Hans"), pytest.raises(notation.FileError) as caught:
        notation.read(CLINIC.replace(*change))
    assert caught.value.problems[0][0] == line
