"""Assets of the delivery group: who was told, and what came back."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.documents import clock
from pipeline.organizations.organizations import get_organization
from pipeline.webhooks import mirror, replays, sender
from pipeline.webhooks.reports import DeliveryReport

# Jobs that are wanted again within seconds.
IN_A_HURRY = ("sync",)
SYNC_PATIENCE_SECONDS = 10.0

# Deliveries that a replay lists in its metadata.
MOST_SHOWN = 100

# Short enough for the width of a dialog.
LATEST_DELIVERIES = """
    SELECT strftime(started_at, '%d %b %H:%M:%S') AS started, slug AS organization, company_name,
        attempts.status,
        CASE WHEN attempts.status <> 'delivered' THEN concat_ws(': ', error_class, error, left(response_excerpt, 60)) END AS reason,
        response_code AS code, round(duration_ms) AS ms, regexp_extract(endpoint_url, '^https?://([^/?#]+)', 1) AS endpoint,
        attempt_number || ' ' || trigger AS attempt
    FROM (SELECT * FROM core.webhook_deliveries ORDER BY attempt_id DESC LIMIT 10) attempts
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    ORDER BY attempt_id DESC
"""


@dg.asset(
    key=common.WEBHOOK_DELIVERIES,
    deps=[common.MATCHES, common.SIGNALS_PUBLISHED],
    group_name=common.DELIVERY,
    # No pool: sending takes as long as receivers take, and the warehouse is needed for the moment of the copy alone.
    owners=common.PARTNER_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def webhook_deliveries(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per delivery attempt: organization, round, match, endpoint, status, response code, first 1,000 characters of the
    response, duration, error, times. Attempt 0 stands for a match of a partner without a webhook (`no_webhook`).

    Materialising it sends whatever is pending in the outbox and copies the ledger's attempts here. Safe to run at any time, and
    at the same time as another run: a delivery is claimed durably before its socket opens, and nothing is sent twice. A claim
    whose process died becomes `failed: unknown_outcome`, which the partner's pull feed shows. Failed deliveries are never sent
    again by themselves, but where the webhook's owner opted into retries (`trigger` says so); the job `replay` sends them because
    somebody asks for it. `resolve_ms` to `first_byte_ms` are the parts of `duration_ms`; `slowest_endpoints` names who let us wait.
    """
    # A sync run has new rounds to come back for: what slow endpoints have left is the next `deliver` run's.
    patience = SYNC_PATIENCE_SECONDS if context.run.job_name in IN_A_HURRY else None
    wrong_clock = clock.complaint(installation.database)
    if wrong_clock:
        context.log.error("%s", wrong_clock)
        report = DeliveryReport()
    else:
        report = sender.deliver_pending(
            installation.database, installation.secret_box, installation.settings, installation.now, patience
        )
    mirrored = mirror.mirror(installation.database, installation.warehouse, installation.now())
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.webhook_deliveries", LATEST_DELIVERIES)
    context.log.info("%d delivered, %d failed, %d copied", report.delivered, report.failed, mirrored.attempts)
    withheld = {"withheld_because": wrong_clock} if wrong_clock else {}
    return dg.MaterializeResult(metadata=metadata | figures(report) | {"copied_attempts": mirrored.attempts} | withheld)


def figures(report: DeliveryReport) -> dict[str, Any]:
    """What one sending run did, as metadata."""
    slowest = [[row.host, row.sent, row.failed, round(row.p95_ms)] for row in report.slowest_endpoints()]
    latencies = {f"duration_ms_p{percent}": report.duration_ms(percent / 100) for percent in (50, 95, 99)}
    return {
        "sent": report.delivered + report.failed,
        "delivered": report.delivered,
        "failed": report.failed,
        "failed_by_class": dict(report.failed_by_class),
        "retries": report.retries,
        "skipped": report.no_webhook + report.set_aside,
        "no_webhook": report.no_webhook,
        "paused_or_disabled": report.set_aside,
        "unknown_outcome": report.unknown_outcome,
        "slowest_endpoints": dg.MetadataValue.md(common.markdown_table(["host", "sent", "failed", "p95 ms"], slowest)),
    } | {name: round(ms, 1) for name, ms in latencies.items() if ms is not None}


class ReplayConfig(dg.Config):
    """Which deliveries are to be sent again: by ids, or one organization's of a span of time."""

    ids: list[str] = Field(default_factory=list, description="Ids of deliveries or of matches.")
    organization: str = Field(default="", description="Slug or id. Needed with `first`.")
    first: str = Field(
        default="", description="Deliveries made at or after this instant (ISO 8601, UTC unless it says otherwise)."
    )
    last: str = Field(default="", description="And before this one. Empty: until now.")
    delivered: bool = Field(default=False, description="Those that were delivered, too.")
    face: str = Field(default="fundingscout", description="Whose deliveries: fundingscout or startcap.")
    dry_run: bool = Field(default=False, description="Say what would become of each, and do nothing.")


@dg.op(
    description="Makes failed deliveries pending again where their webhook allows it; the sensor's next `deliver` run sends them."
)
def replay_deliveries(context: dg.OpExecutionContext, config: ReplayConfig, installation: InstallationParam) -> None:
    """The same as `fundingscout deliveries replay`. What is refused is logged with its reason and the way out."""
    organization = get_organization(installation.database, config.organization).id if config.organization else None
    wanted = replays.Wanted(
        ids=config.ids,
        organization_id=organization,
        first=_instant(config.first),
        last=_instant(config.last),
        statuses=("failed", "no_webhook", "delivered") if config.delivered else ("failed", "no_webhook"),
    )
    faces = replays.faces(installation.settings.webhook_all_matches)
    if config.face not in faces:
        raise dg.Failure(f"no face is {config.face!r}; there are: {', '.join(sorted(faces))}", allow_retries=False)
    report = replays.replay(installation.database, wanted, faces[config.face], is_dry_run=config.dry_run)
    verb = "would be replayed" if config.dry_run else "replayed"
    context.log.info("%d %s, %d of them for the first time", report.replayed, verb, report.first_sends)
    for reason, count in sorted(report.refused.items()):
        context.log.warning("%d refused, %s: %s", count, reason, replays.WAYS_OUT[reason])
    shown = [
        [
            one.created_at,
            one.company_name or one.event_type,
            one.status,
            one.reason,
            one.decision,
            one.match_id or one.delivery_id,
        ]
        for one in report.decided[:MOST_SHOWN]
    ]
    names = ["created at", "about", "stood", "reason", "decision", "id"]
    context.add_output_metadata(
        {
            "is_dry_run": config.dry_run,
            "replayed": report.replayed,
            "first_sends": report.first_sends,
            "refused": dict(report.refused),
            "decided": dg.MetadataValue.md(common.markdown_table(names, shown)),
        }
    )


@dg.job(
    executor_def=dg.in_process_executor,
    description=(
        "Sends failed deliveries again, by ids or by organization and time: see the configuration of its one step. "
        "A strict webhook is sent again only what never left this machine; the rest is refused and said why."
    ),
)
def replay() -> None:
    """The job `replay`."""
    replay_deliveries()


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


replay_job = replay
ASSETS: list[dg.AssetsDefinition] = [webhook_deliveries]
