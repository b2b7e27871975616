"""Assets of referral partners: the snapshots their leads' stages come from, and what follows from them, for analysts to see."""

from collections.abc import Iterator

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.partners import drop_folder, snapshots
from pipeline.partners.mirror import mirror
from pipeline.partners.snapshot_list import count_snapshots, list_snapshots

PARTNER_LEADS_JOB = "partner_leads"

SNAPSHOTS_SHOWN = "SELECT * FROM core.status_snapshots ORDER BY snapshot_date DESC"
LEADS_SHOWN = "SELECT * FROM core.partner_leads ORDER BY lead_id DESC"
CHANGES_SHOWN = "SELECT * FROM core.partner_lead_changes ORDER BY is_flagged DESC, changed_at DESC, lead_id, number"
COMMISSIONS_SHOWN = "SELECT * FROM core.partner_commissions ORDER BY commission_id DESC"
RATES_SHOWN = "SELECT * FROM core.partner_rates ORDER BY valid_from DESC, partner_id, level"
PAYOUTS_SHOWN = "SELECT * FROM core.partner_payouts ORDER BY payout_id DESC"


@dg.asset(
    key=common.STATUS_SNAPSHOTS,
    group_name=common.PARTNERS,
    owners=common.PARTNER_OWNERS,
    kinds={"python"},
    tags={"layer": "core"},
)
def status_snapshots(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per day: the snapshot of all leads' stages that StartCap's CRM gave for it. Materialising it takes in the files
    dropped into `status_snapshots/` of this installation's home and applies all days that may be applied, strictly in order:
    stages, commissions, and what partners are told, in one transaction a batch. The step `partner_tables` copies the rows.

    A day waits for the one before it, for at most 48 hours (`waits_for` names the missing one). Files that can't be used are in
    `status_snapshots/refused` with their reasons. Safe to run at any time; if it fails, run it again: nothing is told twice.
    """
    now = installation.now()
    taken = drop_folder.take_files(installation.database, installation.settings.home / drop_folder.FOLDER, now)
    report = snapshots.sync(installation.database, installation.secret_box, now)
    done = report.applied
    for name, reason in taken.refused:
        context.log.warning("%s was refused: %s", name, reason)
    context.log.info("%d files landed, %d days applied, %d changes", len(taken.landed), len(report.days), done.changes)
    latest = [
        (day.day, day.status, day.rows, day.received_at, day.applied_at)
        for day in list_snapshots(installation.database, common.PREVIEW_ROWS)
    ]
    names = ["snapshot_date", "status", "leads", "received_at", "applied_at"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": count_snapshots(installation.database),
            "preview": dg.MetadataValue.md(common.markdown_table(names, latest)),
            "files_landed": len(taken.landed),
            "files_refused": len(taken.refused),
            "days_applied": len(report.days),
            "changes": done.changes,
            "flagged": done.flagged,
            "leads_that_earned": done.funded,
            "deliveries": done.deliveries,
            "lines_about_unknown_leads": done.unknown,
            "waits_for": report.waits_for.isoformat() if report.waits_for else "nothing",
        }
    )


def _spec(key: dg.AssetKey, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[common.STATUS_SNAPSHOTS],
        description=description + WHEN,
        group_name=common.PARTNERS,
        owners=common.PARTNER_OWNERS,
        kinds={"python", "duckdb"},
        tags={"layer": "core"},
    )


WHEN = (
    "\n\nCopied whole from the app database by the job `partner_leads` (hourly) and the daily sync. It holds nothing about persons."
    " If it fails, run it again."
)


@dg.multi_asset(
    name="partner_tables",
    pool=common.WAREHOUSE_POOL,
    specs=[
        _spec(
            common.PARTNER_LEADS,
            "One row per lead or click of a referral partner, with the stage it is in now. A click that a lead came of is"
            " that lead.",
        ),
        _spec(
            common.PARTNER_LEAD_CHANGES,
            "One row per change of a lead's stage, in its order. `is_flagged`: no step of the pipeline leads there; it was told"
            " all the same. Ask StartCap about flagged ones.",
        ),
        _spec(
            common.PARTNER_COMMISSIONS,
            "One row per commission: what one partner earned with one funded lead, at level 1 (its own), 2 or 3 (its"
            " downline's), by the rate of that moment (metadata `rates`). The model `int_partner_commissions_due` computes from"
            " leads, uplines and rates what is due; where the two differ by a cent, publishing stops.",
        ),
        _spec(
            common.PARTNER_PAYOUTS,
            "One row per payout: what one partner was paid at once, the sum of its commissions then.",
        ),
    ],
)
def partner_tables(context: dg.AssetExecutionContext, installation: InstallationParam) -> Iterator[dg.MaterializeResult]:
    """The copy for analysts, of all tables at one moment."""
    rows = mirror(installation.database, installation.warehouse)
    shown = {
        common.PARTNER_LEADS: LEADS_SHOWN,
        common.PARTNER_LEAD_CHANGES: CHANGES_SHOWN,
        common.PARTNER_COMMISSIONS: COMMISSIONS_SHOWN,
        common.PARTNER_PAYOUTS: PAYOUTS_SHOWN,
    }
    with installation.warehouse.open() as connection:
        metadata = {key: common.table_metadata(connection, ".".join(key.path), query) for key, query in shown.items()}
        days, rates = common.preview(connection, SNAPSHOTS_SHOWN), common.preview(connection, RATES_SHOWN)
    metadata[common.PARTNER_LEADS]["snapshots"], metadata[common.PARTNER_COMMISSIONS]["rates"] = days, rates
    context.log.info("copied: %s", ", ".join(f"{count} {table}" for table, count in rows.items()))
    for key, found in metadata.items():
        yield dg.MaterializeResult(asset_key=key, metadata=found)


ASSETS: list[dg.AssetsDefinition] = [status_snapshots, partner_tables]
KEYS = [
    common.STATUS_SNAPSHOTS,
    common.PARTNER_LEADS,
    common.PARTNER_LEAD_CHANGES,
    common.PARTNER_COMMISSIONS,
    common.PARTNER_PAYOUTS,
]
