"""Definition files: every problem of a file at once, each at its line, and nothing read from a broken file."""

from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.factory.definition import Basis, Broken, Definition, Entry, Flaw, Name, Text, examine, read, write
from cellwright.factory.notation import duration


class Inner(Entry):
    amount: Decimal
    wait: timedelta = timedelta()
    day: date | None = None
    count: int = 1
    ok: bool = False
    basis: Basis = Basis(grade="X")


class Sample(Definition):
    name: Text
    items: tuple[Inner, ...] = ()
    limits: dict[str, Decimal] = msgspec.field(default_factory=dict)
    other: Name | None = None

    def check(self):  # type: ignore[no-untyped-def]
        for index, item in enumerate(self.items):
            if item.amount > 100:
                yield Flaw(("items", index, "amount"), "{n} is too much.", expected="at most 100", n=item.amount)


GOOD = """\
id: sample
version: "1"
name: {en: Sample, zh: 样品}
items:
  - {amount: "0.50", wait: P1DT30M, day: 2024-02-29, count: 3, ok: true}
  - amount: 7
    basis: {grade: A, source: S1}
limits: {low: "1e-3"}
sources: {S1: a paper}
"""


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(Broken) as caught:
        read(Sample, text, "f.yaml")
    assert all(p.file == "f.yaml" and p.expected for p in caught.value.problems)
    return [(p.line, p.where) for p in caught.value.problems]


def test_a_good_file_is_read_exactly() -> None:
    got = read(Sample, GOOD)
    assert got.items[0] == Inner(
        amount=Decimal("0.50"), wait=timedelta(days=1, minutes=30), day=date(2024, 2, 29), count=3, ok=True
    )
    assert str(got.items[0].amount) == "0.50"
    assert got.items[1].amount == 7
    assert got.limits == {"low": Decimal("0.001")}
    assert got.sha256 == sha256(GOOD.encode()).hexdigest()
    assert got.name.as_dict() == {"en": "Sample", "zh": "样品"}


def test_every_problem_of_a_file_is_reported_at_once_with_its_line() -> None:
    text = """\
id: 17
version: "1"
name: {en: Sample, zh: ""}
items:
  - amount: 0.5
  - wait: P1M
    amount: "many"
    cuont: 3
  - amount: "101"
    day: 2023-02-29
    ok: yes
    basis: {grade: B}
  - amount: "102"
    basis: {grade: A, source: "S1, S2"}
limits: [1]
version: "2"
sources: {S1: a paper, S3: another}
"""
    assert problems(text) == [
        (1, "id"),
        (3, "name.zh"),
        (5, "items[0].amount"),
        (6, "items[1].wait"),
        (7, "items[1].amount"),
        (8, "items[1].cuont"),
        (9, "items[2].amount"),
        (10, "items[2].day"),
        (11, "items[2].ok"),
        (12, "items[2].basis.grade"),
        (13, "items[3].amount"),
        (14, "items[3].basis.source"),
        (15, "limits"),
        (16, "version"),
        (17, "sources.S3"),
    ]


def test_a_problem_says_what_is_wrong_and_what_is_expected() -> None:
    sheet = examine(Sample, GOOD.replace('"0.50"', "0.50"), "x.yaml")
    assert list(map(str, sheet.problems)) == [
        "x.yaml:5: items[0].amount: '0.50' stands here. Expected: the decimal in quotes: \"0.50\""
    ]
    near = examine(Sample, GOOD.replace("items:", "itmes:"), "x.yaml").problems
    assert "Expected: items (?)" in str(near[0])


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("other: no", "other"),
        ("other: 1:30", "other"),
        ("other: 010", "other"),
        ("other: 1_000", "other"),
        ("other: .inf", "other"),
        ("other: !!str x", None),
        ("other: !!python/object:os.system {}", "other"),
        ("other: [x]", "other"),
        ("other: {x: y}", "other"),
        ("<<: {version: x}", "<<"),
        ("sha256: abc", "sha256"),
        ("? [a, b]\n: c", ""),
    ],
)
def test_what_yaml_would_guess_is_refused(line: str, path: str | None) -> None:
    text = GOOD + line + "\n"
    if path is None:
        assert read(Sample, text).other == "x"
    else:
        assert problems(text) == [(text.rstrip().count("\n") + 1 - line.count("\n"), path)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("a: [1, 2\nb: 3\n", 2),
        ("a: b: c\n", 1),
        ("x: &a [1]\ny: *a\n", 2),
        ("x: " + "[" * 60 + "]" * 60, 1),
        ("a: \x00", 1),
        ("- 1\n", 1),
        ("x" * 1_000_001, 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
)
def test_what_is_no_file_of_ours_is_refused_in_one_sentence(text: str, line: int) -> None:
    assert [p for p, _ in problems(text)] == [line]


def test_nulls_and_empty_lists_are_what_they_say() -> None:
    got = read(Sample, 'id: a\nversion: "1"\nname: {en: a, zh: b}\nother: ~\nitems: []\n')
    assert got.other is None
    assert got.items == ()


@pytest.mark.parametrize("text", ["P", "PT", "P1M", "P1Y", "1D", "P-1D", "PT1.5H", "P1DT", "pt1h"])
def test_durations_without_a_fixed_length_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        duration(text)


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations_mean_their_sum(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"P{days}DT{hours}H{minutes}M{seconds}S"
    assert duration(text) == timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@given(st.text(max_size=200))
def test_no_text_brings_the_reader_down(text: str) -> None:
    sheet = examine(Sample, text, "any")
    assert sheet.problems
    assert all(p.line >= 1 and str(p) for p in sheet.problems)


@given(st.data())
def test_no_single_edit_of_a_good_file_brings_the_reader_down(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(st.text(alphabet='{}[]:,"- \nab1.0*&!', max_size=6))
    sheet = examine(Sample, GOOD[:at] + put + GOOD[at + cut :], "any")
    assert sheet.problems or sheet.value is not None


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1).filter(str.strip))
def test_any_text_survives_writing_and_reading(text: str) -> None:
    made = Sample(
        id="a",
        version="1",
        name=Text(en=text, zh="样品"),
        items=(Inner(amount=Decimal("0.10"), day=date(2024, 2, 29)),),
    )
    again = read(Sample, write(made))
    assert msgspec.structs.replace(again, sha256="") == made


@pytest.mark.parametrize(
    "text", ["no", "1", "0.5", "08:00", "2026-03-02", "~", "null", "*a", "&a", "!t", "# x", "a: b", "- a"]
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    made = Sample(id="a", version="1", name=Text(en=text, zh=text))
    assert read(Sample, write(made)).name.en == text
