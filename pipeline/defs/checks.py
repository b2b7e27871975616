"""Asset checks: one property each, as a query that returns the rows that break it.

A check blocks where wrong data would reach a partner: the steps after it in the same run don't start.
"""

from dataclasses import dataclass
from datetime import UTC, timedelta

import dagster as dg
from sqlalchemy import func, select

from pipeline.defs import checks_drift, checks_partners, checks_sources, common
from pipeline.defs.check_building import build_judged
from pipeline.defs.common import InstallationParam
from pipeline.documents.document_table import TEXT_EXPIRED
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks.outbox import stale_claims


@dataclass(frozen=True, slots=True)
class Rule:
    """A property of an asset. ``broken`` returns the rows that break it; none means that it holds."""

    asset: dg.AssetKey
    name: str
    description: str
    broken: str
    blocking: bool = False


RULES = [
    Rule(
        common.DOCUMENTS,
        "document_id_is_unique",
        "One document has one row. If it fails: a feed's identity rule let one text in twice; see docs/maintainers.",
        "SELECT document_id, count(*) AS rows FROM raw.documents GROUP BY ALL HAVING count(*) > 1",
        blocking=True,
    ),
    Rule(
        common.MENTIONS,
        "every_document_is_read_once",
        "Each document has exactly one mention. If it fails: run `sync` again; documents without one are read then.",
        """SELECT document_id, count(mentions.document_id) AS mentions FROM raw.documents
           LEFT JOIN core.mentions USING (document_id) GROUP BY ALL HAVING count(mentions.document_id) <> 1""",
    ),
    Rule(
        common.MENTIONS,
        "every_funding_mention_has_evidence",
        "What is told to partners was read from a text: a funding mention names a company, and keeps the text it came from for as "
        "long as texts are kept. If it fails: the rules claim what they can't show; look at the document, and don't send.",
        f"""SELECT document_id, company_name FROM core.mentions JOIN raw.documents USING (document_id)
            WHERE is_funding AND (
                company_name IS NULL OR (json_array_length(evidence) = 0 AND body_origin IS DISTINCT FROM '{TEXT_EXPIRED}')
            )""",
        blocking=True,
    ),
    Rule(
        common.MENTIONS,
        "no_document_broke_the_extractor",
        "Every document could be read to its end. If it fails: `details` holds the error; after a mend, backfill the day.",
        "SELECT document_id, details, extractor_version FROM core.mentions WHERE set_aside_reason = 'extractor_failed'",
    ),
    Rule(
        common.FUNDING_ROUNDS,
        "round_id_is_unique",
        "One round has one row and one id. If it fails: pause sending; the warehouse was changed by hand: restore it.",
        "SELECT round_id, count(*) AS rows FROM core.funding_rounds GROUP BY ALL HAVING count(*) > 1",
        blocking=True,
    ),
    Rule(
        common.FUNDING_ROUNDS,
        "no_round_stands_twice",
        "No two active rounds of one company are days apart with the same type and amount: a partner would be told twice. If it "
        "fails: `fundingscout explain` both articles; the names, domains or dates that were read tell why they were not joined.",
        """SELECT a.company_name, a.round_id, b.round_id AS other_round_id, a.amount_usd, a.funding_type
           FROM core.funding_rounds a JOIN core.funding_rounds b
             ON a.company_key = b.company_key AND a.round_id < b.round_id
            AND coalesce(a.domain_key, '') = coalesce(b.domain_key, coalesce(a.domain_key, ''))
            AND abs(date_diff('day', a.announced_date, b.announced_date)) <= 14
            AND a.amount_usd = b.amount_usd AND a.funding_type IS NOT DISTINCT FROM b.funding_type
           WHERE a.status = 'active' AND b.status = 'active'""",
    ),
    Rule(
        common.FUNDING_ROUNDS,
        "amounts_are_plausible",
        "No round is below $1,000 or above $100 billion. If it fails: open the round's evidence; an amount was misread.",
        """SELECT round_id, company_name, amount_usd, article_url FROM core.funding_rounds
           WHERE amount_usd < 1000 OR amount_usd > 100000000000""",
    ),
    Rule(
        common.CRM_ACCOUNTS,
        "account_key_is_unique",
        "One account of an organization has one row. If it fails: the copy of the CRM was changed by hand; restore the warehouse.",
        """SELECT organization_id, external_id, count(*) AS rows FROM core.crm_accounts GROUP BY ALL HAVING count(*) > 1""",
        blocking=True,
    ),
    Rule(
        common.CRM_CONTACTS,
        "contact_key_is_unique",
        "One contact of an organization has one row. If it fails: the copy of the CRM was changed by hand; restore the warehouse.",
        """SELECT organization_id, external_id, count(*) AS rows FROM core.crm_contacts GROUP BY ALL HAVING count(*) > 1""",
        blocking=True,
    ),
    Rule(
        common.MATCHES,
        "one_match_per_organization_and_round",
        "An organization has at most one match with a round (FS-61). If it fails: the ledger is right, and holds one; these rows "
        "were written by hand: restore the warehouse.",
        "SELECT organization_id, round_id, count(*) AS rows FROM core.matches GROUP BY ALL HAVING count(*) > 1",
        blocking=True,
    ),
    Rule(
        common.MATCHES,
        "every_match_has_its_round",
        "A match points to a round that exists. If it fails: the two tables are of different backups; restore the warehouse whole.",
        """SELECT match_id, round_id FROM core.matches ANTI JOIN core.funding_rounds USING (round_id)""",
        blocking=True,
    ),
    Rule(
        common.WEBHOOK_DELIVERIES,
        "no_round_is_told_twice",
        "No organization was sent the same round more than once, but for retries that it opted into and replays that somebody "
        "asked for (FS-61). If it fails: stop sending (webhooks pause), and look at both attempts (deliveries show).",
        """SELECT organization_id, round_id, count(*) AS sent FROM core.webhook_deliveries
           WHERE attempt_number > 0 AND round_id IS NOT NULL AND trigger NOT IN ('retry', 'replay', 'test')
           GROUP BY ALL HAVING count(*) > 1""",
    ),
]


