"""The watched sources: what each is, where, and how often it may be asked.

What belongs here: the shape of ``data/sources.yaml`` and its errors. What does not: polling (poll).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class SourcesError(ValueError):
    """The file of sources can't be used. The text names file, entry and field, one line each."""


class Source(BaseModel):
    """One watched feed.

    ``tells: false`` marks a source that is read to catch up: its documents are known, but tell nobody (A-FS-24).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Stable name; documents and health are counted by it.")
    kind: Literal["rss", "edgar_current"] = Field(description="rss: RSS or Atom. edgar_current: EDGAR's latest filings.")
    url: str = Field(description="Address of the feed; for edgar_current with its own action, type and count.")
    outlet: str = Field(min_length=1, description="Who publishes, as analysts and partners read it.")
    what: str = Field(min_length=1, description="What the feed carries, in one sentence.")
    poll_seconds: int = Field(60, ge=1, le=86_400, description="Seconds between two polls.")
    fetch_articles: bool = Field(False, description="Fetch the article page where an entry carries only a teaser.")
    tells: bool = Field(True, description="Whether rounds found here are told to partners.")
    language: str | None = Field("en", pattern=r"^[a-z]{2}$", description="ISO 639-1. null: as the feed states it.")
    min_gap_seconds: float | None = Field(None, ge=0, le=60, description="Pause between two requests to the host.")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        scheme, _, rest = url.partition("://")
        if scheme.lower() not in {"http", "https"} or not rest.strip("/"):
            raise ValueError(f"{url!r} is no http or https address")
        return url


def load_sources(path: Path) -> list[Source]:
    """The sources of a YAML file (a list under ``sources``), in its order.

    Raises SourcesError when the file is missing, is no such list, an entry is wrong, or two share an id.
    """
    entries = _entries(path)
    errors: list[str] = []
    sources: list[Source] = []
    for number, entry in enumerate(entries, start=1):
        try:
            sources.append(Source.model_validate(entry))
        except ValidationError as error:
            errors += [f"{path}, {_name(number, entry)}{_field(problem)}: {problem['msg']}" for problem in error.errors()]
    first: dict[str, Source] = {}
    for source in sources:
        if first.setdefault(source.id, source) is not source:
            errors.append(f"{path}, entry with id {source.id!r}, field id: is used twice; give each source its own")
    if errors:
        raise SourcesError("\n".join(errors))
    return sources


def _entries(path: Path) -> list[Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourcesError(
            f"{path}: can't be read ({error.strerror}); FUNDINGSCOUT_SOURCES_FILE says where the sources are"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourcesError(f"{path}: is no YAML: {error}") from error
    entries = content.get("sources") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise SourcesError(f"{path}: has no list `sources` at its top")
    return entries


def _name(number: int, entry: Any) -> str:
    identifier = entry.get("id") if isinstance(entry, dict) else None
    return f"entry {number} (id {identifier!r})" if identifier else f"entry {number}"


def _field(problem: Any) -> str:
    return f", field {'.'.join(str(part) for part in problem['loc'])}" if problem["loc"] else ""
