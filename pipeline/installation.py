"""One installation put together: settings, stores, landing, sources, secrets, clock.

What belongs here: building each part once, when it is first needed. What does not: any work done with them.
The command line, the Dagster resource and the HTTP faces all start from it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.documents.fetch import Fetcher
from pipeline.documents.landing import Landing
from pipeline.documents.sources import Source, load_sources
from pipeline.matching.domains import use_suffix_list
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.warehouse import Warehouse

if TYPE_CHECKING:
    from pipeline.signals.model_backed import ModelExtractor


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class Installation:
    """What one ``Settings`` object stands for. Cheap to build; parts connect or read when first used."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.now = now
        # Which list domains are judged by is known before the first is.
        use_suffix_list(self.suffix_list_file if self.suffix_list_file.exists() else None)

    @property
    def suffix_list_file(self) -> Path:
        """Where `fundingscout suffix-list refresh` puts the Public Suffix List; without it the bundled one is used."""
        return self.settings.home.absolute() / "public_suffix_list.dat"

    @cached_property
    def database(self) -> AppDatabase:
        """The app database, migrated to this code's version."""
        database = AppDatabase(self.settings.app_database_url)
        database.migrate()
        return database

    @cached_property
    def warehouse(self) -> Warehouse:
        """The DuckDB file (opened only within ``warehouse.open()`` and ``warehouse.write()``)."""
        return Warehouse(self.settings.warehouse_path, self.settings.warehouse_wait_seconds)

    @cached_property
    def landing(self) -> Landing:
        """Where fetched bytes are kept."""
        return Landing(self.settings.landing_path)

    @cached_property
    def sources(self) -> list[Source]:
        """The watched sources. Raises with file, entry and field where the file is wrong."""
        return load_sources(self.settings.sources_file)

    @cached_property
    def fetcher(self) -> Fetcher:
        """What fetches documents, politely and only from vetted addresses."""
        settings = self.settings
        return Fetcher(
            user_agent=settings.user_agent,
            timeout_seconds=settings.fetch_timeout_seconds,
            max_bytes=settings.fetch_max_bytes,
            allowed_networks=settings.fetch_allowed_networks,
            ca_file=settings.fetch_ca_file,
            database=self.database,
        )

    @cached_property
    def model_extractor(self) -> ModelExtractor | None:
        """What reads documents with a language model's help; None where no endpoint is set."""
        settings = self.settings
        if not settings.model_url:
            return None
        # The rules' lists and patterns take a while to load, which most commands have no use for.
        from pipeline.signals.model_backed import ModelExtractor
        from pipeline.signals.model_client import ChatClient

        client = ChatClient(
            settings.model_url,
            settings.model_name or "",
            settings.model_api_key.get_secret_value() if settings.model_api_key else None,
            timeout_seconds=settings.model_timeout_seconds,
            allowed_networks=settings.model_allowed_networks,
            ca_file=settings.fetch_ca_file,
        )
        price = (settings.model_usd_per_million_in, settings.model_usd_per_million_out)
        return ModelExtractor(client, most_characters=settings.model_max_characters, usd_per_million=price)

    @cached_property
    def secret_box(self) -> SecretBox:
        """What encrypts webhook secrets at rest."""
        return SecretBox.open(self.settings)

    def close(self) -> None:
        """Let go of connections."""
        if "database" in self.__dict__:
            self.database.close()
