"""Assets of the delivery group: who was told, and what came back."""

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.webhooks import mirror, sender

LATEST_DELIVERIES = """
    SELECT started_at, slug AS organization, company_name, attempts.status, response_code,
        round(duration_ms) AS duration_ms, error_class, error,
        regexp_extract(endpoint_url, '^https?://([^/?#]+)', 1) AS endpoint, attempt_number, trigger
    FROM (SELECT * FROM core.webhook_deliveries ORDER BY attempt_id DESC LIMIT 10) attempts
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    ORDER BY attempt_id DESC
"""


@dg.asset(
    key=common.WEBHOOK_DELIVERIES,
    deps=[common.MATCHES],
    group_name=common.DELIVERY,
    # No pool: sending takes as long as receivers take, and the warehouse is needed for the moment of the copy alone.
    owners=common.PARTNER_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def webhook_deliveries(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """**One row per delivery attempt**: organization, round, match, endpoint, status, response code, first 1,000 characters of the
    response, duration, error, times. Attempt 0 stands for a match of a partner without a webhook (`no_webhook`).

    Materialising it sends whatever is pending in the outbox and copies the ledger's attempts here. Safe to run at any time, and
    at the same time as another run: a delivery is claimed durably before its socket opens, and nothing is sent twice. A claim
    whose process died becomes `failed: unknown_outcome`, which the partner's pull feed shows. Failed deliveries are never sent
    again by themselves.
    """
    report = sender.deliver_pending(installation.database, installation.secret_box, installation.settings, installation.now)
    mirrored = mirror.mirror(installation.database, installation.warehouse, installation.now())
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.webhook_deliveries", LATEST_DELIVERIES)
    context.log.info("%d delivered, %d failed, %d copied", report.delivered, report.failed, mirrored.attempts)
    return dg.MaterializeResult(
        metadata=metadata
        | {
            "delivered": report.delivered,
            "failed": report.failed,
            "failed_by_class": dict(report.failed_by_class),
            "no_webhook": report.no_webhook,
            "unknown_outcome": report.unknown_outcome,
            "copied_attempts": mirrored.attempts,
        }
        | {
            f"duration_ms_p{percent}": round(ms, 1)
            for percent in (50, 95)
            if (ms := report.duration_ms(percent / 100)) is not None
        }
    )


ASSETS: list[dg.AssetsDefinition] = [webhook_deliveries]
