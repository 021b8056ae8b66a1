"""Which fields of a command name a file of the store: all that are named like one."""

import re
from collections.abc import Iterator
from typing import get_type_hints

import msgspec
import pytest

import cellwright.factory.register  # noqa: F401 - fills the list of commands
from cellwright.factory import stored_file
from cellwright.factory.record import Immutable
from cellwright.factory.rule import COMMANDS
from cellwright.factory.stored_file import FileHash, named

NAMED_LIKE_A_HASH = re.compile(r"^(.*_)?(sha256|hash|digest|checksum)(s|es)?$")


def parts(kind: type[msgspec.Struct], seen: set[type[msgspec.Struct]]) -> Iterator[type[msgspec.Struct]]:
    """A command and everything that it is made of."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    for hint in get_type_hints(kind, include_extras=True).values():
        for one in stored_file.inner(hint):
            yield from parts(one, seen)


@pytest.mark.requirement("R017")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_hash_in_a_command_is_looked_up_in_the_store(name: str) -> None:
    for kind in parts(COMMANDS[name], set()):
        hints = get_type_hints(kind, include_extras=True)
        fields = [field for field in kind.__struct_fields__ if NAMED_LIKE_A_HASH.match(field)]
        silent = [field for field in fields if not stored_file.is_hash(hints[field])]
        assert not silent, f"{name}: {kind.__name__}.{silent} is named like a hash; give it the type FileHash"


class Page(Immutable):
    sha256: FileHash


class Bundle(Immutable):
    document_sha256: FileHash | None = None
    more: tuple[FileHash, ...] = ()
    pages: tuple[Page, ...] = ()
    named: dict[str, Page] = {}  # noqa: RUF012 - a struct copies its defaults
    title: str = ""


@pytest.mark.requirement("R017")
def test_files_are_found_wherever_they_stand() -> None:
    bundle = Bundle(document_sha256="a", more=("b", "c"), pages=(Page(sha256="d"),), named={"x": Page(sha256="e")},
                    title="f")  # fmt: skip
    assert [hash_ for _, hash_ in named(bundle)] == ["a", "b", "c", "d", "e"]
    assert not list(named(Bundle()))
