"""The portfolio: what a product is, where it may be used on which legal basis, and which act waits for what."""

from cellwright.factory.portfolio.gate import Facts, Opening, gate
from cellwright.factory.portfolio.product import Product, interval

__all__ = ["Facts", "Opening", "Product", "gate", "interval"]
