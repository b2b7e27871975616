"""Assets of the crm group: what partners keep in their CRMs, now and on any day."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from pipeline.crm import history
from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.defs.partitions import ONE_RUN, daily_partitions

ACCOUNTS_BY_ORGANIZATION = """
    SELECT slug AS organization, count(*) AS accounts, count(domain_key) AS with_domain, max(updated_at) AS newest
    FROM core.crm_accounts JOIN core.organizations USING (organization_id) GROUP BY ALL ORDER BY accounts DESC
"""
CONTACTS_BY_ORGANIZATION = """
    SELECT slug AS organization, count(*) AS contacts, count(email_domain_key) AS with_work_email,
        count(account_external_id) AS linked_to_account, max(updated_at) AS newest
    FROM core.crm_contacts JOIN core.organizations USING (organization_id) GROUP BY ALL ORDER BY contacts DESC
"""
SNAPSHOTS = "SELECT * FROM core.crm_snapshots ORDER BY snapshot_date DESC, organization_id"


@dg.multi_asset(
    name="pull_crm_changes",
    group_name=common.CRM,
    pool=common.WAREHOUSE_POOL,
    specs=[
        dg.AssetSpec(
            common.CRM_ACCOUNTS,
            description=(
                "One row per account (company) in a partner's CRM, as last pushed or imported, with the keys it is matched "
                "by: `domain_key` (registrable domain) and `name_key` (comparison form of the name).\n\n"
                "Pulled from the app database by every `sync` run: only rows that changed. `core.crm_account_history` keeps "
                "every earlier state. If it fails, the changes wait in their queue."
            ),
            owners=common.PARTNER_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "core"},
        ),
        dg.AssetSpec(
            common.CRM_CONTACTS,
            description=(
                "One row per contact (person) in a partner's CRM, with `email_domain_key`: the registrable domain of a "
                "work e-mail, NULL for free-mail providers.\n\nPulled together with the accounts."
            ),
            owners=common.PARTNER_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "core"},
        ),
    ],
)
def pull_crm_changes(context: dg.AssetExecutionContext, installation: InstallationParam) -> Iterator[dg.MaterializeResult]:
    """Changed CRM rows, from the app database's queue into the warehouse."""
    report = history.pull_changes(installation.database, installation.warehouse, installation.now())
    with installation.warehouse.open() as connection:
        accounts = common.table_metadata(connection, "core.crm_accounts", ACCOUNTS_BY_ORGANIZATION)
        contacts = common.table_metadata(connection, "core.crm_contacts", CONTACTS_BY_ORGANIZATION)
    context.log.info("%d accounts and %d contacts changed", report.accounts, report.contacts)
    yield dg.MaterializeResult(asset_key=common.CRM_ACCOUNTS, metadata=accounts | {"changed": report.accounts})
    yield dg.MaterializeResult(asset_key=common.CRM_CONTACTS, metadata=contacts | {"changed": report.contacts})


def build_crm_snapshots(first_day: date) -> dg.AssetsDefinition:
    """The daily snapshot asset, with partitions from ``first_day`` on."""

    @dg.asset(
        key=common.CRM_SNAPSHOTS,
        deps=[common.CRM_ACCOUNTS, common.CRM_CONTACTS],
        partitions_def=daily_partitions(first_day),
        backfill_policy=ONE_RUN,
        group_name=common.CRM,
        pool=common.WAREHOUSE_POOL,
        owners=common.PARTNER_OWNERS,
        kinds={"python", "duckdb"},
        tags={"layer": "core"},
    )
    def crm_snapshots(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
        """One row per day and organization: how many accounts and contacts the CRM held at the end of that day (UTC), and
        how many were added, changed and removed on it.

        The rows themselves, as of any day: `fundingscout crm show ORGANIZATION --on DAY`, or the history tables in SQL. Filled by
        the daily sync for the day before; any day can be materialised again at any time, with the same result.
        """
        days = [date.fromisoformat(key) for key in context.partition_keys]
        rows = sum(history.snapshot_day(installation.warehouse, day) for day in days)
        with installation.warehouse.open() as connection:
            metadata = common.table_metadata(connection, "core.crm_snapshots", SNAPSHOTS)
        return dg.MaterializeResult(metadata=metadata | {"days": len(days), "rows_written": rows})

    return crm_snapshots
