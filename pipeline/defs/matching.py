"""Assets of the matching group: which rounds are of interest to which partner, and why."""

from collections import Counter

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.matching import steps
from pipeline.webhooks import outbox

LATEST_MATCHES = """
    SELECT matched_at, slug AS organization, company_name, match_type, account_external_id, contact_external_id,
        round(score, 3) AS score, rule, crm_value, round_value, len(from_json(all_matches, '["json"]')) AS rows_matched
    FROM (SELECT * FROM core.matches ORDER BY matched_at DESC, match_id LIMIT 10)
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    ORDER BY matched_at DESC, match_id
"""


@dg.asset(
    key=common.MATCHES,
    deps=[common.FUNDING_ROUNDS, common.CRM_ACCOUNTS, common.CRM_CONTACTS],
    group_name=common.MATCHING,
    pool=common.WAREHOUSE_POOL,
    owners=common.PARTNER_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def matches(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """**One row per organization and round that match**: at most one, by precedence `account_domain`, `email_domain`,
    `account_name`.

    `rule`, `crm_value` and `round_value` say what agreed; `all_matches` lists every CRM row that matched. New rounds meet all rows;
    new and changed rows meet the rounds of the look-back window. A match enters the ledger of the app database first, which
    admits one per organization and round, and with it one pending delivery. If it fails, run `sync` again: the same matches are
    found, and none is told twice.
    """
    settings = installation.settings
    found = steps.find_new(installation.warehouse, installation.now(), settings.look_back_hours, settings.name_match_threshold)
    record = outbox.record_matches(installation.database, found.found, installation.now())
    steps.write(installation.warehouse, found, record.recorded)
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.matches", LATEST_MATCHES)
    context.log.info("%d matches found, %d new, %d suppressed", len(found.found), record.new, record.suppressed)
    return dg.MaterializeResult(
        metadata=metadata
        | {
            "found": len(found.found),
            "new": record.new,
            "already_known": record.known,
            "suppressed_same_round": record.suppressed,
            "by_match_type": dict(Counter(str(match.match_type) for _, match, *_ in record.recorded)),
        }
    )


ASSETS: list[dg.AssetsDefinition] = [matches]
