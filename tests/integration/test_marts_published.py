"""Publishing, on a real DuckDB: what a reader sees before, during and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.store import published
from pipeline.store.marts import Mart
from pipeline.store.published import NothingPublished, open_published, publish
from pipeline.store.warehouse import Warehouse

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MARTS = [
    Mart("fruit", "One row per fruit; it's sweet.", {"name": "What it's called.", "gone": "No longer a column."}),
    Mart("trees"),
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.open() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.trees AS SELECT 1 AS id")
    set_fruit(warehouse, "plum", "apple")
    return warehouse


def set_fruit(warehouse: Warehouse, *names: str) -> None:
    with warehouse.open() as connection:
        connection.execute(
            "CREATE OR REPLACE TABLE marts.fruit AS SELECT unnest(?::VARCHAR[]) AS name, 1.5::DOUBLE AS kilos", [names]
        )


def fruit(folder: Path) -> list[str]:
    with duckdb.connect(str(folder / "fundingscout.duckdb"), read_only=True) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM fruit").fetchall()]


def test_readers_get_parquet_and_views_with_what_is_said_of_them(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    report = publish(warehouse, folder, MARTS, NOON)
    assert [(table.name, table.rows) for table in report.tables] == [("fruit", 2), ("trees", 1)]
    assert (report.build.name, report.views) == ("20261102T120000.000000Z", folder / "fundingscout.duckdb")
    assert fruit(folder) == ["apple", "plum"]
    with duckdb.connect(str(report.views), read_only=True) as connection:
        said = "SELECT comment FROM duckdb_views() WHERE view_name = 'fruit'"
        assert connection.execute(said).fetchall() == [("One row per fruit; it's sweet.",)]
        said = "SELECT comment FROM duckdb_columns() WHERE table_name = 'fruit' ORDER BY column_index"
        assert connection.execute(said).fetchall() == [("What it's called.",), (None,)]
        assert connection.execute("SELECT * FROM published_tables ORDER BY 1").fetchall() == [
            ("fruit", 2, NOON.replace(tzinfo=None)),
            ("trees", 1, NOON.replace(tzinfo=None)),
        ]
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet('{folder}/latest/*.parquet', union_by_name = true)").fetchall() == [
        (3,)
    ]
    assert [file.stat().st_mode & 0o222 for file in report.build.iterdir()] == [0, 0]


def test_an_open_connection_sees_the_next_build_and_blocks_nobody(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(warehouse, folder, MARTS, NOON)
    with duckdb.connect(str(folder / "fundingscout.duckdb"), read_only=True) as reader:
        assert reader.execute("SELECT count(*) FROM fruit").fetchall() == [(2,)]
        set_fruit(warehouse, "apple", "plum", "quince")
        publish(warehouse, folder, MARTS, NOON + timedelta(hours=1))
        assert reader.execute("SELECT count(*) FROM fruit").fetchall() == [(3,)]


def test_a_mart_may_change_its_columns(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(warehouse, folder, MARTS, NOON)
    with warehouse.open() as connection:
        connection.execute("CREATE OR REPLACE TABLE marts.fruit AS SELECT 'fig' AS name, 7::BIGINT AS kilos, true AS is_ripe")
    publish(warehouse, folder, MARTS, NOON + timedelta(hours=1))
    with duckdb.connect(str(folder / "fundingscout.duckdb"), read_only=True) as reader:
        assert reader.execute("SELECT * FROM fruit").fetchall() == [("fig", 7, True)]


def test_a_month_without_change_is_the_file_of_the_build_before(warehouse: Warehouse, tmp_path: Path) -> None:
    folder, news = tmp_path / "published", [Mart("news", published_by_month="seen_at")]

    def set_news(query: str) -> None:
        with warehouse.open() as connection:
            connection.execute(f"CREATE OR REPLACE TABLE marts.news AS {query}")

    def files(build: Path) -> dict[str, int]:
        return {file.name: file.stat().st_ino for file in sorted((build / "news").iterdir())}

    def shown() -> list[tuple[object, ...]]:
        with duckdb.connect(str(folder / "fundingscout.duckdb"), read_only=True) as connection:
            return connection.execute("SELECT id FROM news ORDER BY 1").fetchall()

    rows = (
        "SELECT unnest([1, 2, 3, 4]) AS id, unnest([DATE '2026-09-30', '2026-10-01', '2026-10-31', NULL])::TIMESTAMP AS seen_at"
    )
    set_news(rows)
    report = publish(warehouse, folder, news, NOON)
    first = files(report.build)
    assert list(first) == ["2026-09.parquet", "2026-10.parquet", "undated.parquet"]
    assert (report.tables[0].rows, shown()) == (4, [(1,), (2,), (3,), (4,)])
    set_news(f"SELECT id + 10 * (id = 3)::INTEGER AS id, seen_at FROM ({rows})")
    second = files(publish(warehouse, folder, news, NOON + timedelta(hours=1)).build)
    assert {name for name in first if first[name] == second[name]} == {"2026-09.parquet", "undated.parquet"}
    assert shown() == [(1,), (2,), (4,), (13,)]
    set_news(f"SELECT id AS id, seen_at FROM ({rows}) WHERE id < 3")
    assert list(files(publish(warehouse, folder, news, NOON + timedelta(hours=2)).build)) == [
        "2026-09.parquet",
        "2026-10.parquet",
    ]
    set_news(f"SELECT id AS number, seen_at FROM ({rows}) WHERE id < 3")
    third = publish(warehouse, folder, news, NOON + timedelta(hours=3))
    assert duckdb.sql(f"SELECT number FROM '{third.build}/news/2026-09.parquet'").fetchall() == [(1,)], (
        "a column's name is content"
    )
    set_news(f"SELECT id AS number, seen_at FROM ({rows}) WHERE false")
    empty = publish(warehouse, folder, news, NOON + timedelta(hours=4))
    assert (list(files(empty.build)), empty.tables[0].rows) == (["undated.parquet"], 0)


def test_only_the_newest_builds_are_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    for hour in range(5):
        publish(warehouse, folder, MARTS, NOON + timedelta(hours=hour))
    assert [build.name[9:11] for build in sorted((folder / "builds").iterdir())] == ["14", "15", "16"]
    assert (folder / "latest").resolve().name.startswith("20261102T16")


def test_two_builds_at_one_moment_are_two_builds(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = (publish(warehouse, tmp_path / "published", MARTS, NOON).build for _ in range(2))
    assert first != second
    assert (first / "fruit.parquet").read_bytes() == (second / "fruit.parquet").read_bytes()


def test_a_mart_that_cannot_be_read_leaves_the_old_build_in_place(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(warehouse, folder, MARTS, NOON)
    with pytest.raises(duckdb.CatalogException, match="missing"):
        publish(warehouse, folder, [*MARTS, Mart("missing")], NOON + timedelta(hours=1))
    assert fruit(folder) == ["apple", "plum"]
    set_fruit(warehouse, "fig")
    publish(warehouse, folder, MARTS, NOON + timedelta(hours=2))
    assert fruit(folder) == ["fig"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".incoming-")], "leftovers were cleared up"


@pytest.mark.parametrize("died_at", range(1, 12))
def test_a_kill_at_any_moment_leaves_one_whole_build(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, died_at: int
) -> None:
    """Dies at each of the moments that something has reached the disk, and is run again."""
    folder = tmp_path / "published"
    publish(warehouse, folder, MARTS, NOON)
    set_fruit(warehouse, "fig")
    moments = 0

    class Killed(BaseException):
        pass

    def dies(path: Path) -> None:
        nonlocal moments
        moments += 1
        if moments == died_at:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(published, "_to_disk", dies)
        try:
            publish(warehouse, folder, MARTS, NOON + timedelta(hours=1))
        except Killed:
            assert fruit(folder) in (["apple", "plum"], ["fig"])
    publish(warehouse, folder, MARTS, NOON + timedelta(hours=2))
    assert fruit(folder) == ["fig"]
    assert sorted(path.name for path in folder.iterdir()) == ["builds", "fundingscout.duckdb", "latest"]


def test_the_published_marts_can_be_asked_and_nothing_else_read_or_written(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path / "published", MARTS, NOON)
    (tmp_path / "secret.csv").write_text("token\nx\n")
    with open_published(tmp_path / "published") as connection:
        assert connection.execute("SELECT name FROM fruit ORDER BY name").fetchall() == [("apple",), ("plum",)]
        for forbidden in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/warehouse.duckdb'",
            "CREATE TABLE mine AS SELECT 1",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(forbidden)


def test_before_the_first_publishing_the_way_to_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished, match="run the job `marts`"), open_published(tmp_path / "published"):
        pass
