"""Checks of what concerns partners: rows that can't be matched, calls that run out, matches without their other half, and
rounds of the look-back window that rows should have met."""

from datetime import UTC, timedelta

import dagster as dg
from sqlalchemy import select

from pipeline.defs import common
from pipeline.defs.check_building import Findings, Judged, View
from pipeline.organizations.quotas import DEFAULT_LIMITS, limit_of
from pipeline.store.tables.matches import Match, MatchReview
from pipeline.store.tables.organizations import ApiKey, Organization, UsageCounter

# Of an organization's accounts with a domain, at least so many of which more than so large a share give no key.
LEAST_ACCOUNTS, MOST_UNMATCHABLE = 20, 0.2
NEAR_THE_END = 0.9
# Rows that the ledger and the warehouse write one after the other may be apart for as long as a run lasts.
SETTLED_AFTER, LOOKED_AT = timedelta(minutes=30), timedelta(days=7)
EXPIRES_WITHIN = timedelta(days=2)

UNMATCHABLE = f"""
    SELECT coalesce(slug, organization_id) AS organization, count(*) AS accounts_with_domain,
        count(*) FILTER (domain_key IS NULL) AS without_key, min(domain) FILTER (domain_key IS NULL) AS for_example
    FROM core.crm_accounts LEFT JOIN core.organizations USING (organization_id)
    WHERE nullif(trim(domain), '') IS NOT NULL GROUP BY ALL
    HAVING count(*) >= {LEAST_ACCOUNTS} AND without_key > {MOST_UNMATCHABLE} * count(*) ORDER BY without_key DESC, organization
"""
# Equal domains, the account changed while the round was in the window, and neither a match nor a merged round explains it.
UNMET = """
    WITH rounds AS (
        SELECT round_id, company_name, domain_key, first_seen_at FROM core.funding_rounds
        WHERE status = 'active' AND tells AND domain_key IS NOT NULL AND first_seen_at >= $since AND first_seen_at <= $settled
    ),
    shared AS (
        SELECT organization_id, domain_key FROM core.crm_accounts SEMI JOIN rounds USING (domain_key)
        GROUP BY ALL HAVING count(*) >= 8
    )
    SELECT coalesce(slug, accounts.organization_id) AS organization, company_name, accounts.external_id AS account,
        accounts.domain_key AS domain, first_seen_at AS round_seen, accounts.updated_at AS account_changed, round_id
    FROM rounds JOIN core.crm_accounts accounts USING (domain_key)
    LEFT JOIN core.organizations USING (organization_id)
    ANTI JOIN core.matches known ON known.organization_id = accounts.organization_id AND known.round_id = rounds.round_id
    ANTI JOIN shared ON shared.organization_id = accounts.organization_id AND shared.domain_key = accounts.domain_key
    WHERE accounts.updated_at <= least($settled, first_seen_at + to_hours($hours))
    ORDER BY first_seen_at DESC, organization, account
"""
RECORDED = "SELECT match_id FROM core.matches WHERE matched_at >= $since AND matched_at <= $settled"


def unmatchable_domains(view: View) -> Findings:
    """Organizations of which many domains give no key to match by."""
    rows = view.connection.execute(UNMATCHABLE).fetchall()
    return Findings(("organization", "accounts with a domain", "without a key", "for example"), rows)


def rows_unmet(view: View) -> Findings:
    """Accounts that a round of their domain did not meet although it should have."""
    hours = view.installation.settings.look_back_hours
    when = {"since": view.now - LOOKED_AT, "settled": view.now - SETTLED_AFTER, "hours": hours}
    names = ("organization", "round of", "account", "domain", "round seen", "account changed", "round_id")
    return Findings(names, view.connection.execute(UNMET, when).fetchall())


