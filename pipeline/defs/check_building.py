"""How a check that judges is made: a function finds what is wrong, and the check shows it with what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.installation import Installation


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found wrong: a row for each, under ``names``; none means that it passes. ``figures`` are plotted over time."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """What a judge may look at. ``now`` is naive UTC, as the warehouse has it."""

    connection: duckdb.DuckDBPyConnection
    now: datetime
    installation: Installation


@dataclass(frozen=True, slots=True)
class Judged:
    """One property of an asset that takes more than a query. ``description`` says what to do if it fails."""

    asset: dg.AssetKey
    name: str
    description: str
    judge: Callable[[View], Findings]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN
    blocking: bool = False


def build_judged(judged: Judged) -> dg.AssetChecksDefinition:
    """The Dagster check for ``judged``."""

    @dg.asset_check(
        asset=judged.asset,
        name=judged.name,
        description=judged.description,
        blocking=judged.blocking,
        pool=common.WAREHOUSE_POOL,
    )
    def check(installation: InstallationParam) -> dg.AssetCheckResult:
        now = installation.now().astimezone(UTC).replace(tzinfo=None)
        with installation.warehouse.open() as connection:
            found = judged.judge(View(connection, now, installation))
        table = common.markdown_table(found.names, found.rows[: common.PREVIEW_ROWS])
        return dg.AssetCheckResult(
            passed=not found.rows,
            severity=judged.severity,
            metadata={"rows": len(found.rows)} | found.figures | ({"first": dg.MetadataValue.md(table)} if found.rows else {}),
        )

    return check
