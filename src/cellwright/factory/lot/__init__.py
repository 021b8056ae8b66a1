"""The lot: one batch of one product, from the locked recipe to the stored bags, and its record."""
