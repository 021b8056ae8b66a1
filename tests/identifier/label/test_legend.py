"""Legends by the donor's status. 21 CFR 1271.90(c), 1271.60(d)(2), 1271.65(b)(2)."""

import itertools
from typing import Any

import pytest

from cellwright.identifier.label import Bilingual, DonorStatus, Legend, Recipient, required_legends

SYPHILIS = Bilingual("syphilis", "梅毒")
HEPATITIS = Bilingual("hepatitis B virus", "乙型肝炎病毒")
A, L = Recipient.AUTOLOGOUS, Recipient.ALLOGENEIC


def _status(recipient: Recipient, *, evaluated: bool = True, **found: Any) -> DonorStatus:
    return DonorStatus(recipient, screening_complete=evaluated, testing_complete=evaluated, **found)


@pytest.mark.requirement("R069")
@pytest.mark.parametrize(
    ("status", "legends"),
    [
        (_status(A), {Legend.AUTOLOGOUS_ONLY}),
        (_status(A, evaluated=False), {Legend.AUTOLOGOUS_ONLY, Legend.NOT_EVALUATED}),
        (_status(A, risk=True), {Legend.AUTOLOGOUS_ONLY, Legend.BIOHAZARD}),
        (_status(A, reactive=(SYPHILIS,)), {Legend.AUTOLOGOUS_ONLY, Legend.BIOHAZARD, Legend.REACTIVE}),
        (_status(L), set()),
        (_status(L, evaluated=False), {Legend.NOT_EVALUATED, Legend.ADVISE_PATIENT}),
        (_status(L, risk=True), {Legend.BIOHAZARD, Legend.ADVISE_PATIENT}),
        (_status(L, reactive=(SYPHILIS,)), {Legend.BIOHAZARD, Legend.ADVISE_PATIENT, Legend.REACTIVE}),
    ],
)
def test_legends_by_donor_status(status: DonorStatus, legends: set[Legend]) -> None:
    assert {printed.legend for printed in required_legends(status)} == legends


@pytest.mark.requirement("R069")
@pytest.mark.parametrize(("screening", "testing"), [(False, True), (True, False)])
def test_half_an_evaluation_is_none(screening: bool, testing: bool) -> None:
    legends = {printed.legend for printed in required_legends(DonorStatus(A, screening, testing))}
    assert Legend.NOT_EVALUATED in legends


@pytest.mark.requirement("R069")
def test_every_combination_says_whose_use_or_nothing_and_never_hides_a_hazard() -> None:
    for recipient, evaluated, risk, agents in itertools.product(
        Recipient, (True, False), (True, False), ((), (SYPHILIS,))
    ):
        status = _status(recipient, evaluated=evaluated, risk=risk, reactive=agents)
        legends = {printed.legend for printed in required_legends(status)}
        assert (Legend.AUTOLOGOUS_ONLY in legends) == (recipient is A)
        assert (Legend.BIOHAZARD in legends) == (risk or bool(agents))
        assert (Legend.REACTIVE in legends) == bool(agents)
        assert (Legend.NOT_EVALUATED in legends) == (not evaluated)


def test_the_agent_is_named_in_both_languages() -> None:
    status = _status(A, reactive=(SYPHILIS, HEPATITIS))
    text = next(printed.text for printed in required_legends(status) if printed.legend is Legend.REACTIVE)
    assert text.en == "WARNING: Reactive test results for syphilis, hepatitis B virus"
    assert text.zh == "警告：梅毒、乙型肝炎病毒检测结果呈反应性"


def test_a_simulated_label_says_so_first() -> None:
    legends = required_legends(_status(A), simulated=True, investigational=True)
    assert legends[0].legend is Legend.SIMULATED
    assert legends[0].text.en == "SIMULATED, NOT FOR HUMAN USE"
    assert legends[-1].legend is Legend.INVESTIGATIONAL
