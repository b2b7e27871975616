"""What speaks for and against two unequal names being one company's: numbers with a meaning each, for many pairs at once.

What belongs here: evidence of the two names alone. What does not: which pairs (candidates), what the numbers weigh (scoring).

Rarity is in nats: the logarithm of one over the share of names that hold a word. It is estimated from the CRM's distinct names
upon a prior for companies at large (data/common_words.yaml), so that a CRM of ten rows judges soundly too. `agreed` words are
in both names, `open` words in one alone; it is the rarity of the open words that tells "Dynatrace Software" from "Bolt Threads".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from rapidfuzz import process
from rapidfuzz.distance import Indel, JaroWinkler, Prefix

from pipeline.matching.name_index import DATA, MOST_WORDS, NameIndex, common_words

PRIOR_NAMES = 20_000  # how many names' worth of experience the prior stands for
UNKNOWN_NAMES = 0.2  # of these, how many hold a word that is in no list: one name in 100,000 does
RAREST = 14.0  # nats: about one name in a million; to be rarer than that says no more
LEAST_COVERAGE = 0.7  # of the two names' weight, together, that agrees; 2 is all
MOST_THREADS = 4
CHUNK = 20_000  # pairs whose words are laid out at once

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """Names of one side. ``words``: the numbers of their words, one row per name, -1 where there is none."""

    texts: pa.Array
    words: Integers
    squashed: pa.Array


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Per number of a word: ``nats`` of rarity, ``count`` of the names that hold it (in the CRM and the prior), its kinds."""

    words: pa.Array
    nats: Floats
    count: Floats
    kinds: dict[str, npt.NDArray[np.bool_]]


def read_sides(
    connection: duckdb.DuckDBPyConnection, index: NameIndex, rounds: pa.Array, crm: pa.Array
) -> tuple[Side, Side, Vocabulary]:
    """Lay out the names of both sides, and look up how common their words are."""
    first, second = _split(rounds), _split(crm)
    flat = pa.concat_arrays([first.flatten(), second.flatten()])
    encoded = flat.dictionary_encode()
    numbers = np.asarray(encoded.indices, dtype=np.int64)
    middle = len(first.flatten())
    vocabulary = _vocabulary(connection, index, encoded.dictionary)
    return (
        Side(rounds, _laid_out(first, numbers[:middle]), pc.replace_substring(rounds, " ", "")),
        Side(crm, _laid_out(second, numbers[middle:]), pc.replace_substring(crm, " ", "")),
        vocabulary,
    )


def _split(texts: pa.Array) -> pa.ListArray:
    return pc.list_slice(pc.split_pattern(texts, " "), 0, MOST_WORDS)


