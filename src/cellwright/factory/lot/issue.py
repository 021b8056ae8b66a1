"""Issuing a lot: one approved recipe, locked by its hash, for one order or as stock (R039)."""

from cellwright.factory.lot.access import other_person
from cellwright.factory.lot.fact.life import LotIssued
from cellwright.factory.lot.state import LotState
from cellwright.factory.order import permission
from cellwright.factory.order.fact.material import LotLinked
from cellwright.factory.order.state import OrderState
from cellwright.factory.portfolio.product import Product
from cellwright.factory.recipe.recipe import Recipe
from cellwright.factory.rule import By, Command, Decision, Need, Refusal, World, command


def recipe_of(world: World, lot: LotState) -> Recipe:
    """The recipe a lot is made by, the very bytes it was issued from.

    Raises:
        Refusal: `recipe-changed` if the version now has another hash; nothing of the lot can go on then (R039).
    """
    recipe = world.definition(Recipe, lot.recipe.id, lot.recipe.version)
    if recipe.sha256 != lot.recipe.sha256:
        raise Refusal(
            "recipe-changed",
            "Recipe {recipe} {version} is not the one lot {lot} was issued from.",
            remedy="Bring back the approved file; a change is a new version.",
            rule="R039",
            recipe=recipe.id,
            version=recipe.version,
            lot=lot.number,
        )
    return recipe


@command("lot.issue", "planner", "quality_assurance")
class IssueLot(Command):
    """Issue the batch record of a personal lot (`order`) or of a stock lot (`stock` and `product`)."""

    checked_by: str
    """Somebody of quality assurance, not the issuer, who checks the issued record against the master."""
    order: str | None = None
    stock: str | None = None
    product: str | None = None
    role: str = "planner"
    lot: str | None = None

    def decide(self, world: World, by: By) -> Decision:
        other_person(by.person, self.checked_by, "issue")
        if (self.order is None) == (self.stock is None):
            raise Refusal(
                "personal-or-stock",
                "A lot belongs to an order or to a stock, to one of them.",
                remedy="Name the order, or the stock with its product.",
                rule="D2",
            )
        return self._personal(world, by) if self.order is not None else self._for_stock(world, by)

    def _personal(self, world: World, by: By) -> Decision:
        assert self.order is not None
        order = permission.going_on(world, self.order)
        product = world.definition(Product, order.product, order.product_version)
        if not product.personal:
            raise _wrong_kind(product)
        lot = self._new(world)
        body = self._body(world, lot, product, by, order)
        linked = LotLinked(lot=lot.name, product=product.id)
        return Decision(facts=(lot.fact(body), order.fact(linked)), sign=self._sign(by))

    def _for_stock(self, world: World, by: By) -> Decision:
        if self.product is None:
            raise Refusal("product-missing", "A stock lot names its product.", rule="D2")
        product = world.definition(Product, self.product)
        if product.personal:
            raise _wrong_kind(product)
        lot = self._new(world)
        body = self._body(world, lot, product, by, None)
        return Decision(facts=(lot.fact(body),), sign=self._sign(by))

    def _new(self, world: World) -> LotState:
        lot = world.load(LotState, self.lot or world.issue("lot"))
        if lot.exists:
            raise Refusal("lot-exists", "Lot {lot} is issued already.", rule="R039", lot=lot.name)
        return lot

    def _body(self, world: World, lot: LotState, product: Product, by: By, order: OrderState | None) -> LotIssued:
        recipe = world.definition(Recipe, product.recipe, product.recipe_version)
        return LotIssued(
            coi=permission.chain(order) if order is not None else None,
            pair=order.pair if order is not None else None,
            order=order.name if order is not None else None,
            market=order.market if order is not None else None,
            stock=self.stock,
            lot=lot.name,
            product=product.id,
            product_version=product.version,
            recipe=recipe.id,
            recipe_version=recipe.version,
            recipe_sha256=recipe.sha256,
            issued_by=by.person,
            checked_by=self.checked_by,
            doses=product.doses.plan,
        )

    def _sign(self, by: By) -> tuple[Need, ...]:
        return (
            Need(person=by.person, meaning="performed", role=self.role),
            Need(person=self.checked_by, meaning="verified", role="quality_assurance"),
        )


def _wrong_kind(product: Product) -> Refusal:
    return Refusal(
        "wrong-kind-of-lot",
        "{product} is made as {unit}.",
        remedy="Issue a personal lot for an order and a stock lot for a stock.",
        rule="D2",
        product=product.id,
        unit=product.unit,
    )
