"""Why a text was not accepted as an identifier.

Parsers raise :class:`IdentifierError`; it carries a :class:`Refusal`, a plain value that says what was read, what was
expected, where it went wrong, and which requirement forbids it. ``scan.interpret`` returns the value instead of raising.
"""

from dataclasses import dataclass
from enum import StrEnum

from cellwright.identifier import wording


class Code(StrEnum):
    """The kind of refusal; the words for people are in :mod:`cellwright.identifier.wording`."""

    EMPTY = "empty"
    WRONG_SYMBOLOGY = "wrong_symbology"
    WRONG_DATA_IDENTIFIER = "wrong_data_identifier"
    WRONG_LENGTH = "wrong_length"
    WRONG_CHARACTER = "wrong_character"
    WRONG_VALUE = "wrong_value"
    CHECK_MISSING = "check_missing"
    CHECK_WRONG = "check_wrong"
    NO_SUCH_DATE = "no_such_date"
    YEAR_NOT_POSSIBLE = "year_not_possible"
    WRONG_COUNT = "wrong_count"
    WRONG_ORDER = "wrong_order"
    NATIONAL_STRUCTURE = "national_structure"
    UNKNOWN_ELEMENT = "unknown_element"
    MISSING_ELEMENT = "missing_element"
    REPEATED_ELEMENT = "repeated_element"
    ENTRIES_DIFFER = "entries_differ"
    SAME_PERSON = "same_person"
    NUMBERS_EXHAUSTED = "numbers_exhausted"
    PERSONAL_DATA = "personal_data"
    OBSOLETE_TEMPLATE = "obsolete_template"
    MISSING_FIELD = "missing_field"
    MISSING_LEGEND = "missing_legend"
    DOES_NOT_FIT = "does_not_fit"
    SYMBOL_UNREADABLE = "symbol_unreadable"
    CONTENT_DIFFERS = "content_differs"
    REASON_MISSING = "reason_missing"
    SUPERSEDED_LABEL = "superseded_label"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused, why, and what would be accepted.

    Attributes:
        code: the kind of refusal.
        scanned: what was read; personal data structures are shortened to their data identifier.
        expected: the name of what would have been accepted, a message of the catalogue.
        form: how that is written, in the standard's own symbols or as a set of characters; not translated.
        requirement: the rule that refuses it, such as ``"R079"``.
        position: first wrong character, counted from 1 in ``scanned``; ``None`` when it is not one character.
        detail: one more fact for the sentence, such as the name of what was scanned instead; a message or plain text.
    """

    code: Code
    scanned: str
    expected: str
    requirement: str
    position: int | None = None
    detail: str = ""
    form: str = ""

    def __str__(self) -> str:
        return wording.sentence(self)


class IdentifierError(ValueError):
    """Raised by every parser and constructor of this library.

    Attributes:
        refusal: the reason as a value, fit to be recorded.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal

    def __str__(self) -> str:
        return str(self.refusal)


def refuse(
    code: Code,
    scanned: str,
    expected: str,
    requirement: str,
    *,
    position: int | None = None,
    detail: str = "",
    form: str = "",
) -> IdentifierError:
    """The exception for one refusal, ready to be raised."""
    return IdentifierError(Refusal(code, scanned, expected, requirement, position, detail, form))
