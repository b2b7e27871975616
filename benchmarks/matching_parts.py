"""The parts of benchmarks/matching.py, each to be run in a process of its own. Prints JSON."""

from __future__ import annotations

import csv
import importlib.util
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pipeline.matching import name_index, steps
from pipeline.matching.engine import DEFAULT_THRESHOLD, MatchOptions, find_all
from pipeline.matching.files import match_files, read_world
from pipeline.store.warehouse import Warehouse

BEGAN = time.perf_counter()
NOW = datetime(2026, 3, 10, tzinfo=UTC)
MEMORY_LIMIT = "2GB"  # DuckDB's share; what it lacks goes to disk


def match(world: Path, out: Path, threshold: str) -> dict[str, Any]:
    """Match one world's files, every row and path."""
    level = float(threshold) or DEFAULT_THRESHOLD
    report = match_files(*files_of(world), out, all_rows=True, options=MatchOptions(level))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "accounts": report.accounts, "contacts": report.contacts, "rounds": report.rounds, "matches": report.matches,
        "seconds": report.seconds, "threshold": level, "process_seconds": time.perf_counter() - BEGAN,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }  # fmt: skip


def files_of(world: Path) -> tuple[Path, Path, Path]:
    accounts, contacts, rounds = (next(world.glob(f"{name}.csv*")) for name in ("accounts", "contacts", "fundings"))
    return accounts, contacts, rounds


def calibration(world: Path, predictions: Path, evaluator: str) -> dict[str, Any]:
    """Expected difference of score and share of true rows among those that are labelled, over ten bins."""
    spec = importlib.util.spec_from_file_location("evaluator", evaluator)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    truth = module.World(world)
    rows = [row for row in csv.DictReader(predictions.open()) if row["match_type"] == "account_name"]
    labels = [truth.label(row["round_id"], row["account_external_id"]) for row in rows]
    counted = [n for n, label in enumerate(labels) if label in ("true", "false", "homonym")]
    score = np.array([float(rows[n]["score"]) for n in counted])
    is_true = np.array([labels[n] == "true" for n in counted])
    bins = np.minimum((score * 10).astype(int), 9)
    gaps = [abs(score[b].mean() - is_true[b].mean()) * b.sum() for k in range(10) if (b := bins == k).any()]
    return {"error": float(sum(gaps) / len(counted)), "rows": len(counted)}


def scale(world: Path, folder: Path, times: str) -> dict[str, Any]:
    """The stored index over a world's accounts, ``times`` as many of them; seconds of each thing that is done with it."""
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        read_world(connection, *files_of(world))
        connection.execute(f"COPY accounts TO '{folder / 'accounts.parquet'}'")
        connection.execute(f"COPY rounds TO '{folder / 'rounds.parquet'}'")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    found: dict[str, Any] = {}
    with warehouse.write() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        found["accounts"] = fill(connection, folder, int(times))
    with warehouse.open() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"CREATE TEMP TABLE all_rounds AS SELECT * FROM '{folder / 'rounds.parquet'}'")
        found |= measured("index from nothing", lambda: refreshed(connection))
        for name, relation in (("names", "core.match_names"), ("keys", "core.match_keys")):
            found[name] = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
        connection.execute(
            "CREATE TEMP TABLE some_rounds AS SELECT * FROM all_rounds USING SAMPLE reservoir(500 ROWS) REPEATABLE (7)"
        )
        find = partial(
            find_all,
            connection,
            "some_rounds",
            "core.crm_accounts",
            "core.crm_contacts",
            MatchOptions(),
            index=name_index.STORED,
        )
        find()
        found |= measured("500 new rounds", find)
        found |= changed(connection)
    found |= one_round(warehouse, folder)
    found["file_megabytes"] = round((folder / "warehouse.duckdb").stat().st_size / 1e6)
    return found


def fill(connection: duckdb.DuckDBPyConnection, folder: Path, times: int) -> int:
    """Store a world's accounts, and others made of their words; how many there are."""
    connection.execute(
        f"CREATE TEMP TABLE given AS SELECT *, row_number() OVER () - 1 AS place FROM '{folder / 'accounts.parquet'}'"
    )
    rows = connection.execute("SELECT count(*) FROM given").fetchall()[0][0]
    for n in range(times):
        made = (
            "g.name_key"
            if n == 0
            else "trim(regexp_replace(g.name_key, ' ?[^ ]+$', '') || ' ' || split_part(o.name_key, ' ', -1))"
        )
        connection.execute(f"""
            INSERT INTO core.crm_accounts BY NAME
            SELECT g.organization_id, g.external_id || '{"" if n == 0 else f"-{n}"}' AS external_id, {made} AS name, g.domain,
                {made} AS name_key,
                {"g.domain_key" if n == 0 else f"regexp_replace(g.domain_key, '[.]', '{n}.')"} AS domain_key, g.created_at,
                g.created_at AS updated_at, {n * rows} + g.place + 1 AS change_seq
            FROM given g JOIN given o ON o.place = (g.place + {n * 7919}) % {rows}
        """)
    return int(rows * times)


