"""The name path: rounds against accounts whose names are equal or nearly so.

What belongs here: from relations to scored rows. What does not: the index, the candidates, the features, the model, each in its
own module; precedence and the other paths (engine).

Each pair of distinct names is compared once, whoever holds them; only pairs that can still match are fanned out to rows, where
the domains have their say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.matching import candidates, features, name_index, names
from pipeline.matching.features import Floats, Integers
from pipeline.matching.name_index import NameIndex
from pipeline.matching.scoring import NameModel, name_model

EQUAL, EQUAL_SPACING, SIMILAR = "equal_name", "equal_name_spacing", "fuzzy_name"
# The page's own rule has no probability; these are what equality was worth on labelled records.
EQUAL_SCORE, EQUAL_SPACING_SCORE = 0.99, 0.97

# The label of a domain is its part before the public suffix. Two domains that differ in it contradict each other;
# brightloom.com and brightloom.de don't.
LABEL = "replace(split_part({0}, '.', 1), '-', '')"


@dataclass(frozen=True, slots=True)
class NameRow:
    """One account that a round may be, by name. ``reasons``: what decided, as added to the logarithm of the odds."""

    round_id: str
    organization_id: str
    external_id: str
    score: float
    rule: str
    name: str
    company_name: str
    created_at: datetime | None
    reasons: dict[str, float]


def find(
    connection: duckdb.DuckDBPyConnection, accounts: str, index: NameIndex, threshold: float, *, fuzzy: bool
) -> list[NameRow]:
    """Accounts whose names match those of the temp table ``match_rounds``, with score. Creates temp tables."""
    rows, evidence = collect(connection, accounts, index, fuzzy=fuzzy)
    if not rows.num_rows:
        return []
    model = name_model()
    # Legal forms are read for what is left: they can only speak against a match.
    likely: Integers = np.flatnonzero(model.probabilities(evidence) >= threshold if fuzzy else evidence["is_equal"] > 0)
    rows = rows.take(pa.array(likely)).append_column("place_of_evidence", pa.array(likely))
    if index.rows:
        rows = _read_rows(connection, accounts, rows)
    places = np.asarray(_whole(rows["place_of_evidence"]))
    evidence = {name: values[places] for name, values in evidence.items()}
    return _scored(rows, evidence, model, threshold, fuzzy=fuzzy)


def collect(
    connection: duckdb.DuckDBPyConnection, accounts: str, index: NameIndex, *, fuzzy: bool = True
) -> tuple[pa.Table, dict[str, Floats]]:
    """Pairs of rows that may be one company, and the evidence of each; ``form_conflict`` is still 0.

    Where the index knows the accounts by numbers, they have ``change_seq`` in place of what only a match tells of an account.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE round_names AS
        SELECT row_number() OVER () AS name_no, name_key,
            coalesce(list(DISTINCT {LABEL.format("shown_domain")}) FILTER (shown_domain IS NOT NULL), []) AS labels
        FROM match_rounds WHERE name_key <> '' GROUP BY name_key
    """)
    candidates.find_pairs(connection, index)
    pairs = connection.sql(f"""
        SELECT p.name_no, p.is_equal, r.name_key AS round_key, n.name_key AS crm_key
        FROM name_pairs p JOIN round_names r ON r.name_no = p.round_no JOIN {index.names} n ON n.name_no = p.name_no
        {"" if fuzzy else "WHERE p.is_equal"}
    """).to_arrow_table()
    rounds, crm = (_encoded(pairs[name]) for name in ("round_key", "crm_key"))
    sides = features.read_sides(connection, index, rounds.dictionary, crm.dictionary)
    of_round, of_crm = (np.asarray(side.indices, dtype=np.int64) for side in (rounds, crm))
    is_equal = np.asarray(_whole(pairs["is_equal"]))
    places, evidence = features.compare_names(*sides, of_round, of_crm, is_equal)
    evidence["is_equal"] = is_equal[places].astype(np.float64)
    rows = _fan_out(connection, accounts, index, pairs.take(pa.array(places)))
    evidence = {name: values[np.asarray(_whole(rows["place"]))] for name, values in evidence.items()}
    return rows, evidence | _domain_evidence(rows) | {"form_conflict": np.zeros(rows.num_rows)}


def _encoded(texts: pa.ChunkedArray) -> pa.DictionaryArray:
    return _whole(texts).dictionary_encode()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _fan_out(connection: duckdb.DuckDBPyConnection, accounts: str, index: NameIndex, pairs: pa.Table) -> pa.Table:
    """Pairs of names to pairs of rows, without those whose domains contradict each other."""
    numbered = pairs.select(["name_no", "round_key", "crm_key"]).append_column("place", pa.array(np.arange(pairs.num_rows)))
    connection.register("plausible_pairs", numbered)
    round_label, crm_label = LABEL.format("r.shown_domain"), LABEL.format("a.domain_key")
    told, holders = "a.organization_id, a.external_id, a.name, a.created_at", f"{accounts} a ON a.name_key = p.crm_key"
    if index.rows:
        # Names are long columns: they are read for the few rows that will be told.
        by_name = name_index.rows_with(connection, index, accounts, "name_no", "plausible_pairs")
        told, holders = "a.change_seq", f"{by_name} a ON a.name_no = p.name_no"
    rows = connection.sql(f"""
        SELECT r.id AS round_id, {told}, r.company_name, p.place, p.round_key, p.crm_key, {round_label} AS round_label,
            {crm_label} AS crm_label
        FROM plausible_pairs p JOIN match_rounds r ON r.name_key = p.round_key JOIN {holders}
        WHERE ({round_label} <> {crm_label}) IS NOT TRUE
    """).to_arrow_table()
    connection.unregister("plausible_pairs")
    return rows


def _read_rows(connection: duckdb.DuckDBPyConnection, accounts: str, rows: pa.Table) -> pa.Table:
    """Rows found by number, with what is told of them. Two names of one hash part here."""
    connection.register("likely_rows", rows)
    # Two steps: joined at once by name too, every name of the CRM would be read.
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE told_accounts AS
        SELECT change_seq, name_key, organization_id, external_id, name, created_at
        FROM {accounts} WHERE change_seq IN (SELECT change_seq FROM likely_rows)
    """)
    found = connection.sql("""
        SELECT l.*, a.* EXCLUDE (change_seq, name_key) FROM likely_rows l
        JOIN told_accounts a ON a.change_seq = l.change_seq AND a.name_key = l.crm_key
    """).to_arrow_table()
    connection.unregister("likely_rows")
    return found


