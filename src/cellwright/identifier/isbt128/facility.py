"""Facility Identification Number (FIN): who assigned the number. ICCBBA allocates them; ``A9999`` is for tests only."""

from dataclasses import dataclass
from typing import ClassVar, Final

from cellwright.identifier.text import DIGIT, Identifier, Layout
from cellwright.language import N_

#: First character of a FIN: no letter O and no digit 0 (ST-001 2.4.1).
FIRST: Final = "A-NP-Z1-9"
#: Second and third character of a FIN: no letter O.
SECOND: Final = "A-NP-Z0-9"
#: The five places of a FIN, which open donation, chain-of-identity and consignment numbers.
PLACES: Final = (FIRST, SECOND, SECOND, DIGIT, DIGIT)


@dataclass(frozen=True, slots=True, order=True)
class FacilityNumber(Identifier):
    """A FIN such as ``A9999``. Raises IdentifierError for other text."""

    LAYOUT: ClassVar[Layout] = Layout(N_("facility identification number"), PLACES, "R076", "αpppp")


#: The FIN of the standard's own examples, used by every simulated site and by no real one.
DEMO: Final = FacilityNumber("A9999")
