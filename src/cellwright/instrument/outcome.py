"""What a reader hands to the common interface: measurements, and what the file says of itself."""

from collections.abc import Mapping

import msgspec

from cellwright.instrument.reading import Measurement


class Outcome(msgspec.Struct, frozen=True):
    """As in `Reading`, without what is known before the file is opened.

    Attributes:
        instrument: the model, where the file names it more exactly than the format does.
    """

    measurements: tuple[Measurement, ...]
    instrument: str = ""
    serial_number: str = ""
    software: str = ""
    operator: str = ""
    at: str = ""
    header: Mapping[str, str] = {}
