"""Assets of subscriptions: what teams may be told of, and whose webhooks it goes to."""

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.subscriptions.signals import count_signals, latest_signals
from pipeline.webhooks.credits import settle_all_holds


@dg.asset(
    key=common.SIGNALS_PUBLISHED,
    deps=[common.MENTIONS, common.FUNDING_ROUNDS],
    group_name=common.DELIVERY,
    pool=common.WAREHOUSE_POOL,
    owners=common.PARTNER_OWNERS,
    kinds={"python"},
    tags={"layer": "core"},
)
def published_signals(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per signal that subscribing teams may be told of: funding rounds, acquisitions, job changes, hiring, new
    companies, new investors, in the app database (table `signals`), where requests and deliveries read them.

    Materialising it publishes what changed in `core/funding_rounds` and `core/mentions`, and puts each new signal into the outbox
    once for every webhook whose filters it satisfies; `core/webhook_deliveries` sends them. What is older than
    `FUNDINGSCOUT_MAX_ARTICLE_AGE_HOURS`, or was read while catching up, is published and tells nobody. Safe to run at any time; if
    it fails, run it again: the same signals lead to the same deliveries.
    """
    database, now = installation.database, installation.now()
    settle_all_holds(database, now)
    report = publish_changed_signals(database, installation.warehouse, now, installation.settings.max_article_age_hours)
    fanned = fan_out(database, SubscriptionIndex(database), now)
    latest = [
        (row.discovered_at, row.event_type, row.company_name, row.country, row.amount, row.currency, row.fan_out)
        for row in latest_signals(database, common.PREVIEW_ROWS)
    ]
    context.log.info("%d new, %d changed, %d deliveries", report.new, report.changed, fanned.deliveries)
    names = ["discovered_at", "event", "company", "country", "amount", "currency", "fan_out"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": count_signals(database),
            "new": report.new,
            "changed": report.changed,
            "fanned_out": fanned.signals,
            "deliveries": fanned.deliveries,
            "preview": dg.MetadataValue.md(common.markdown_table(names, latest)),
        }
    )


ASSETS: list[dg.AssetsDefinition] = [published_signals]
