"""Which columns each column is made from, across assets. A test holds both ends to the tables that exist.

What comes from outside (a feed, a partner's push, a receiver's answer) or is counted or decided on the spot has no entry.
"""

from collections.abc import Mapping

import dagster as dg

from pipeline.defs import common

Origin = tuple[dg.AssetKey, str]
Origins = dict[str, tuple[Origin, ...]]


def _same(asset: dg.AssetKey, names: str) -> Origins:
    """Columns taken over under their own names."""
    return {name: ((asset, name),) for name in names.split()}


def _read_from(names: str, *origins: Origin) -> Origins:
    """Columns that are all made from the same ones."""
    return dict.fromkeys(names.split(), origins)


def _of_both(name: str) -> tuple[Origin, Origin]:
    """A column that rounds and mentions have."""
    return (common.FUNDING_ROUNDS, name), (common.MENTIONS, name)


_TEXT = ((common.DOCUMENTS, "title"), (common.DOCUMENTS, "body"), (common.DOCUMENTS, "form_d"))
_ROUND = (common.FUNDING_ROUNDS, "round_id")
_COMPARED_IN_CRM = (
    (common.CRM_ACCOUNTS, "domain_key"),
    (common.CRM_CONTACTS, "email_domain_key"),
    (common.CRM_ACCOUNTS, "name_key"),
)
_COMPARED_IN_ROUND = ((common.FUNDING_ROUNDS, "domain_key"), (common.FUNDING_ROUNDS, "company_key"))
_FACTS = (
    "company_name company_key domain_key cik amount currency amount_usd usd_rate_date funding_type round_flavor "
    "website industry ceo_name ceo_email ceo_linkedin_url investors"
)

