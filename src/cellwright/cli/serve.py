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
        bool, typer.Option("--tls", help="HTTPS, with the site's own certificate unless one is given. / 使用 HTTPS。")
    ] = False,
    cert: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A certificate chain, PEM. / 证书链。")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Its private key, PEM. / 证书私钥。")
    ] = None,
) -> None:
    """Open the site in a browser."""
    if (cert is None) != (key is None) or (cert is not None and not tls):
        stop(_("A certificate is given with --tls, --cert and --key together."), Exit.USAGE)
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
    _run(host, number, _certificate(folder, host, (cert, key)) if tls else None)


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
            _("{folder} holds no site. Make one with: cellwright site create, or add --demo.").format(folder=folder),
            Exit.FINDING,
        )
    if demo and folder.exists() and any(folder.iterdir()):
        stop(_("{folder} is not empty.").format(folder=folder), Exit.USAGE)
    return folder


def _found(folder: Path, address: str) -> None:
    """Make the simulated site of a demonstration."""
    from datetime import UTC, datetime

    from cellwright.command.demo.run import simulated_witness
    from cellwright.command.site import Settings, create

    settings = Settings(
        name="e-town", title_en="E-Town (simulated)", title_zh="亦庄（模拟）", simulated=True, origins=(address,)
    )
    with create(folder, settings, start=datetime(2026, 3, 2, tzinfo=UTC)) as site:
        simulated_witness(site)


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


def _certificate(folder: Path, host: str, given: tuple[Path | None, Path | None]) -> tuple[Path, Path]:
    """The certificate to serve with: the one that was given, or the site's own."""
    from cellwright.command.certificate import own
    from cellwright.command.site import read_settings

    chain, key = given
    if chain is not None and key is not None:
        return chain, key
    return own(folder, read_settings(folder).origins, host)
