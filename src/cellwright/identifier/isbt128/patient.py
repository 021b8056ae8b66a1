"""Patient data: date of birth, 024: ``=#`` aa yyyymmdd, and patient number, 025: ``&#`` aa ll x… (ST-001 2.4.24, 2.4.25).

``aa`` says where in the hospital the code was made. Both are personal data: they are compared at the bedside and kept out
of the record (R062, R075), so no ``repr`` shows them.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cellwright.identifier.refusal import Code, refuse
from cellwright.identifier.text import DIGIT, Layout
from cellwright.language import N_

BIRTH_DATA_IDENTIFIER: Final = "=#"
NUMBER_DATA_IDENTIFIER: Final = "&#"
_PLACE: Final = "0-9A-Za-z"
_BIRTH: Final = Layout(N_("patient date of birth"), (_PLACE, _PLACE, *(DIGIT,) * 8), "R079", "aayyyymmdd")
_NUMBER_HEAD: Final = Layout(N_("patient number"), (_PLACE, _PLACE, DIGIT, DIGIT), "R079", "aall")
#: What stands in a refusal in the place of personal data.
HIDDEN: Final = "…"


@dataclass(frozen=True, slots=True)
class PatientBirthDate:
    """A date of birth as coded on a wristband."""

    location: str
    day: date = field(repr=False)

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{BIRTH_DATA_IDENTIFIER}{self.location}{self.day:%Y%m%d}"


@dataclass(frozen=True, slots=True)
class PatientNumber:
    """A hospital's number of a patient as coded on a wristband."""

    location: str
    number: str = field(repr=False)

    @property
    def data_structure(self) -> str:
        """The text of a symbol."""
        return f"{NUMBER_DATA_IDENTIFIER}{self.location}{len(self.number):02d}{self.number}"


def read_birth_date(structure: str) -> PatientBirthDate:
    """A date of birth from a scan.

    Raises:
        IdentifierError: other data identifier (R079), wrong layout, no such date; the text read is not repeated.
    """
    body = _body(structure, BIRTH_DATA_IDENTIFIER, _BIRTH)
    _check_hidden(_BIRTH, body, BIRTH_DATA_IDENTIFIER)
    try:
        day = date(int(body[2:6]), int(body[6:8]), int(body[8:10]))
    except ValueError:
        hidden = BIRTH_DATA_IDENTIFIER + HIDDEN
        raise refuse(Code.NO_SUCH_DATE, hidden, _BIRTH.name, "R079", detail=HIDDEN, form=_BIRTH.shown) from None
    return PatientBirthDate(body[:2], day)


def read_patient_number(structure: str) -> PatientNumber:
    """A patient number from a scan.

    Raises:
        IdentifierError: other data identifier (R079), a length that is not the stated one; the text is not repeated.
    """
    body = _body(structure, NUMBER_DATA_IDENTIFIER, _NUMBER_HEAD)
    _check_hidden(_NUMBER_HEAD, body[:4], NUMBER_DATA_IDENTIFIER)
    number, stated = body[4:], int(body[2:4])
    if len(number) != stated or not number or not number.isascii() or not number.isprintable():
        lengths, hidden = f"{len(number)} / {stated}", NUMBER_DATA_IDENTIFIER + HIDDEN
        raise refuse(Code.WRONG_LENGTH, hidden, _NUMBER_HEAD.name, "R079", detail=lengths, form="aallx…")
    return PatientNumber(body[:2], number)


def _body(structure: str, data_identifier: str, layout: Layout) -> str:
    if structure[:2] != data_identifier:
        found = structure[:2]
        raise refuse(
            Code.WRONG_DATA_IDENTIFIER, found + HIDDEN, layout.name, "R079", detail=found, form=data_identifier
        )
    return structure[2:]


def _check_hidden(layout: Layout, body: str, data_identifier: str) -> None:
    layout.check(body, data_identifier + HIDDEN, 2)