SOURCES: Mapping[dg.AssetKey, Origins] = {
    common.MENTIONS: _same(common.DOCUMENTS, "document_id document_seq revision")
    | _read_from(
        f"{_FACTS} signal_type is_funding set_aside_reason city country description confidence_score confidence_reasons "
        "evidence details",
        *_TEXT,
    )
    | _read_from("announced_date", *_TEXT, (common.DOCUMENTS, "published_at"))
    | _read_from("accession previous_accession", (common.DOCUMENTS, "form_d")),
    common.FUNDING_ROUNDS: _same(common.MENTIONS, f"{_FACTS} announced_date accession confidence_score confidence_reasons")
    | _read_from("location", (common.MENTIONS, "city"), (common.MENTIONS, "country"))
    | _read_from("location_country", (common.MENTIONS, "country"))
    | _read_from("lead_investor", (common.MENTIONS, "investors"))
    | _read_from("round_id mention_count conflicts", (common.MENTIONS, "document_id"))
    | _read_from("article_url", (common.DOCUMENTS, "url"))
    | _read_from("article_title", (common.DOCUMENTS, "title"))
    | _read_from("published_date", (common.DOCUMENTS, "published_at"))
    | _read_from("source_count", (common.DOCUMENTS, "outlet"))
    | _read_from("tells", (common.DOCUMENTS, "is_catch_up"), (common.MENTIONS, "is_recovered")),
    # A signal is made of a round, or of the mentions of one event.
    common.SIGNALS_PUBLISHED: _read_from("id", _ROUND, (common.MENTIONS, "document_id"))
    | _read_from("external_id", _ROUND, (common.MENTIONS, "document_id"), (common.MENTIONS, "signal_type"))
    | _read_from("event_type", (common.MENTIONS, "signal_type"))
    | _read_from("logical_key", _ROUND, (common.MENTIONS, "company_key"), (common.MENTIONS, "details"))
    | _read_from("is_active", (common.FUNDING_ROUNDS, "status"), (common.MENTIONS, "signal_type"))
    | _read_from(
        "occurred_at",
        (common.FUNDING_ROUNDS, "announced_date"),
        (common.FUNDING_ROUNDS, "published_date"),
        (common.FUNDING_ROUNDS, "first_seen_at"),
        (common.DOCUMENTS, "published_at"),
        (common.DOCUMENTS, "landed_at"),
    )
    | _read_from("discovered_at", (common.FUNDING_ROUNDS, "first_seen_at"), (common.DOCUMENTS, "landed_at"))
    | _read_from("company_id", *_of_both("domain_key"), *_of_both("company_key"))
    | _read_from("company_name", *_of_both("company_name"))
    | _read_from("industry categories", *_of_both("industry"))
    | _read_from("country", (common.FUNDING_ROUNDS, "location_country"), (common.MENTIONS, "country"))
    | _read_from("round_type", (common.FUNDING_ROUNDS, "funding_type"))
    | _same(common.FUNDING_ROUNDS, "round_flavor")
    | _read_from("amount", *_of_both("amount"))
    | _read_from("currency", *_of_both("currency"))
    | _read_from("confidence", *_of_both("confidence_score")),
    common.CRM_SNAPSHOTS: _read_from(
        "accounts accounts_added accounts_changed accounts_removed",
        (common.CRM_ACCOUNTS, "external_id"),
    )
    | _read_from("accounts_with_domain", (common.CRM_ACCOUNTS, "domain_key"))
    | _read_from("contacts contacts_added contacts_changed contacts_removed", (common.CRM_CONTACTS, "external_id"))
    | _read_from("contacts_with_work_email", (common.CRM_CONTACTS, "email_domain_key"))
    | _same(common.CRM_ACCOUNTS, "organization_id"),
    common.MATCHES: _same(common.CRM_ACCOUNTS, "organization_id")
    | _read_from("match_id", (common.CRM_ACCOUNTS, "organization_id"), _ROUND)
    | _read_from("round_id", _ROUND)
    | _read_from("account_external_id", (common.CRM_ACCOUNTS, "external_id"), (common.CRM_CONTACTS, "account_external_id"))
    | _read_from("contact_external_id", (common.CRM_CONTACTS, "external_id"))
    | _read_from("crm_value", *_COMPARED_IN_CRM)
    | _read_from("round_value", *_COMPARED_IN_ROUND)
    | _read_from("match_type rule score all_matches", *_COMPARED_IN_CRM, *_COMPARED_IN_ROUND),
    common.NEAR_MISSES: _same(common.CRM_ACCOUNTS, "organization_id")
    | _read_from("round_id", _ROUND)
    | _read_from("account_external_id", (common.CRM_ACCOUNTS, "external_id"))
    | _read_from("crm_value", (common.CRM_ACCOUNTS, "name"))
    | _read_from("round_value", (common.FUNDING_ROUNDS, "company_name"))
    | _read_from("score rule explanation", (common.CRM_ACCOUNTS, "name"), (common.FUNDING_ROUNDS, "company_name")),
    common.WEBHOOK_DELIVERIES: _same(common.MATCHES, "match_id organization_id round_id matched_at")
    | _read_from("document_landed_at", (common.DOCUMENTS, "landed_at")),
    common.MATCH_REVIEWS: _same(common.CRM_ACCOUNTS, "organization_id")
    | _same(common.MATCHES, "match_id")
    | _read_from("round_id", _ROUND)
    | _read_from("round_value", (common.FUNDING_ROUNDS, "company_name"))
    | _read_from("crm_value", (common.CRM_ACCOUNTS, "name"))
    | _read_from("account_external_id", (common.CRM_ACCOUNTS, "external_id"))
    | _read_from("score rule", (common.CRM_ACCOUNTS, "name"), (common.FUNDING_ROUNDS, "company_name")),
    common.PARTNER_LEAD_CHANGES: _read_from("old_stage new_stage is_flagged", (common.STATUS_SNAPSHOTS, "sha256"))
    | _same(common.STATUS_SNAPSHOTS, "snapshot_date")
    | _same(common.PARTNER_LEADS, "lead_id partner_id"),
    common.PARTNER_COMMISSIONS: _same(common.PARTNER_LEADS, "lead_id")
    | _read_from("base_cents amount_cents", (common.PARTNER_LEADS, "funded_cents")),
    common.PARTNER_PAYOUTS: _same(common.PARTNER_COMMISSIONS, "partner_id amount_cents"),
}
