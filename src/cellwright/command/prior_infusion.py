"""Was a product infused? Read from a site's own record, by the chain of identity (D13)."""

from cellwright.command.desk import fold
from cellwright.command.dossier.source import Source
from cellwright.factory.order.state import OrderState


def infused(source: Source, chain: str, product: str) -> bool | None:
    """Whether a bag of this product was given under a chain of identity; None if the record has no such order."""
    streams = dict.fromkeys(event.stream for event in source.ledger.tagged(f"coi/{chain}"))
    answer: bool | None = None
    for stream in streams:
        room, _, name = stream.partition("/")
        if room != OrderState.room:
            continue
        order = OrderState(name)
        for event in source.ledger.stream(stream):
            fold(order, event)
        if order.product == product and order.coi == chain:
            answer = bool(answer) or bool(order.given)
    return answer
