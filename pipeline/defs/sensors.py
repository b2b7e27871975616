"""Sensors: what is new outside, and what is still to be sent. Thin; decisions are in automation."""

from collections.abc import Callable

import dagster as dg
from sqlalchemy import select

from pipeline.crm.changes import newest_change
from pipeline.defs.automation import Asked, decide
from pipeline.documents import clock, ingest, poll
from pipeline.installation import Installation
from pipeline.store.tables.crm import CrmChangeBatch
from pipeline.store.tables.documents import Landing
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks import outbox

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# The daemon's sensor loop turns every 5 s; asking for less than that makes each turn count.
EVERY_TURN_SECONDS = 1
# `sync` sends what it finds; this sensor is for what is left over, which need not cost an idle machine a look every turn.
LEFT_OVER_SECONDS = 29
# Dagster takes no longer name of a tag; and a page of tags says less than ten.
TAG_CHARACTERS, MOST_TAGS = 63, 10
WAITED = "waited"


def build_sensors(sync: str, deliver: str, installation: Installation) -> list[dg.SensorDefinition]:
    """The sensors, asking for runs of the jobs named.

    They get ``installation`` here and not as a resource: for a resource, Dagster opens its own storage anew at each tick, which was
    three quarters of what a tick cost.
    """

    @dg.sensor(
        job_name=sync,
        minimum_interval_seconds=EVERY_TURN_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Polls the sources that are due (conditional GET; 304 costs nothing), lands what is new, and asks for a `sync` run "
            "while landed documents or changed CRM rows wait."
        ),
    )
    def new_documents(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        report = poll.poll_due(
            installation.database, installation.sources, installation.fetcher, installation.landing, installation.now()
        )
        complaint = report.complaint()
        if complaint:
            context.log.warning("%s", complaint)
        return _ask(context, sync, waiting_for_sync(installation), lambda: waiting_tags(installation), complaint)

    @dg.sensor(
        job_name=deliver,
        minimum_interval_seconds=LEFT_OVER_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Asks for a `deliver` run while the outbox holds deliveries that no `sync` run is about to send: released ones, "
            "tests, or those of a run that died."
        ),
    )
    def pending_deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        waiting = outbox.waiting(installation.database, installation.now())
        if waiting is not None and (wrong := clock.complaint(installation.database)):
            return dg.SensorResult(skip_reason=wrong)
        if waiting is not None and _runs_under_way(context, sync):
            return dg.SensorResult(skip_reason="a sync run is under way and sends what is pending")
        return _ask(context, deliver, waiting)

    return [new_documents, pending_deliveries]


def waiting_for_sync(installation: Installation) -> str | None:
    """Names the newest work for a sync run, or None: landed bytes, pages to fetch, CRM rows that changed."""
    documents = ingest.waiting(installation.database, installation.now())
    changes = newest_change(installation.database)
    if not documents.landings and not documents.follow_ups_due and changes is None:
        return None
    return f"landing-{documents.newest_landing_id or 0}-pages-{documents.follow_ups_due}-crm-{changes or 0}"


def waiting_tags(installation: Installation) -> dict[str, str]:
    """Tags by which a run is found later: `fundingscout/source.ID` and `fundingscout/organization.SLUG`, at most ten of each."""
    sources = select(Landing.source_id).where(Landing.status == "landed").distinct().order_by(Landing.source_id)
    changed = select(CrmChangeBatch.organization_id).distinct()
    partners = select(Organization.slug).where(Organization.id.in_(changed)).order_by(Organization.slug)
    with installation.database.read() as session:
        found = {
            "source": session.scalars(sources.limit(MOST_TAGS)).all(),
            "organization": session.scalars(partners.limit(MOST_TAGS)).all(),
        }
    return {"fundingscout/" + f"{kind}.{name}"[:TAG_CHARACTERS]: WAITED for kind, names in found.items() for name in names}


def _ask(
    context: dg.SensorEvaluationContext,
    job: str,
    waiting: str | None,
    tags: Callable[[], dict[str, str]] = dict,
    complaint: str = "",
) -> dg.SensorResult:
    """What ``decide`` says, for Dagster; ``complaint`` is what whoever opens the tick reads beside the reason."""
    decision = decide(job, waiting, Asked.from_cursor(context.cursor), _runs_under_way(context, job) if waiting else 0)
    if decision.run_key is None:
        return dg.SensorResult(skip_reason="; ".join(filter(None, (decision.reason, complaint))))
    context.log.info("%s: %s", job, decision.reason)
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=decision.run_key, tags=tags() | {"fundingscout/reason": decision.reason[:200]})],
        cursor=decision.asked.to_cursor(),
    )


def _runs_under_way(context: dg.SensorEvaluationContext, job: str) -> int:
    return context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNDER_WAY))
