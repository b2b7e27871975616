"""The index over a CRM's names: which names share a key with a round's, and how common each word is.

What belongs here: the tables of an index and how they are brought up to date. What does not: scoring (features, scoring).

An index has three tables, all of them functions of the set of comparison forms in the CRM and of nothing else:
  names  name_no, name_key            each comparison form once, whoever holds it; its number is its hash
  keys   key, name_no                 candidate keys as 64-bit hashes; unequal names that share one are compared
  words  word, names                  in how many of the names a word is
The stored index has a fourth, so that a few names or domains among ten million accounts are found by numbers alone:
  rows   change_seq, name_no, domain_no   each account by its place in the order of changes, its name and domain hashed
The stored index follows core.crm_accounts: names that have come are added, names that nobody holds any more are removed with
their words' counts, so that it equals one built anew. hash() is stable within a version of DuckDB, hence its version is part of
the index's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import duckdb
import yaml

from pipeline.store.warehouse import progress, set_progress

DATA = Path(__file__).with_name("data")
INDEX_VERSION = "3"
STORED_STEP = f"match_index/{INDEX_VERSION}/{duckdb.__version__}"  # change_seq up to which the stored index has come
LONGEST_PREFIX = 8
SHORTEST_PREFIX = 5
SHORT_NAME = 12  # letters up to which a name is also found by its first five to seven
# Names of many words (addresses, lists) are compared by their first ones.
MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class NameIndex:
    """The relations of one index, by name."""

    names: str
    keys: str
    words: str
    counted: str  # the relation whose rows are the names that ``words`` counts
    rows: str = ""  # the accounts by numbers, where they are stored; else they are searched by their texts


STORED = NameIndex("core.match_names", "core.match_keys", "core.match_words", "core.match_names", "core.match_rows")
_NUMBERS = """
    change_seq, CASE WHEN name_key <> '' THEN hash(name_key) END AS name_no,
    CASE WHEN domain_key <> '' THEN hash(domain_key) END AS domain_no
"""


def build(connection: duckdb.DuckDBPyConnection, accounts: str, prefix: str = "temp_index") -> NameIndex:
    """An index of temp tables over the name_key of a relation."""
    index = NameIndex(*(f"{prefix}_{part}" for part in ("names", "keys", "words", "names")))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {index.names} AS
        SELECT hash(name_key) AS name_no, name_key FROM (SELECT DISTINCT name_key FROM {accounts} WHERE name_key <> '')
    """)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {index.words} AS {_counted_words(index.names)}")
    # Read once, so the keys are made as they are read and not stored.
    return replace(index, keys=f"({keys_of(index.names)})")


def part_of(connection: duckdb.DuckDBPyConnection, index: NameIndex, accounts: str) -> NameIndex:
    """The names of some accounts alone, as rare as they are in the whole index."""
    part = build(connection, accounts, "part_index")
    return NameIndex(part.names, part.keys, index.words, index.names)


def refresh(connection: duckdb.DuckDBPyConnection) -> NameIndex:
    """Bring the stored index to the CRM as it is, in the caller's transaction. Costs what has changed, where nothing was deleted.

    A CRM that hasn't changed since costs two look-ups.
    """
    position = progress(connection, STORED_STEP)
    newest, rows = connection.execute("SELECT coalesce(max(change_seq), 0), count(*) FROM core.crm_accounts").fetchall()[0]
    counted = progress(connection, f"{STORED_STEP}/rows")
    if (newest, rows) == (position, counted):
        return STORED
    if position == 0:
        _rebuild(connection)
    else:
        _follow(connection, position, counted, rows)
    others = "starts_with(step, 'match_index/') AND NOT starts_with(step, ?)"
    connection.execute(f"DELETE FROM core.progress WHERE {others}", [STORED_STEP])
    set_progress(connection, STORED_STEP, newest)
    set_progress(connection, f"{STORED_STEP}/rows", rows)
    return STORED


def _rebuild(connection: duckdb.DuckDBPyConnection) -> None:
    for table in (STORED.names, STORED.keys, STORED.words, STORED.rows):
        connection.execute(f"DELETE FROM {table}")
    connection.execute(f"INSERT INTO {STORED.rows} BY NAME SELECT {_NUMBERS} FROM core.crm_accounts")
    connection.execute(f"""
        INSERT INTO {STORED.names} BY NAME SELECT hash(name_key) AS name_no, name_key
        FROM (SELECT DISTINCT name_key FROM core.crm_accounts WHERE name_key <> '')
    """)
    _add(connection, STORED.names)


