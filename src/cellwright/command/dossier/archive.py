"""A canonical ZIP: stored, sorted by name, without times or attributes, so that there is one archive for one content.

The layout is the ZIP appnote's (local headers, central directory, end record) with every free field fixed; reading
rebuilds the archive and compares, so no byte of it is without meaning (E23).
"""

import struct
import zlib

ARCHIVE_MAX = 1 << 31
"""Bytes of an archive at most; ZIP64 is not used."""
NAMES_MAX = 60_000
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x21
"""1 January 1980, the earliest a ZIP can say."""
_UTF8 = 0x800


class ArchiveBroken(ValueError):
    """The bytes are not a canonical archive; says where they first differ from one."""


def pack(files: dict[str, bytes]) -> bytes:
    """The canonical archive of these files.

    Raises:
        ArchiveBroken: too many files or bytes for the plain ZIP format.
    """
    if len(files) > NAMES_MAX or sum(map(len, files.values())) > ARCHIVE_MAX:
        raise ArchiveBroken(f"more than {NAMES_MAX} files or {ARCHIVE_MAX} bytes")
    body, directory = bytearray(), bytearray()
    for name in sorted(files):
        data, raw = files[name], name.encode()
        shared = (20, _UTF8, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(raw), 0)
        directory += _CENTRAL.pack(b"PK\x01\x02", 20, *shared, 0, 0, 0, 0, len(body)) + raw
        body += _LOCAL.pack(b"PK\x03\x04", *shared) + raw + data
    count = len(files)
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of a canonical archive.

    Raises:
        ArchiveBroken: the bytes are not exactly what `pack` writes.
    """
    files: dict[str, bytes] = {}
    at = 0
    while archive[at : at + 4] == b"PK\x03\x04":
        if at + _LOCAL.size > len(archive):
            raise ArchiveBroken(f"cut short in the header at byte {at}")
        *_, crc, size, _, name_length, _ = _LOCAL.unpack_from(archive, at)
        start = at + _LOCAL.size + name_length
        raw = archive[at + _LOCAL.size : start]
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise ArchiveBroken(f"the file name at byte {at} is not UTF-8") from None
        if name in files or start + size > len(archive):
            raise ArchiveBroken(f"{name}: it stands twice or is cut short")
        data = archive[start : start + size]
        if zlib.crc32(data) != crc:
            raise ArchiveBroken(f"{name}: its content was altered (checksum)")
        files[name] = data
        at = start + size
    again = pack(files)
    if again != archive:
        place = next(
            (n for n, (a, b) in enumerate(zip(again, archive, strict=False)) if a != b), min(len(again), len(archive))
        )
        raise ArchiveBroken(f"the archive's structure was altered at byte {place}{_near(files, place)}")
    return files


def _near(files: dict[str, bytes], place: int) -> str:
    at = 0
    for name in sorted(files):
        at += _LOCAL.size + len(name.encode()) + len(files[name])
        if place < at:
            return f", in {name}"
    return ", in the directory"
