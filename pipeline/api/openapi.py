"""How a face's OpenAPI document is made: what FastAPI derives, less what is not so, and the shapes of bodies that endpoints read
themselves. Each face says its own title, text and bodies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute


def document_of(
    title: str, version: str, description: str, routes: Sequence[BaseRoute], bodies: Sequence[type[BaseModel]], prefix: str = ""
) -> dict[str, Any]:
    """The document of ``routes``, mounted at ``prefix``; ``bodies`` are the models that endpoints read without FastAPI."""
    servers = [{"url": prefix}] if prefix else None
    document = get_openapi(title=title, version=version, description=description, routes=routes, servers=servers)
    _, described = models_json_schema([(model, "validation") for model in bodies], ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    schemas |= described["$defs"]
    # A request that can't be used is a 400 with the face's envelope; no endpoint answers 422.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    return document


def text_of(document: dict[str, Any]) -> str:
    """A document as it is kept in docs/openapi: indented, one line feed at its end."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
