"""Assets of the recovery group: a day worked through again, to find what was missed; or tried first, without a trace.

Partitioned by day, in one run for any range of days, and safe to run again: what is already known stays as it is.
"""

from datetime import date

import dagster as dg
from pydantic import Field

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.defs.partitions import ONE_RUN, daily_partitions
from pipeline.defs.stories import TABLES
from pipeline.installation import Installation
from pipeline.organizations.thresholds import default_thresholds
from pipeline.recovery.dry_run import Trial, changes_of, dry_run
from pipeline.recovery.rematch import Rematching, rematch
from pipeline.recovery.reread import reread
from pipeline.webhooks import published_rounds

REEXTRACTED_DAYS = dg.AssetKey(["recovery", "reextracted_days"])
REMATCHED_DAYS = dg.AssetKey(["recovery", "rematched_days"])
TRIED_DAYS = dg.AssetKey(["recovery", "tried_days"])

MATCHES_OF_RANGE = """
    SELECT slug AS organization, company_name, match_type, account_external_id, contact_external_id, rule, crm_value, round_value
    FROM core.matches
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    WHERE origin = 'backfill' AND first_seen_at::DATE BETWEEN ? AND ?
    ORDER BY matched_at DESC
"""
# Of a dry run, the asset's page shows so many changes; the table has all.
MOST_SHOWN = 100


class RematchConfig(dg.Config):
    """How a day is matched again."""

    deliver: bool = Field(default=False, description="Send the matches this finds. Off: they are recorded as held.")
    crm: str = Field(default="today", description="Match against the CRM of `today`, or as it was at the end `of_that_day`.")


class TrialConfig(dg.Config):
    """What a dry run tries."""

    crm: str = Field(default="today", description="Match against the CRM of `today`, or as it was at the end `of_that_day`.")
    reextract: bool = Field(default=True, description="Read the documents again first, as the backfill does. Off: match only.")


def build_recovery_assets(first_day: date) -> list[dg.AssetsDefinition]:
    """The recovery assets, with partitions from ``first_day`` on."""
    partitions = daily_partitions(first_day)
    return [build_reextracted_days(partitions), build_rematched_days(partitions), build_tried_days(partitions)]


def build_reextracted_days(partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Reading again."""

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
        """The documents of a day, read again with today's extractor, and their rounds resolved again.

        Rounds keep their ids; a document that is recognised only now makes its round now. Tells nobody: matching is the next asset.
        The run's log says how far it has come, week by week.
        """
        days = partition_days(context)
        again = reread(
            installation.warehouse,
            days[0],
            days[-1],
            installation.now(),
            context.log.info,
            max_article_age_hours=installation.settings.max_article_age_hours,
            extractor=installation.model_extractor,
            publish=lambda: published_rounds.publish_changed(installation.database, installation.warehouse, installation.now()),
        )
        return dg.MaterializeResult(
            metadata={
                "documents": again.documents,
                "read_otherwise": again.changed,
                "new_rounds": again.new_rounds,
                "enriched_rounds": again.enriched_rounds,
                "retracted_rounds": again.retracted_rounds,
                "days": len(days),
            }
        )

    return reextracted_days


def build_rematched_days(partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Matching again."""

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
        """The rounds first seen on a day, matched again, against the CRM of today or of that day.

        Finds what was missed: an account added later, a name read better. Matches that are already known stay as they are, and
        nothing that was told is told again. New ones are **held** unless the run's configuration says `deliver: true`;
        `fundingscout deliveries release` sends held ones later. Name matches that are not sure enough wait for a person's word
        (`core/match_reviews`), whatever the configuration says. To see first what it would do, materialise `recovery/tried_days`.
        """
        days = partition_days(context)
        how = rematching(installation, config.crm, deliver=config.deliver)
        report = rematch(
            installation.database, installation.warehouse, days[0], days[-1], how, installation.now(), context.log.info
        )
        with installation.warehouse.open() as connection:
            table = common.preview(connection, MATCHES_OF_RANGE, [days[0], days[-1]])
        return dg.MaterializeResult(
            metadata={
                "days": len(days),
                "rounds": report.rounds,
                "found": report.found,
                "recovered": report.recovered,
                "already_known": report.known,
                "told_under_another_id": report.same_round,
                "waiting_for_review": report.asked,
                "deliver": config.deliver,
                "preview": table,
            }
        )

    return rematched_days


def build_tried_days(partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The dry run."""

    @dg.asset(
        key=TRIED_DAYS,
        deps=[common.DOCUMENTS, common.MATCHES, common.CRM_SNAPSHOTS],
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=common.RECOVERY,
        pool=common.WAREHOUSE_POOL,
        owners=common.PARTNER_OWNERS,
        kinds={"python", "duckdb"},
        tags={"layer": "recovery"},
    )
    def tried_days(
        context: dg.AssetExecutionContext, config: TrialConfig, installation: InstallationParam
    ) -> dg.MaterializeResult:
        """A dry run: what a backfill of these days would change, tried on a copy. Nothing is read, matched or sent for real.

        One row of `recovery.dry_run_changes` (the table below has the first hundred) is one change: a round that would be new,
        changed or ended; a match that would be new; one that would be found otherwise (the ledger keeps what it has); a question to
        a person. `with_deliver` says what the backfill would do with it if it delivered. The last ten dry runs are kept. If it
        fails, nothing was changed: run it again.
        """
        days = partition_days(context)
        report = dry_run(
            installation.database,
            installation.warehouse,
            installation.settings.home.absolute() / "scratch",
            Trial(context.run.run_id, days[0], days[-1], rematching(installation, config.crm), config.reextract),
            installation.now(),
            context.log.info,
            max_article_age_hours=installation.settings.max_article_age_hours,
            extractor=installation.model_extractor,
        )
        shown = changes_of(installation.warehouse, context.run.run_id, MOST_SHOWN)
        with installation.warehouse.open() as connection:
            kept = common.row_count(connection, TABLES[TRIED_DAYS])
        table = common.markdown_table(list(shown[0]) if shown else [], [list(row.values()) for row in shown])
        counts = {name: report.changes.get(name, 0) for name in COUNTED}
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": kept,
                "changes": dg.MetadataValue.md(table),
                "would_be_sent": report.would_be_sent,
                "crm": config.crm,
                "days": len(days),
                "documents": report.documents,
                "read_otherwise": report.readings_changed,
                "rounds": report.rounds,
                "found": report.found,
                **counts,
            }
        )

    return tried_days


COUNTED = (
    "new_match", "changed_match", "unchanged", "same_round", "to_review", "new_round", "changed_round", "ended_round",
)  # fmt: skip


def rematching(installation: Installation, crm: str, *, deliver: bool = False) -> Rematching:
    """How this installation matches days again."""
    settings = installation.settings
    return Rematching(crm, default_thresholds(settings), settings.match_rules, deliver)


def partition_days(context: dg.AssetExecutionContext) -> list[date]:
    """The days of this run, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)
