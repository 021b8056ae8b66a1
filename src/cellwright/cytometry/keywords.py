"""The TEXT segments of an FCS file: keywords and values between delimiters (FCS 3.1, section 3.2)."""

from collections.abc import Iterator, Mapping
from typing import Final

from cellwright.cytometry.fault import FcsError, Repair

TEXT_MAX: Final = 1 << 24
"""Bytes of one TEXT segment at most; more is a broken offset, not text."""
DELIMITERS_MAX: Final = 1 << 17
"""Delimiters of one TEXT segment at most: keywords take many times their bytes once they are apart."""
BLANK: Final = " \t\r\n\0"
REQUIRED: Final = (b"$PAR", b"$DATATYPE", b"$BYTEORD")


class Keywords(Mapping[str, str]):
    """Keyword -> value, by the keyword in capitals; values are decoded when they are looked at.

    Keywords are compared without regard to case (FCS 3.1, 3.2.3). `original` gives a keyword as it is spelled.
    """

    __slots__ = ("_encoding", "_found")

    def __init__(self, found: dict[bytes, tuple[bytes, bytes]], encoding: str) -> None:
        self._found = found
        self._encoding = encoding

    def __getitem__(self, key: str) -> str:
        return self._found[self._key(key)][1].decode(self._encoding).strip(BLANK)

    def __iter__(self) -> Iterator[str]:
        return (key.decode(self._encoding) for key in self._found)

    def __len__(self) -> int:
        return len(self._found)

    def original(self, key: str) -> str:
        """The keyword as the file spells it. Raises KeyError if there is none."""
        return self._found[self._key(key)][0].decode(self._encoding)

    def _key(self, key: str) -> bytes:
        # Only ASCII letters have two cases here, as in the file: there is no other rule for other letters.
        return key.encode(self._encoding, "replace").upper()


def parse(segment: bytes, repairs: list[Repair]) -> Keywords:
    """Keywords of a primary TEXT segment; its first byte is the delimiter, and a doubled delimiter is one in a value.

    Raises:
        FcsError: there is no delimiter, or keywords and values do not pair up.
    """
    encoding = _encoding(segment, repairs)
    return Keywords(_pairs(segment, repairs, primary=True), encoding)


def merge(keywords: Keywords, segment: bytes, repairs: list[Repair]) -> Keywords:
    """The keywords with those of a supplemental TEXT segment, which may not speak against the primary ones."""
    encoding = _encoding(segment, repairs)
    found = _pairs(segment, repairs, primary=False)
    for key, (_spelled, value) in found.items():
        if key in keywords._found and keywords._found[key][1] != value:
            repairs.append(Repair("supplement-contradicts", f"keyword {_shown(key)} of the supplement is not used"))
    same = keywords._encoding if keywords._encoding == encoding else "latin-1"
    return Keywords({**found, **keywords._found}, same)


def _encoding(segment: bytes, repairs: list[Repair]) -> str:
    try:
        segment.decode("utf-8")
    except UnicodeDecodeError:
        repairs.append(Repair("not-utf-8", "the TEXT segment is not UTF-8 and was read as Latin-1"))
        return "latin-1"
    return "utf-8"


def _pairs(segment: bytes, repairs: list[Repair], *, primary: bool) -> dict[bytes, tuple[bytes, bytes]]:
    body = segment.lstrip(b"\0 ") if primary else segment.strip(b"\0 \r\n")
    if len(body) < 4:
        raise FcsError(f"the TEXT segment of {len(segment)} bytes holds no keyword")
    if body[:1].isalnum() or body[:1] == b"$":
        raise FcsError(f"the TEXT segment begins with {body[:8]!r}, expected a delimiter")
    delimiter = body[:1]
    if body.count(delimiter) > DELIMITERS_MAX:
        raise FcsError(f"the TEXT segment has {body.count(delimiter)} delimiters, at most {DELIMITERS_MAX} are read")
    plain = body[1:].split(delimiter)
    found, odd = _paired(_joined(plain, delimiter))
    if odd or (primary and not _complete(found)) or any(delimiter in key for key in found):
        # Some instruments write empty values, which the standard forbids: then a doubled delimiter is no escape.
        second, odd_too = _paired(plain)
        if not odd_too and b"" not in second and (not primary or _complete(second)):
            if b"" in plain[:-1]:
                repairs.append(Repair("empty-values", "some keywords have empty values"))
            found, odd = second, False
    if odd:
        raise FcsError("the TEXT segment has a keyword without a value")
    return _unique(found, repairs)


def _complete(found: dict[bytes, list[tuple[bytes, bytes]]]) -> bool:
    return all(key in found for key in REQUIRED)


def _joined(parts: list[bytes], delimiter: bytes) -> list[bytes]:
    """Undo the escape: an empty part between two others was a doubled delimiter."""
    if b"" not in parts[:-1]:
        return parts
    joined: list[bytes] = []
    index, last = 0, len(parts) - 1
    while index <= last:
        begin = index
        while index + 2 <= last and parts[index + 1] == b"" and (index + 2 < last or parts[last].strip(b"\0 \r\n")):
            index += 2
        joined.append(delimiter.join(parts[begin : index + 1 : 2]))
        index += 1
    return joined


def _paired(parts: list[bytes]) -> tuple[dict[bytes, list[tuple[bytes, bytes]]], bool]:
    """Keyword in capitals -> spellings with values; and whether one part was left over."""
    tail = 1 if parts and not parts[-1].strip(b"\0 \r\n\t") else 0
    used = parts[: len(parts) - tail]
    found: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for key, value in zip(used[::2], used[1::2], strict=False):
        found.setdefault(key.strip().upper(), []).append((key.strip(), value))
    return found, len(used) % 2 == 1


def _unique(found: dict[bytes, list[tuple[bytes, bytes]]], repairs: list[Repair]) -> dict[bytes, tuple[bytes, bytes]]:
    for key, spelled in found.items():
        if len(spelled) > 1:
            values = {value.strip() for _name, value in spelled}
            if len(values) > 1 and key[:1] == b"$":
                raise FcsError(f"keyword {_shown(key)} stands {len(spelled)} times with different values")
            repairs.append(Repair("duplicate-keyword", f"keyword {_shown(key)} stands {len(spelled)} times"))
    return {key: spelled[-1] for key, spelled in found.items()}


def _shown(key: bytes) -> str:
    return key.decode("ascii", "backslashreplace")
