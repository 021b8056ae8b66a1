"""Fields that name a file by its hash: what a command names has to be in the file store before it can be recorded.

    document_sha256: FileHash

The desk refuses a command that names a file which the store does not hold, wherever in the command it stands (R017). A
test walks every command and fails on a field that is named like a hash and is not of this type.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, cast, get_args, get_origin, get_type_hints

import msgspec

from cellwright.factory.record import Immutable

_STORED: Final = "file in the store"
FileHash = Annotated[str, _STORED]
"""SHA-256 of a file as it is stored, 64 lower-case hexadecimal digits."""

_FIELDS: dict[type[Immutable], tuple[tuple[str, bool], ...]] = {}


def fields(kind: type[Immutable]) -> tuple[tuple[str, bool], ...]:
    """The fields of a struct that are file hashes (true) or may hold some further inside (false)."""
    known = _FIELDS.get(kind)
    if known is None:
        hints = get_type_hints(kind, include_extras=True)
        marked = {name: is_hash(hints[name]) for name in kind.__struct_fields__}
        known = tuple((name, hash_) for name, hash_ in marked.items() if hash_ or any(inner(hints[name])))
        _FIELDS[kind] = known
    return known


def is_hash(hint: Any) -> bool:
    """Whether a field is a file's hash, one, several or perhaps none."""
    if get_origin(hint) is Annotated and _STORED in hint.__metadata__:
        return True
    return any(is_hash(part) for part in get_args(hint) if not isinstance(part, str))


def inner(hint: Any) -> Iterator[type[Any]]:
    """The structs that a field is made of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for part in get_args(hint):
        yield from inner(part)


def named(said: Immutable) -> Iterator[tuple[str, str]]:
    """Every file that a command names: the field it stands in, and the hash."""
    for name, hash_ in fields(type(said)):
        for one in _each(getattr(said, name)):
            if hash_:
                yield name, one
            elif isinstance(one, msgspec.Struct):
                yield from named(cast(Immutable, one))


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        yield from (one for part in value for one in _each(part))
    elif isinstance(value, Mapping):
        yield from (one for part in value.values() for one in _each(part))
    elif value is not None:
        yield value
