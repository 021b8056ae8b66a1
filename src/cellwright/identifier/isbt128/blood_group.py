"""Blood group, data structure 002: ``=%`` g g r e (ST-001 2.4.2, Tables 4 and 5).

``gg`` gives ABO and RhD together with the type of donation, among them the autologous ones, or a special message. Codes of
rarer groups are kept as they are and called unknown. ``r`` (further phenotypes) is kept and not interpreted; ``e`` is 0.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import Identifier, Layout
from cellwright.language import N_

DATA_IDENTIFIER: Final = "=%"


class DonationType(StrEnum):
    """What the donation may be used for (ST-001 Table 4)."""

    UNSPECIFIED = "not_specified"
    DIRECTED = "directed_use_only"
    EMERGENCY = "emergency_use_only"
    DIRECTED_BIOHAZARD = "directed_biohazardous"
    DIRECTED_CROSSOVER = "directed_eligible_for_crossover"
    AUTOLOGOUS_CROSSOVER = "autologous_eligible_for_crossover"
    AUTOLOGOUS_ONLY = "autologous_use_only"
    AUTOLOGOUS_BIOHAZARD = "autologous_use_only_biohazardous"


class SpecialMessage(StrEnum):
    """A message in the place of the blood group (ST-001 Table 5)."""

    NO_INFORMATION = "00"
    AUTOLOGOUS_COLLECTION = "Ma"
    BIOHAZARDOUS = "Mb"
    DISCARD = "Md"
    FRACTIONATION_ONLY = "Mf"
    QUARANTINE = "Mq"
    RESEARCH_ONLY = "Mr"
    NOT_FOR_TRANSFUSION = "Mx"


#: ``gg`` of a group when the donation type is not specified.
_UNSPECIFIED: Final = {
    "O RhD negative": 95,
    "O RhD positive": 51,
    "A RhD negative": 6,
    "A RhD positive": 62,
    "B RhD negative": 17,
    "B RhD positive": 73,
    "AB RhD negative": 28,
    "AB RhD positive": 84,
}
#: What the donation type adds to it.
_OFFSET: Final = {
    DonationType.UNSPECIFIED: 0,
    DonationType.DIRECTED: -4,
    DonationType.EMERGENCY: -3,
    DonationType.DIRECTED_BIOHAZARD: -2,
    DonationType.DIRECTED_CROSSOVER: -1,
    DonationType.AUTOLOGOUS_CROSSOVER: 1,
    DonationType.AUTOLOGOUS_ONLY: 2,
    DonationType.AUTOLOGOUS_BIOHAZARD: 3,
}
_MEANING: Final = {
    f"{base + offset:02d}": (group, donation)
    for group, base in _UNSPECIFIED.items()
    for donation, offset in _OFFSET.items()
}
_MESSAGES: Final = {message.value: message for message in SpecialMessage}
GROUPS: Final = tuple(_UNSPECIFIED)
_AUTOLOGOUS: Final = frozenset(
    {DonationType.AUTOLOGOUS_CROSSOVER, DonationType.AUTOLOGOUS_ONLY, DonationType.AUTOLOGOUS_BIOHAZARD}
)


@dataclass(frozen=True, slots=True, order=True)
class BloodGroup(Identifier):
    """The four characters ``ggre``. Raises IdentifierError for other text."""

    LAYOUT: ClassVar[Layout] = Layout(N_("blood group"), ("0-9A-Z", "0-9a-z", "0-9A-Z", "0"), "R079", "ggre")

    @property
    def group(self) -> str | None:
        """ABO and RhD, one of :data:`GROUPS`; ``None`` when the code gives none or is not known here."""
        return _MEANING.get(self.text[:2], (None, None))[0]

    @property
    def donation_type(self) -> DonationType | None:
        """What the donation may be used for, ``None`` when the code does not say."""
        return _MEANING.get(self.text[:2], (None, None))[1]

    @property
    def message(self) -> SpecialMessage | None:
        """The special message, if it is one."""
        return _MESSAGES.get(self.text[:2])

    @property
    def is_autologous(self) -> bool:
        """Whether the code says that the donor is the recipient."""
        return self.donation_type in _AUTOLOGOUS or self.message is SpecialMessage.AUTOLOGOUS_COLLECTION

    @property
    def is_biohazard(self) -> bool:
        """Whether the code asks for the biohazard legend."""
        hazardous = (DonationType.AUTOLOGOUS_BIOHAZARD, DonationType.DIRECTED_BIOHAZARD)
        return self.donation_type in hazardous or self.message is SpecialMessage.BIOHAZARDOUS

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{DATA_IDENTIFIER}{self.text}"


def blood_group(group: str, donation: DonationType = DonationType.UNSPECIFIED) -> BloodGroup:
    """The code of a group, one of :data:`GROUPS`, and a type of donation.

    Raises:
        IdentifierError: a group that is not in the list.
    """
    if group not in _UNSPECIFIED:
        raise refuse(Code.WRONG_VALUE, group, BloodGroup.LAYOUT.name, "R079", detail=group, form=" | ".join(GROUPS))
    return BloodGroup(f"{_UNSPECIFIED[group] + _OFFSET[donation]:02d}00")
