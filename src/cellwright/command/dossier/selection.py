"""Which events belong into the dossier of a lot.

The lot's own story and its chain of identity's, whole streams of them; the people who acted and signed; what the work
rested on (definitions in the versions used, equipment, rooms and materials while they served). Nothing of another
patient: an event that speaks of other lots or chains of identity alone stays out, and only its hash is in the proofs.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from cellwright.command.dossier.required import REQUIRED
from cellwright.command.signing import content
from cellwright.ledger import Event, Ledger
from cellwright.ledger.checkpoint import KEYS_STREAM

WHOLE: Final = ("lot", "order", "quality", "release", "shipment", "case", "pair")
"""Rooms whose streams a dossier holds from the first to the last event, where they are this patient's alone."""
SERVING: Final = ("equipment", "material", "room", "laboratory", "plate")
"""Rooms whose streams serve many lots: what held when the work began, and what happened until it ended."""
PERSONAL: Final = "subject/"
"""Streams that hold personal data under a key; they stay at the site."""
SESSIONS: Final = ("person.signed_in", "person.signed_out", "person.sign_in_failed", "person.refused")
"""What people did at the door of the system: many events that no signature rests on, and nobody else's business."""
APPEND_MAX: Final = 1100


class Selection(NamedTuple):
    """The events of a dossier.

    Args:
        events: by position.
        complete: streams that are here whole, with their number of events.
        trimmed: streams of people that are here without what they did at the door, with their number of events.
        shared: positions of events that speak of this lot and of another patient's material too.
    """

    events: dict[int, Event]
    complete: dict[str, int]
    trimmed: dict[str, int]
    shared: tuple[int, ...]


class LotUnknown(LookupError):
    """The record knows no such lot."""


def select(ledger: Ledger, lot: str) -> Selection:
    """The events of a lot's dossier. Raises LotUnknown."""
    making = ledger.stream(f"lot/{lot}")
    if not making:
        raise LotUnknown(lot)
    coi = str(making[0].body.get("coi") or "")
    ours = _ours(ledger, lot, coi)
    story: dict[int, Event] = {}
    for tag in sorted(ours):
        story |= {event.pos: event for event in ledger.tagged(tag)}
    story, complete = _whole(ledger, story, ours)
    rest = {0: ledger.event(0)} | {event.pos: event for event in ledger.stream(KEYS_STREAM)}
    for stream in sorted(_served(story.values())):
        rest |= _serving(ledger, stream, story, ours)
    rest |= _definitions(ledger, story)
    rest |= _signatures(ledger, story | rest)
    trimmed: dict[str, int] = {}
    for stream in sorted(_people((story | rest).values())):
        accounts = ledger.stream(stream)
        kept = [event for event in accounts if event.type not in SESSIONS]
        (complete if len(kept) == len(accounts) else trimmed)[stream] = len(accounts)
        rest |= {event.pos: event for event in kept}
    chosen = dict(sorted((story | rest).items()))
    shared = tuple(pos for pos, event in chosen.items() if _owners(event) - ours)
    return Selection(chosen, complete, trimmed, shared)


def _owners(event: Event) -> set[str]:
    return {tag for tag in event.tags if tag.startswith(("coi/", "lot/", "order/"))}


def _ours(ledger: Ledger, lot: str, coi: str) -> set[str]:
    """The tags of this patient's material: the chain of identity, its orders, and every lot that was made for it."""
    ours = {f"lot/{lot}"}
    if coi:
        ours.add(f"coi/{coi}")
        for tag in {tag for event in ledger.tagged(f"coi/{coi}") for tag in _owners(event)}:
            if coi in _chains(tag, ledger.stream(tag)):
                ours.add(tag)
    return ours


def _chains(stream: str, events: list[Event]) -> set[str]:
    """The chains of identity that a lot or an order belongs to, by the event that says so."""
    says = {"lot": "lot.issued", "order": "order.coi_allocated"}.get(stream.partition("/")[0])
    return {str(event.body.get("coi")) for event in events if event.type == says}


