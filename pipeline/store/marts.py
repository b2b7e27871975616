"""The dbt project as seen from Python: its manifest, kept; and a build of its models, in this process.

What belongs here: how dbt is called. What does not: what the models say (dbt_project) and how Dagster shows them
(defs.marts). dbt writes only below ``state``, never into the checkout, so a read-only checkout will do.
Import it only where dbt is needed: importing dbt costs seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.results import NodeResult
from dbt.cli.main import dbtRunner, dbtRunnerResult

from pipeline.settings import PROJECT_ROOT
from pipeline.store.marts_lineage import column_origins
from pipeline.store.warehouse import Warehouse, progress, set_progress

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
# What dbt itself writes into a project when it is called there by hand.
NOT_PROJECT = {"target", "logs", "dbt_packages", ".user.yml"}
# dbt prints to the console (Dagster keeps that as the step's log); a log file would only grow.
QUIETLY = ["--no-send-anonymous-usage-stats", "--no-use-colors", "--log-level-file", "none"]
# What a manifest is made with.
MAKERS = ("dbt-core", "dbt-duckdb", "sqlglot")
# Between these, models that can are made anew row by row; what they would do wrong, if anything, lasts no longer than this.
WHOLE_EVERY = timedelta(days=7)
# Step in core.progress whose position is when (Unix seconds) all was last made whole from this state of the project.
WHOLE = "marts_whole/"
BROKEN = {"error", "fail", "runtime error", "partial success"}


class DbtFailed(RuntimeError):
    """dbt could not do what it was asked. Says what it said."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one model or test. ``failures`` is the number of rows a test found, None for models."""

    unique_id: str
    status: str  # success, pass, warn, fail, error, skipped
    seconds: float
    failures: int | None
    message: str

    @property
    def is_broken(self) -> bool:
        """A model that could not be built, or a test that did not hold and is no mere warning."""
        return self.status in BROKEN


@dataclass(frozen=True, slots=True)
class Mart:
    """One table of the schema ``marts``: its name and what its documentation says."""

    name: str
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    published_by_month: str | None = None  # the column by whose months the published file is split; None: it is one file


