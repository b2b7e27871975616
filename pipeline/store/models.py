"""The tables of the app database: what partners told us, what we owe them, and what is waiting to be worked on.

What belongs here: tables, keys, constraints. What does not: queries (each room has its own).
Uniqueness that a promise rests on is a constraint here, not code: one match per organization and round
(FS-61), one delivery per dedupe key, one claim per delivery.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pipeline.store.types import BigSerial, UtcDateTime


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, str: Text, dict[str, Any]: JSON, list[Any]: JSON}


# --- partners ---------------------------------------------------------------------------------------------------------


class Organization(Base):
    """A partner (the seeds' "user"): owner of rows, webhook, matches and deliveries."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str]
    plan: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A bearer token (only its SHA-256) and the webhook secret made with it (only encrypted). FS-3, FS-4."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str]
    token_prefix: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    webhook_secret_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # signs beside the new one until then
    previous_secret_until: Mapped[datetime | None]
    quotas: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class OperatorToken(Base):
    """A token that opens the operators' API; only its SHA-256. A partner's key opens nothing there, nor this one theirs."""

    __tablename__ = "operator_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]  # whose it is, for the audit log
    token_prefix: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsageCounter(Base):
    """Calls of one operation by one key on one UTC day (FS-18, FS-19, A-FS-17)."""

    __tablename__ = "usage_counters"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    operation: Mapped[str] = mapped_column(String(32), primary_key=True)
    calls: Mapped[int]


class ContactReveal(Base):
    """One look at a round's CEO contact: who asked for it, by which way, and when. Kept for audit, never changed."""

    __tablename__ = "contact_reveals"
    __table_args__ = (
        Index("ix_contact_reveals_organization", "organization_id", "revealed_at"),
        Index("ix_contact_reveals_round", "round_id"),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    request_id: Mapped[str]
    revealed_at: Mapped[datetime]


class WebhookEndpoint(Base):
    """Where one organization is told, under which delivery profile. FundingScout: one per organization (FS-30)."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        Index(
            "uq_webhook_endpoints_one_fundingscout",
            "organization_id",
            unique=True,
            sqlite_where=text("profile = 'fundingscout'"),
            postgresql_where=text("profile = 'fundingscout'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    profile: Mapped[str] = mapped_column(String(32))
    url: Mapped[str]
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))  # whose secret signs (A-FS-5)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="active", server_default="active")  # active, paused, disabled
    disabled_reason: Mapped[str | None]  # why it is not active, for people
    state_changed_at: Mapped[datetime | None]
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # webhooks.policies; empty: strict
    headers_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # custom static headers, a JSON object
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]  # when the first of these failed
    paced_until: Mapped[datetime | None]  # where a rate limit is set: when the next send may begin
    secret_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # the webhook's own; None: a key's signs


class OperatorNotice(Base):
    """What an operator must be told of: an endpoint disabled. Kept until it is told, and after."""

    __tablename__ = "operator_notices"
    __table_args__ = (
        Index("ix_operator_notices_open", "id", sqlite_where=text("status = 'open'"), postgresql_where=text("status = 'open'")),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id"))
    endpoint_id: Mapped[str | None] = mapped_column(String(36))
    message: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # open, told, given_up
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


# --- CRM rows ---------------------------------------------------------------------------------------------------------


class Account(Base):
    """A company in a partner's CRM. Key: organization and external id (FS-13)."""

    __tablename__ = "accounts"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str]
    domain: Mapped[str | None]
    metadata_json: Mapped[str | None]  # the exact text sent (A-FS-3)
    content_hash: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Contact(Base):
    """A person in a partner's CRM, perhaps linked to an account by its external id (which need not exist)."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_account", "organization_id", "account_external_id"),)

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    email: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    account_external_id: Mapped[str | None]
    metadata_json: Mapped[str | None]
    content_hash: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CrmChangeBatch(Base):
    """Queue of CRM rows the warehouse has not seen: one entry for all rows of one kind that one transaction changed,
    written in it, deleted once the warehouse has them.

    A queue and not a watermark: a transaction that commits late can't be passed over.
    """

    __tablename__ = "crm_change_batches"
    # No number is given twice, not even when the queue was empty in between: sensors name their runs by it.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(8))  # account, contact
    external_ids_json: Mapped[str]  # a JSON array of the rows' external ids
    rows: Mapped[int]  # how many these are
    changed_at: Mapped[datetime]


class CrmDeletion(Base):
    """A CRM row that was deleted lately, perhaps pushed anew since: a match found before must not be recorded after it."""

    __tablename__ = "crm_deletions"

    organization_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # account, contact
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(index=True)


class CrmImport(Base):
    """One imported CRM file."""

    __tablename__ = "crm_imports"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    layout: Mapped[str]
    rows: Mapped[int]
    unchanged: Mapped[int]
    upserted: Mapped[int]
    rejected: Mapped[int]
    imported_at: Mapped[datetime]


class CrmReject(Base):
    """A row of a CRM file that could not be used, with its reason and its text."""

    __tablename__ = "crm_rejects"

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(ForeignKey("crm_imports.id"), index=True)
    organization_id: Mapped[str] = mapped_column(String(36))
    line: Mapped[int]
    reason: Mapped[str]
    row_json: Mapped[str]


# --- documents on their way in ----------------------------------------------------------------------------------------


class SourceState(Base):
    """What the next poll of a source needs to know of the last."""

    __tablename__ = "source_states"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    last_sha256: Mapped[str | None] = mapped_column(String(64))
    first_polled_at: Mapped[datetime | None]
    last_polled_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    memory: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # the reader's own, e.g. newest accessions


class SourceHour(Base):
    """Polls of one source in one hour, counted: the health of a source without a row per poll."""

    __tablename__ = "source_hours"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    polls: Mapped[int] = mapped_column(default=0)
    not_modified: Mapped[int] = mapped_column(default=0)
    landed: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    last_error: Mapped[str | None]


class Landing(Base):
    """One body fetched from outside, kept byte for byte in the landing under ``sha256``, and what became of it."""

    __tablename__ = "landings"
    __table_args__ = (
        Index(
            "ix_landings_waiting",
            "id",
            sqlite_where=text("status = 'landed'"),
            postgresql_where=text("status = 'landed'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(String(63), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # feed, edgar_page, form_d, article
    url: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    content_type: Mapped[str | None]
    is_catch_up: Mapped[bool]  # read in order to catch up: tells nobody (A-FS-24)
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fetched_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # landed, parsed, quarantined
    reason: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class FollowUp(Base):
    """A page that a feed entry points to and that is still to be fetched: an article, a Form D's XML."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        UniqueConstraint("kind", "url", name="uq_follow_ups_kind_url"),
        Index(
            "ix_follow_ups_waiting",
            "next_attempt_at",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(16))
    url: Mapped[str]
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_catch_up: Mapped[bool]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # waiting, done, given_up
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]


