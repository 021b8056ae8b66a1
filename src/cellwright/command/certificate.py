"""A certificate for HTTPS made by the site itself, for machines that no authority vouches for.

It names the hosts of the site's addresses and this machine. Browsers warn until it is trusted on each device; a site that
people reach from elsewhere brings a certificate of its own.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from cellwright.ledger.durable import PRIVATE, write_whole

if TYPE_CHECKING:
    from cryptography import x509

CHAIN: Final = Path("keys") / "tls.crt"
PRIVATE_KEY: Final = Path("keys") / "tls.key"
LIFE: Final = timedelta(days=397)
"""What browsers accept at most."""
RENEW_BEFORE: Final = timedelta(days=30)
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Certificate(NamedTuple):
    """The files of a certificate chain and its private key, PEM."""

    chain: Path
    key: Path


def own(folder: Path, addresses: tuple[str, ...], host: str = "") -> Certificate:
    """The site's own certificate; made, or made anew when it ends soon or does not name what it must.

    A certificate in the two files that somebody else issued is used as it is.
    """
    files = Certificate(folder / CHAIN, folder / PRIVATE_KEY)
    names = tuple(dict.fromkeys((*LOCAL, *(urlsplit(one).hostname or "" for one in addresses), host)))
    if not _good(files, names):
        _make(files, names)
    return files


def _good(files: Certificate, names: tuple[str, ...]) -> bool:
    from cryptography import x509

    if not files.chain.is_file() or not files.key.is_file():
        return False
    found = x509.load_pem_x509_certificate(files.chain.read_bytes())
    if found.issuer != found.subject:
        return True
    said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = {str(one.value) for one in said}
    lasting = found.not_valid_after_utc > datetime.now(UTC) + RENEW_BEFORE
    return lasting and {name for name in names if _nameable(name)} <= named


def _nameable(name: str) -> bool:
    return name not in ("", "0.0.0.0", "::")


def _make(files: Certificate, names: tuple[str, ...]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cellwright site")])
    now = datetime.now(UTC)
    alternatives = [_alternative(one) for one in names if _nameable(one)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE - timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with suppress(FileExistsError):
        files.key.parent.mkdir(mode=0o700, parents=True)
    files.chain.unlink(missing_ok=True)
    write_whole(files.key, private, PRIVATE)
    write_whole(files.chain, made.public_bytes(serialization.Encoding.PEM))


def _alternative(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
