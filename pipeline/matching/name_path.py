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

from pipeline.matching import candidates, features, names
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
    return _scored(rows, evidence, name_model(), threshold, fuzzy=fuzzy) if rows.num_rows else []


def collect(
    connection: duckdb.DuckDBPyConnection, accounts: str, index: NameIndex, *, fuzzy: bool = True
) -> tuple[pa.Table, dict[str, Floats]]:
    """Pairs of rows that may be one company, and the evidence of each; ``form_conflict`` is still 0."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE round_names AS
        SELECT row_number() OVER () AS name_no, name_key,
            coalesce(list(DISTINCT {LABEL.format("shown_domain")}) FILTER (shown_domain IS NOT NULL), []) AS labels
        FROM match_rounds WHERE name_key <> '' GROUP BY name_key
    """)
    candidates.find_pairs(connection, index)
    pairs = connection.sql(f"""
        SELECT p.round_no, p.name_no, p.is_equal, r.name_key AS round_key, n.name_key AS crm_key
        FROM name_pairs p JOIN round_names r ON r.name_no = p.round_no JOIN {index.names} n ON n.name_no = p.name_no
        {"" if fuzzy else "WHERE p.is_equal"}
    """).to_arrow_table()
    rounds, crm = (_encoded(pairs[name]) for name in ("round_key", "crm_key"))
    sides = features.read_sides(connection, index, rounds.dictionary, crm.dictionary)
    of_round, of_crm = (np.asarray(side.indices, dtype=np.int64) for side in (rounds, crm))
    is_equal = np.asarray(_whole(pairs["is_equal"]))
    places, evidence = features.compare_names(*sides, of_round, of_crm, is_equal)
    evidence["is_equal"] = is_equal[places].astype(np.float64)
    rows = _fan_out(connection, accounts, pairs.take(pa.array(places)))
    evidence = {name: values[np.asarray(_whole(rows["place"]))] for name, values in evidence.items()}
    return rows, evidence | _domain_evidence(rows) | {"form_conflict": np.zeros(rows.num_rows)}


def _encoded(texts: pa.ChunkedArray) -> pa.DictionaryArray:
    return _whole(texts).dictionary_encode()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _fan_out(connection: duckdb.DuckDBPyConnection, accounts: str, pairs: pa.Table) -> pa.Table:
    """Pairs of names to pairs of rows, without those whose domains contradict each other."""
    numbered = pairs.select(["round_key", "crm_key"]).append_column("place", pa.array(np.arange(pairs.num_rows)))
    connection.register("plausible_pairs", numbered)
    round_label, crm_label = LABEL.format("r.shown_domain"), LABEL.format("a.domain_key")
    rows = connection.sql(f"""
        SELECT r.id AS round_id, a.organization_id, a.external_id, a.name, r.company_name, a.created_at, p.place,
            r.name_key AS round_key, a.name_key AS crm_key, {round_label} AS round_label, {crm_label} AS crm_label
        FROM plausible_pairs p JOIN match_rounds r ON r.name_key = p.round_key JOIN {accounts} a ON a.name_key = p.crm_key
        WHERE ({round_label} <> {crm_label}) IS NOT TRUE
    """).to_arrow_table()
    connection.unregister("plausible_pairs")
    return rows


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
        # Legal forms are read for what is left: they can only speak against a match.
        likely: Integers = np.flatnonzero(model.probabilities(evidence) >= threshold)
        evidence = {name: values[likely] for name, values in evidence.items()}
        rows, is_equal, same_words = rows.take(pa.array(likely)), is_equal[likely], same_words[likely]
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