def _follow(connection: duckdb.DuckDBPyConnection, position: int, counted: int, rows: int) -> None:
    """From ``counted`` rows at a position to ``rows`` of today: names are sought among rows that came or went only."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE come_rows AS
        SELECT {_NUMBERS}, name_key FROM core.crm_accounts WHERE change_seq > {position:d}
    """)
    come = connection.execute("SELECT count(*) FROM come_rows").fetchall()[0][0]
    if counted + come != rows:
        _forget_rows(connection)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE come_names AS
        SELECT DISTINCT name_no, name_key FROM come_rows ANTI JOIN {STORED.names} USING (name_no, name_key)
        WHERE name_no IS NOT NULL
    """)
    connection.execute(f"INSERT INTO {STORED.rows} BY NAME SELECT * EXCLUDE (name_key) FROM come_rows")
    connection.execute(f"INSERT INTO {STORED.names} BY NAME SELECT * FROM come_names")
    _add(connection, "come_names")


def _forget_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Take out rows that are no more under their number, and the names that neither a row left nor one that has come holds."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone_rows AS
        SELECT change_seq, name_no FROM {STORED.rows} ANTI JOIN core.crm_accounts USING (change_seq)
    """)
    connection.execute(f"DELETE FROM {STORED.rows} WHERE change_seq IN (SELECT change_seq FROM gone_rows)")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone_names AS
        SELECT name_no, name_key FROM {STORED.names} SEMI JOIN gone_rows USING (name_no)
        WHERE name_no NOT IN (SELECT name_no FROM {STORED.rows} SEMI JOIN gone_rows USING (name_no))
            AND name_no NOT IN (SELECT name_no FROM come_rows WHERE name_no IS NOT NULL)
    """)
    connection.execute(f"DELETE FROM {STORED.keys} WHERE name_no IN (SELECT name_no FROM gone_names)")
    connection.execute(f"DELETE FROM {STORED.names} WHERE name_no IN (SELECT name_no FROM gone_names)")
    _count(connection, "gone_names", -1)


def _add(connection: duckdb.DuckDBPyConnection, names: str) -> None:
    connection.execute(f"INSERT INTO {STORED.keys} BY NAME {keys_of(names)}")
    _count(connection, names, 1)


def _count(connection: duckdb.DuckDBPyConnection, names: str, sign: int) -> None:
    """Add the words of some names to the counts, or take them away."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE counted_words AS
        SELECT word, n.names * {sign:d} + coalesce(w.names, 0) AS names
        FROM ({_counted_words(names)}) n LEFT JOIN {STORED.words} w USING (word)
    """)
    connection.execute(f"DELETE FROM {STORED.words} WHERE word IN (SELECT word FROM counted_words)")
    connection.execute(f"INSERT INTO {STORED.words} BY NAME SELECT word, names FROM counted_words WHERE names > 0")


def _counted_words(names: str) -> str:
    return f"SELECT word, count(*) AS names FROM ({words_of(names)}) GROUP BY word"


def rows_with(connection: duckdb.DuckDBPyConnection, index: NameIndex, accounts: str, number: str, wanted: str) -> str:
    """A relation of the ``accounts`` that the index knows under a ``number`` (name_no, domain_no) of the relation ``wanted``.

    It has the columns of both. Two texts may share a number, though they never have: compare the texts, too.
    """
    found = f"rows_by_{number}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {found} AS SELECT * FROM {index.rows} SEMI JOIN {wanted} USING ({number})"
    )
    # Said twice: as a set of numbers it keeps the scan from reading anything else of the other rows.
    return f"""(
        SELECT * FROM {found} JOIN {accounts} USING (change_seq) WHERE change_seq IN (SELECT change_seq FROM {found})
    )"""


def words_of(names: str) -> str:
    """name_no and each different word of the names, of their first MOST_WORDS."""
    return f"""
        SELECT name_no, unnest(list_distinct(string_split(name_key, ' ')[:{MOST_WORDS}])) AS word FROM {names}
    """


def keys_of(names: str) -> str:
    """The keys that names are found by, as (key, name_no): pure functions of each name."""
    spelled = f"(SELECT name_no, name_key, replace(name_key, ' ', '') AS s FROM {names})"
    # Beginnings shorter than eight letters, of short names alone: "Clear" finds "Clearme" and not all of "Clearance Warehouse".
    short = " UNION ALL ".join(
        f"SELECT hash('{size}' || left(s, {size})), name_no FROM {spelled} WHERE len(s) > {size} AND len(s) <= {SHORT_NAME}"
        for size in range(SHORTEST_PREFIX, LONGEST_PREFIX)
    )
    return f"""
        SELECT hash('w' || word) AS key, name_no FROM ({words_of(names)})
        UNION ALL SELECT hash('=' || s), name_no FROM {spelled}
        UNION ALL {beginnings_of(names)}
        UNION ALL {short}
    """


def beginnings_of(names: str) -> str:
    """Keys of the first eight letters, unless a common word stands first, and of the first two words."""
    common = ", ".join(f"'{word}'" for word in sorted(common_words()))
    return f"""
        SELECT hash('8' || left(replace(name_key, ' ', ''), {LONGEST_PREFIX})) AS key, name_no FROM {names}
        WHERE len(replace(name_key, ' ', '')) >= {LONGEST_PREFIX} AND split_part(name_key, ' ', 1) NOT IN ({common})
        UNION ALL SELECT hash('2' || array_to_string(string_split(name_key, ' ')[:2], ' ')), name_no FROM {names}
        WHERE contains(name_key, ' ') AND split_part(name_key, ' ', 2) NOT IN ('of', 'and', 'de', 'for', 'in')
    """


@cache
def common_words() -> dict[str, float]:
    """Words that many companies share: of a thousand names, how many hold one (data/common_words.yaml)."""
    data = yaml.safe_load((DATA / "common_words.yaml").read_text(encoding="utf-8"))
    return {str(word): float(share) for share, words in data.items() for word in words}
