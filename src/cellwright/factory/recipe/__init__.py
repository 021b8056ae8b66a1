"""Recipes: what is done, in which order, by whom, where, with what and within which limits (ISA-88)."""

from cellwright.factory.recipe.recipe import Recipe, Step

__all__ = ["Recipe", "Step"]