def _domain_evidence(rows: pa.Table) -> dict[str, Floats]:
    labels = (_whole(rows[name]) for name in ("round_label", "crm_label"))
    squashed = (pc.replace_substring(_whole(rows[name]), " ", "") for name in ("round_key", "crm_key"))
    return features.compare_domains(*labels, *squashed)


def form_conflict(rows: pa.Table) -> Floats:
    """1 where both names state legal forms of countries that have none in common."""
    pairs = zip(rows["company_name"].to_pylist(), rows["name"].to_pylist(), strict=True)
    return np.array([float(names.forms_conflict(first, second)) for first, second in pairs])


def _scored(rows: pa.Table, evidence: dict[str, Floats], model: NameModel, threshold: float, *, fuzzy: bool) -> list[NameRow]:
    is_equal = evidence["is_equal"] > 0
    same_words = np.asarray(pc.equal(_whole(rows["round_key"]), _whole(rows["crm_key"])))
    if fuzzy:
        evidence["form_conflict"] = form_conflict(rows)
        score = model.probabilities(evidence)
    else:
        score = np.where(same_words, EQUAL_SCORE, EQUAL_SPACING_SCORE)
    kept: Integers = np.flatnonzero(score >= threshold if fuzzy else is_equal)
    told = rows.take(pa.array(kept)).to_pylist()
    found = []
    for at, row in zip(kept.tolist(), told, strict=True):
        rule = (EQUAL if same_words[at] else EQUAL_SPACING) if is_equal[at] else SIMILAR
        found.append(
            NameRow(
                row["round_id"], row["organization_id"], row["external_id"], float(score[at]), rule, row["name"],
                row["company_name"], row["created_at"], model.reasons(evidence, at) if fuzzy else {},
            )
        )  # fmt: skip
    return found