def _whole(ledger: Ledger, story: dict[int, Event], ours: set[str]) -> tuple[dict[int, Event], dict[str, int]]:
    """The story with the rest of its own streams, and which of these are whole."""
    found = {pos: event for pos, event in story.items() if not event.stream.startswith(PERSONAL)}
    named = {event.stream for event in story.values()} | {tag for event in story.values() for tag in event.tags}
    complete = {}
    for stream in sorted(name for name in named if name.partition("/")[0] in WHOLE):
        events = ledger.stream(stream)
        if not _is_ours(stream, events, ours):
            continue
        kept = [event for event in events if not _foreign(event, ours)]
        found |= {event.pos: event for event in kept}
        if len(kept) == len(events):
            complete[stream] = len(events)
    return found, complete


def _is_ours(stream: str, events: list[Event], ours: set[str]) -> bool:
    """Whether a stream is this patient's: a lot or an order by its owner, anything else when an event of it is ours."""
    if stream.startswith(("lot/", "order/")):
        return stream in ours
    if stream.startswith(("quality/", "release/")):
        return f"lot/{stream.partition('/')[2]}" in ours
    return stream.startswith("pair/") or any(_owners(event) & ours for event in events)


def _foreign(event: Event, ours: set[str]) -> bool:
    owners = _owners(event)
    return bool(owners) and not owners & ours


def _served(events: Iterable[Event]) -> set[str]:
    """Streams of the equipment, rooms, materials and laboratories that the story names."""
    found = set()
    for event in events:
        found |= {
            name for name in (event.stream, *event.tags) if name.startswith(tuple(f"{room}/" for room in SERVING))
        }
        for key in ("room", "place"):
            if isinstance(event.body.get(key), str):
                found.add(f"room/{event.body[key]}")
        for key in ("equipment", "instrument"):
            names = event.body.get(key)
            found |= {f"equipment/{name}" for name in ([names] if isinstance(names, str) else names or ())}
        if isinstance(event.body.get("laboratory"), str):
            found.add(f"laboratory/{event.body['laboratory']}")
    return found


def _serving(ledger: Ledger, stream: str, story: dict[int, Event], ours: set[str]) -> dict[int, Event]:
    """Of something that serves many: the last of each kind of fact before the work, and all until its end."""
    first = min(pos for pos, event in story.items() if event.stream.startswith("lot/"))
    end = max(story)
    before: dict[str, Event] = {}
    during: dict[int, Event] = {}
    for event in ledger.stream(stream):
        if _foreign(event, ours) or event.type == "signature.applied":
            continue
        if event.pos < first:
            before[event.type] = event
        elif event.pos <= end:
            during[event.pos] = event
    return during | {event.pos: event for event in before.values()}


def _definitions(ledger: Ledger, story: dict[int, Event]) -> dict[int, Event]:
    """The approvals of the definitions used: the version that the story names, or the one in force where it names none."""
    first = min(pos for pos, event in story.items() if event.stream.startswith("lot/"))
    named = [set(_texts(event.body)) for event in story.values()]
    found: dict[int, Event] = {}
    for kind in ("plant", "product", "recipe", "specification", "trial"):
        latest: dict[str, Event] = {}
        for event in ledger.stream(f"definition/{kind}"):
            name, version = event.body.get("definition"), event.body.get("version")
            if event.type != "definition.approved":
                continue
            if kind == "plant":
                if event.pos < first:
                    latest[str(name)] = event
            elif any({name, version} <= texts for texts in named):
                found[event.pos] = event
        found |= {event.pos: event for event in latest.values()}
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _signatures(ledger: Ledger, chosen: dict[int, Event]) -> dict[int, Event]:
    """The signatures, recorded in the same append, of chosen events that must have some and have none chosen yet."""
    credited = {digest for event in chosen.values() for digest in event.body.get("contents", ())}
    found: dict[int, Event] = {}
    for pos, event in chosen.items():
        if event.type not in REQUIRED or (digest := content(event)) in credited:
            continue
        signed = False
        for later in ledger.read(pos + 1, pos + APPEND_MAX):
            if later.type == "signature.applied":
                signed = True
                if digest in later.body.get("contents", ()):
                    found[later.pos] = later
            elif signed:
                break
    return found


def _people(events: Iterable[Event]) -> set[str]:
    """Streams of everybody who acted or signed."""
    found = set()
    for event in events:
        if event.actor.startswith("person/"):
            found.add(event.actor)
        if event.type == "signature.applied":
            found.add(f"person/{event.body['person']}")
    return found - {"person/installation", "person/system"}
