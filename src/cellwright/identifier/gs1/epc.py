"""Electronic product codes: SGTIN and SSCC as element string, EPC URI and 96-bit tag (GS1 EPC Tag Data Standard; R088).

A GTIN does not say how long its company prefix is, so a conversion from it needs that length, 6 to 12 digits.
"""

import re
from dataclasses import dataclass
from typing import Final

from cellwright.identifier.gs1.element_string import ElementString
from cellwright.identifier.gs1.key import Gtin, Sscc, check_digit
from cellwright.identifier.refusal import Code, refuse
from cellwright.language import N_

#: Company prefix digits by partition value 0 to 6, and bits of the prefix field.
_PREFIX_DIGITS: Final = (12, 11, 10, 9, 8, 7, 6)
_PREFIX_BITS: Final = (40, 37, 34, 30, 27, 24, 20)
#: Bits of prefix and reference together.
_SGTIN_BITS: Final = 44
_SSCC_BITS: Final = 58
_SGTIN_HEADER: Final = 0x30
_SSCC_HEADER: Final = 0x31
_SERIAL_BITS: Final = 38
_SSCC_PADDING_BITS: Final = 24
_SGTIN_URI: Final = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9]{1,7})\.(.+)", re.ASCII)
_SSCC_URI: Final = re.compile(r"urn:epc:id:sscc:([0-9]{6,12})\.([0-9]{5,11})", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-F]{24}", re.ASCII)
_ESCAPED: Final = '"%&/<>?'
_ESCAPE: Final = re.compile(r"%([0-9A-F]{2})", re.ASCII)
_SGTIN: Final = N_("serialised trade item number (SGTIN)")
_SSCC: Final = N_("shipping container code (SSCC)")
#: Filter value "unit load or all others"; a tag keeps the filter it was read with.
ALL_OTHERS: Final = 0


@dataclass(frozen=True, slots=True)
class Sgtin:
    """One trade item: GTIN, serial number, and the length of the company prefix.

    Raises:
        IdentifierError: a prefix of less than 6 or more than 12 digits, or a serial that AI 21 does not allow.
    """

    gtin: Gtin
    serial: str
    prefix_digits: int

    def __post_init__(self) -> None:
        _check_prefix(self.gtin.text, self.prefix_digits)
        ElementString((("21", self.serial),))

    @property
    def element_string(self) -> ElementString:
        """AI 01 and 21."""
        return ElementString((("01", self.gtin.text), ("21", self.serial)))

    @property
    def uri(self) -> str:
        """The pure identity URI ``urn:epc:id:sgtin:…``."""
        prefix, reference = self._parts()
        escaped = "".join(f"%{ord(char):02X}" if char in _ESCAPED else char for char in self.serial)
        return f"urn:epc:id:sgtin:{prefix}.{reference}.{escaped}"

    def hex96(self, filter_value: int = ALL_OTHERS) -> str:
        """The SGTIN-96 tag as 24 hexadecimal digits.

        Raises:
            IdentifierError: the serial is no number below 2**38 without leading zeros; it needs a longer tag.
        """
        numeric = self.serial.isdigit() and (self.serial == "0" or self.serial[0] != "0")
        if not numeric or int(self.serial) >= 1 << _SERIAL_BITS:
            form = f"0 - {(1 << _SERIAL_BITS) - 1}"
            raise refuse(Code.WRONG_VALUE, self.serial, _SGTIN, "R088", detail="SGTIN-96", form=form)
        prefix, reference = self._parts()
        head = _head(_SGTIN_HEADER, filter_value, prefix, int(reference), _SGTIN_BITS)
        return f"{head << _SERIAL_BITS | int(self.serial):024X}"

    def _parts(self) -> tuple[str, str]:
        digits = self.gtin.text
        prefix = digits[1 : 1 + self.prefix_digits]
        return prefix, digits[0] + digits[1 + self.prefix_digits : 13]


@dataclass(frozen=True, slots=True)
class ShippingContainer:
    """An SSCC with the length of its company prefix; raises IdentifierError for a prefix outside 6 to 12 digits."""

    sscc: Sscc
    prefix_digits: int

    def __post_init__(self) -> None:
        _check_prefix(self.sscc.text, self.prefix_digits)

    @property
    def element_string(self) -> ElementString:
        """AI 00."""
        return ElementString((("00", self.sscc.text),))

    @property
    def uri(self) -> str:
        """The pure identity URI ``urn:epc:id:sscc:…``."""
        prefix, reference = self._parts()
        return f"urn:epc:id:sscc:{prefix}.{reference}"

    def hex96(self, filter_value: int = ALL_OTHERS) -> str:
        """The SSCC-96 tag as 24 hexadecimal digits."""
        prefix, reference = self._parts()
        head = _head(_SSCC_HEADER, filter_value, prefix, int(reference), _SSCC_BITS)
        return f"{head << _SSCC_PADDING_BITS:024X}"

    def _parts(self) -> tuple[str, str]:
        digits = self.sscc.text
        prefix = digits[1 : 1 + self.prefix_digits]
        return prefix, digits[0] + digits[1 + self.prefix_digits : 17]


