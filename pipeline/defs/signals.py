"""Assets of the signals group: what documents claim, and the rounds those claims amount to."""

from collections import Counter
from typing import Any

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.signals import mention_table, review, round_table
from pipeline.signals.model_backed import ModelUse
from pipeline.webhooks import published_rounds

LATEST_MENTIONS = f"""
    WITH newest AS (SELECT max(document_seq) - {common.NEWEST} AS above FROM core.mentions)
    SELECT extracted_at, signal_type, company_name, amount, currency, funding_type, confidence_score, set_aside_reason, title
    FROM core.mentions JOIN raw.documents USING (document_seq)
    WHERE document_seq > (SELECT above FROM newest) AND (signal_type <> 'none' OR set_aside_reason IS NOT NULL)
    ORDER BY document_seq DESC
"""
LATEST_ROUNDS = f"""
    SELECT first_seen_at, company_name, amount_usd, funding_type, lead_investor, website, article_url,
        location_country AS country, confidence_score AS confidence, source_count AS sources
    FROM core.funding_rounds WHERE round_seq > (SELECT max(round_seq) FROM core.funding_rounds) - {common.NEWEST}
    ORDER BY round_seq DESC
"""
SIGNAL_COUNTS = "SELECT signal_type, count(*) AS documents FROM core.mentions GROUP BY ALL ORDER BY documents DESC"


@dg.asset(
    key=common.MENTIONS,
    deps=[common.DOCUMENTS],
    group_name=common.SIGNALS,
    pool=common.WAREHOUSE_POOL,
    owners=common.DATA_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def mentions(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per document: what it claims. Is it a funding round announced now, an acquisition, a job change, hiring, a new
    company, or none; who, how much, which type, which investors.

    Every field is in `evidence` with the sentence it was read from; `set_aside_reason` says why a funding-like text makes no
    round; `confidence_reasons` says what the score rests on. Refreshed by every `sync` run for new and changed documents, and by a
    backfill with today's extractor. If it fails, the documents wait for the next run.
    """
    model = installation.model_extractor
    report = mention_table.extract_new(installation.warehouse, installation.now(), extractor=model)
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.mentions", LATEST_MENTIONS)
        metadata["by_signal_type"] = common.preview(connection, SIGNAL_COUNTS)
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.by_signal_type.items())
    context.log.info("%d documents read: %s", report.documents, kinds or "nothing was new")
    return dg.MaterializeResult(
        metadata=metadata
        | {
            "documents": report.documents,
            "funding_rounds": report.by_signal_type.get("funding_round", 0),
            "set_aside": dict(report.set_aside),
        }
        | (_model_use(model.use) if model else {})
    )


def _model_use(use: ModelUse) -> dict[str, Any]:
    """What asking the model has cost in this process so far."""
    ordered = sorted(use.seconds)
    return {
        "model_calls": use.calls,
        "model_failures": dict(use.failures),
        "model_values_refused": dict(use.refused),
        "model_tokens": use.prompt_tokens + use.completion_tokens,
        "model_cost_usd": round(use.cost_usd, 6),
        "model_seconds_median": round(ordered[len(ordered) // 2], 3) if ordered else 0.0,
        "model_seconds_longest": round(ordered[-1], 3) if ordered else 0.0,
    }


@dg.asset(
    key=common.FUNDING_ROUNDS,
    deps=[common.MENTIONS],
    group_name=common.SIGNALS,
    pool=common.WAREHOUSE_POOL,
    owners=common.DATA_OWNERS,
    kinds={"python", "duckdb"},
    tags={"layer": "core"},
)
def funding_rounds(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """One row per real-world funding round, under one id that never changes.

    Reports of the same round (same company by name, domain or CIK; days apart; amounts and types that agree) are merged: later ones
    fill gaps and raise `confidence_score`, and never make the round new. `core.round_mentions` lists the documents of a round,
    `conflicts` what they disagree on. Old events make no round. Rounds that partners may see are published to the app database.
    If it fails, the mentions wait for the next run.
    """
    report = round_table.resolve_new(installation.warehouse, installation.now(), installation.settings.max_article_age_hours)
    published = published_rounds.publish_changed(installation.database, installation.warehouse, installation.now())
    with installation.warehouse.open() as connection:
        metadata = common.table_metadata(connection, "core.funding_rounds", LATEST_ROUNDS)
    context.log.info("%d new rounds, %d enriched, %d published", report.new, report.enriched, published)
    return dg.MaterializeResult(
        metadata=metadata | {"new": report.new, "enriched": report.enriched, "stale": report.stale, "published": published}
    )


@dg.asset(
    key=common.EXTRACTION_REVIEW,
    deps=[common.MENTIONS, common.FUNDING_ROUNDS],
    group_name=common.SIGNALS,
    pool=common.WAREHOUSE_POOL,
    owners=common.DATA_OWNERS,
    kinds={"python", "html"},
    tags={"layer": "core"},
)
def extraction_review(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """The readings of the last week that a person should look at, as one page: rounds read with little confidence, texts that
    were nearly read as a round, reports of one round that disagree, documents that broke the extractor.

    Each text is shown with what was read highlighted, the cues that decided with their weights, and the values that were rejected;
    `fundingscout explain` shows the same of any text. Materialise it when you want it: nothing depends on it. The page lies at the
    path below; documents are read with today's extractor.
    """
    with installation.warehouse.open() as connection:
        documents = review.documents_to_review(connection, installation.now())
    target = installation.settings.home.absolute() / "review" / "extraction.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_text(review.review_page(documents, installation.now()), encoding="utf-8")
    fresh.replace(target)
    kinds = Counter(why for why, _ in documents)
    context.log.info("%d readings to look at: %s", len(documents), target)
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(target),
            "dagster/row_count": len(documents),
            "by_kind": dict(kinds),
            "preview": dg.MetadataValue.md(
                common.markdown_table(
                    ["why", "title", "outlet"],
                    [(why, each.title, each.outlet) for why, each in documents[: common.PREVIEW_ROWS]],
                )
            ),
        }
    )


ASSETS: list[dg.AssetsDefinition] = [mentions, funding_rounds, extraction_review]
