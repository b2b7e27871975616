"""The HTTP service, served by a real uvicorn on loopback, over an app database on each backend in turn; a home for dbt."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from pipeline.api.app import build_app
from pipeline.api.patience import PatientProtocol
from pipeline.organizations.keys import NewKey
from pipeline.store.warehouse import Warehouse


class _Server(uvicorn.Server):
    """Stops when its connections have ended. uvicorn's own waits two tenths of a second longer, in each of hundreds of tests."""

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            await asyncio.sleep(0.005)

    async def shutdown(self, sockets: Any = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.001)
        await self.lifespan.shutdown()


class Api:
    """A running service, its clock, and a client that calls it with a partner's key."""

    def __init__(self, partners: Any, now: datetime, **settings: Any) -> None:
        self.partners = partners
        self.database = partners.database
        self.now = now
        self.app = build_app(self.database, partners.settings(**settings), lambda: self.now)
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=0, http=PatientProtocol, ws="none", log_config=None, access_log=False
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.organization = partners.add("acme")
        self.key: NewKey = partners.keys[self.organization]

    def __enter__(self) -> Api:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join(10)

    def call(self, method: str, path: str, token: str | None = "own", **more: Any) -> httpx.Response:
        """One request under /api/v1 with the partner's key, another token, or (None) none."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {self.key.token if token == 'own' else token}"
        return self._client.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, token: str | None = "own", **more: Any) -> httpx.Response:
        return self.call("GET", path, token, **more)

    def post(self, path: str, body: Any = None, token: str | None = "own", **more: Any) -> httpx.Response:
        """POST ``body`` as JSON; text and bytes go as they are, as application/json."""
        if isinstance(body, (str, bytes)):
            more["headers"] = {"Content-Type": "application/json"} | more.get("headers", {})
            return self.call("POST", path, token, content=body, **more)
        return self.call("POST", path, token, json=body, **more)

    def delete(self, path: str, token: str | None = "own", **more: Any) -> httpx.Response:
        return self.call("DELETE", path, token, **more)

    def raw(self, path: str, **more: Any) -> httpx.Response:
        """A request outside /api/v1."""
        return self._client.request(more.pop("method", "GET"), path, **more)


@pytest.fixture
def api(partners: Any, now: datetime) -> Iterator[Api]:
    """The service over an empty app database with one partner, on each backend in turn."""
    with Api(partners, now) as running:
        yield running


@pytest.fixture
def make_api(partners: Any, now: datetime) -> Any:
    """Makes services with other settings: ``with make_api(api_max_body_bytes=…) as api``."""
    return lambda **settings: Api(partners, now, **settings)


def _code(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body["error"]) == {"code", "message"}, body
    assert body["error"]["message"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"]
    return answer.status_code, body["error"]["code"]


@pytest.fixture
def code() -> Any:
    """(status, code) of an error answer, whose envelope is checked on the way (FSV-1)."""
    return _code


class MartsHome:
    """An installation's home that tests have by turns, so that dbt parses the project once: it goes by the warehouse's path.

    What dbt knows of the project stays (``dbt/``); all else goes with ``clear``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warehouse = Warehouse(path / "warehouse.duckdb")

    @property
    def project(self) -> Any:
        """The dbt project over this home's warehouse."""
        from pipeline.store.marts import MartsProject  # dbt takes seconds to import, and most tests go without

        return MartsProject(self.warehouse, self.path / "dbt")

    def clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.is_file():
                entry.unlink()
            elif entry.name != "dbt":
                shutil.rmtree(entry)

    def put(self, warehouse: Warehouse) -> None:
        """A copy of ``warehouse``, in place of whatever was here."""
        self.clear()
        shutil.copyfile(warehouse.path, self.warehouse.path)

    def kept_in(self, folder: Path) -> Warehouse:
        """A copy of this home's warehouse that outlives the turn. Views name the file they are in, so it keeps its name."""
        return Warehouse(shutil.copyfile(self.warehouse.path, folder / self.warehouse.path.name))


@pytest.fixture(scope="session")
def marts_home(tmp_path_factory: pytest.TempPathFactory) -> MartsHome:
    """The session's home for dbt: clear it, or put a warehouse there, before use."""
    return MartsHome(tmp_path_factory.mktemp("marts-home"))
