"""Logs as one JSON object per line. Who called what, and what came of it; no tokens, no bodies, no query strings."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

request_id_now: ContextVar[str | None] = ContextVar("request_id_now", default=None)


class JsonLines(logging.Formatter):
    """A record as JSON: time (UTC), level, logger, message, request id, and what ``extra={"fields": {…}}`` adds."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = request_id_now.get()
        if request_id is not None:
            line["request_id"] = request_id
        if record.exc_info:
            # The kind alone: an exception's text may hold what a partner sent.
            line["error_type"] = getattr(record.exc_info[0], "__name__", "")
        return json.dumps(line | getattr(record, "fields", {}), default=str)


def set_up_logging(level: str) -> None:
    """Send all logs of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "mcp"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Every request has its own line from the edge.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("mcp").setLevel(logging.WARNING)
    # Alembic lists its own parts before the migrations that an operator wants to see.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
