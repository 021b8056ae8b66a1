"""What a refusal says to a person, in the language of the house."""

from collections.abc import Mapping
from typing import Final, Protocol

from cellwright.language import N_, _

#: One sentence per :class:`cellwright.identifier.refusal.Code`.
SENTENCES: Final[Mapping[str, str]] = {
    "empty": N_("Nothing was read; {expected} is expected."),
    "wrong_symbology": N_("{scanned} was read from the wrong kind of symbol ({detail}); {expected} is expected."),
    "wrong_data_identifier": N_("{scanned} is {detail}; {expected} is expected. Scan the right code."),
    "wrong_length": N_("{scanned} has the wrong length ({detail}); {expected} is expected."),
    "wrong_character": N_("{scanned} has a wrong character at position {position}; {expected} is expected there."),
    "wrong_value": N_("{scanned} is not possible ({detail}); {expected} is expected."),
    "check_missing": N_("{scanned} was typed without its check character; type {expected}."),
    "check_wrong": N_("The check of {scanned} is wrong: a character was misread or mistyped. Read {expected} again."),
    "no_such_date": N_("{scanned} is no date of the calendar ({detail}); {expected} is expected."),
    "year_not_possible": N_("The year in {scanned} cannot be that of {detail}; {expected} is expected."),
    "wrong_count": N_("{scanned} does not hold the stated number of codes ({detail}); {expected} is expected."),
    "wrong_order": N_("{scanned} holds its codes in another order ({detail}); {expected} is expected."),
    "national_structure": N_("{scanned} holds a code of national meaning ({detail}); {expected} is expected."),
    "unknown_element": N_("{scanned} holds an element this system does not know ({detail}); {expected} is expected."),
    "missing_element": N_("{scanned} lacks {detail}; {expected} is expected."),
    "repeated_element": N_("{scanned} says {detail} twice, and differently; {expected} is expected."),
    "entries_differ": N_("The two entries differ at position {position}; type {expected} again from the label."),
    "same_person": N_("{detail} typed it and cannot confirm it; {expected} is expected."),
    "numbers_exhausted": N_("No number is left after {scanned} ({detail}); {expected} is expected."),
    "personal_data": N_("{scanned} holds {detail}; {expected} is expected."),
    "obsolete_template": N_("{scanned} is not the label version in force ({detail}); print with {expected}."),
    "missing_field": N_("The label {scanned} lacks {detail}; it needs {expected}."),
    "missing_legend": N_("The label {scanned} lacks a legend ({detail}); it needs {expected}."),
    "does_not_fit": N_("{scanned} does not fit on the label ({detail}); {expected} is needed. Use a larger label."),
    "symbol_unreadable": N_("The printed symbol cannot be read ({detail}); {expected} is expected. Print again."),
    "content_differs": N_("The print says {scanned} at {detail}; {expected} is intended. Destroy it and print again."),
    "reason_missing": N_("{scanned} was printed before; another print needs {expected}."),
    "superseded_label": N_("{scanned} is a superseded label ({detail}); use {expected} and set this one aside."),
}


class Facts(Protocol):
    """What a sentence is made of; :class:`cellwright.identifier.refusal.Refusal` is one."""

    @property
    def code(self) -> str: ...
    @property
    def scanned(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def requirement(self) -> str: ...
    @property
    def position(self) -> int | None: ...
    @property
    def detail(self) -> str: ...
    @property
    def form(self) -> str: ...


def sentence(facts: Facts) -> str:
    """The sentence for one refusal in the active language, with the requirement it rests on."""
    expected = " ".join(filter(None, (_(facts.expected), facts.form)))
    place = "" if facts.position is None else str(facts.position)
    words = _(SENTENCES[facts.code]).format(
        scanned=facts.scanned, expected=expected, position=place, detail=_(facts.detail)
    )
    return f"{words} [{facts.requirement}]"
