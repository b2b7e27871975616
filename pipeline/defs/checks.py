"""Asset checks: one property each, as a query that returns the rows that break it.

A check blocks where wrong data would reach a partner: the steps after it in the same run don't start.
"""

from dataclasses import dataclass
from datetime import timedelta

import dagster as dg
from sqlalchemy import func, select

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.store.models import Delivery, DeliveryAttempt


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
        "What is told to partners was read from a text: a funding mention names a company and keeps the text it came from.",
        """SELECT document_id, company_name FROM core.mentions
           WHERE is_funding AND (company_name IS NULL OR json_array_length(evidence) = 0)""",
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
        "One round has one row and one id.",
        "SELECT round_id, count(*) AS rows FROM core.funding_rounds GROUP BY ALL HAVING count(*) > 1",
        blocking=True,
    ),
    Rule(
        common.FUNDING_ROUNDS,
        "no_round_stands_twice",
        "No two active rounds of one company are days apart with the same type and amount: a partner would be told twice.",
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
        "One account of an organization has one row.",
        """SELECT organization_id, external_id, count(*) AS rows FROM core.crm_accounts GROUP BY ALL HAVING count(*) > 1""",
        blocking=True,
    ),
    Rule(
        common.CRM_CONTACTS,
        "contact_key_is_unique",
        "One contact of an organization has one row.",
        """SELECT organization_id, external_id, count(*) AS rows FROM core.crm_contacts GROUP BY ALL HAVING count(*) > 1""",
        blocking=True,
    ),
    Rule(
        common.MATCHES,
        "one_match_per_organization_and_round",
        "An organization has at most one match with a round (FS-61).",
        "SELECT organization_id, round_id, count(*) AS rows FROM core.matches GROUP BY ALL HAVING count(*) > 1",
        blocking=True,
    ),
    Rule(
        common.MATCHES,
        "every_match_has_its_round",
        "A match points to a round that exists.",
        """SELECT match_id, round_id FROM core.matches ANTI JOIN core.funding_rounds USING (round_id)""",
        blocking=True,
    ),
    Rule(
        common.WEBHOOK_DELIVERIES,
        "no_round_is_told_twice",
        "No organization was sent the same round more than once, but for replays that somebody asked for (FS-61).",
        """SELECT organization_id, round_id, count(*) AS sent FROM core.webhook_deliveries
           WHERE attempt_number > 0 AND trigger <> 'replay' GROUP BY ALL HAVING count(*) > 1""",
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
    description="Every finished attempt of the ledger has its row here. If it fails: materialise this asset, which copies it.",
    pool=common.WAREHOUSE_POOL,
)
def ledger_and_mirror_agree(installation: InstallationParam) -> dg.AssetCheckResult:
    """Counts both sides; attempts still on their way are in neither count."""
    with installation.database.read() as session:
        ledger = session.scalar(select(func.count()).select_from(DeliveryAttempt).where(DeliveryAttempt.outcome != "sending"))
    with installation.warehouse.open() as connection:
        mirror = common.row_count(connection, "core.webhook_deliveries")
    return dg.AssetCheckResult(passed=ledger == mirror, metadata={"ledger": ledger or 0, "mirror": mirror})


@dg.asset_check(
    asset=common.WEBHOOK_DELIVERIES,
    name="no_claim_is_older_than_its_budget",
    description="No delivery has been on its way for over a minute. If it fails: materialise this asset; it ends such claims.",
)
def no_claim_is_older_than_its_budget(installation: InstallationParam) -> dg.AssetCheckResult:
    """A claim without an outcome is a sender that died."""
    oldest = installation.now() - timedelta(minutes=1)
    with installation.database.read() as session:
        stuck = session.scalar(
            select(func.count()).select_from(Delivery).where(Delivery.status == "sending", Delivery.claimed_at < oldest)
        )
    return dg.AssetCheckResult(passed=not stuck, metadata={"claims": stuck or 0})


CHECKS: list[dg.AssetChecksDefinition] = [
    *(build_check(rule) for rule in RULES),
    ledger_and_mirror_agree,
    no_claim_is_older_than_its_budget,
]
