"""Retention by the longest rule that applies (R014)."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright import shipped
from cellwright.factory.definition import read
from cellwright.factory.portfolio.product import LegalBasis
from cellwright.factory.retention import NO_RULE, Anchors, Kept, RecordKind, Retention, Use, keep_until, later

pytestmark = pytest.mark.requirement("R014")

LAW = read(Retention, shipped.content("retention/law.yaml").decode())
EXPIRY, GIVEN, CERTIFIED, ENDED, CLOSED = (
    date(2026, 12, 1), date(2026, 4, 1), date(2026, 3, 20), date(2030, 6, 30), date(2027, 1, 15),
)  # fmt: skip
KNOWN: Anchors = {
    "expiry": EXPIRY, "administration": GIVEN, "certification": CERTIFIED, "trial_end": ENDED, "disposition": CLOSED,
}  # fmt: skip


def kept(record: RecordKind, market: str, basis: LegalBasis = "authorised", changed: Anchors | None = None) -> Kept:
    return keep_until(LAW, [record], [Use("O-1", market, basis, {**KNOWN, **(changed or {})})])


@pytest.mark.parametrize(
    ("record", "market", "basis", "until", "rule"),
    [
        ("traceability", "EU", "authorised", date(2057, 1, 15), "house-traceability"),
        ("distribution", "EU", "authorised", date(2057, 1, 15), "eu-traceability"),
        ("batch_record", "EU", "authorised", date(2031, 3, 20), "eu-batch-certification"),
        ("batch_record", "EU", "trial", date(2035, 6, 30), "eu-batch-trial"),
        ("trial_file", "EU", "trial", date(2055, 6, 30), "eu-trial-master-file"),
        ("test_record", "US", "authorised", date(2037, 1, 15), "us-tissue"),
        ("trial_file", "US", "trial", date(2041, 4, 1), "us-follow-up"),
        ("batch_record", "US", "trial", date(2037, 1, 15), "us-tissue"),
        ("label", "CN", "authorised", date(2037, 1, 15), "fact-labels"),
        ("batch_record", "CN", "authorised", date(2027, 12, 1), "cn-batch"),
        ("trial_file", "CN", "trial", date(2035, 6, 30), "cn-trial"),
        ("traceability", "CN", "trial", date(2057, 1, 15), "house-traceability"),
    ],
)
def test_the_longest_rule_that_applies_counts(
    record: RecordKind, market: str, basis: LegalBasis, until: date, rule: str
) -> None:
    found = kept(record, market, basis)
    assert found.until == until
    assert found.longest is not None
    assert found.longest.rule == rule


def test_thirty_years_after_expiry_are_thirty_years_of_the_calendar() -> None:
    """Regulation (EC) No 1394/2007, Article 15(4): a minimum of thirty years after the expiry date."""
    found = kept("distribution", "EU", changed={"disposition": None})
    end = date(2056, 12, 1)
    assert found.until == end
    assert not found.over(end - timedelta(days=1)), "29 years and 364 days"
    assert not found.over(end), "the last day"
    assert found.over(end + timedelta(days=1))


def test_a_product_in_two_markets_is_kept_by_the_longer_law() -> None:
    uses = [Use("O-1", "CN", "authorised", KNOWN), Use("O-2", "US", "authorised", KNOWN)]
    assert keep_until(LAW, ["batch_record"], uses).until == date(2037, 1, 15)
    assert keep_until(LAW, ["batch_record"], uses[:1]).until == date(2027, 12, 1)


@pytest.mark.parametrize("missing", ["expiry", "administration", "disposition"])
def test_a_moment_that_is_not_known_keeps_the_record(missing: str) -> None:
    anchors = {name: day for name, day in KNOWN.items() if name != missing}
    found = keep_until(LAW, ["traceability"], [Use("O-1", "EU", "authorised", anchors)])
    assert found.until is None
    assert not found.over(date.max)
    assert found.longest is not None
    assert found.longest.unknown == (missing,)


def test_what_never_happened_keeps_nothing() -> None:
    found = kept("traceability", "EU", changed=dict.fromkeys(KNOWN))
    assert found.grounds == ()
    assert found.over(date(2026, 1, 1))


def test_a_market_whose_law_is_not_known_here_keeps_the_record() -> None:
    found = kept("traceability", "BR")
    assert not found.over(date.max)
    assert found.longest is not None
    assert (found.longest.rule, found.longest.unknown) == (NO_RULE, ("BR",))


def test_the_shipped_rules_say_where_they_come_from() -> None:
    assert LAW.markets() == {"CN", "EU", "US"}
    for rule in LAW.rules:
        assert rule.basis.sources or rule.basis.standing == "assumption", rule.id


def test_a_leap_day_ends_never_early() -> None:
    assert later(date(2024, 2, 29), 1) == date(2025, 3, 1)
    assert later(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert later(date(2024, 8, 31), 0, 6) == date(2025, 3, 1)
    assert later(date(2024, 12, 31), 30) == date(2054, 12, 31)


days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@settings(deadline=None, max_examples=100)
@given(days, st.integers(0, 40), st.integers(0, 30))
def test_later_is_never_less_than_the_years_and_months(day: date, years: int, months: int) -> None:
    end = later(day, years, months)
    total = day.year * 12 + day.month + years * 12 + months
    assert (end.year * 12 + end.month, end.day) >= (total, day.day) or end.day == 1
    assert end >= day


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.none() | days), st.sampled_from(["EU", "US", "CN", "BR"]))
def test_one_use_more_never_shortens(anchors: Anchors, market: str) -> None:
    records: list[RecordKind] = ["traceability", "batch_record", "trial_file"]
    first = Use("O-1", "EU", "trial", KNOWN)
    alone = keep_until(LAW, records, [first])
    both = keep_until(LAW, records, [first, Use("O-2", market, "trial", anchors)])
    assert alone.until is not None
    assert both.until is None or both.until >= alone.until
