"""Assets of the recovery group: a day worked through again, to find what was missed.

Partitioned by day, in one run for any range of days, and safe to run again: what is already known stays as it is.
"""

from datetime import date

import dagster as dg
from pydantic import Field

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.defs.partitions import ONE_RUN, daily_partitions
from pipeline.matching import rekey, steps
from pipeline.organizations.thresholds import default_thresholds
from pipeline.signals import mention_table, round_table
from pipeline.webhooks import published_rounds
from pipeline.webhooks.admission import admit, load_levels

REEXTRACTED_DAYS = dg.AssetKey(["recovery", "reextracted_days"])
REMATCHED_DAYS = dg.AssetKey(["recovery", "rematched_days"])

MATCHES_OF_RANGE = """
    SELECT slug AS organization, company_name, match_type, account_external_id, contact_external_id, rule, crm_value, round_value
    FROM core.matches
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    WHERE origin = 'backfill' AND first_seen_at::DATE BETWEEN ? AND ?
    ORDER BY matched_at DESC
"""


class RematchConfig(dg.Config):
    """How a day is matched again."""

    deliver: bool = Field(default=False, description="Send the matches this finds. Off: they are recorded as held.")
    crm: str = Field(default="today", description="Match against the CRM of `today`, or as it was at the end `of_that_day`.")


def build_recovery_assets(first_day: date) -> list[dg.AssetsDefinition]:
    """The recovery assets, with partitions from ``first_day`` on."""
    partitions = daily_partitions(first_day)

    @dg.asset(
        key=REEXTRACTED_DAYS,
        deps=[common.DOCUMENTS],
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=common.RECOVERY,
        pool=common.WAREHOUSE_POOL,
        owners=common.DATA_OWNERS,
        kinds={"python", "duckdb"},
        tags={"layer": "recovery"},
    )
    def reextracted_days(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
        """**The documents of a day, read again with today's extractor**, and their rounds resolved again.

        Rounds keep their ids; a document that is recognised only now makes its round now. Tells nobody: matching is the next asset.
        """
        days = partition_days(context)
        again = mention_table.re_extract(
            installation.warehouse, days[0], days[-1], installation.now(), extractor=installation.model_extractor
        )
        rounds = round_table.resolve_new(
            installation.warehouse, installation.now(), installation.settings.max_article_age_hours
        )
        published_rounds.publish_changed(installation.database, installation.warehouse, installation.now())
        return dg.MaterializeResult(
            metadata={
                "documents": again.documents,
                "new_rounds": rounds.new,
                "enriched_rounds": rounds.enriched,
                "days": len(days),
            }
        )

    @dg.asset(
        key=REMATCHED_DAYS,
        deps=[REEXTRACTED_DAYS, common.CRM_SNAPSHOTS],
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=common.RECOVERY,
        pool=common.WAREHOUSE_POOL,
        owners=common.PARTNER_OWNERS,
        kinds={"python", "duckdb"},
        tags={"layer": "recovery"},
    )
    def rematched_days(
        context: dg.AssetExecutionContext, config: RematchConfig, installation: InstallationParam
    ) -> dg.MaterializeResult:
        """**The rounds first seen on a day, matched again**, against the CRM of today or of that day.

        Finds what was missed: an account added later, a name read better. Matches that are already known stay as they are, and
        nothing that was told is told again. New ones are **held** unless the run's configuration says `deliver: true`;
        `fundingscout deliveries release` sends held ones later. Name matches that are not sure enough wait for a person's word
        (`core/match_reviews`), whatever the configuration says.
        """
        days = partition_days(context)
        rekey.bring_up_to_date(installation.warehouse)
        levels = load_levels(installation.database, default_thresholds(installation.settings))
        rules = installation.settings.match_rules
        found = steps.find_for_days(installation.warehouse, days[0], days[-1], config.crm, levels.search, rules)
        admission = admit(
            installation.database,
            installation.warehouse,
            found,
            levels,
            installation.now(),
            origin="backfill",
            hold=not config.deliver,
        )
        record = admission.record
        with installation.warehouse.open() as connection:
            table = common.preview(connection, MATCHES_OF_RANGE, [days[0], days[-1]])
        return dg.MaterializeResult(
            metadata={
                "days": len(days),
                "found": len(found.found),
                "recovered": record.new,
                "already_known": record.known,
                "waiting_for_review": admission.asked,
                "deliver": config.deliver,
                "preview": table,
            }
        )

    return [reextracted_days, rematched_days]


def partition_days(context: dg.AssetExecutionContext) -> list[date]:
    """The days of this run, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)
