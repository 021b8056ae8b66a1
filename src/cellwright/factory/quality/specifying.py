"""Assigning the specification a lot is judged by: that of its product in its market of destination (R100)."""

from cellwright.factory.lot.access import known
from cellwright.factory.portfolio.product import Product
from cellwright.factory.quality.consequence import of_specification
from cellwright.factory.quality.fact import SpecificationAssigned
from cellwright.factory.quality.file import load
from cellwright.factory.quality.specification import Specification
from cellwright.factory.release import state as release
from cellwright.factory.rule import By, Command, Decision, Refusal, World, command


@command("quality.assign_specification", "analyst", "quality_assurance")
class AssignSpecification(Command):
    """Assign the specification of the lot's market, in the version effective now; again when the destination changes."""

    lot: str
    market: str | None = None
    """Needed for stock lots; a personal lot has the market of its order."""

    def decide(self, world: World, by: By) -> Decision:
        lot, quality = known(world, self.lot), load(world, self.lot)
        market = self.market or lot.market
        product = world.definition(Product, lot.product, lot.product_version)
        place = product.market(market) if market is not None else None
        if place is None:
            raise Refusal(
                "no-market",
                "Product {product} has no specification for the market {market}.",
                remedy="Name a market in which the product has a legal basis.",
                rule="R100",
                product=product.id,
                market=market or "-",
            )
        if lot.market is not None and place.code != lot.market:
            raise Refusal(
                "market-differs",
                "Lot {lot} is made for {destination}, not for {market}.",
                remedy="The destination is changed in the order, not here.",
                rule="R100",
                lot=self.lot,
                destination=lot.market,
                market=place.code,
            )
        if release.load(world, self.lot).ever_outgoing:
            raise Refusal(
                "released-already",
                "Lot {lot} was released by its specification; that decision is not judged anew by another.",
                remedy="Suspend the lot and decide again.",
                rule="R100",
                lot=self.lot,
            )
        found = world.definition(Specification, place.specification)
        body = SpecificationAssigned(
            lot=self.lot,
            product=product.id,
            market=place.code,
            specification=found.id,
            version=found.version,
            sha256=found.sha256,
            assigned_by=by.person,
            coi=lot.coi,
            stock=lot.stock,
        )
        return Decision(facts=(quality.fact(body), *of_specification(world, lot, quality, found)))
