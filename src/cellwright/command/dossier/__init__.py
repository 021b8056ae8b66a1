"""Dossiers: everything about one lot, with proofs, in a file that a stranger verifies offline.

`archive` is the canonical ZIP, `check` the verification, `export` makes a dossier from a site, and `standalone` puts
archive, check and the cryptography in plain Python into the single file that is given to the stranger. `archive` and
`check` therefore use the standard library only.
"""
