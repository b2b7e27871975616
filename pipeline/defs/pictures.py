"""The asset of pictures: what a look tells sooner than a table. Made by the daily sync, never on the way to a partner."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import duckdb

from pipeline.defs import common
from pipeline.defs.charts import heat_map, picture, stacked_bars
from pipeline.defs.common import InstallationParam

DAYS, HOURS = 30, 48
# Types beyond these are one series, so that the legend can be read.
MOST_SERIES = 7
OTHERS = "others"

BY_DAY = {
    "rounds_by_type": (
        common.FUNDING_ROUNDS,
        "Rounds first seen, by day and type",
        """SELECT first_seen_at::DATE, coalesce(funding_type, 'type not stated'), count(*) FROM core.funding_rounds
           WHERE first_seen_at >= $since AND status = 'active' GROUP BY ALL""",
    ),
    "matches_by_path": (
        common.MATCHES,
        "Matches, by day and path",
        "SELECT matched_at::DATE, match_type, count(*) FROM core.matches WHERE matched_at >= $since GROUP BY ALL",
    ),
    "documents_by_outcome": (
        common.MENTIONS,
        "Documents read, by day and what was made of them",
        """SELECT extracted_at::DATE, CASE WHEN is_funding AND set_aside_reason IS NULL THEN 'round'
               WHEN set_aside_reason = 'not_funding' OR set_aside_reason IS NULL THEN 'no round' ELSE set_aside_reason END,
               count(*)
           FROM core.mentions WHERE extracted_at >= $since GROUP BY ALL""",
    ),
    "rejects_by_reason": (
        common.REJECTED_DOCUMENTS,
        "Bodies and entries that could not be read, by day and reason",
        "SELECT rejected_at::DATE, reason, count(*) FROM raw.rejected_documents WHERE rejected_at >= $since GROUP BY ALL",
    ),
    "deliveries_by_outcome": (
        common.WEBHOOK_DELIVERIES,
        "Delivery attempts, by day and outcome",
        """SELECT started_at::DATE, coalesce(error_class, status), count(*) FROM core.webhook_deliveries
           WHERE started_at >= $since AND attempt_number > 0 GROUP BY ALL""",
    ),
}
AMOUNTS = {
    "< 1M": 1e6, "1-2M": 2e6, "2-5M": 5e6, "5-10M": 1e7, "10-20M": 2e7, "20-50M": 5e7, "50-100M": 1e8, "100-500M": 5e8,
    "500M-1B": 1e9, "> 1B": float("inf"),
}  # fmt: skip
LATENCIES = {
    "< 2 s": 2, "2-5 s": 5, "5-10 s": 10, "10-20 s": 20, "20-60 s": 60, "1-5 min": 300, "5-60 min": 3_600, "> 1 h": float("inf"),
}  # fmt: skip
ROUND_AMOUNTS = """
    SELECT amount_usd FROM core.funding_rounds WHERE first_seen_at >= $since AND status = 'active' AND amount_usd IS NOT NULL
"""
TOLD_AFTER = """
    SELECT epoch(finished_at) - epoch(document_landed_at) FROM core.webhook_deliveries
    WHERE started_at >= $since AND status = 'delivered' AND trigger = 'live' AND attempt_number = 1
      AND document_landed_at IS NOT NULL
"""
SOURCE_HOURS = """
    SELECT source_id, hour_at, CASE WHEN failures > 0 AND failures = polls THEN -1 ELSE landed END
    FROM raw.source_hours WHERE hour_at >= $since ORDER BY source_id, hour_at