def orphaned_matches(view: View) -> Findings:
    """Matches of the last week that only one of the two stores has."""
    since, settled = view.now - LOOKED_AT, view.now - SETTLED_AFTER
    in_warehouse = {row[0] for row in view.connection.execute(RECORDED, {"since": since, "settled": settled}).fetchall()}
    # Both sides are read over a margin: the two write their times one after the other.
    within = Match.created_at.between((since - SETTLED_AFTER).replace(tzinfo=UTC), view.now.replace(tzinfo=UTC))
    with view.installation.database.read() as session:
        recent = dict(list(session.execute(select(Match.id, Match.created_at).where(within))))
    everything = RECORDED.replace("$since", "$earlier").replace("$settled", "$later")
    margin = {"earlier": since - SETTLED_AFTER, "later": view.now}
    mirrored = {row[0] for row in view.connection.execute(everything, margin).fetchall()}
    due = {match for match, at in recent.items() if since.replace(tzinfo=UTC) <= at <= settled.replace(tzinfo=UTC)}
    rows = [(match, "ledger alone") for match in sorted(due - mirrored)]
    rows += [(match, "warehouse alone") for match in sorted(in_warehouse - recent.keys())]
    return Findings(("match_id", "found in"), rows, {"matches": len(in_warehouse)})


def ending_quotas(view: View) -> Findings:
    """Keys that have used nine tenths of a day's calls, yesterday or today."""
    days = [str(view.now.date()), str(view.now.date() - timedelta(days=1))]
    query = (
        select(
            Organization.slug, ApiKey.token_prefix, UsageCounter.day, UsageCounter.operation, UsageCounter.calls, ApiKey.quotas
        )
        .join(ApiKey, ApiKey.id == UsageCounter.key_id)
        .join(Organization, Organization.id == ApiKey.organization_id)
        .where(UsageCounter.day.in_(days), ApiKey.revoked_at.is_(None))
        .order_by(UsageCounter.day.desc(), Organization.slug, UsageCounter.operation)
    )
    rows = []
    with view.installation.database.read() as session:
        for row in session.execute(query):
            limit = limit_of(row.quotas, row.operation) if row.operation in DEFAULT_LIMITS else None
            if limit and row.calls >= NEAR_THE_END * limit:
                rows.append((row.slug, f"{row.token_prefix}…", row.day, row.operation, row.calls, limit))
    return Findings(("organization", "key", "day", "operation", "calls", "limit"), rows)


def expiring_reviews(view: View) -> Findings:
    """Questions that expire within two days."""
    asked_before = view.now.replace(tzinfo=UTC) - timedelta(days=view.installation.settings.review_days) + EXPIRES_WITHIN
    query = (
        select(MatchReview.id, Organization.slug, MatchReview.round_value, MatchReview.crm_value, MatchReview.score)
        .join(Organization, Organization.id == MatchReview.organization_id)
        .where(MatchReview.status == "waiting", MatchReview.created_at <= asked_before)
        .order_by(MatchReview.created_at, MatchReview.id)
    )
    with view.installation.database.read() as session:
        rows = [tuple(row) for row in session.execute(query)]
    return Findings(("review", "organization", "round of", "account named", "score"), rows)


CHECKS = [
    Judged(
        common.CRM_ACCOUNTS,
        "domains_can_be_matched",
        "No CRM has more than a fifth of domains that give no key. If it fails: `fundingscout key VALUE` says why (a "
        "profile page, a free "
        "mail provider, no domain at all). Tell the partner which field of their CRM to push instead.",
        unmatchable_domains,
    ),
    Judged(
        common.CRM_ACCOUNTS,
        "no_quota_is_near_its_end",
        "No key used nine tenths of a day's calls, yesterday or today. If it fails: ask the partner to push full "
        "batches (1,000 rows a "
        "call), or give the key a limit of its own (`fundingscout keys quota`).",
        ending_quotas,
    ),
    Judged(
        common.MATCHES,
        "look_back_has_no_gap",
        "Every account met the rounds of its own domain that were seen in the last week, from the look-back window on. "
        "If it fails: the "
        "service was down for longer than the window, or a row came late. Backfill the days of `round seen` "
        "(`fundingscout backfill --from DAY --to DAY --dry-run`, then without `--dry-run`).",
        rows_unmet,
    ),
    Judged(
        common.MATCHES,
        "no_match_is_orphaned",
        "Every match of the last week is in the ledger and in the warehouse. If it fails: `ledger alone`: run `sync`, "
        "which copies it. "
        "`warehouse alone`: rows were restored from different backups; the ledger is right, and what it lacks was not told.",
        orphaned_matches,
        dg.AssetCheckSeverity.ERROR,
    ),
    Judged(
        common.MATCH_REVIEWS,
        "no_review_is_about_to_expire",
        "No question to an analyst expires within two days. If it fails: `fundingscout review list`, and say a word; "
        "what expires is "
        "not told.",
        expiring_reviews,
    ),
]
