"""What keeps each table from growing for ever: one rule for every table of the three storages. A table without one fails a test.

EXPIRES: retention or housekeeping deletes its rows when they are as old as a setting says. BOUNDED: its rows are replaced or
deleted where they are written, so there are never more than something else is large. STAYS: kept on purpose; what a row stands
for comes rarely, or is short. What belongs here: the rules in words. What does not: deleting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    EXPIRES = "expires"
    BOUNDED = "bounded"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Rule:
    """``by``: of EXPIRES, the setting that says when; of BOUNDED, what bounds it; of STAYS, why."""

    kind: Kind
    by: str


def _expires(setting: str, *tables: str) -> dict[str, Rule]:
    return dict.fromkeys(tables, Rule(Kind.EXPIRES, setting))


def _bounded(by: str, *tables: str) -> dict[str, Rule]:
    return dict.fromkeys(tables, Rule(Kind.BOUNDED, by))


def _stays(why: str, *tables: str) -> dict[str, Rule]:
    return dict.fromkeys(tables, Rule(Kind.STAYS, why))


APP_DATABASE: Mapping[str, Rule] = {
    **_expires("retention_landing_days", "landings", "follow_ups", "source_hours", "host_paces"),
    **_expires("retention_history_days", "usage_counters", "crm_imports", "crm_rejects", "operator_notices"),
    # With the closed days of their news (store.closed_days), 30 days later.
    **_expires("retention_history_days", "rounds", "matches", "deliveries", "delivery_attempts", "match_reviews"),
    **_expires("retention_history_days", "signals", "signal_documents", "signal_investors", "companies", "investors"),
    **_expires("retention_history_days", "credit_entries", "referrals", "referral_changes"),
    **_bounded("the CRMs of partners", "accounts", "contacts"),
    **_bounded("what the warehouse has not taken yet", "crm_change_batches"),
    **_bounded("deletions of 30 days (crm.upsert)", "crm_deletions"),
    **_bounded("the watched sources", "source_states"),
    **_bounded("200 a source (documents.shared_links)", "shared_links"),
    **_bounded("5,000 sites (documents.robots)", "robots_rules"),
    **_bounded("keys", "key_hours"),
    **_bounded("operations of teams", "call_windows"),
    **_bounded("sends under way", "credit_holds"),
    **_bounded("one row", "subscription_counter", "subscription_snapshots"),
    **_bounded("1,000 a team (subscriptions.targets)", "monitor_targets"),
    **_bounded("20 a team (subscriptions.monitors)", "monitors"),
    **_stays("partners and what they set up; what was switched off names who did what", "organizations", "api_keys"),
    **_stays("partners and what they set up; what was switched off names who did what", "face_keys", "operator_tokens"),
    **_stays("partners and what they set up; what was switched off names who did what", "teams", "webhook_endpoints"),
    **_stays("a deleted webhook keeps its history and can be revived", "webhook_subscriptions", "partner_webhooks"),
    **_stays("partners and what they earn", "referral_partners", "commission_rates", "active_funding_types"),
    **_stays("money: what was earned of which lead, and paid", "commissions", "payouts"),
    **_stays("erasing a person asks which deliveries spoke of them; one for each stage of a lead", "partner_events"),
    **_stays("one row a day, without the file", "status_snapshots"),
    **_stays("who looked at whose contact: for audit", "contact_reveals"),
}

WAREHOUSE: Mapping[str, Rule] = {
    # With the closed days of their news; what a filing tells of stays, as amendments come yearly.
    **_expires("retention_history_days", "raw.documents", "core.mentions", "core.funding_rounds", "core.round_mentions"),
    **_expires("retention_history_days", "core.matches", "core.webhook_deliveries", "core.match_reviews"),
    **_expires("retention_history_days", "raw.rejected_documents", "raw.source_hours"),
    **_expires("retention_history_days", "core.crm_account_history", "core.crm_contact_history"),
    **_bounded("30 days of near misses (matching.near_misses)", "core.near_misses"),
    **_bounded("the CRMs of partners", "core.crm_accounts", "core.crm_contacts", "core.organizations"),
    **_bounded("the names in the CRMs", "core.match_names", "core.match_keys", "core.match_words", "core.match_rows"),
    **_bounded("steps", "core.progress"),
    **_bounded("schema files", "main.schema_version"),
    **_bounded("ten runs (recovery.dry_run)", "recovery.dry_run_changes"),
    **_bounded("the app database, copied whole", "core.partner_leads", "core.partner_lead_changes", "core.partner_commissions"),
    **_bounded("the app database, copied whole", "core.partner_payouts", "core.status_snapshots"),
    **_bounded("the app database, copied whole", "core.referral_partners", "core.partner_rates"),
    **_stays("16 bytes a document: a feed that shows one again brings no news", "raw.past_documents"),
    **_stays("twelve numbers a partner and day: how the CRMs grew", "core.crm_snapshots"),
}

DAGSTER: Mapping[str, Rule] = {
    **_expires("retention_days", "runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions"),
    **_expires("retention of dagster.yaml", "job_ticks"),
    **_bounded("assets", "asset_keys"),
    **_bounded("schedules and sensors", "jobs", "instigators"),
    **_bounded("pools and steps under way", "concurrency_limits", "concurrency_slots", "pending_steps"),
    **_bounded("daemons", "daemon_heartbeats"),
    **_bounded("nobody: no asset has such partitions", "dynamic_partitions"),
    **_bounded("nobody: no asset has an automation condition (ADR 0004)", "asset_daemon_asset_evaluations"),
    **_bounded("Dagster's own settings", "instance_info", "kvs", "secondary_indexes", "alembic_version"),
    **_stays("one row for each shape that a job ever had", "snapshots"),
    **_stays("one row for each backfill that somebody launched", "bulk_actions", "backfill_tags"),
}
