"""A site served for real, by a process of its own on a port of the loop-back address."""

import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

LIMIT_S = 60.0


class Served:
    """Where it is reached; HTTPS is verified against `authority`."""

    def __init__(self, port: int, authority: Path | None) -> None:
        self.port, self.authority = port, authority

    def get(self, path: str, host: str = "localhost") -> tuple[int, str]:
        """Status and text of a page, redirects followed."""
        trusted = ssl.create_default_context(cafile=str(self.authority)) if self.authority else None
        scheme = "https" if self.authority else "http"
        address = f"{scheme}://{host}:{self.port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=10, context=trusted) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@contextmanager
def served(
    folder: Path, *options: str, authority: Path | None = None, environment: dict[str, str] | None = None
) -> Iterator[Served]:
    """Serve a site until the block ends; waits until it answers."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", "from cellwright.cli import main; main()", "serve", str(folder)]
    kept = {name: value for name, value in os.environ.items() if not re.match("CELLWRIGHT_|DJANGO_", name)}
    process = subprocess.Popen(
        [*command, "--port", str(port), *options],
        env=kept | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = Served(port, authority)
    try:
        _answers(found, process)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(found: Served, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            assert process.stdout is not None
            raise AssertionError(f"it ended with {process.returncode}: {process.stdout.read()[-3000:]}")
        try:
            found.get("/")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # nothing else says when a port is open
        else:
            return
    raise AssertionError("it does not answer")
