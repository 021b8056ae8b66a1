"""Keys of simulated people, kept by the server of a simulated site and of no other (E17)."""

import secrets
import threading

import msgspec

from cellwright.command.signing import Proof, SoftwareAuthenticator
from cellwright.command.site import INSTALLATION, Site
from cellwright.factory.people import CredentialRegistered, PersonState


class ServedKeys:
    """Signs for simulated people with a key made for this run of the server; the key is registered as simulated."""

    def __init__(self, site: Site) -> None:
        assert site.settings.simulated, "only simulated people have keys in a server"
        self._site = site
        self._device = SoftwareAuthenticator(site.desk.relying)
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def ensure(self, person: str) -> bool:
        """Give the person a key unless they have one. Returns whether one was registered just now."""
        with self._lock:
            if person in self._names:
                return False
            _, public_key = self._device.enrol(person)
            name = f"simulated-{person}-{secrets.token_hex(4)}"
            body = CredentialRegistered(
                person=person, credential=name, means="webauthn", public_key=public_key, simulated=True
            )
            self._site.desk.record([self._site.desk.state(PersonState, person).fact(body)], INSTALLATION)
            self._names[person] = name
            return True

    def sign(self, person: str, challenge: bytes) -> Proof:
        """The simulated person's assertion over a challenge."""
        self.ensure(person)
        return msgspec.structs.replace(self._device.sign(person, challenge), credential=self._names[person])
