"""Which pairs of unequal names are worth comparing: those that share a key that few names have.

What belongs here: from rounds to pairs of names. What does not: the index itself (name_index), judging a pair (features).
"""

from __future__ import annotations

import duckdb

from pipeline.matching.name_index import LONGEST_PREFIX, SHORTEST_PREFIX, NameIndex, beginnings_of, words_of

COMMON_FROM = 1_000  # a word in more names than this brings no pairs by itself


def find_pairs(connection: duckdb.DuckDBPyConnection, index: NameIndex) -> None:
    """Fill ``name_pairs(round_no, name_no, is_equal)`` from ``round_names(name_no, name_key, labels)`` and an index.

    ``labels`` are the domain labels that the round shows. ``is_equal``: the same letters, spacing aside.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE round_keys AS {_keys_of_rounds('round_names', index)}")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE name_pairs AS
        SELECT round_no, name_no, bool_or(is_equal) AS is_equal FROM {index.keys} JOIN round_keys USING (key) GROUP BY ALL
    """)


def _keys_of_rounds(names: str, index: NameIndex) -> str:
    """The keys that rounds look for, as (key, round_no, is_equal)."""
    spelled = f"(SELECT name_no, labels, replace(name_key, ' ', '') AS s FROM {names})"
    return f"""
        SELECT key, name_no AS round_no, bool_or(is_equal) AS is_equal FROM (
            SELECT hash('w' || word) AS key, name_no, false AS is_equal FROM ({words_of(names)})
            ANTI JOIN (SELECT word FROM {index.words} WHERE names > {COMMON_FROM}) USING (word)
            UNION ALL SELECT hash('=' || s), name_no, true FROM {spelled}
            UNION ALL SELECT hash('=' || unnest(labels)), name_no, false FROM {spelled}
            UNION ALL SELECT hash('=' || left(s, unnest(range({SHORTEST_PREFIX}, len(s)))::BIGINT)), name_no, false FROM {spelled}
            UNION ALL SELECT key, name_no, false FROM ({beginnings_of(names)})
            UNION ALL SELECT hash(len(s)::VARCHAR || s), name_no, false FROM {spelled}
                WHERE len(s) BETWEEN {SHORTEST_PREFIX} AND {LONGEST_PREFIX - 1}
        ) GROUP BY ALL
    """