"""


@dg.asset(
    key=common.PICTURES,
    deps=[common.FUNDING_ROUNDS, common.MATCHES, common.WEBHOOK_DELIVERIES, common.SOURCE_HOURS, common.REJECTED_DOCUMENTS],
    group_name=common.OVERVIEW,
    pool=common.WAREHOUSE_POOL,
    owners=common.DATA_OWNERS,
    kinds={"python", "svg"},
    tags={"layer": "overview"},
)
def pictures(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
    """The last thirty days as pictures: rounds by type, their amounts, documents by what was made of them, rejects, matches by
    path, deliveries by outcome, how soon partners were told, and the sources' last 48 hours (the darker, the more came in;
    orange: no poll succeeded).

    Made by the daily sync, and whenever you materialise it: it reads, and changes nothing. Each picture is an observation of its
    own asset too (its *Events*). A bar that is missing, or one twice as high as its neighbours, is where to look; the checks of
    that asset say what to do. If it fails, nothing else is held up.
    """
    now = installation.now().astimezone(UTC).replace(tzinfo=None)
    with installation.warehouse.open() as connection:
        shown = draw_all(connection, now)
    for asset in sorted({asset for asset, _ in shown.values()}):
        context.log_event(
            dg.AssetObservation(asset, metadata={name: image for name, (about, image) in shown.items() if about == asset})
        )
    return dg.MaterializeResult(metadata={name: image for name, (_, image) in shown.items()} | {"days": DAYS})


def draw_all(connection: duckdb.DuckDBPyConnection, now: datetime) -> dict[str, tuple[dg.AssetKey, dg.MarkdownMetadataValue]]:
    """Every picture by its name, with the asset that it is about. ``now`` is naive UTC, as the warehouse has it."""
    first = now.date() - timedelta(days=DAYS - 1)
    since = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - naive UTC
    days = [(first + timedelta(days=number)).isoformat() for number in range(DAYS)]
    shown: dict[str, tuple[dg.AssetKey, dg.MarkdownMetadataValue]] = {}
    for name, (asset, title, query) in BY_DAY.items():
        rows = connection.execute(query, {"since": since}).fetchall()
        series = by_day(days, [(day.isoformat(), str(kind), int(count)) for day, kind, count in rows])
        shown[name] = asset, picture(stacked_bars(title, [day[5:] for day in days], series), title)
    for name, asset, title, query, bins in (
        ("amounts", common.FUNDING_ROUNDS, "Amounts of the rounds, US dollars", ROUND_AMOUNTS, AMOUNTS),
        ("told_after", common.WEBHOOK_DELIVERIES, "From landing to the partner's answer", TOLD_AFTER, LATENCIES),
    ):
        values = [float(row[0]) for row in connection.execute(query, {"since": since}).fetchall()]
        shown[name] = asset, picture(stacked_bars(title, list(bins), {"count": histogram(values, bins)}), title)
    title = f"Bodies landed in the last {HOURS} hours, by source"
    hours = [now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1 - back) for back in range(HOURS)]
    rows = connection.execute(SOURCE_HOURS, {"since": hours[0]}).fetchall()
    shown["sources"] = common.SOURCE_HOURS, picture(heat_map(title, by_hour(hours, rows), _hour_names(hours)), title)
    return shown


def by_day(days: Sequence[str], rows: Sequence[tuple[str, str, int]]) -> dict[str, list[float]]:
    """A series for each kind, the most frequent first, a value for each of ``days``; the rarest kinds are added up."""
    totals: dict[str, int] = {}
    for _, kind, count in rows:
        totals[kind] = totals.get(kind, 0) + count
    ranked = sorted(totals, key=lambda kind: (-totals[kind], kind))
    named = ranked if len(ranked) <= MOST_SERIES else ranked[: MOST_SERIES - 1]
    names = named + ([OTHERS] if len(named) < len(ranked) else [])
    series = {name: [0.0] * len(days) for name in names}
    place = {day: number for number, day in enumerate(days)}
    for day, kind, count in rows:
        if day in place:
            series[kind if kind in named else OTHERS][place[day]] += count
    return series


def histogram(values: Sequence[float], bins: Mapping[str, float]) -> list[float]:
    """How many values lie below each bin's upper end, and not below the one before."""
    counts = [0.0] * len(bins)
    for value in values:
        counts[next(number for number, end in enumerate(bins.values()) if value < end)] += 1
    return counts


def by_hour(hours: Sequence[datetime], rows: Sequence[Sequence[Any]]) -> dict[str, list[float | None]]:
    """A value for each source and hour; None where the source was not asked."""
    place = {hour: number for number, hour in enumerate(hours)}
    table: dict[str, list[float | None]] = {}
    for source, hour, value in rows:
        line = table.setdefault(str(source), [None] * len(hours))
        if hour in place:
            line[place[hour]] = float(value)
    return table


def _hour_names(hours: Sequence[datetime]) -> list[str]:
    return [f"{hour:%d. %Hh}" for hour in hours]


ASSETS: list[dg.AssetsDefinition] = [pictures]
