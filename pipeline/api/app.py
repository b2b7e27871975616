"""The HTTP service. It opens the app database alone, never the warehouse."""

from __future__ import annotations

from fastapi import FastAPI, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.store.app_database import AppDatabase


class Health(BaseModel):
    """Whether the process answers."""

    status: str


class Readiness(BaseModel):
    """Whether requests can be served, and what each part says."""

    status: str
    checks: dict[str, str]


def build_app(database: AppDatabase) -> FastAPI:
    """The service over ``database``."""
    app = FastAPI(title="fundingscout", docs_url="/docs", redoc_url=None)

    @app.get("/healthz")
    def healthz() -> Health:
        """The process is up."""
        return Health(status="ok")

    @app.get("/readyz", responses={503: {"model": Readiness}})
    def readyz(response: Response) -> Readiness:
        """The app database answers and has this version's tables."""
        checks = {"app_database": _database_state(database)}
        ready = all(state == "ok" for state in checks.values())
        response.status_code = 200 if ready else 503
        return Readiness(status="ok" if ready else "unavailable", checks=checks)

    return app


def _database_state(database: AppDatabase) -> str:
    try:
        present, wanted = database.schema_version()
        with database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"unreachable: {type(error).__name__}"
    return "ok" if present == wanted else f"schema is at {present or 'nothing'}, this version needs {wanted}"
