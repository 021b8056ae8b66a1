"""The one ASGI root: its life, the live events, and Django behind everything else.

The worker process opens the ledger, not its parent (E19): when the server says that it starts, the site is opened; when
it says that it ends, the last checkpoint is published and the site is closed.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cellwright.site.settings")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOK_S: Final = 0.3
"""How often a live page's connection looks whether something has moved; it reads nothing but memory."""
LIFE_S: Final = 6.0
"""How long a connection lives. The browser comes back by itself with the position it has, is asked for its session again,
and never keeps a server that wants to end waiting for longer."""
TAGS_MOST: Final = 20


class Root:
    """The application that the server runs."""

    def __init__(self) -> None:
        self._django: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._life(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/live":
            await _live(scope, receive, send)
        elif scope["type"] == "http":
            await self._django(scope, _coroutine(receive), send)

    async def _life(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await asyncio.to_thread(self._open)
                except Exception as error:  # noqa: BLE001 - the server says it and ends
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(_close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _open(self) -> None:
        from cellwright.site.opening import open_house

        open_house(Path(os.environ["CELLWRIGHT_SITE"]), demo=int(os.environ.get("CELLWRIGHT_DEMO", "0")))
        from a2wsgi import WSGIMiddleware
        from django.core.wsgi import get_wsgi_application

        django: Any = get_wsgi_application()
        self._django = WSGIMiddleware(django, workers=8)


def _coroutine(receive: Receive) -> Receive:
    """The server's own awaitables are no coroutines, and the bridge to Django runs coroutines only."""

    async def receiving() -> MutableMapping[str, Any]:
        return await receive()

    return receiving


def _close() -> None:
    from cellwright.site.house import house, occupy

    try:
        house().close()
    finally:
        occupy(None)


async def _live(scope: Scope, receive: Receive, send: Send) -> None:
    """Server-sent events: a line whenever something moved in what the page shows."""
    from cellwright.site.house import house

    session = _cookie(scope)
    if not await asyncio.to_thread(_signed_in, session):
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b""})
        return
    tags = frozenset(parse_qs(scope.get("query_string", b"").decode()).get("tag", [])[:TAGS_MOST])
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_gone(receive))
    now, loop = house(), asyncio.get_running_loop()
    seen, end = _last(scope, now.projector.position), loop.time() + LIFE_S
    try:
        await send(_line(f"retry: 300\nid: {seen}\n\n"))
        while not gone.done() and not now.ending and loop.time() < end:
            position = now.projector.position
            if now.projector.touched(seen, tags):
                await send(_line(f"event: moved\nid: {position}\ndata: {json.dumps({'record': position})}\n\n"))
            seen = position
            await asyncio.sleep(LOOK_S)
        await send(_line("", more=False))
    except OSError:
        pass  # the browser has gone
    finally:
        gone.cancel()


def _line(text: str, *, more: bool = True) -> MutableMapping[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}


def _last(scope: Scope, position: int) -> int:
    """The position a returning browser already has."""
    given = next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")
    return min(int(given), position) if given.isdigit() else position


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cookie(scope: Scope) -> str:
    cookies: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies.load(value.decode("latin-1"))
    found = cookies.get("cellwright")
    return found.value if found else ""


def _signed_in(session: str) -> bool:
    from django.db import close_old_connections

    from cellwright.site.models import Seat

    close_old_connections()
    return bool(session) and Seat.objects.filter(session=session).exists()


application = Root()
