"""Assets of the matching group: which rounds are of interest to which partner, and why; what was not sure enough."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.matching import rekey, steps
from pipeline.organizations.thresholds import default_thresholds
from pipeline.webhooks.admission import admit, load_levels

LATEST_MATCHES = """
    SELECT matched_at, slug AS organization, company_name, match_type, account_external_id, contact_external_id,
        round(score, 3) AS score, rule, crm_value, round_value, len(from_json(all_matches, '["json"]')) AS rows_matched
    FROM (SELECT * FROM core.matches ORDER BY matched_at DESC, match_id LIMIT 10)
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    ORDER BY matched_at DESC, match_id
"""
BEST_NEAR_MISSES = """
    SELECT found_at, slug AS organization, round_value AS round_of, crm_value AS account_named, account_external_id,
        round(score, 3) AS score, review_threshold AS needed, rule, explanation
    FROM core.near_misses LEFT JOIN core.organizations USING (organization_id)
    ORDER BY found_at::DATE DESC, score DESC, round_id, account_external_id
"""


@dg.multi_asset(
    name="match_rounds",
    group_name=common.MATCHING,
    pool=common.WAREHOUSE_POOL,
    specs=[
        dg.AssetSpec(
            common.MATCHES,
            deps=[common.FUNDING_ROUNDS, common.CRM_ACCOUNTS, common.CRM_CONTACTS],
            description=(
                "One row per organization and round that match: at most one, by precedence `account_domain`, "
                "`email_domain`, `account_name`.\n\n"
                "`rule`, `crm_value` and `round_value` say what agreed; `all_matches` lists every CRM row that matched. New rounds "
                "meet all rows; new and changed rows meet the rounds of the look-back window. A match enters the ledger of the app "
                "database first, which admits one per organization and round, and with it one pending delivery. Name matches below "
                "the organization's `send` threshold are not here: see `core/match_reviews` and `core/near_misses`. If it fails, "
                "run `sync` again: the same matches are found, and none is told twice."
            ),
            owners=common.PARTNER_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "core"},
        ),
        dg.AssetSpec(
            common.NEAR_MISSES,
            deps=[common.FUNDING_ROUNDS, common.CRM_ACCOUNTS],
            description=(
                "One row per organization, round and account whose names were nearly alike enough to be asked about: scored "
                "up to 0.2 below the organization's `review` threshold, of rounds that it has no match of.\n\n"
                "For a look at what the thresholds cost: the same company here again and again, or a kind of spelling, is worth a "
                "lower threshold or a word to the engineers. Kept for 30 days, the best 500 of a run. Nothing is told from here."
            ),
            owners=common.PARTNER_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "core"},
        ),
    ],
)
def match_rounds(context: dg.AssetExecutionContext, installation: InstallationParam) -> Iterator[dg.MaterializeResult]:
    """New rounds and changed rows, matched; sorted by each organization's thresholds."""
    settings = installation.settings
    rekeyed = rekey.bring_up_to_date(installation.warehouse)
    levels = load_levels(installation.database, default_thresholds(settings))
    found = steps.find_new(
        installation.warehouse, installation.now(), settings.look_back_hours, levels.search, settings.match_rules
    )
    admission = admit(installation.database, installation.warehouse, found, levels, installation.now())
    record = admission.record
    with installation.warehouse.open() as connection:
        matches = common.table_metadata(connection, "core.matches", LATEST_MATCHES)
        near = common.table_metadata(connection, "core.near_misses", BEST_NEAR_MISSES)
    context.log.info(
        "%d found: %d new, %d suppressed, %d wait for a word", len(found.found), record.new, record.suppressed, admission.asked
    )
    yield dg.MaterializeResult(
        asset_key=common.MATCHES,
        metadata=matches
        | {
            "found": len(found.found),
            "new": record.new,
            "already_known": record.known,
            "suppressed_same_round": record.suppressed,
            "rejected_by_review": record.rejected,
            "waiting_for_review": admission.asked,
            "rows_keyed_again": rekeyed,
            "by_match_type": dict(Counter(str(match.match_type) for _, match, *_ in record.recorded)),
        },
    )
    yield dg.MaterializeResult(asset_key=common.NEAR_MISSES, metadata=near | {"kept_now": admission.near})


ASSETS: list[dg.AssetsDefinition] = [match_rounds]
