"""The legends a label must bear, by the donor's status (R069).

Sources: 21 CFR 1271.90(c)(1) and (2) for autologous material and missing evaluation; 1271.60(d)(2) and 1271.65(b)(2) for
the biohazard legend, the warning to the patient and reactive results; ISBT 128 Table 4 separates autologous donations with
and without biohazard. Both languages are printed, whatever the screen speaks.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class Bilingual:
    """Controlled text in both languages of the house (D24)."""

    en: str
    zh: str

    def __post_init__(self) -> None:
        assert self.en and self.zh, "controlled text has both languages"

    def __str__(self) -> str:
        return self.en if self.en == self.zh else f"{self.en} / {self.zh}"


class Legend(StrEnum):
    """A warning or statement that the law or the standard puts on the label."""

    SIMULATED = "simulated"
    AUTOLOGOUS_ONLY = "autologous_only"
    BIOHAZARD = "biohazard"
    REACTIVE = "reactive"
    ADVISE_PATIENT = "advise_patient"
    NOT_EVALUATED = "not_evaluated"
    INVESTIGATIONAL = "investigational"


_WORDS: Final = {
    Legend.SIMULATED: Bilingual("SIMULATED, NOT FOR HUMAN USE", "模拟，不得用于人体"),
    Legend.AUTOLOGOUS_ONLY: Bilingual("FOR AUTOLOGOUS USE ONLY", "仅供自体使用"),
    Legend.BIOHAZARD: Bilingual("BIOHAZARD", "生物危害"),
    Legend.REACTIVE: Bilingual("WARNING: Reactive test results for {en}", "警告：{zh}检测结果呈反应性"),
    Legend.ADVISE_PATIENT: Bilingual(
        "WARNING: Advise patient of communicable disease risks", "警告：告知患者传染病风险"
    ),
    Legend.NOT_EVALUATED: Bilingual("NOT EVALUATED FOR INFECTIOUS SUBSTANCES", "未作感染性物质评价"),
    Legend.INVESTIGATIONAL: Bilingual(
        "Caution: New Drug. Limited by law to investigational use.", "注意：试验用药，依法仅限临床研究使用"
    ),
}


class Recipient(StrEnum):
    """Who will receive the cells."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


@dataclass(frozen=True, slots=True)
class DonorStatus:
    """What is known of the donor when the label is printed.

    Attributes:
        recipient: whether the donor is the recipient.
        screening_complete: whether history and examination were taken in full; unknown counts as not.
        testing_complete: whether every required test has its result; unknown counts as not.
        risk: whether a risk factor or clinical evidence of a communicable disease was found.
        reactive: the agents or diseases whose test was reactive.
    """

    recipient: Recipient
    screening_complete: bool
    testing_complete: bool
    risk: bool = False
    reactive: tuple[Bilingual, ...] = ()

    @property
    def evaluated(self) -> bool:
        """Whether screening and testing are both complete."""
        return self.screening_complete and self.testing_complete

    @property
    def hazardous(self) -> bool:
        """Whether a risk or a reactive test was found."""
        return self.risk or bool(self.reactive)


@dataclass(frozen=True, slots=True)
class PrintedLegend:
    """A legend with its words filled in."""

    legend: Legend
    text: Bilingual


def required_legends(
    status: DonorStatus | None, *, investigational: bool = False, simulated: bool = False
) -> tuple[PrintedLegend, ...]:
    """The legends of a label, most important first.

    Args:
        status: what is known of the donor; None for stock, which comes from nobody.
        investigational: whether the product is under a clinical trial.
        simulated: whether the site is a simulated one (D12).
    """
    wanted = {
        Legend.SIMULATED: simulated,
        **(_of_donor(status) if status is not None else {}),
        Legend.INVESTIGATIONAL: investigational,
    }
    return tuple(PrintedLegend(legend, _words(legend, status)) for legend, needed in wanted.items() if needed)


def _of_donor(status: DonorStatus) -> dict[Legend, bool]:
    allogeneic = status.recipient is Recipient.ALLOGENEIC
    return {
        Legend.AUTOLOGOUS_ONLY: not allogeneic,
        Legend.BIOHAZARD: status.hazardous,
        Legend.REACTIVE: bool(status.reactive),
        Legend.ADVISE_PATIENT: allogeneic and (status.hazardous or not status.evaluated),
        Legend.NOT_EVALUATED: not status.evaluated,
    }


def _words(legend: Legend, status: DonorStatus | None) -> Bilingual:
    words = _WORDS[legend]
    if legend is not Legend.REACTIVE or status is None:
        return words
    english, chinese = (agent.en for agent in status.reactive), (agent.zh for agent in status.reactive)
    return Bilingual(words.en.format(en=", ".join(english)), words.zh.format(zh="、".join(chinese)))
