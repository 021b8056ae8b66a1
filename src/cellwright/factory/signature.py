"""An electronic signature as a fact: what was signed, by whom, in which meaning, and the proof.

A signature stands in the same append as what it signs, or names the leaf hashes of what was recorded before. Its
statement covers the content digests of the events beside it (each holds its own unique id), the leaves of the record
reviewed, stream and version, meaning, printed name, role, time and a nonce used once. Cut out, copied or moved, it no
longer matches (21 CFR 11.70, R027, R028).
"""

from typing import Annotated, ClassVar

from cellwright.factory.identity import TAKES
from cellwright.factory.people import PersonName
from cellwright.factory.record import Body, event


@event("signature.applied")
class SignatureApplied(Body):
    """One person's signature (21 CFR 11.50: printed name, time, meaning; 11.70: bound to the record)."""

    person: PersonName
    nonce: Annotated[str, TAKES("nonce")]
    printed_name: str
    role: str
    meaning: str
    signed_at: str
    zone: str
    on: str
    """The stream signed on."""
    version: int
    """Events the stream had when it was signed."""
    contents: tuple[str, ...] = ()
    """Content digests (SHA-256, hex) of the events recorded together with this signature."""
    leaves: tuple[str, ...] = ()
    """Leaf hashes (hex) of earlier events this signature covers."""
    means: str
    """`webauthn`, or `password_and_code`."""
    credential: str
    proof: dict[str, str]
    """What the means left behind; see `command.signing.Proof`."""
    simulated: bool = False

    statement_fields: ClassVar[tuple[str, ...]] = (
        "contents", "leaves", "meaning", "nonce", "on", "person", "printed_name", "role", "signed_at", "version", "zone",
    )  # fmt: skip

    def statement(self) -> dict[str, object]:
        """What the person signed, ready for canonical JSON."""
        said: dict[str, object] = {name: getattr(self, name) for name in self.statement_fields}
        said["kind"] = "cellwright.signature.v1"
        return said
