"""Faces that are applications of their own: everything under a prefix is theirs, whatever the rest of the address holds."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Face:
    """ASGI middleware that hands all under ``prefix`` to ``face``. (A router's mount overlooks addresses with line breaks.)"""

    def __init__(self, app: ASGIApp, prefix: str, face: ASGIApp) -> None:
        self._app = app
        self._prefix = prefix
        self._face = face

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self._prefix}/"):
            # In this very scope: the edge reads from it which route it was.
            scope["root_path"] = scope.get("root_path", "") + self._prefix
            await self._face(scope, receive, send)
            return
        await self._app(scope, receive, send)
