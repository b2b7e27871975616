"""The review queue in Dagster: the asset that shows it, and the job that decides."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.webhooks import review_mirror, reviews

DECIDE_REVIEWS = "decide_reviews"

WAITING = """
    SELECT left(review_id, 8) AS id, slug AS organization, round_value AS round_of, crm_value AS account_named,
        round(score, 3) AS score, article_url, rows_matched AS rows, asked_at
    FROM (SELECT * FROM core.match_reviews WHERE status = 'waiting' ORDER BY asked_at DESC, review_id LIMIT 10)
    LEFT JOIN core.organizations USING (organization_id)
    LEFT JOIN core.funding_rounds USING (round_id)
    ORDER BY asked_at DESC, review_id
"""
DECIDED = """
    SELECT decided_at, decided_by, slug AS organization, status, round_value AS round_of, crm_value AS account_named,
        round(score, 3) AS score, outcome, note
    FROM core.match_reviews LEFT JOIN core.organizations USING (organization_id)
    WHERE status IN ('approved', 'rejected') ORDER BY decided_at DESC, review_id
"""
COUNTS = "SELECT status, count(*) FROM core.match_reviews GROUP BY status ORDER BY status"


@dg.asset(
    key=common.MATCH_REVIEWS,
    # After the deliveries too: a partner must not wait for this copy.
    deps=[common.MATCHES, common.WEBHOOK_DELIVERIES],
    group_name=common.MATCHING,
    pool=common.WAREHOUSE_POOL,
    owners=common.PARTNER_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def match_reviews(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per question to an analyst: is this round about the account of this name? Asked where a name match scores
    between the organization's `review` and `send` thresholds. Nobody is told before somebody says yes.

    Decide with `fundingscout review approve|reject ID`, or with the job `decide_reviews` in the launchpad. A yes is told once,
    through the same ledger as any match; a no is kept as a label, and that account is never told of that round. Questions that
    nobody answers expire after two weeks (`FUNDINGSCOUT_REVIEW_DAYS`); `superseded` means that a surer match came first. Precision
    of these scores over time: `marts/review_precision`.
    """
    expired = reviews.expire(installation.database, installation.now(), installation.settings.review_days)
    copied = review_mirror.mirror(installation.database, installation.warehouse)
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.match_reviews", WAITING)
        decided = common.preview(connection, DECIDED)
        counts = {str(status): int(rows) for status, rows in connection.execute(COUNTS).fetchall()}
    answered = counts.get("approved", 0) + counts.get("rejected", 0)
    context.log.info("%d copied, %d expired, %d wait", copied, expired, counts.get("waiting", 0))
    return dg.MaterializeResult(
        metadata=metadata
        | {"copied": copied, "expired_now": expired, "decided": decided}
        | {name: counts.get(name, 0) for name in reviews.STATUSES}
        | ({"share_approved": round(counts.get("approved", 0) / answered, 3)} if answered else {})
    )


class DecideConfig(dg.Config):
    """Decisions on reviews, by their ids (in the preview of `core/match_reviews`)."""

    by: str = Field(description="Who decides: a name or a mailbox. Kept with the decision.")
    approve: list[str] = Field(default=[], description="Reviews to approve: each is told, once.")
    reject: list[str] = Field(default=[], description="Reviews to reject: kept as labels, never told.")
    note: str = Field(default="", description="Why, for those who look later.")
    overrule: bool = Field(default=False, description="Approve even what somebody has rejected.")


@dg.op(out=dg.Out(dg.Nothing), pool=common.WAREHOUSE_POOL)
def decide(
    context: dg.OpExecutionContext, config: DecideConfig, installation: InstallationParam
) -> Iterator[dg.AssetObservation]:
    """Each decision by itself: one that somebody was quicker with is reported, and the others are taken.

    An id that nothing has fails the run once the others are taken: whoever mistyped it must not believe it decided.
    """
    late: list[str] = []
    unknown: list[str] = []
    for word, ids in (("approve", config.approve), ("reject", config.reject)):
        for named in ids:
            try:
                review = reviews.get(installation.database, named)
                if word == "approve":
                    done = reviews.approve(
                        installation.database,
                        review.id,
                        config.by,
                        installation.now(),
                        config.note or None,
                        overrule=config.overrule,
                    )
                else:
                    done = reviews.reject(installation.database, review.id, config.by, installation.now(), config.note or None)
            except (reviews.AlreadyDecided, reviews.ReviewUnknown) as error:
                (late if isinstance(error, reviews.AlreadyDecided) else unknown).append(str(error))
                context.log.warning("%s", error)
            else:
                context.log.info("%s: %s", done.review.id, done.outcome or done.review.status)
    copied = review_mirror.mirror(installation.database, installation.warehouse)
    # Yielded, not logged: what is logged is lost when the step fails after it.
    yield dg.AssetObservation(
        common.MATCH_REVIEWS, metadata={"decided_by": config.by, "copied": copied, "not_taken": late + unknown}
    )
    if unknown:
        raise dg.Failure(f"the other decisions are taken; of these nothing is known: {'; '.join(unknown)}", allow_retries=False)


@dg.job(
    name=DECIDE_REVIEWS,
    description="Takes decisions on name matches that wait: ids to approve and to reject, by whom, and why.",
    executor_def=dg.in_process_executor,
)
def decide_reviews() -> None:
    """Decisions from the launchpad. What it approves is sent by the sensor `pending_deliveries` within seconds."""
    decide()


ASSETS: list[dg.AssetsDefinition] = [match_reviews]