def build_check(rule: Rule) -> dg.AssetChecksDefinition:
    """The Dagster check for ``rule``: passes when no row breaks it, shows the first rows that do."""

    @dg.asset_check(
        asset=rule.asset, name=rule.name, description=rule.description, blocking=rule.blocking, pool=common.WAREHOUSE_POOL
    )
    def check(installation: InstallationParam) -> dg.AssetCheckResult:
        with installation.warehouse.open() as connection:
            rows = connection.execute(f"SELECT count(*) FROM ({rule.broken})").fetchall()[0][0]
            return dg.AssetCheckResult(
                passed=rows == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"rows": rows} | ({"first": common.preview(connection, rule.broken)} if rows else {}),
            )

    return check


@dg.asset_check(
    asset=common.WEBHOOK_DELIVERIES,
    name="ledger_and_mirror_agree",
    description=(
        "Every finished attempt of the last month in the ledger has its row here, with the same outcome. If it fails: materialise "
        "this asset, which copies what is missing; if it still fails, the ledger is right and the mirror was changed by hand."
    ),
    pool=common.WAREHOUSE_POOL,
)
def ledger_and_mirror_agree(installation: InstallationParam) -> dg.AssetCheckResult:
    """Counts both sides by outcome, from the first attempt of the last month on; those still on their way are in neither count."""
    since = installation.now() - timedelta(days=30)
    first = select(DeliveryAttempt.id).join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
    # Through the index of creation: an attempt of a delivery made this month was begun this month.
    first = first.where(Delivery.created_at >= since).order_by(Delivery.created_at, DeliveryAttempt.id).limit(1)
    query = select(DeliveryAttempt.outcome, func.count()).where(DeliveryAttempt.outcome != "sending")
    with installation.database.read() as session:
        begin = session.scalar(first) or 0
        ledger = dict(list(session.execute(query.where(DeliveryAttempt.id >= begin).group_by(DeliveryAttempt.outcome))))
    with installation.warehouse.open() as connection:
        rows = connection.execute(
            "SELECT status, count(*) FROM core.webhook_deliveries WHERE attempt_id >= ? GROUP BY ALL", [begin]
        ).fetchall()
    mirror = {str(status): int(count) for status, count in rows}
    return dg.AssetCheckResult(
        passed=ledger == mirror,
        metadata={"ledger": sum(ledger.values()), "mirror": sum(mirror.values())}
        | {
            f"missing_{name}": count - mirror.get(name, 0)
            for name, count in sorted(ledger.items())
            if count != mirror.get(name)
        },
    )