def sgtin_of(elements: ElementString, prefix_digits: int) -> Sgtin:
    """The SGTIN of an element string with AI 01 and 21; raises IdentifierError when one is missing."""
    return Sgtin(Gtin(elements["01"]), elements["21"], prefix_digits)


def sgtin_from_uri(uri: str) -> Sgtin:
    """The SGTIN of a pure identity URI; raises IdentifierError (R088) for other text."""
    match = _SGTIN_URI.fullmatch(uri)
    if match is None or len(match[1]) + len(match[2]) != 13 or _bad_escape(match[3]):
        raise refuse(Code.WRONG_VALUE, uri, _SGTIN, "R088", detail="urn:epc:id:sgtin:", form="prefix.item.serial")
    prefix, reference = match[1], match[2]
    serial = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), match[3])
    body = reference[0] + prefix + reference[1:]
    return Sgtin(Gtin(body + check_digit(body)), serial, len(prefix))


def sscc_from_uri(uri: str) -> ShippingContainer:
    """The SSCC of a pure identity URI; raises IdentifierError (R088) for other text."""
    match = _SSCC_URI.fullmatch(uri)
    if match is None or len(match[1]) + len(match[2]) != 17:
        raise refuse(Code.WRONG_VALUE, uri, _SSCC, "R088", detail="urn:epc:id:sscc:", form="prefix.serial")
    prefix, reference = match[1], match[2]
    body = reference[0] + prefix + reference[1:]
    return ShippingContainer(Sscc(body + check_digit(body)), len(prefix))


def sgtin_from_hex96(tag: str) -> tuple[Sgtin, int]:
    """The SGTIN and the filter value of a 96-bit tag; raises IdentifierError (R088) for other text."""
    prefix, reference, filter_value, rest = _take_apart(tag, _SGTIN_HEADER, _SGTIN_BITS, 13, _SERIAL_BITS, _SGTIN)
    body = reference[0] + prefix + reference[1:]
    return Sgtin(Gtin(body + check_digit(body)), str(rest), len(prefix)), filter_value


def sscc_from_hex96(tag: str) -> tuple[ShippingContainer, int]:
    """The SSCC and the filter value of a 96-bit tag; raises IdentifierError (R088) for other text."""
    prefix, reference, filter_value, rest = _take_apart(tag, _SSCC_HEADER, _SSCC_BITS, 17, _SSCC_PADDING_BITS, _SSCC)
    if rest:
        raise refuse(Code.WRONG_VALUE, tag, _SSCC, "R088", position=19, detail=f"{rest:X}", form="SSCC-96")
    body = reference[0] + prefix + reference[1:]
    return ShippingContainer(Sscc(body + check_digit(body)), len(prefix)), filter_value


def _check_prefix(digits: str, prefix_digits: int) -> None:
    if prefix_digits not in _PREFIX_DIGITS:
        name = N_("length of a company prefix")
        raise refuse(Code.WRONG_VALUE, digits, name, "R088", detail=str(prefix_digits), form="6 - 12")


def _head(header: int, filter_value: int, prefix: str, reference: int, bits: int) -> int:
    if not 0 <= filter_value <= 7:
        raise refuse(Code.WRONG_VALUE, str(filter_value), N_("filter value"), "R088", detail="EPC", form="0 - 7")
    partition = _PREFIX_DIGITS.index(len(prefix))
    front = (header << 3 | filter_value) << 3 | partition
    reference_bits = bits - _PREFIX_BITS[partition]
    return (front << _PREFIX_BITS[partition] | int(prefix)) << reference_bits | reference


def _take_apart(tag: str, header: int, bits: int, digits: int, tail: int, name: str) -> tuple[str, str, int, int]:
    """Company prefix, reference, filter value and the tail bits of a tag whose fields hold ``digits`` digits."""
    if not _HEX.fullmatch(tag) or int(tag, 16) >> 88 != header:
        raise refuse(Code.WRONG_VALUE, tag, name, "R088", detail=tag[:2], form=f"{header:X}… N24")
    value = int(tag, 16)
    partition, filter_value = value >> tail + bits & 7, value >> tail + bits + 3 & 7
    if partition >= len(_PREFIX_DIGITS):
        raise refuse(Code.WRONG_VALUE, tag, name, "R088", position=4, detail=str(partition), form="0 - 6")
    prefix_digits, reference_bits = _PREFIX_DIGITS[partition], bits - _PREFIX_BITS[partition]
    fields = value >> tail & (1 << bits) - 1
    prefix, reference = fields >> reference_bits, fields & (1 << reference_bits) - 1
    if prefix >= 10**prefix_digits or reference >= 10 ** (digits - prefix_digits):
        raise refuse(Code.WRONG_VALUE, tag, name, "R088", position=4, detail=f"{prefix} {reference}", form="EPC")
    texts = f"{prefix:0{prefix_digits}d}", f"{reference:0{digits - prefix_digits}d}"
    return *texts, filter_value, value & (1 << tail) - 1


def _bad_escape(serial: str) -> bool:
    """Whether a percent sign is not the start of an escape, or a character that needs one stands bare."""
    bare = _ESCAPE.sub("", serial)
    return any(character in _ESCAPED for character in bare)
