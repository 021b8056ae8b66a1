"""How the simulated people sign: with software authenticators, and twice by the office's means, password and code (E17)."""

from base64 import b32decode
from typing import Final
from urllib.parse import parse_qs, urlparse

import msgspec

from cellwright.command import one_time_code
from cellwright.command.demo.cast import by
from cellwright.command.personal_key import Components, PersonalSigner
from cellwright.command.signing import Proof, Signer, SoftwareAuthenticator
from cellwright.command.site import Site

OFFICE: Final = "QA-3"
"""Who signs at a desk in the office, without a security key at hand, for the first two times."""
BY_PASSWORD: Final = 2
PASSWORD: Final = "simulated words nobody uses"
"""Password of a simulated person on a simulated site; it opens nothing else."""


class Signers:
    """Everybody's means of signing, as one `Signer`."""

    def __init__(self, site: Site, authenticator: SoftwareAuthenticator) -> None:
        self._site = site
        self._authenticator = authenticator
        self._office: Signer | None = None
        self._left = 0

    def enrol_office(self) -> None:
        """Give the office's person a personal key and a device that shows codes."""
        enrolment = self._site.personal_keys.enrol(OFFICE, PASSWORD)
        command = msgspec.structs.replace(enrolment.command, simulated=True)  # type: ignore[type-var]
        self._site.desk.do(command, by("SEC-1"), self._authenticator)
        secret = b32decode(parse_qs(urlparse(enrolment.code_address).query)["secret"][0])
        clock = self._site.clock

        def typed(person: str, code_needed: bool) -> Components:
            return Components(PASSWORD, one_time_code.code(secret, clock()) if code_needed else "")

        self._office = PersonalSigner(self._site.personal_keys, "office", typed)
        self._left = BY_PASSWORD

    def sign(self, person: str, challenge: bytes) -> Proof:
        if person != OFFICE or self._office is None or self._left == 0:
            return self._authenticator.sign(person, challenge)
        self._left -= 1
        return msgspec.structs.replace(self._office.sign(person, challenge), simulated=True)