class MartsProject:
    """The dbt project in ``folder``, built into ``warehouse``; everything dbt writes goes below ``state``."""

    def __init__(self, warehouse: Warehouse, state: Path, folder: Path = DBT_PROJECT) -> None:
        self.warehouse = warehouse
        self.state = state.absolute()
        self.folder = folder.absolute()

    def manifest(self) -> dict[str, Any]:
        """dbt's manifest of the project, compiled at most once for one state of its files.

        Each model says beside dbt's own, as ``column_origins``, which columns its columns are made from: for each a list of
        [table, column] (store.marts_lineage). Safe to call from several processes at once. Raises DbtFailed where the project
        can't be compiled.
        """
        kept = self.state / f"manifest-{self._fingerprint()}.json"
        if not kept.exists():
            self._compile(kept)
        manifest: dict[str, Any] = json.loads(kept.read_text())
        return manifest

    def build(
        self, select: Sequence[str] = (), *, unit_tests: bool = False, as_of: datetime | None = None, whole: bool | None = None
    ) -> list[Outcome]:
        """Build models and run their tests, in the order of their dependencies; gives an outcome for each.

        ``select`` names exactly the models and tests to run, by their fully qualified names; empty: all. A broken
        node is an outcome, not an exception, and what depends on it is skipped. ``as_of`` is the moment the marts
        speak of (default: now). ``whole`` makes every row anew; by default that is done weekly, and after a change of the
        project, until it has succeeded once. Unit tests check the code, not the data: they are for the test suite.
        Raises WarehouseBusy when the file stays held by another process, DbtFailed when dbt itself gives up.
        """
        moment, step = as_of or datetime.now(UTC), WHOLE + self._fingerprint()
        with self.warehouse.open() as connection:  # the tables that the models read exist from here on
            made_whole_at = progress(connection, step)
        if whole is None:
            whole = not timedelta(0) <= moment - datetime.fromtimestamp(made_whole_at, UTC) < WHOLE_EVERY
        # What dbt would write of its nodes and results is a fifth of its work, and Dagster has it.
        arguments = ["build", *QUIETLY, "--no-write-json", "--target-path", str(self.state / "target")]
        if whole:
            arguments.append("--full-refresh")
        if select:
            arguments += ["--indirect-selection", "empty", "--select", *select]
        # Exposures say who reads the marts; there is nothing to build of them.
        arguments += ["--exclude-resource-types", "exposure", *([] if unit_tests else ["unit_test"])]
        stated = as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if as_of else ""
        result = self._invoke(arguments, {"FUNDINGSCOUT_AS_OF": stated})
        outcomes = [_outcome(node) for node in getattr(result.result, "results", [])]
        if whole and not select and not any(outcome.is_broken for outcome in outcomes):
            with self.warehouse.write() as connection:
                connection.execute("DELETE FROM core.progress WHERE starts_with(step, ?)", [WHOLE])
                set_progress(connection, step, int(moment.timestamp()))
        return outcomes

    def write_docs(self, file: Path) -> Path:
        """dbt's documentation of all models (lineage, columns, tests) as one HTML page that needs no server; gives its path.

        Holds the warehouse while it reads the tables' columns. Raises WarehouseBusy, DbtFailed.
        """
        with self.warehouse.open():
            pass
        target = self.state / "docs"
        parsed = ["--partial-parse-file-path", str(self.state / "target" / "partial_parse.msgpack")]
        # Tests are listed with their columns all the same: only their SQL is not worked out.
        models = ["--exclude", "resource_type:test", "resource_type:unit_test"]
        self._invoke(["docs", "generate", "--static", "--quiet", *QUIETLY, *parsed, *models, "--target-path", str(target)], {})
        file.parent.mkdir(parents=True, exist_ok=True)
        (target / "static_index.html").replace(file)
        return file

    def _compile(self, kept: Path) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix=".compile-", dir=self.state))
        try:
            # On an empty warehouse of its own: the real one may be held, and need not even be there yet.
            empty = {"FUNDINGSCOUT_WAREHOUSE_FILE": str(target / self.warehouse.path.name)}
            models = ["--select", "resource_type:model"]
            self._invoke(["compile", "--quiet", "--no-partial-parse", *models, *QUIETLY, "--target-path", str(target)], empty)
            manifest = json.loads((target / "manifest.json").read_text())
            for model, origins in column_origins(manifest).items():
                manifest["nodes"][model]["column_origins"] = origins
            (target / "kept.json").write_text(json.dumps(manifest))
            (target / "kept.json").replace(kept)
        finally:
            shutil.rmtree(target, ignore_errors=True)
        for other in self.state.glob("manifest-*.json"):
            if other != kept:
                other.unlink(missing_ok=True)

    def _invoke(self, arguments: list[str], environment: Mapping[str, str]) -> dbtRunnerResult:
        folders = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--log-path", str(self.state)]
        with _surroundings({"FUNDINGSCOUT_WAREHOUSE_FILE": str(self.warehouse.path), **environment}):
            try:
                result = dbtRunner().invoke([*arguments, *folders])
            finally:
                # dbt keeps the file open for its next call; others wait for it.
                DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        if result.exception is not None:
            if not isinstance(result.exception, Exception):
                raise result.exception  # somebody wants this process to stop
            raise DbtFailed(f"dbt {arguments[0]}: {result.exception}") from result.exception
        return result

    def _fingerprint(self) -> str:
        """Changes with anything the manifest depends on: the project's files, dbt, what reads lineage, the database's name."""
        digest = hashlib.sha256()
        for part in (*map(version, MAKERS), self.warehouse.path.stem, str(self.folder)):
            digest.update(part.encode() + b"\0")
        for module in ("marts_lineage.py", "query_lineage.py"):
            digest.update(Path(__file__).with_name(module).read_bytes())
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if name.parts[0] not in NOT_PROJECT and file.is_file():
                digest.update(f"{name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()[:16]


def marts_of(manifest: Mapping[str, Any]) -> list[Mart]:
    """The tables of the schema ``marts``, by name."""
    return [
        Mart(
            node["name"],
            " ".join(node["description"].split()),
            {name: " ".join(column["description"].split()) for name, column in node["columns"].items()},
            node["config"].get("meta", {}).get("published_by_month"),
        )
        for _, node in sorted(manifest["nodes"].items())
        if node["resource_type"] == "model" and node["config"]["schema"] == "marts"
    ]


def _outcome(node: NodeResult) -> Outcome:
    return Outcome(
        unique_id=node.node.unique_id,
        status=str(node.status),
        seconds=round(node.execution_time, 3),
        failures=node.failures,
        message=" ".join((node.message or "").split()),
    )


@contextmanager
def _surroundings(environment: Mapping[str, str]) -> Iterator[None]:
    """The environment dbt reads its profile from; it and the working folder are as before on leaving."""
    before = {name: os.environ.get(name) for name in environment}
    folder = Path.cwd()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(folder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
