"""Where a query's columns come from, each way of writing one asserted by hand."""

from __future__ import annotations

import pytest

from pipeline.store.query_lineage import QueryLineage

TABLES = {"core.rounds": ["id", "name", "investors", "seen_at"], "core.matches": ["id", "round_id", "score"]}
LINEAGE = QueryLineage(TABLES)
ID, NAME, SEEN = ("core.rounds", "id"), ("core.rounds", "name"), ("core.rounds", "seen_at")
ROUND_ID, SCORE = ("core.matches", "round_id"), ("core.matches", "score")


def test_a_star_is_spelt_out_under_the_names_of_its_table() -> None:
    found = LINEAGE.origins('select * from "warehouse"."core"."rounds"')
    assert found == {name: (("core.rounds", name),) for name in TABLES["core.rounds"]}
    assert list(found) == TABLES["core.rounds"]


def test_columns_are_followed_through_common_table_expressions_and_both_sides_of_a_union() -> None:
    sql = """
        with joined as (select r.*, m.score from core.rounds r join core.matches m on r.id = m.round_id),
        both_sides as (select id, name from joined union all select round_id, 'unnamed' from core.matches)
        select upper(name) as title, id as round_id from both_sides
    """
    assert LINEAGE.origins(sql) == {"title": (NAME,), "round_id": (ROUND_ID, ID)}


def test_columns_of_a_union_are_paired_by_their_places_and_never_by_name_where_that_was_asked() -> None:
    assert LINEAGE.origins("select id, name from core.rounds intersect select round_id, id from core.matches") == {
        "id": (ROUND_ID, ID), "name": (("core.matches", "id"), NAME),
    }  # fmt: skip
    assert LINEAGE.origins("select id, name from core.rounds union by name select score as name, id from core.matches") == {}


def test_a_window_is_made_of_what_it_sorts_by_and_a_scalar_subquery_of_what_it_asks() -> None:
    sql = """
        select row_number() over (partition by name order by seen_at) as rank_of_name,
            (select max(score) from core.matches where round_id = rounds.id) as best
        from core.rounds as rounds where investors is not null
    """
    assert LINEAGE.origins(sql) == {"rank_of_name": (NAME, SEEN), "best": (SCORE,)}


def test_a_field_of_an_unnested_list_is_made_of_the_list() -> None:
    sql = """
        with listed as (select id, unnest(from_json(investors, '[{"name": "VARCHAR"}]')) as item from core.rounds)
        select item.name as investor from listed
    """
    assert LINEAGE.origins(sql) == {"investor": (("core.rounds", "investors"),)}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select count(*) as n, 1 as one, id from core.rounds group by id", {"id"}),
        ("select hash(source) as made_of, id from core.rounds as source", {"id"}),  # a whole row
        ("select nowhere || name as x, r.id from core.rounds r join core.matches m on true", {"id"}),
        ("select u.path from read_parquet('x.parquet') as u", set()),
        ("select * from core.unknown", set()),
        ("select * from core.rounds union all select *, 1, 2, 3 from core.unknown", set()),
        ("pivot core.matches on round_id using sum(score)", set()),
        ("delete from core.rounds", set()),
        ("select (", set()),
    ],
)
def test_what_cannot_be_followed_or_is_made_of_no_column_has_no_origin(sql: str, told: set[str]) -> None:
    assert {column for column, origins in LINEAGE.origins(sql).items() if origins} == told
