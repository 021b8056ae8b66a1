"""What belongs to a lot when its release is considered: its record, quality file, product, order and pair."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cellwright.factory.lot.access import known
from cellwright.factory.lot.state import LotState
from cellwright.factory.order.pair import PairState
from cellwright.factory.order.state import OrderState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.quality.file import QualityState
from cellwright.factory.quality.file import load as load_quality
from cellwright.factory.release.state import ReleaseState
from cellwright.factory.release.state import load as load_release
from cellwright.factory.rule import World


class Dossier(NamedTuple):
    """The states an assessment looks at."""

    lot: LotState
    quality: QualityState
    release: ReleaseState
    product: Product
    order: OrderState | None
    pair: PairState | None


def dossier(world: World, number: str) -> Dossier:
    """Load what belongs to a lot. Raises Refusal `unknown-lot`."""
    lot = known(world, number)
    return Dossier(
        lot,
        load_quality(world, number),
        load_release(world, number),
        world.definition(Product, lot.product, lot.product_version),
        world.load(OrderState, lot.order) if lot.order is not None else None,
        world.load(PairState, lot.pair) if lot.pair is not None else None,
    )


def leaves(lot: LotState, quality: QualityState) -> tuple[bytes, ...]:
    """Leaf hashes of everything that a review covers: the lot's record and its quality file, in order (R027)."""
    return (*lot.leaves, *quality.leaves)


def digest(of: Iterable[bytes]) -> str:
    """One hash over leaf hashes; any event more, less or in another place gives another."""
    return sha256(b"".join(of)).hexdigest()
