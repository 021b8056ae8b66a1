"""The two languages of the house: English, which is also the message id, and Simplified Chinese.

    from cellwright.language import _
    raise Refusal(_("Bag {bag} is not in quarantine.").format(bag=bag))

`_` translates by the language of the running task (a context variable, so two requests served at once keep theirs apart).
Catalogues are gettext files in `locale/`; `make i18n` extracts new messages, keeping translations.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

ENGLISH: Final = "en"
CHINESE: Final = "zh-Hans"
LANGUAGES: Final[Mapping[str, str]] = {ENGLISH: "English", CHINESE: "简体中文"}

_DOMAIN: Final = "cellwright"
_LOCALE: Final = Path(__file__).parent / "locale"
_active: ContextVar[str] = ContextVar("cellwright_language", default=ENGLISH)


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    path = _LOCALE / language.replace("-", "_") / "LC_MESSAGES" / f"{_DOMAIN}.mo"
    with path.open("rb") as file:
        return GNUTranslations(file)


def choose(wanted: str | None) -> str:
    """The language of the house nearest to a tag such as `zh-CN`, `zh_CN.UTF-8` or `en-GB`; English when none is near."""
    tag = (wanted or "").replace("_", "-").lower()
    return CHINESE if tag == "zh" or tag.startswith("zh-") else ENGLISH


def active() -> str:
    """The language of the running task, `en` or `zh-Hans`."""
    return _active.get()


def activate(language: str) -> None:
    """Set the language for the rest of the running task. Raises ValueError for one the house does not speak."""
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    _active.set(language)


@contextmanager
def use(language: str) -> Iterator[None]:
    """Speak `language` inside the block, and the former one after it."""
    before = _active.get()
    activate(language)
    try:
        yield
    finally:
        _active.set(before)


def translate(message: str, language: str) -> str:
    """One message in one language, whatever the active one is."""
    return _catalogue(language).gettext(message) if message else ""


def _(message: str) -> str:
    """Mark a message for the catalogue and give it in the active language."""
    return translate(message, _active.get())


def ngettext(singular: str, plural: str, number: int) -> str:
    """The form of the message that `number` asks for, in the active language."""
    return _catalogue(_active.get()).ngettext(singular, plural, number)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name, which the extractor knows
    """Mark a message for the catalogue and leave it as it is; translate it later with `_` or `translate`."""
    return message


def localized(texts: Mapping[str, str]) -> str:
    """The active language's text of a data file's `{en: ..., zh: ...}`, and English where that one is missing."""
    return texts.get("zh", texts["en"]) if _active.get() == CHINESE else texts["en"]
