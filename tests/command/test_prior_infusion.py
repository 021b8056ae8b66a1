"""An earlier infusion is read from the site's own record, by chain of identity and product together."""

from collections.abc import Iterator

import pytest

from cellwright.command.demo.run import Demo, open_demo
from cellwright.command.prior_infusion import infused
from cellwright.factory.order.state import OrderState


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = open_demo(tmp_path_factory.mktemp("prior") / "site")
    made.run(1, lambda done, total: None)
    yield made
    made.site.close()


def test_what_was_given_under_a_chain_counts_for_its_product_only(demo: Demo) -> None:
    way = demo.ways[0]
    patient = way.patient
    assert demo.site.desk.state(OrderState, patient.order).given
    assert infused(demo.site, patient.coi, "ARI-0001") is True
    assert infused(demo.site, patient.coi, "CAR-T-19") is None, "the chain is of another product"
    assert infused(demo.site, "CHA0", "ARI-0001") is None, "no such chain"
