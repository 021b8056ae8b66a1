"""Which totals fit a count and its printed share: the two figures of the cluster, and the property itself."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.factory.portfolio.share import Totals, common, totals


def test_the_two_figures_of_the_cluster() -> None:
    """106 drugs are 57 % of the city in 2024-H1; 27 were 43.55 % in 2022 (subsites.chinadaily.com.cn, 2023-09-13)."""
    assert totals(106, Decimal("57")) == Totals(185, 187)
    assert totals(27, Decimal("43.55")).exact == 62


def test_shares_that_contradict_each_other_have_no_common_total() -> None:
    assert common([totals(106, Decimal("57")), totals(27, Decimal("43.55"))]).none
    assert common([totals(106, Decimal("57")), totals(93, Decimal("50"))]) == Totals(185, 187)


@pytest.mark.parametrize(("count", "share"), [(0, "57"), (-1, "57"), (5, "0"), (5, "101"), (1, "0"), (5, "0.00")])
def test_what_allows_no_total_is_refused(count: int, share: str) -> None:
    with pytest.raises(ValueError, match="%"):
        totals(count, Decimal(share))


@given(st.integers(1, 3000), st.integers(0, 3000), st.integers(0, 3))
@settings(deadline=None, max_examples=200)
def test_the_true_total_is_always_among_them(count: int, others: int, decimals: int) -> None:
    total = count + others
    share = (Decimal(100 * count) / total).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if share > Decimal(1).scaleb(-decimals) / 2:
        found = totals(count, share)
        assert found.first <= total <= found.last
        for near in (found.first - 1, found.last + 1):
            if near >= count:
                assert (Decimal(100 * count) / near).quantize(share, ROUND_HALF_UP) != share
