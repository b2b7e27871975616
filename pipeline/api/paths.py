"""What stands in addresses, by the names that the contract has for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

# `/webhooks/{id}`, `/leads/{id}`, …: id of what, the endpoint's own argument says.
Id = Annotated[str, Path(alias="id")]
