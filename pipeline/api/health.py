"""For those who run the service: is the process up, can it serve, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.api.context import service_of
from pipeline.store.app_database import AppDatabase

router = APIRouter(tags=["Operation"])


class Health(BaseModel):
    """Whether the process answers."""

    status: str


class Readiness(BaseModel):
    """Whether requests can be served, and what each part says."""

    status: str
    checks: dict[str, str]


@router.get("/healthz")
async def healthz() -> Health:
    """The process is up."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Requests can't be served now."}})
async def readyz(request: Request, response: Response) -> Readiness:
    """The app database answers and has this version's tables."""
    service = service_of(request)
    checks = {"app_database": await service.run(_database_state, service.database)}
    ready = all(state == "ok" for state in checks.values())
    response.status_code = 200 if ready else 503
    return Readiness(status="ok" if ready else "unavailable", checks=checks)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def metrics(request: Request) -> Response:
    """Figures for Prometheus. Holds no partner's data; keep it inside your network all the same."""
    service = service_of(request)
    text = await service.run(service.metrics.text, service.database, service.now())
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _database_state(database: AppDatabase) -> str:
    try:
        present, wanted = database.schema_version()
        with database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"unreachable: {type(error).__name__}"
    return "ok" if present == wanted else f"schema is at {present or 'nothing'}, this version needs {wanted}"