def refreshed(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    name_index.refresh(connection)
    connection.commit()


def changed(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """10,000 accounts change their names: the index follows, and they meet all rounds."""
    top = connection.execute("SELECT max(change_seq) FROM core.crm_accounts").fetchall()[0][0]
    connection.execute(f"""
        CREATE TEMP TABLE changed AS
        SELECT * REPLACE (name_key || ' renamed' AS name_key, {top} + row_number() OVER () AS change_seq)
        FROM core.crm_accounts WHERE change_seq <= 10000
    """)
    connection.execute("DELETE FROM core.crm_accounts WHERE change_seq <= 10000")
    connection.execute("INSERT INTO core.crm_accounts BY NAME SELECT * FROM changed")
    index = measured("10,000 changed accounts, index", lambda: refreshed(connection))
    find = partial(
        find_all,
        connection,
        "all_rounds",
        "changed",
        "core.crm_contacts",
        MatchOptions(),
        all_accounts="core.crm_accounts",
        index=name_index.STORED,
    )
    find()
    return index | measured("10,000 changed accounts x 10,000 rounds", find)


def one_round(warehouse: Warehouse, folder: Path) -> dict[str, Any]:
    """One new round as the pipeline's step sees it: the warehouse opened anew, an empty CRM beside it."""
    figures = {}
    for name, house in (("", warehouse), (", empty CRM", Warehouse(folder / "empty.duckdb"))):
        taken = []
        for n in range(5):
            with house.open() as connection:
                connection.execute(
                    "INSERT INTO core.funding_rounds "
                    "(round_id, round_seq, tells_from_seq, company_name, tells, status, first_seen_at) "
                    "VALUES (?, ?, ?, 'Brightloom Robotics', true, 'active', ?)",
                    [f"r{n}", n + 1, n + 1, NOW.replace(tzinfo=None)],
                )
            began = time.perf_counter()
            new = steps.find_new(house, NOW + timedelta(hours=1), 0, DEFAULT_THRESHOLD)
            taken.append(time.perf_counter() - began)
            steps.write(house, new, [])
        figures[f"one round as a step{name}"] = sorted(taken)[2]
    return figures


def sql_cosine(world: Path, out: Path) -> dict[str, Any]:
    """The peer to beat: cosine of words weighted by rarity, of names that share a word that fewer than 500 names have."""
    began = time.perf_counter()
    accounts, _, rounds = files_of(world)
    with duckdb.connect() as connection:
        connection.execute(f"""
            CREATE TABLE n AS
            SELECT 'a' AS side, external_id AS id, name FROM read_csv('{accounts}', all_varchar = true, header = true)
            UNION ALL SELECT 'r', id, company_name FROM read_csv('{rounds}', all_varchar = true, header = true)
        """)
        connection.execute("""
            CREATE TABLE w AS
            SELECT DISTINCT side, id, unnest(regexp_extract_all(lower(strip_accents(name)), '[a-z0-9]+')) AS word FROM n
        """)
        connection.execute("""
            CREATE TABLE idf AS
            SELECT word, count(*) AS names, ln((SELECT count(*) FROM n) / count(*)) AS idf FROM w WHERE side = 'a' GROUP BY word
        """)
        connection.execute(
            "CREATE TABLE l AS SELECT side, id, sqrt(sum(idf * idf)) AS length FROM w JOIN idf USING (word) GROUP BY ALL"
        )
        connection.execute(f"""
            COPY (
                WITH p AS (
                    SELECT DISTINCT r.id AS rid, a.id AS aid FROM w r JOIN w a USING (word) JOIN idf USING (word)
                    WHERE r.side = 'r' AND a.side = 'a' AND names < 500
                )
                SELECT rid AS funding_id, aid AS record_id, 'account_name' AS path,
                    100 * sum(idf * idf) / (any_value(x.length) * any_value(y.length)) AS score
                FROM p JOIN w r ON r.side = 'r' AND r.id = rid JOIN w a ON a.side = 'a' AND a.id = aid AND a.word = r.word
                JOIN idf ON idf.word = r.word
                JOIN l x ON x.side = 'r' AND x.id = rid JOIN l y ON y.side = 'a' AND y.id = aid
                GROUP BY rid, aid HAVING score > 50
            ) TO '{out}' (HEADER)
        """)
    return {"seconds": time.perf_counter() - began, "out": str(out)}


def measured(name: str, action: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock, and of all cores: on a shared machine only the second holds."""
    began, cpu = time.perf_counter(), time.process_time()
    action()
    return {name: time.perf_counter() - began, f"{name}, CPU": time.process_time() - cpu}


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "match": match,
    "calibration": calibration,
    "scale": scale,
    "sql_cosine": sql_cosine,
}

if __name__ == "__main__":
    part, world, path, *rest = sys.argv[1:]
    figures = PARTS[part](Path(world), Path(path), *rest)
    print(json.dumps(figures | {"megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}))
