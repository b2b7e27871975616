"""Names that are not equal but may be the same company's: candidates, features, and a score that is a probability.

What belongs here: pairs of distinct comparison forms. What does not: rows, organizations, precedence (engine).

A pair is judged by how rare the words are that agree, and how common those are that don't: "Dynatrace Software" is
Dynatrace, "Bolt Threads" is not Bolt. Rarity is a word's share of the CRM's distinct names, upon a prior for companies at
large (data/common_words.yaml), so that a CRM of ten rows judges soundly too. The weights were fitted by logistic regression
on pairs labelled by public records (see benchmarks/matching.py); they are numbers about kinds of evidence, not about companies.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import yaml
from rapidfuzz import process
from rapidfuzz.distance import Indel, JaroWinkler

DATA = Path(__file__).with_name("data")
PRIOR_NAMES = 20_000  # how many names' worth of experience the prior stands for
UNKNOWN_NAMES = 0.2  # of these, how many hold a word that is in no list: one name in 100,000 does
RAREST = 11.5  # nats: one name in 100,000; to be rarer than that says no more
COMMON_FROM = 250  # a word in more distinct names than this brings no candidates by itself
SHORTEST_PREFIX = 5
LONGEST_PREFIX = 8  # of the forms compared by their beginning

# Evidence of the two names alone. `agreed` and `open` words are in both names or in one; `_max` and `_sum` are logarithms of
# their rarity (11.5: at most one name in 100,000); the others are 0 or 1, or a similarity in 0..1.
NAME_INTERCEPT = -15.44
NAME_WEIGHTS = {
    "agreed_max": 0.779,
    "agreed_sum": 0.159,
    "open_max": -0.064,
    "open_sum": 0.023,
    "open_both": -1.995,  # each name has a word that the other lacks
    "one_word": 1.552,
    "one_word * open_max": -0.191,
    "none_agreed": 10.400,  # one begins with the other, glued: all the evidence is in the letters
    "same_first_word": 0.459,
    "ratio": 2.420,
    "beginning": 2.396,
}
# Evidence of the two rows' domains, where they don't contradict each other.
DOMAIN_WEIGHTS = {
    "same_label": 10.224,
    "crm_domain_is_name": 4.944,  # the account's domain is the round's whole name, and the round shows no domain
    "round_domain_is_name": 4.033,
    "crm_domain_unlike": -0.874,  # the account's domain begins unlike the round's name
    "round_domain_unlike": -0.740,
}


def build_index(connection: duckdb.DuckDBPyConnection, names: str) -> None:
    """Temp tables over the distinct forms of ``names`` (relation with name_key): ``crm_names``, ``crm_words``, ``word_counts``."""
    connection.register("prior_words", _prior())
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE crm_names AS
        SELECT name_key, replace(name_key, ' ', '') AS squashed FROM (SELECT DISTINCT name_key FROM {names} WHERE name_key <> '')
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE crm_words AS
        SELECT name_key, unnest(list_distinct(string_split(name_key, ' '))) AS word FROM crm_names
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE word_counts AS
        SELECT word, coalesce(c.names, 0) AS names, coalesce(p.names, 0) AS prior_names
        FROM (SELECT word, count(*) AS names FROM crm_words GROUP BY word) c FULL JOIN prior_words p USING (word)
    """)


