"""`cellwright serve`: the site in a browser, from one process."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from cellwright.cli.output import Exit, complain, stop
from cellwright.language import _

app = typer.Typer(add_completion=False)

PORT, TLS_PORT = 8000, 8443


@app.command()
def serve(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The site's folder. / 站点文件夹。")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Tell simulated stories while the screens are up. / 演示：屏幕实时更新。")
    ] = False,
    patients: Annotated[int, typer.Option(min=1, max=200, help="Patients of the demonstration. / 演示患者数。")] = 24,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; 8000, with --tls 8443. / 端口。")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; this machine alone by default. / 监听地址。")
    ] = "127.0.0.1",
    tls: Annotated[
        bool, typer.Option("--tls", help="HTTPS, with a certificate made for this machine. / 使用 HTTPS。")
    ] = False,
) -> None:
    """Open the site in a browser."""
    folder = _folder(folder, demo)
    number = port or (TLS_PORT if tls else PORT)
    address = f"{'https' if tls else 'http'}://localhost:{number}"
    os.environ |= {
        "CELLWRIGHT_SITE": str(folder.absolute()), "CELLWRIGHT_TLS": "1" if tls else "",
        "CELLWRIGHT_DEMO": str(patients if demo else 0), "DJANGO_SETTINGS_MODULE": "cellwright.site.settings",
        "CELLWRIGHT_HOSTS": "" if host in ("127.0.0.1", "0.0.0.0", "::") else host,
    }  # fmt: skip
    if demo:
        _found(folder, address)
    _warn(folder, address)
    complain(
        _("The site in {folder} is served at {address}. End it with Ctrl+C.").format(folder=folder, address=address)
    )
    _run(host, number, _certificate(folder) if tls else None)


def _folder(folder: Path | None, demo: bool) -> Path:
    """The folder to serve; a temporary one for a demonstration without a name."""
    if folder is None:
        if not demo:
            stop(_("Name the site's folder, or add --demo for a simulated one."), Exit.USAGE)
        return Path(tempfile.mkdtemp(prefix="cellwright-"))
    there = (folder / "site.toml").exists()
    if demo and there:
        stop(_("{folder} holds a site already; serve it without --demo.").format(folder=folder), Exit.USAGE)
    if not demo and not there:
        stop(
            _("{folder} holds no site. Make one with: cellwright demo --dir {folder}").format(folder=folder),
            Exit.FINDING,
        )
    if demo and folder.exists() and any(folder.iterdir()):
        stop(_("{folder} is not empty.").format(folder=folder), Exit.USAGE)
    return folder


def _found(folder: Path, address: str) -> None:
    """Make the simulated site of a demonstration."""
    from datetime import UTC, datetime

    from cellwright.command.site import Settings, create

    settings = Settings(
        name="e-town", title_en="E-Town (simulated)", title_zh="亦庄（模拟）", simulated=True, origins=(address,)
    )
    create(folder, settings, start=datetime(2026, 3, 2, tzinfo=UTC)).close()


def _warn(folder: Path, address: str) -> None:
    """Security keys answer only where the site's first event says that it is reached."""
    from cellwright.command.site import read_settings

    origins = read_settings(folder).origins
    if address not in origins:
        text = _("Security keys sign at {origins} only, not at {address}.")
        complain(text.format(origins=", ".join(origins), address=address))


def _run(host: str, port: int, certificate: tuple[Path, Path] | None) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    secured: dict[str, Any] = {"ssl_cert": certificate[0], "ssl_key": certificate[1]} if certificate else {}
    Server(
        "cellwright.site.root:application", address=host, port=port, interface=Interfaces.ASGI, workers=1,
        log_level=LogLevels.warning, websockets=False, workers_kill_timeout=30, **secured,
    ).serve()  # fmt: skip


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, made once; a site with its own puts it in the same two files."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    keys = folder / "keys"
    chain, private = keys / "tls.crt", keys / "tls.key"
    if chain.exists() and private.exists():
        return chain, private
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
                       critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return chain, private
