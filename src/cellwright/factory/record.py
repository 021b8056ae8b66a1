"""Facts: what the ledger's events say, as typed bodies, and the register of all of them.

A fact is a frozen body plus the stream it belongs to. Every (type, schema) pair has exactly one body type; the
register below is what the documentation, the golden files and the identity test walk.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import msgspec

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
    class Immutable:
        """As the type checker sees it: every subclass is a frozen, keyword-only dataclass without saying so again."""

        __struct_fields__: ClassVar[tuple[str, ...]]

else:

    class _KeywordOnly(type(msgspec.Struct)):
        """msgspec inherits `frozen` but not `kw_only`; bodies and commands are all of one kind, so it is said here."""

        def __new__(mcls, name, bases, namespace, **config):
            return super().__new__(mcls, name, bases, namespace, **{"kw_only": True, **config})

    class Immutable(
        msgspec.Struct, metaclass=_KeywordOnly, frozen=True, omit_defaults=True, forbid_unknown_fields=True
    ):
        """Frozen, built from keywords, strict about unknown fields, silent about defaults when stored."""


class Body(Immutable):
    """The body of one event type. Decimals are strings, times ISO 8601 UTC strings, durations ISO 8601 strings."""

    type: ClassVar[str] = ""
    schema: ClassVar[int] = 1


class Part(Immutable):
    """A piece of a body with an owner of its own, where one event touches several items."""


def plain(item: Immutable) -> dict[str, Any]:
    """The fields of a body, part or command by name, defaults included, values as they are."""
    return {name: getattr(item, name) for name in item.__struct_fields__}


class Fact(msgspec.Struct, frozen=True):
    """A body and the stream it is recorded on, for example `lot/L-0017`."""

    stream: str
    body: Body
    reason: str | None = None
    claimed_at: str | None = None


REGISTER: dict[tuple[str, int], type[Body]] = {}

B = TypeVar("B", bound=Body)


def event(name: str, schema: int = 1) -> Callable[[type[B]], type[B]]:
    """Register a body type under its event type `room.verb_in_past_tense` and schema number."""

    def register(body: type[B]) -> type[B]:
        key = (name, schema)
        assert key not in REGISTER, f"event type {name} schema {schema} is registered twice"
        assert name.split(".")[0].isidentifier() and "." in name, name
        body.type = name
        body.schema = schema
        REGISTER[key] = body
        return body

    return register


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From a stored body of one schema to one of the next. Pure: it does not change what it is given."""
UPCASTERS: dict[tuple[str, int], Upcaster] = {}

U = TypeVar("U", bound=Upcaster)


def upcast(name: str, schema: int) -> Callable[[U], U]:
    """Register what turns a stored body of this event type and schema into one of the next schema.

    When a body's form changes, its schema rises by one and the old form is read through such a function from then on;
    what was recorded is never rewritten.
    """

    def register(upcaster: U) -> U:
        key = (name, schema)
        assert key not in UPCASTERS and key not in REGISTER, f"event type {name} schema {schema} is read already"
        UPCASTERS[key] = upcaster
        return upcaster

    return register


class UnknownEvent(LookupError):
    """An event whose type or schema this version of the program does not know."""


def read(type_: str, schema: int, body: dict[str, Any]) -> Body:
    """The typed body of an event as stored, in today's form.

    Raises:
        UnknownEvent: the type and schema are not in the register; a newer program wrote them.
        msgspec.ValidationError: the stored body does not fit its type.
    """
    while (type_, schema) in UPCASTERS:
        body, schema = UPCASTERS[type_, schema](body), schema + 1
    try:
        kind = REGISTER[type_, schema]
    except KeyError:
        raise UnknownEvent(f"event type {type_} schema {schema} is not known to this version") from None
    return msgspec.convert(body, kind)


def write(body: Body) -> dict[str, Any]:
    """The stored form of a body: plain dictionaries, lists, strings, integers, booleans."""
    stored: dict[str, Any] = msgspec.to_builtins(body)
    return stored