class SharedLink(Base):
    """A link that a feed has given to entries of different titles: it goes on being shared, whatever one poll holds."""

    __tablename__ = "shared_links"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    link_id: Mapped[str] = mapped_column(String(36), primary_key=True)  # the id of the document that it alone would name
    last_landing_id: Mapped[int] = mapped_column(BigInteger)  # the newest body that held it


class RobotsRules(Base):
    """What a site's robots.txt said, for all processes, until ``expires_at``."""

    __tablename__ = "robots_rules"

    site: Mapped[str] = mapped_column(String(300), primary_key=True)  # scheme://host:port
    rules: Mapped[str | None]  # the text, empty where the site has none; None while it can't say
    error: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class HostPace(Base):
    """When the next request to a host may start: one slot per row update, so all processes share one pace."""

    __tablename__ = "host_paces"

    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    next_at_epoch: Mapped[float] = mapped_column(Float(53))


# --- rounds, matches, deliveries --------------------------------------------------------------------------------------


class Round(Base):
    """A funding round as partners see it; written by the pipeline, read by the faces. ``body`` holds the 17 keys of FS-48."""

    __tablename__ = "rounds"
    __table_args__ = (Index("ix_rounds_newest", "first_seen_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    company_name: Mapped[str]
    company_key: Mapped[str] = mapped_column(Text, index=True)
    funding_type: Mapped[str | None]
    amount_usd: Mapped[int | None] = mapped_column(BigInteger)
    published_date: Mapped[str | None] = mapped_column(String(10))
    location_country: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # active; retracted (its reports no longer say so); merged (it is the round merged_into, which is never merged itself)
    status: Mapped[str] = mapped_column(String(16), default="active", server_default="active")
    merged_into: Mapped[str | None] = mapped_column(String(36), index=True)


class Match(Base):
    """The one match of an organization with a round. The unique constraint is the at-most-once promise (FS-61)."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint("organization_id", "round_id", name="uq_matches_organization_round"),
        Index("ix_matches_feed", "organization_id", "created_at", "id"),
        Index("ix_matches_logical_round", "organization_id", "company_key"),
        Index("ix_matches_account", "organization_id", "account_external_id"),
        Index("ix_matches_contact", "organization_id", "contact_external_id"),
        Index("ix_matches_round", "round_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    company_key: Mapped[str]  # with the date, the logical round (A-FS-24)
    round_date: Mapped[str | None] = mapped_column(String(10))
    match_type: Mapped[str] = mapped_column(String(16))
    account_external_id: Mapped[str | None]
    contact_external_id: Mapped[str | None]
    score: Mapped[float] = mapped_column(Float(53))
    explanation: Mapped[dict[str, Any]]  # rule, matcher version, the values compared
    all_matches: Mapped[list[Any]]
    origin: Mapped[str] = mapped_column(String(16))  # live, backfill
    created_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]  # its CRM row was deleted: no longer in the feed, still never told again


class Delivery(Base):
    """What we owe one endpoint. ``dedupe_key`` is unique: a second way to the same delivery finds the first."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "ix_deliveries_open",
            "status",
            "created_at",
            "id",
            sqlite_where=text("status IN ('pending', 'sending')"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
        # The feed of one status, newest first, at the same cost however many others there are. Its entries lie far apart, so
        # a delivery on its way (which ix_deliveries_open has) is not moved to one more place for the moment it takes.
        Index(
            "ix_deliveries_feed",
            "organization_id",
            "profile",
            "status",
            "created_at",
            "match_id",
            sqlite_where=text("status <> 'sending'"),
            postgresql_where=text("status <> 'sending'"),
        ),
        Index("ix_deliveries_newest", "created_at"),
        # What waits, endpoint by endpoint: one that takes nothing holds up nobody else, however much waits for it.
        Index(
            "ix_deliveries_lanes",
            "profile",
            "endpoint_id",
            "created_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_deliveries_scheduled",
            "next_attempt_at",
            "id",
            sqlite_where=text("status = 'scheduled'"),
            postgresql_where=text("status = 'scheduled'"),
        ),
        # One webhook's deliveries, newest first, and those of one event: of profiles whose partners have several webhooks.
        Index(
            "ix_deliveries_of_webhook",
            "endpoint_id",
            "created_at",
            "id",
            sqlite_where=text("profile = 'signalbase'"),
            postgresql_where=text("profile = 'signalbase'"),
        ),
        Index(
            "ix_deliveries_of_event",
            "endpoint_id",
            "event_id",
            sqlite_where=text("profile = 'signalbase'"),
            postgresql_where=text("profile = 'signalbase'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(Text, unique=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    profile: Mapped[str] = mapped_column(String(32))
    event_type: Mapped[str] = mapped_column(String(32))
    match_id: Mapped[str | None] = mapped_column(ForeignKey("matches.id"), index=True)
    event_id: Mapped[str | None] = mapped_column(String(64))  # what `webhook-id` says; None: the match's id, else the row's own
    endpoint_id: Mapped[str | None] = mapped_column(String(36))
    # held, pending, scheduled (until next_attempt_at), paused (with its endpoint), sending, delivered, failed, no_webhook
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None]
    body: Mapped[str | None]  # the exact text sent, from the claim on
    response_code: Mapped[int | None]
    response_excerpt: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]  # of a scheduled one
    next_trigger: Mapped[str | None] = mapped_column(String(16))  # retry, replay, test; None: what brought its match about
    signal_id: Mapped[str | None] = mapped_column(String(36))  # of a subscription's delivery
    previous_delivery_id: Mapped[str | None] = mapped_column(String(36))  # asked for again as a row of its own: the row before
    prior_attempts: Mapped[int] = mapped_column(default=0, server_default="0")  # those of the rows before


class DeliveryAttempt(Base):
    """One try, begun durably before a socket opens and finished after. Attempt 0: there was nowhere to send to."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        UniqueConstraint("delivery_id", "number", name="uq_delivery_attempts_number"),
        Index(
            "ix_delivery_attempts_unmirrored",
            "id",
            sqlite_where=text("is_mirrored = 0"),
            postgresql_where=text("NOT is_mirrored"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"))
    number: Mapped[int]
    trigger: Mapped[str] = mapped_column(String(16))  # live, backfill, retry, replay, test
    endpoint_url: Mapped[str | None]
    resolved_address: Mapped[str | None]
    body_sha256: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))  # sending, delivered, failed, no_webhook
    response_code: Mapped[int | None]
    response_excerpt: Mapped[str | None]
    duration_ms: Mapped[float | None] = mapped_column(Float(53))
    # The parts of duration_ms, each from the end of the one before; None where it was not come to, or not needed.
    resolve_ms: Mapped[float | None] = mapped_column(Float(53))
    connect_ms: Mapped[float | None] = mapped_column(Float(53))
    tls_ms: Mapped[float | None] = mapped_column(Float(53))
    first_byte_ms: Mapped[float | None] = mapped_column(Float(53))
    is_reused_connection: Mapped[bool | None] = mapped_column(Boolean)
    # False: no byte of the request left this machine. True, or not known: some may have.
    is_request_sent: Mapped[bool | None] = mapped_column(Boolean)
    error_class: Mapped[str | None]
    error: Mapped[str | None]
    is_mirrored: Mapped[bool] = mapped_column(Boolean, default=False)


# --- matches that a person decides ------------------------------------------------------------------------------------


class MatchReview(Base):
    """A question to an analyst: is this round about this account's name? Nobody is told of it, and the ledger lacks it,
    until it is approved.

    ``status``: waiting; approved or rejected by somebody; superseded (a surer match was recorded), expired (too old to be
    news), withdrawn (its CRM row or round is gone).
    """

    __tablename__ = "match_reviews"
    __table_args__ = (
        Index(
            "ix_match_reviews_waiting",
            "created_at",
            "id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_match_reviews_round", "organization_id", "round_id"),
        Index("ix_match_reviews_account", "organization_id", "account_external_id"),
        Index(
            "ix_match_reviews_unmirrored",
            "id",
            sqlite_where=text("is_mirrored = 0"),
            postgresql_where=text("NOT is_mirrored"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # follows from organization, round and the CRM's name
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    round_id: Mapped[str] = mapped_column(String(36))
    crm_value: Mapped[str]  # the account's name
    round_value: Mapped[str]  # the round's company
    account_external_id: Mapped[str | None]  # of the first row; all of them are in ``rows``
    score: Mapped[float] = mapped_column(Float(53))
    explanation: Mapped[dict[str, Any]]  # rule, matcher version, the thresholds it fell between
    rows: Mapped[list[Any]]  # the CRM rows under this name, as in matches.all_matches
    origin: Mapped[str] = mapped_column(String(16))  # live, backfill: what found it
    status: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]  # why, in the analyst's words
    outcome: Mapped[str | None]  # of an approval: told, no_webhook, known, same_round
    match_id: Mapped[str | None] = mapped_column(String(36))  # the ledger's, once approved
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    is_mirrored: Mapped[bool] = mapped_column(Boolean, default=False)
