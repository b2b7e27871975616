"""Assets of the ingest group: what was fetched, read and rejected."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.documents import ingest
from pipeline.documents.source_hours import copy_source_hours

# A run that reads new feed entries may spend this long on their article pages; the rest waits for the next run.
FOLLOW_UP_BUDGET_SECONDS = 20.0

LATEST_DOCUMENTS = f"""
    SELECT landed_at, source_id, kind, title, body_origin, published_at, url
    FROM raw.documents WHERE document_seq > (SELECT max(document_seq) FROM raw.documents) - {common.NEWEST}
    ORDER BY document_seq DESC
"""
LATEST_REJECTS = (
    "SELECT rejected_at, source_id, kind, reason, detail, url FROM raw.rejected_documents ORDER BY rejected_at DESC"
)


@dg.multi_asset(
    name="read_documents",
    group_name=common.INGEST,
    pool=common.WAREHOUSE_POOL,
    specs=[
        dg.AssetSpec(
            common.DOCUMENTS,
            description=(
                "One row per published text: a press release, an article, or a Form D filing, in its newest revision.\n\n"
                "Read from the bytes that the `new_documents` sensor landed from the sources of `data/sources.yaml`. "
                "Refreshed by every `sync` run, seconds after a source published. `document_id` stays the same whatever a "
                "feed does to GUIDs, dates and titles; changed text is a new `revision`.\n\n"
                "If it fails, nothing is lost: landed bytes wait and the next run reads them. What can't be read is in "
                "`raw/rejected_documents`."
            ),
            owners=common.DATA_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "raw"},
        ),
        dg.AssetSpec(
            common.REJECTED_DOCUMENTS,
            description=(
                "One row per landed body, or entry of one, that could not be read, with its reason. The bytes are kept in "
                "the landing under `landing_sha256`.\n\n"
                "After a mend, `fundingscout documents replay REASON` puts them back in the queue."
            ),
            owners=common.DATA_OWNERS,
            kinds={"python", "duckdb"},
            tags={"layer": "raw"},
        ),
    ],
)
def read_documents(context: dg.AssetExecutionContext, installation: InstallationParam) -> Iterator[dg.MaterializeResult]:
    """Landed bytes become documents; article pages and filings that feeds point to are fetched."""
    batch = ingest.read_waiting(
        installation.database,
        installation.landing,
        installation.fetcher,
        installation.sources,
        installation.now(),
        FOLLOW_UP_BUDGET_SECONDS,
    )
    with installation.warehouse.write() as connection:
        report = ingest.write(connection, batch)
    # Settled only now: a crash before this line reads the same bytes again, to the same rows.
    ingest.settle(installation.database, batch, installation.now())

    with installation.warehouse.open() as connection:
        documents = common.table_metadata(connection, "raw.documents", LATEST_DOCUMENTS)
        rejects = common.table_metadata(connection, "raw.rejected_documents", LATEST_REJECTS)
    context.log.info(
        "%d new, %d changed, %d unchanged, %d rejected", report.new, report.changed, report.unchanged, report.rejected
    )
    yield dg.MaterializeResult(
        asset_key=common.DOCUMENTS,
        metadata=documents
        | {"new": report.new, "changed": report.changed, "unchanged": report.unchanged, "rejected": report.rejected}
        | {"by_source": dict(Counter(document.source_id for document in batch.documents))},
    )
    yield dg.MaterializeResult(
        asset_key=common.REJECTED_DOCUMENTS,
        metadata=rejects | {"rejected": report.rejected, "by_reason": dict(Counter(r.reason for r in batch.rejects))},
    )


@dg.asset(
    key=common.SOURCE_HOURS,
    group_name=common.INGEST,
    pool=common.WAREHOUSE_POOL,
    owners=common.DATA_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "raw"},
)
def source_hours(installation: InstallationParam) -> dg.MaterializeResult:
    """One row per source and hour: polls, unchanged answers, landed bodies, failures, bytes.

    Counted by the sensor while it polls and copied here every hour by the `source_health` schedule. If it fails, the next hour
    copies what is missing.
    """
    now = installation.now()
    with installation.warehouse.write() as connection:
        copied = copy_source_hours(installation.database, connection, now - timedelta(days=2))
        metadata = common.table_metadata(
            connection, "raw.source_hours", "SELECT * FROM raw.source_hours ORDER BY hour_at DESC, source_id"
        )
    return dg.MaterializeResult(metadata=metadata | {"copied": copied})


ASSETS: list[dg.AssetsDefinition] = [read_documents, source_hours]
