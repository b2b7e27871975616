"""Every setting of fundingscout, typed, read once from the environment (prefix ``FUNDINGSCOUT_``) and ``.env``.

What belongs here: names, types, defaults and what each is for. What does not: anything that acts on a setting.
``.env.example`` lists the same names for operators; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]

Network = IPv4Network | IPv6Network

PREFIX = "FUNDINGSCOUT_"
OTHER_NAMES = {"FUNDINGSCOUT_AS_OF"}  # dbt's (dbt_project): the moment that marts speak of


class Settings(BaseSettings):
    """The settings of one installation. Build one at the edge (command line, code location) and pass it on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    home: Path = Field(
        PROJECT_ROOT / "data" / "state",
        description="Folder for all that this installation writes: stores, landing, Dagster's own.",
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the app database. Unset: SQLite at HOME/app.db. PostgreSQL: postgresql+psycopg://…"
    )
    warehouse_file: Path | None = Field(None, description="The DuckDB file. Unset: HOME/warehouse.duckdb.")
    warehouse_wait_seconds: float = Field(60.0, gt=0, description="How long an opening waits for another holder.")
    landing_dir: Path | None = Field(None, description="Where fetched bytes are kept under their SHA-256. Unset: HOME/landing.")
    sources_file: Path = Field(PROJECT_ROOT / "data" / "sources.yaml", description="The watched sources.")
    secret_key: SecretStr | None = Field(
        None,
        description="Fernet keys for webhook secrets at rest, comma separated, newest first. Unset: HOME/secret.key.",
    )

    user_agent: str = Field(
        "fundingscout/0.1 (set FUNDINGSCOUT_USER_AGENT to name and mailbox)",
        description="Sent with every fetch. SEC requires a name and a mailbox to contact.",
    )
    fetch_timeout_seconds: float = Field(15.0, gt=0, description="Budget of one fetch, connect to last byte.")
    fetch_max_bytes: int = Field(20_000_000, gt=0, description="A fetched body larger than this is refused.")
    fetch_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Private networks that sources may live in (tests, on-premises), comma separated CIDRs."
    )
    fetch_ca_file: Path | None = Field(None, description="Extra certificate authority trusted when fetching.")

    webhook_timeout_seconds: float = Field(5.0, gt=0, le=30, description="Wall-clock budget of one delivery (FS-58).")
    webhook_max_in_flight: int = Field(
        64, gt=0, description="Deliveries in flight at once in one sending process, slow receivers' not counted."
    )
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Private networks that webhooks may be sent to (tests, on-premises), comma separated CIDRs."
    )
    webhook_ca_file: Path | None = Field(None, description="Extra certificate authority trusted when delivering.")
    webhook_all_matches: bool = Field(True, description="Add `all_matches` to the FundingScout payload (A-FS-4).")

    signalbase_https_only: bool = Field(
        False, description="Refuse http:// endpoints of Signalbase webhooks (A-SB-1). Off: both are accepted."
    )

    operator_webhook_url: str | None = Field(
        None, description="Where operators are told, e.g. that a webhook was disabled. Unset: the log and the ledger alone."
    )
    operator_webhook_secret: SecretStr | None = Field(
        None, description="Signs what operators are told (Standard Webhooks): whsec_ and base64 of 24 to 64 bytes."
    )

    daily_summary_webhook: bool = Field(
        False, description="Send the daily summary (Markdown) to OPERATOR_WEBHOOK_URL too. Off: a file in HOME/summaries alone."
    )

    look_back_hours: int = Field(
        24, ge=0, description="New or changed CRM rows meet rounds first seen in this window (A-FS-19). 0: none."
    )
    max_article_age_hours: int = Field(72, ge=1, description="An article older than this when it lands tells nobody (A-FS-24).")
    match_rules: Literal["ours", "pages"] = Field(
        "ours",
        description="Rules of matching: ours, or those that the FundingScout pages print (equality alone; FSV-9 to FSV-11).",
    )
    name_match_threshold: float = Field(0.8, ge=0, le=1, description="Score from which a fuzzy name match is sent.")
    name_review_threshold: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Score from which a name match waits for a person's word; the same as the above: none does.",
    )
    review_days: int = Field(14, ge=1, description="Days after which a match that waits for a word is no news any more.")

    model_url: str | None = Field(
        None, description="An OpenAI-compatible endpoint (…/v1) that helps to read texts. Unset: rules alone, no network."
    )
    model_name: str | None = Field(None, description="The model to ask for at MODEL_URL.")
    model_api_key: SecretStr | None = Field(None, description="Sent as a bearer token to MODEL_URL, and nowhere else.")
    model_timeout_seconds: float = Field(
        20.0, gt=0, le=300, description="Budget of one question; then the rules' reading stands."
    )
    model_max_characters: int = Field(12_000, ge=500, description="Of a text, at most this much is sent to the model.")
    model_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Private networks that MODEL_URL may lead to (a model of your own), comma separated CIDRs."
    )
    model_usd_per_million_in: float = Field(0.0, ge=0, description="Price of a million tokens asked, for the recorded cost.")
    model_usd_per_million_out: float = Field(0.0, ge=0, description="Price of a million tokens answered.")

    api_host: str = Field("127.0.0.1", description="Where the HTTP API listens. Put a proxy that speaks HTTPS in front of it.")
    api_port: int = Field(8080, ge=0, le=65535, description="Port of the HTTP API.")
    api_workers: int = Field(1, ge=1, le=64, description="Processes that serve the HTTP API side by side.")
    api_max_body_bytes: int = Field(8_000_000, ge=1_000, description="A request body larger than this is refused.")

    time_zone: str = Field("UTC", description="Time zone of the daily sync.")
    daily_sync_cron: str = Field("0 2 * * *", description="When the daily sync runs, in TIME_ZONE.")
    first_day: date = Field(date(2026, 1, 1), description="First day that snapshots and backfills can be asked for.")
    retention_days: int = Field(90, ge=1, description="Days that run and tick history of Dagster is kept.")
    retention_text_days: int = Field(
        180, ge=1, description="Days that texts of articles and sentences quoted from them are kept. The rows stay."
    )
    retention_landing_days: int = Field(
        90,
        ge=1,
        description="Days that fetched bodies, settled follow-ups and hourly counts of polls are kept after they were read.",
    )
    retention_attempt_days: int = Field(
        180,
        ge=1,
        description="Days that what attempts met and exact bodies of ended deliveries are kept in the ledger. Their rows stay.",
    )
    retention_history_days: int = Field(
        400,
        ge=1,
        description="Days that news may be told of and worked through again, old versions of CRM rows, rejects and counters are "
        "kept. A month later the rows about older news go: rounds, matches, deliveries, documents.",
    )
    ui_host: str = Field("127.0.0.1", description="Where `fundingscout up` serves the Dagster UI.")
    ui_port: int = Field(3000, ge=0, le=65535, description="Port of the Dagster UI.")
    log_level: str = Field("INFO", description="Level of the log: DEBUG, INFO, WARNING, ERROR.")

    @field_validator("fetch_allowed_networks", "webhook_allowed_networks", "model_allowed_networks", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("begins with neither postgresql+psycopg:// nor sqlite:///")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; they are named like UTC or Europe/Berlin") from None
        return value

    @field_validator("daily_sync_cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        if len(value.split()) != 5:
            raise ValueError("has not the five fields of a cron line: minute, hour, day of month, month, day of week")
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        level = value.upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise ValueError(f"log level {value!r} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL")
        return level

    def as_environment(self) -> dict[str, str]:
        """The settings that were given, as environment variables: for processes that shall see the same."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {f"FUNDINGSCOUT_{name.upper()}": _as_text(value) for name, value in given.items() if value is not None}

    @property
    def app_database_url(self) -> str:
        """The app database's URL, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'app.db'}"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file, with the embedded default filled in."""
        return (self.warehouse_file or self.home / "warehouse.duckdb").absolute()

    @property
    def landing_path(self) -> Path:
        """The landing folder, with the embedded default filled in."""
        return (self.landing_dir or self.home / "landing").absolute()


def misspelt(given: Iterable[str]) -> list[str]:
    """What names of ``given`` look like settings and are none, each with the one that was probably meant."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    complaints = []
    for name in sorted({name.upper() for name in given if name.upper().startswith(PREFIX)} - known - OTHER_NAMES):
        # Compared without what all have in common.
        like = get_close_matches(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], 1)
        complaints.append(f"{name} is no setting and does nothing" + (f"; is {PREFIX}{like[0]} meant?" if like else ""))
    return complaints


def _as_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value.absolute()) if isinstance(value, Path) else str(value)
