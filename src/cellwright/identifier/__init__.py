"""Identifiers of cells, containers, samples, lots, labels and shipments, and the codes that carry them.

A value of one of these types is valid because it exists; its ``str()`` is the form the ledger claims. Parsers raise
:class:`IdentifierError`, whose ``refusal`` says what was read, what was expected, and the requirement behind it.

    >>> from cellwright.identifier import DonationNumber, read_donation
    >>> read_donation("=G12341765432170").number
    DonationNumber(text='G123417654321')

What a scanner sends is read by :func:`cellwright.identifier.scan.interpret`; symbols are drawn and read back in
:mod:`cellwright.identifier.symbol`, labels in :mod:`cellwright.identifier.label`; the other ISBT 128 structures are in
:mod:`cellwright.identifier.isbt128`, GS1 keys and element strings in :mod:`cellwright.identifier.gs1`.
"""

from cellwright.identifier.house import HouseNumber, LabelSerial, LotNumber, SampleNumber, ShipperNumber
from cellwright.identifier.isbt128.chain_of_identity import (
    ChainOfIdentityId,
    read_chain_of_identity,
    type_chain_of_identity,
)
from cellwright.identifier.isbt128.donation import (
    DonationNumber,
    DonationScan,
    ResolvedDonationNumber,
    read_donation,
    type_donation,
)
from cellwright.identifier.isbt128.entry import Entry, Need, Way, confirmed, typed_again
from cellwright.identifier.isbt128.facility import DEMO, FacilityNumber
from cellwright.identifier.isbt128.product import ProductCode
from cellwright.identifier.issuer import ChainOfIdentityIssuer, DonationNumberIssuer, HouseNumberIssuer, Issuer
from cellwright.identifier.refusal import Code, IdentifierError, Refusal
from cellwright.identifier.text import Identifier

__all__ = [
    "DEMO",
    "ChainOfIdentityId",
    "ChainOfIdentityIssuer",
    "Code",
    "DonationNumber",
    "DonationNumberIssuer",
    "DonationScan",
    "Entry",
    "FacilityNumber",
    "HouseNumber",
    "HouseNumberIssuer",
    "Identifier",
    "IdentifierError",
    "Issuer",
    "LabelSerial",
    "LotNumber",
    "Need",
    "ProductCode",
    "Refusal",
    "ResolvedDonationNumber",
    "SampleNumber",
    "ShipperNumber",
    "Way",
    "confirmed",
    "read_chain_of_identity",
    "read_donation",
    "type_chain_of_identity",
    "type_donation",
    "typed_again",
]
