"""The law of identity: what each fact claims, expects and releases in the ledger's table of claims.

Every item is personal (it belongs to one chain of identity, which belongs to one pair of donor and intended
recipient) or stock (domain decision D2). The claim `container/X` with the value `CHA9999…` says whose X is; an event
that names X for anybody else cannot be committed, whatever the screen or the caller did. The meaning of each field is
declared once, where the body is defined:

    class ContainerFilled(Body):
        coi: Coi                                        # the owner: value of all claims beside it
        container: Annotated[str, TAKES("container")]   # becomes the owner's, refused if anybody holds it
        parent: Annotated[str, EXPECTS("container")]    # must already be the owner's, else a hard stop
        position: Annotated[str, RELEASES("position")]  # was the owner's, ends here
        scanned: Annotated[str, NAMES("container")]     # only mentioned: no claim follows from it

A nested `Part` with an owner field of its own speaks for itself; otherwise it shares the owner of the body around it.
`binding` turns a body into claims, expects, releases and tags. A test walks every registered body and fails on a field
that is named like an identifier and does not say what it does.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from cellwright.factory.record import Body, Immutable, Part

Kind = Literal[
    "account", "bag", "case", "coi", "container", "credential", "din", "equipment", "key", "label", "lot", "material", "nonce", "order",
    "pair", "person", "position", "product", "room", "sample", "seal", "shipment", "shipper", "subject", "well",
]  # fmt: skip
Mode = Literal["owner", "stock", "self", "pair", "takes", "expects", "releases", "names"]


class Identifies(NamedTuple):
    """How a field of a body stands to the table of claims."""

    mode: Mode
    kind: Kind


def TAKES(kind: Kind) -> Identifies:  # noqa: N802 - reads as a word of the law in an annotation
    """The item becomes the owner's: a claim is taken, refused while anybody holds it."""
    return Identifies("takes", kind)


def EXPECTS(kind: Kind) -> Identifies:  # noqa: N802
    """The item must be the owner's already; anything else is a hard stop."""
    return Identifies("expects", kind)


def RELEASES(kind: Kind) -> Identifies:  # noqa: N802
    """The item was the owner's and is so no longer."""
    return Identifies("releases", kind)


def NAMES(kind: Kind) -> Identifies:  # noqa: N802
    """The item is only mentioned, as in the record of a wrong scan."""
    return Identifies("names", kind)


def SELF(kind: Kind) -> Identifies:  # noqa: N802
    """The object the fact is about owns what stands beside it, as a person owns an account: value `person/OP-12`."""
    return Identifies("self", kind)


Coi = Annotated[str, Identifies("owner", "coi")]
"""The chain-of-identity identifier that owns what stands beside it; also a tag of the event."""
Stock = Annotated[str, Identifies("stock", "material")]
"""The stock that owns what stands beside it, for example `vector-lentiviral-cd19`: claims carry `stock/<name>`."""
Pair = Annotated[str, Identifies("pair", "pair")]
"""The pair of donor and intended recipient; beside a `coi`, the chain must belong to this pair."""
Lot = Annotated[str, Identifies("names", "lot")]
Order = Annotated[str, Identifies("names", "order")]
Person = Annotated[str, Identifies("names", "person")]
Product = Annotated[str, Identifies("names", "product")]
Equipment = Annotated[str, Identifies("names", "equipment")]

OWNING: frozenset[Mode] = frozenset({"owner", "stock", "self"})
TAGGED: frozenset[Kind] = frozenset({"coi", "lot", "order", "pair", "product", "material", "equipment", "subject"})
"""Kinds whose mention tags the event, so that a story is found without reading the ledger."""
TAGGED_STREAMS = frozenset({"lot", "order", "pair"})


class Binding(NamedTuple):
    """What a body binds: claims taken, expected and released (key to value) and the tags of the event."""

    claims: dict[str, str]
    expects: dict[str, str]
    releases: dict[str, str]
    tags: tuple[str, ...]


class _Field(NamedTuple):
    name: str
    identifies: Identifies | None
    many: bool
    part: type[Part] | None


def _structs(hint: Any) -> Iterator[type[Part]]:
    if isinstance(hint, type) and issubclass(hint, Part):
        yield hint
    for inner in get_args(hint):
        yield from _structs(inner)


def _marks(hint: Any) -> Iterator[Identifies]:
    if get_origin(hint) is Annotated:
        for mark in hint.__metadata__:
            if isinstance(mark, Identifies):
                yield mark
    for inner in get_args(hint):
        if not isinstance(inner, Identifies):
            yield from _marks(inner)


def _is_many(hint: Any) -> bool:
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return get_origin(bare) in (tuple, list) or any(_is_many(a) for a in get_args(bare) if get_origin(bare) is not None)


_FIELDS: dict[type[Immutable], tuple[_Field, ...]] = {}


def fields(body: type[Immutable]) -> tuple[_Field, ...]:
    """The fields of a body or part that bear on identity, owners first."""
    known = _FIELDS.get(body)
    if known is None:
        known = _FIELDS[body] = _read_fields(body)
    return known


def _read_fields(body: type[Immutable]) -> tuple[_Field, ...]:
    found = []
    for name, hint in get_type_hints(body, include_extras=True).items():
        if name in ("type", "schema"):
            continue
        parts = list(_structs(hint))
        marks = list(_marks(hint)) if not parts else []
        assert len(parts) + len(marks) <= 1, f"{body.__name__}.{name} has more than one meaning for identity"
        if parts or marks:
            found.append(_Field(name, marks[0] if marks else None, _is_many(hint), parts[0] if parts else None))
    return tuple(sorted(found, key=lambda f: f.identifies is None or f.identifies.mode not in OWNING))


class OwnerMissing(ValueError):
    """A body takes, expects or releases an item but has no owner to do it for."""


def binding(stream: str, body: Body) -> Binding:
    """The claims, expects, releases and tags of a body recorded on a stream.

    Raises:
        OwnerMissing: an item is bound although neither the body nor the part it stands in names an owner.
    """
    bound = Binding({}, {}, {}, ())
    tags: dict[str, None] = {}
    if stream.partition("/")[0] in TAGGED_STREAMS:
        tags[stream] = None
    _bind(body, None, bound, tags)
    return bound._replace(tags=tuple(tags))


def _bind(item: Immutable, owner: str | None, bound: Binding, tags: dict[str, None]) -> None:
    for field in fields(type(item)):
        value = getattr(item, field.name)
        if value is None or value == "" or value == ():
            continue
        if field.part is not None:
            for part in value if field.many else (value,):
                _bind(part, owner, bound, tags)
            continue
        assert field.identifies is not None
        mode, kind = field.identifies
        for one in value if field.many else (value,):
            if kind in TAGGED and mode not in ("stock", "self"):
                tags[f"{kind}/{one}"] = None
            if mode == "owner":
                owner = one
            elif mode == "stock":
                owner = f"stock/{one}"
            elif mode == "self":
                owner = f"{kind}/{one}"
            elif mode == "pair":
                if owner is not None:
                    bound.expects[f"coi/{owner}"] = f"pair/{one}"
            elif mode != "names":
                if owner is None:
                    raise OwnerMissing(f"{type(item).__name__}.{field.name} binds {one!r} but nothing here owns it")
                table = {"takes": bound.claims, "expects": bound.expects, "releases": bound.releases}[mode]
                table[f"{kind}/{one}"] = owner