def score_pairs(connection: duckdb.DuckDBPyConnection, only: str | None = None) -> None:
    """Fill the temp table ``name_pairs(round_key, crm_key, logit)`` from ``round_names(name_key)`` and the index.

    ``only`` names a relation with name_key that the CRM's side is limited to.
    """
    _candidates(connection)
    if only is not None:
        connection.execute(
            f"DELETE FROM candidates WHERE crm_key NOT IN (SELECT name_key FROM {only} WHERE name_key IS NOT NULL)"
        )
    connection.register("pair_features", name_features(connection))
    terms = " + ".join(f"{weight!r} * {name}" for name, weight in NAME_WEIGHTS.items())
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE name_pairs AS
        SELECT round_key, crm_key, {NAME_INTERCEPT!r} + {terms} AS logit FROM pair_features
    """)
    connection.unregister("pair_features")


def _candidates(connection: duckdb.DuckDBPyConnection) -> None:
    """``candidates(round_key, crm_key)``: different forms that share a rare word, or of which one begins with the other."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE round_words AS
        SELECT name_key, unnest(list_distinct(string_split(name_key, ' '))) AS word FROM round_names
    """)
    by_beginning = " UNION ALL ".join(
        f"""
        SELECT r.name_key, c.name_key FROM rounds_squashed r JOIN crm_names c ON left(c.squashed, {size}) = left(r.squashed, {size})
        WHERE least(len(r.squashed), {LONGEST_PREFIX}) = {size} AND starts_with(c.squashed, r.squashed)
        """
        for size in range(SHORTEST_PREFIX, LONGEST_PREFIX + 1)
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE candidates AS
        WITH rounds_squashed AS (SELECT name_key, replace(name_key, ' ', '') AS squashed FROM round_names),
        beginnings AS (
            SELECT name_key, left(squashed, unnest(range({SHORTEST_PREFIX}, len(squashed)))::BIGINT) AS beginning
            FROM rounds_squashed
        ),
        found(round_key, crm_key) AS (
            SELECT r.name_key, c.name_key
            FROM round_words r JOIN word_counts USING (word) JOIN crm_words c USING (word)
            WHERE names + prior_names <= greatest({COMMON_FROM}, (SELECT count(*) FROM crm_names) // 500)
            UNION ALL {by_beginning}
            UNION ALL SELECT b.name_key, c.name_key FROM beginnings b JOIN crm_names c ON c.squashed = b.beginning
        )
        SELECT DISTINCT round_key, crm_key FROM found WHERE replace(round_key, ' ', '') <> replace(crm_key, ' ', '')
    """)


def name_features(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row per candidate pair with the features of NAME_WEIGHTS, from the words' rarity and from rapidfuzz."""
    table = connection.sql(f"""
        WITH total AS (SELECT count(*) + {PRIOR_NAMES} AS n FROM crm_names),
        rarity AS (
            -- One of the names is the one that is judged.
            SELECT word, least({RAREST}, ln(n / (greatest(names - 1, 0) + prior_names + {UNKNOWN_NAMES}))) AS nats
            FROM word_counts, total
        ),
        sides AS (
            SELECT round_key, crm_key, word, 1 AS on_round, 0 AS on_crm FROM candidates JOIN round_words ON name_key = round_key
            UNION ALL
            SELECT round_key, crm_key, word, 0, 1 FROM candidates JOIN crm_words ON name_key = crm_key
        ),
        words AS (
            SELECT round_key, crm_key, word, max(on_round) AS on_round, max(on_crm) AS on_crm FROM sides GROUP BY ALL
        ),
        summed AS (
            SELECT round_key, crm_key,
                coalesce(max(nats) FILTER (on_round + on_crm = 2), 0) AS agreed_max,
                coalesce(sum(nats) FILTER (on_round + on_crm = 2), 0) AS agreed_sum,
                coalesce(max(nats) FILTER (on_round + on_crm = 1), 0) AS open_max,
                coalesce(sum(nats) FILTER (on_round + on_crm = 1), 0) AS open_sum,
                count(*) FILTER (on_round + on_crm = 2) AS agreed,
                count(*) FILTER (on_round > on_crm) AS open_round,
                count(*) FILTER (on_crm > on_round) AS open_crm
            FROM (SELECT round_key, crm_key, word, on_round, on_crm, coalesce(nats, {RAREST}) AS nats
                  FROM words LEFT JOIN rarity USING (word))
            GROUP BY ALL
        )
        SELECT *, (open_round > 0 AND open_crm > 0)::DOUBLE AS open_both,
            (agreed + least(open_round, open_crm) <= 1)::DOUBLE AS one_word,
            (agreed = 0)::DOUBLE AS none_agreed,
            (split_part(round_key, ' ', 1) = split_part(crm_key, ' ', 1))::DOUBLE AS same_first_word,
            replace(round_key, ' ', '') AS round_squashed, replace(crm_key, ' ', '') AS crm_squashed
        FROM summed ORDER BY round_key, crm_key
    """).to_arrow_table()
    left, right = table["round_squashed"].to_pylist(), table["crm_squashed"].to_pylist()
    for name, scorer in (("ratio", Indel.normalized_similarity), ("beginning", JaroWinkler.similarity)):
        table = table.append_column(name, pa.array(process.cpdist(left, right, scorer=scorer, workers=-1), pa.float64()))
    return table


@cache
def _prior() -> pa.Table:
    """How many of PRIOR_NAMES names hold each common word."""
    data = yaml.safe_load((DATA / "common_words.yaml").read_text(encoding="utf-8"))
    counts = {str(word): round(float(share) / 1000 * PRIOR_NAMES) for share, words in data.items() for word in words}
    return pa.table({"word": list(counts), "names": pa.array(counts.values(), pa.int64())})