def _laid_out(lists: pa.ListArray, numbers: Integers) -> Integers:
    lengths = np.asarray(pc.list_value_length(lists), dtype=np.int64)
    table = np.full((len(lists), MOST_WORDS), -1, dtype=np.int64)
    rows = np.repeat(np.arange(len(lists)), lengths)
    columns = np.arange(len(numbers)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    table[rows, columns] = numbers
    return table


def _vocabulary(connection: duckdb.DuckDBPyConnection, index: NameIndex, words: pa.Array) -> Vocabulary:
    total = connection.execute(f"SELECT count(*) FROM {index.counted}").fetchall()[0][0]
    connection.register("wanted_words", pa.table({"word": words, "place": np.arange(len(words))}))
    found = connection.sql(
        f"SELECT coalesce(names, 0)::DOUBLE AS n FROM wanted_words LEFT JOIN {index.words} USING (word) ORDER BY place"
    ).to_arrow_table()
    connection.unregister("wanted_words")
    count = np.asarray(found["n"].combine_chunks(), dtype=np.float64)
    texts = words.to_pylist()
    prior = np.array([common_words().get(word, 0.0) for word in texts]) * PRIOR_NAMES / 1000
    # One of the names that hold the word is the one that is judged.
    share = (np.maximum(count - 1, 0) + prior + UNKNOWN_NAMES) / (total + PRIOR_NAMES)
    nats = np.minimum(-np.log(share), RAREST)
    kinds = {kind: np.array([word in listed for word in texts], dtype=bool) for kind, listed in kinds_of_words().items()}
    kinds["number"] = np.array([word.isdigit() for word in texts], dtype=bool)
    return Vocabulary(words, nats, count + prior, kinds)


@cache
def kinds_of_words() -> dict[str, frozenset[str]]:
    """The kinds of words that a name may have or lack (data/word_kinds.yaml)."""
    data = yaml.safe_load((DATA / "word_kinds.yaml").read_text(encoding="utf-8"))
    return {str(kind): frozenset(map(str, words)) for kind, words in data.items()}


def compare_names(
    rounds: Side, crm: Side, vocabulary: Vocabulary, of_round: Integers, of_crm: Integers, is_equal: npt.NDArray[np.bool_]
) -> tuple[Integers, dict[str, Floats]]:
    """The evidence of pairs of names, given as places on both sides: which pairs are worth a score, one array per feature of these.

    ``is_equal``: pairs of the same letters, spacing aside. Pairs whose names have most of their weight in words that the other
    lacks are left out: no domain would make up for it.
    """

    def compare(at: int) -> tuple[Integers, dict[str, Floats]]:
        first, second = rounds.words[of_round[at : at + CHUNK]], crm.words[of_crm[at : at + CHUNK]]
        # Names of the same letters have the same words, wherever they were typed apart.
        spaced = np.where(is_equal[at : at + CHUNK, None], second, first)
        part = _compare_words(spaced, second, vocabulary)
        part["spacing"] = (is_equal[at : at + CHUNK] & (first != second).any(axis=1)).astype(np.float64)
        is_plausible = (part["coverage_round"] + part["coverage_crm"] > LEAST_COVERAGE) | (part["none_agreed"] > 0)
        return np.flatnonzero(is_plausible) + at, {name: values[is_plausible] for name, values in part.items()}

    # Numbers are compared outside of Python's lock; more threads than this would wait for memory.
    with ThreadPoolExecutor(max_workers=MOST_THREADS) as threads:
        parts = list(threads.map(compare, range(0, max(len(of_round), 1), CHUNK)))
    places = np.concatenate([kept for kept, _ in parts])
    features = {name: np.concatenate([part[name] for _, part in parts]) for name in parts[0][1]}
    left = rounds.squashed.take(pa.array(of_round[places])).to_pylist()
    right = crm.squashed.take(pa.array(of_crm[places])).to_pylist()
    return places, features | _compare_letters(left, right)


def _compare_letters(left: list[str], right: list[str]) -> dict[str, Floats]:
    lengths = np.array([list(map(len, left)), list(map(len, right))], dtype=np.float64).reshape(2, -1)
    common = process.cpdist(left, right, scorer=Prefix.similarity, workers=-1, dtype=np.float64)
    return {
        "ratio": process.cpdist(left, right, scorer=Indel.normalized_similarity, workers=-1, dtype=np.float64),
        "beginning": process.cpdist(left, right, scorer=JaroWinkler.similarity, workers=-1, dtype=np.float64),
        "letters_short": lengths.min(axis=0),
        "letters_open": lengths.max(axis=0) - lengths.min(axis=0),
        "is_beginning": (common == lengths.min(axis=0)).astype(np.float64),
        "letters_common": common,
    }


def _compare_words(first: Integers, second: Integers, vocabulary: Vocabulary) -> dict[str, Floats]:
    """Evidence of the words, for names laid out as (pairs, words)."""
    is_same = (first[:, :, None] == second[:, None, :]) & (first >= 0)[:, :, None]
    agrees_first, agrees_second = is_same.any(axis=2), is_same.any(axis=1)
    open_first, open_second = (first >= 0) & ~agrees_first, (second >= 0) & ~agrees_second
    nats_first, nats_second = _of_words(vocabulary.nats, first), _of_words(vocabulary.nats, second)
    agreed = np.where(agrees_first, nats_first, 0.0)
    open_r, open_c = np.where(open_first, nats_first, 0.0), np.where(open_second, nats_second, 0.0)
    counts = np.where(agrees_first, np.log1p(_of_words(vocabulary.count, first)), np.inf).min(axis=1)
    sums = agreed.sum(axis=1), open_r.sum(axis=1), open_c.sum(axis=1)
    shorter = np.minimum((first >= 0).sum(axis=1), (second >= 0).sum(axis=1))
    in_order = (is_same[:, np.arange(MOST_WORDS), np.arange(MOST_WORDS)]).cumprod(axis=1).sum(axis=1)
    features = {
        "agreed_words": agrees_first.sum(axis=1),
        "open_round_words": open_first.sum(axis=1),
        "open_crm_words": open_second.sum(axis=1),
        "agreed_max": agreed.max(axis=1),
        "agreed_sum": sums[0],
        "open_round_max": open_r.max(axis=1),
        "open_round_sum": sums[1],
        "open_crm_max": open_c.max(axis=1),
        "open_crm_sum": sums[2],
        "open_max": np.maximum(open_r.max(axis=1), open_c.max(axis=1)),
        "open_sum": sums[1] + sums[2],
        "open_both": open_first.any(axis=1) & open_second.any(axis=1),
        "coverage_round": sums[0] / np.maximum(sums[0] + sums[1], 1e-9),
        "coverage_crm": sums[0] / np.maximum(sums[0] + sums[2], 1e-9),
        "none_agreed": ~agrees_first.any(axis=1),
        "one_word": shorter == 1,
        "same_first_word": is_same[:, 0, 0],
        "is_first_words": in_order == shorter,
        "holders": np.where(np.isinf(counts), 0.0, counts),
    }
    for kind, is_kind in vocabulary.kinds.items():
        open_ones = [open_first & _of_words(is_kind, first), open_second & _of_words(is_kind, second)]
        kind_open = open_ones[0].sum(axis=1) + open_ones[1].sum(axis=1)
        features[f"open_{kind}"] = kind_open
        features[f"open_all_{kind}"] = (kind_open > 0) & (kind_open == open_first.sum(axis=1) + open_second.sum(axis=1))
    return {name: np.asarray(values, dtype=np.float64) for name, values in features.items()}


def _of_words(values: npt.NDArray[Any], words: Integers) -> npt.NDArray[Any]:
    """A value per word, zero where there is none."""
    return np.where(words >= 0, values[np.maximum(words, 0)], 0)


def compare_domains(
    round_labels: pa.Array, crm_labels: pa.Array, round_names: pa.Array, crm_names: pa.Array
) -> dict[str, Floats]:
    """The evidence of the domains' labels (NULL: none shown) about two rows, whose squashed names are given too."""
    r_label, c_label = round_labels.fill_null(""), crm_labels.fill_null("")
    has_r, has_c = pc.is_valid(round_labels), pc.is_valid(crm_labels)

    def similar(first: pa.Array, second: pa.Array, shown: pa.Array) -> Floats:
        similarity = process.cpdist(
            first.to_pylist(), second.to_pylist(), scorer=JaroWinkler.similarity, workers=-1, dtype=np.float64
        )
        return np.where(np.asarray(shown), similarity, 0.0)

    return {
        "has_round_label": np.asarray(has_r, dtype=np.float64),
        "has_crm_label": np.asarray(has_c, dtype=np.float64),
        "same_label": np.asarray(pc.and_(pc.equal(r_label, c_label), has_r), dtype=np.float64),
        "crm_label_is_round": np.asarray(pc.and_(pc.equal(c_label, round_names), has_c), dtype=np.float64),
        "crm_label_is_crm": np.asarray(pc.and_(pc.equal(c_label, crm_names), has_c), dtype=np.float64),
        "round_label_is_crm": np.asarray(pc.and_(pc.equal(r_label, crm_names), has_r), dtype=np.float64),
        "round_label_is_round": np.asarray(pc.and_(pc.equal(r_label, round_names), has_r), dtype=np.float64),
        "crm_label_like_round": similar(c_label, round_names, has_c),
        "crm_label_like_crm": similar(c_label, crm_names, has_c),
        "round_label_like_crm": similar(r_label, crm_names, has_r),
        "round_label_like_round": similar(r_label, round_names, has_r),
    }