@dg.asset_check(
    asset=common.WEBHOOK_DELIVERIES,
    name="no_claim_is_older_than_its_budget",
    description=(
        "No delivery is on its way for longer than a send may last. If it fails: a sender died; materialise this asset, which "
        "ends such claims as `failed: unknown_outcome`."
    ),
)
def no_claim_is_older_than_its_budget(installation: InstallationParam) -> dg.AssetCheckResult:
    """A claim without an outcome is a sender that died."""
    stale = stale_claims(installation.now(), installation.settings.webhook_timeout_seconds).order_by(None).subquery()
    with installation.database.read() as session:
        stuck = session.scalar(select(func.count()).select_from(stale))
    return dg.AssetCheckResult(passed=not stuck, metadata={"claims": stuck or 0})


# A day of at least so many attempts, of which more than half failed, and by so much more than in the two weeks before.
JUMP_ATTEMPTS, JUMP_SHARE, JUMP_RISE = 5, 0.5, 0.25
FAILURE_JUMPS = f"""
    WITH counted AS (
        SELECT organization_id,
            count(*) FILTER (WHERE started_at >= $now - INTERVAL 1 DAY) AS attempts,
            count(*) FILTER (WHERE started_at >= $now - INTERVAL 1 DAY AND status = 'failed') AS failed,
            count(*) FILTER (WHERE started_at < $now - INTERVAL 1 DAY) AS attempts_before,
            count(*) FILTER (WHERE started_at < $now - INTERVAL 1 DAY AND status = 'failed') AS failed_before,
            mode(error_class) FILTER (WHERE started_at >= $now - INTERVAL 1 DAY AND status = 'failed') AS mostly
        FROM core.webhook_deliveries
        WHERE attempt_number > 0 AND started_at >= $now - INTERVAL 15 DAY AND started_at <= $now
        GROUP BY organization_id
    )
    SELECT coalesce(slug, organization_id) AS organization, attempts, failed, mostly, attempts_before, failed_before
    FROM counted LEFT JOIN core.organizations USING (organization_id)
    WHERE attempts >= {JUMP_ATTEMPTS} AND failed > {JUMP_SHARE} * attempts
      AND failed / attempts > coalesce(failed_before / nullif(attempts_before, 0), 0) + {JUMP_RISE}
    ORDER BY failed DESC, organization
"""


@dg.asset_check(
    asset=common.WEBHOOK_DELIVERIES,
    name="no_failure_rate_jumps",
    description=(
        "No organization's deliveries of the last day failed mostly, and much more than in the two weeks before. If it fails: "
        "`mostly` says how; ask the partner (their receiver is down, or its certificate ran out), and point them to the pull feed."
    ),
    pool=common.WAREHOUSE_POOL,
)
def no_failure_rate_jumps(installation: InstallationParam) -> dg.AssetCheckResult:
    """Compares each organization with itself, so that one that always fails is not news every day."""
    now = installation.now().astimezone(UTC).replace(tzinfo=None)
    with installation.warehouse.open() as connection:
        result = connection.execute(FAILURE_JUMPS, {"now": now})
        names = [column[0] for column in result.description or []]
        rows = result.fetchall()
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": len(rows)}
        | ({"first": dg.MetadataValue.md(common.markdown_table(names, rows[: common.PREVIEW_ROWS]))} if rows else {}),
    )


@dg.asset_check(
    asset=common.WEBHOOK_DELIVERIES,
    name="no_webhook_is_disabled",
    description=(
        "No webhook was disabled by its own rule. If it fails: tell the partner; once their receiver works (`webhooks test`), "
        "`webhooks resume`, then `deliveries replay` what came meanwhile."
    ),
)
def no_webhook_is_disabled(installation: InstallationParam) -> dg.AssetCheckResult:
    """Which, since when, and why."""
    query = select(
        Organization.slug, WebhookEndpoint.profile, WebhookEndpoint.state_changed_at, WebhookEndpoint.disabled_reason
    )
    query = query.join(Organization, Organization.id == WebhookEndpoint.organization_id)
    with installation.database.read() as session:
        rows = session.execute(query.where(WebhookEndpoint.state == "disabled").order_by(Organization.slug)).all()
    names = ["organization", "profile", "disabled at", "reason"]
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": len(rows)}
        | ({"first": dg.MetadataValue.md(common.markdown_table(names, rows[: common.PREVIEW_ROWS]))} if rows else {}),
    )


CHECKS: list[dg.AssetChecksDefinition] = [
    *(build_check(rule) for rule in RULES),
    ledger_and_mirror_agree,
    no_claim_is_older_than_its_budget,
    no_failure_rate_jumps,
    no_webhook_is_disabled,
    *(build_judged(judged) for judged in (*checks_sources.CHECKS, *checks_drift.CHECKS, *checks_partners.CHECKS)),
]
