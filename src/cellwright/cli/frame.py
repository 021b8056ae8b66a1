"""The words that the command-line library itself says around ours (usage, options, wrong usage), in the active language."""

import re
from functools import cache
from typing import Final

from cellwright.language import ENGLISH, N_, active, translate

# As the library says them; a field in braces stands for whatever it puts there. Longer phrases come before their parts.
PHRASES: Final = (
    N_("Usage: {usage}"),
    N_("Options:"),
    N_("Arguments:"),
    N_("Show this message and exit."),
    N_("[required]"),
    N_("[default: {value}]"),
    N_("Error: {message}"),
    N_("Try '{command}' for help."),
    N_("No such option: {option}"),
    N_("No such command '{command}'."),
    N_("Missing argument {name}."),
    N_("Missing option {name}."),
    N_("Invalid value for {name}: {why}"),
    N_("Option {option} requires an argument."),
    N_("Got unexpected extra argument ({what})"),
    N_("Got unexpected extra arguments ({what})"),
)
_FIELD: Final = re.compile(r"\\\{(\w+)\\\}")


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """What finds a phrase in a line; the field takes as little as it can, and a last field the rest of the line."""
    return re.compile(
        _FIELD.sub(r"(?P<\1>.+?)", re.escape(phrase)) + ("$" if phrase.endswith("}") else ""), re.MULTILINE
    )


def spoken(text: str) -> str:
    """The library's text with its phrases in the active language."""
    language = active()
    if language == ENGLISH:
        return text
    for phrase in PHRASES:
        said = translate(phrase, language)
        text = _pattern(phrase).sub(lambda match, said=said: said.format(**match.groupdict()), text)  # type: ignore[misc]
    return text
