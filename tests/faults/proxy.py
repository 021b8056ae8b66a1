"""A wire between client and server that can be cut after any byte, or go silent, in either direction."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

TO_SERVER: Final = "to the server"
TO_CLIENT: Final = "to the client"
_RESET: Final = struct.pack("ii", 1, 0)
_ANSWER: Final = 1 << 16


@dataclass
class Break:
    """Where the wire breaks.

    Args:
        direction: `TO_SERVER` or `TO_CLIENT`.
        after: bytes that still pass in that direction, counted from when the break was set.
        silent: nothing passes any more, in both directions, and nobody is told; else both ends are reset.
        met: it happened.
    """

    direction: str
    after: int
    silent: bool = False
    met: bool = False


class Proxy:
    """Passes connections on to a port of this machine.

    Attributes:
        port: where it listens.
        passed: bytes passed so far, by direction.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.passed = {TO_SERVER: 0, TO_CLIENT: 0}
        self._break: Break | None = None
        self._guard = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def set(self, planned: Break | None) -> None:
        """Plan the next break, counted from now; None: repair the wire for connections made from now on."""
        with self._guard:
            self._break = planned
            self.passed = {TO_SERVER: 0, TO_CLIENT: 0}

    def close(self) -> None:
        with self._guard:
            self._closed = True
            pairs, self._pairs = self._pairs, []
        self._listener.close()
        for pair in pairs:
            _reset(pair)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _address = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                continue
            with self._guard:
                self._pairs.append((client, server))
            for ends, direction in (((client, server), TO_SERVER), ((server, client), TO_CLIENT)):
                threading.Thread(target=self._pump, args=(*ends, direction), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(_ANSWER):
                allowed, broken = self._allowed(direction, len(data))
                sink.sendall(data[:allowed])
                if broken is not None and not broken.silent:
                    _reset((source, sink))
                    return
                if broken is not None:
                    _wait_for_end(source)
                    return
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _allowed(self, direction: str, size: int) -> tuple[int, Break | None]:
        """How much of what came may pass, and the break if it happens now or has happened."""
        with self._guard:
            planned, before = self._break, self.passed[direction]
            if planned is not None and planned.met:
                return 0, planned
            if planned is None or planned.direction != direction or before + size < max(planned.after, 1):
                self.passed[direction] = before + size
                return size, None
            planned.met = True
            self.passed[direction] = planned.after
            return planned.after - before, planned


def _reset(ends: tuple[socket.socket, socket.socket]) -> None:
    """Both ends get a reset, as from a machine that has restarted."""
    for end in ends:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            end.close()


def _wait_for_end(source: socket.socket) -> None:
    """Read nothing until the other side gives up."""
    poll = select.poll()
    poll.register(source, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
    poll.poll(60_000)


@contextmanager
def wire(target: int) -> Iterator[Proxy]:
    """A proxy while the block runs."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
