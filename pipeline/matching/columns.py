"""Keys of whole columns: what names and domains compute value by value, for a million values in a second or two.

What belongs here: the common shapes of a value, in bulk; every other value is given to the scalar functions. What does not: a
rule of its own. Each function equals its scalar twin on every value (tests/unit/matching/test_columns.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.matching import domains, mail_domains, names, shared_hosts, suffixes

FEW = 400  # values from which the bulk way is worth its start
PIECE = 60_000  # rows that one thread takes at a time
PROBE = "q7zq9x"  # a label that no list knows
# The common shapes; what a label may begin and end with is looked at apart.
_PLAIN_URL = r"(?:https?://)?[a-z0-9.-]+(?:[/?#][^@]*)?"
_PLAIN_EMAIL = r"[a-z0-9._+-]+@[a-z0-9.-]+"
_BETWEEN = "\x00"  # no letter folds with it
_TWO_INITIALS = "(^| )([a-z]) ([a-z])( |$)"
_ONE_WORD_AND_COUNTRY = r"[^.]*[.][A-Za-z]{2}\s*"  # "Good.Co"
_REDUCED = r"x@[a-z0-9.-]+"
# Parts of automats' names. No more than a hint: these addresses are read one by one.
_AUTOMATED = "repl|respon|answer|daemon|bounce|auto|master|abuse|notif|unsub|undisc"
_LETTERS, _SILENT, _AND, _OTHER = b"abcdefghijklmnopqrstuvwxyz0123456789", 1, 2, 3

Scalar = Callable[[str | None], str | None]


def normal_forms(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """names.normal_form of each name; '' where there is none."""
    texts = _as_array(values).cast(pa.string()).fill_null("")
    if len(texts) < FEW:
        return _one_by_one(texts, names.normal_form)
    return _normal_forms(texts)


def company_domains(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """domains.company_domain of each text; NULL where there is none."""
    return _domains(_as_array(values).cast(pa.string()), domains.company_domain, _PLAIN_URL)


def email_domains(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """domains.email_domain of each address; NULL where there is none or where the provider is anybody's."""
    emails = _as_array(values).cast(pa.string())
    if len(emails) < FEW:
        return _one_by_one(emails, domains.email_domain)
    # What stands before the @ of a plain address says nothing, unless it is an automat's: one answer per host.
    with duckdb.connect() as connection:
        connection.register("given", in_pieces(pa.table({"email": emails})))
        reduced = connection.sql(
            "SELECT CASE WHEN regexp_full_match(e, ?) AND NOT regexp_matches(split_part(e, '@', 1), ?) "
            "THEN 'x@' || split_part(e, '@', 2) ELSE email END AS email "
            "FROM (SELECT email, lower(email) AS e FROM given)",
            params=[_PLAIN_EMAIL, _AUTOMATED],
        ).to_arrow_table()
    distinct, codes = _distinct(_as_array(reduced["email"]))
    return _domains(distinct, domains.email_domain, _REDUCED).take(codes)


# --- names ------------------------------------------------------------------------------------------------------------


def _normal_forms(texts: pa.Array) -> pa.Array:
    """Names that fold to ASCII: words found on bytes, legal forms per distinct ending. The others one by one."""
    folded = _folded(texts)
    table = pa.table({"place": np.arange(len(texts)), "text": _translated(folded), "typed": folded})
    leading = ", ".join(f"'{word}'" for word in sorted(names.leading_words()))
    with duckdb.connect() as connection:
        connection.register("given", in_pieces(table))
        # In stages: a condition on a computed column would be computed again inside each of its parts.
        connection.execute(f"""
            CREATE TEMP TABLE spaced AS
            SELECT place, trim({_replaced("text", (chr(_SILENT), ""), (chr(_AND), " and "), *[("  ", " ")] * 3)}) AS words
            FROM given
            WHERE NOT contains(text, '{chr(_OTHER)}') AND strlen(text) <= {names.LONGEST_NAME}
                AND NOT (contains(typed, '.') AND regexp_full_match(typed, '{_ONE_WORD_AND_COUNTRY}'))
        """)
        # Two initials are one word ("L P"), a "the" in front is none. Three and more, or several things in front, are read alone.
        connection.execute(f"""
            CREATE TEMP TABLE joined AS SELECT place, CASE WHEN starts_with(words, 'the ') THEN words[5:] ELSE words END AS words
            FROM (
                SELECT place, CASE WHEN contains(words, ' ') AND regexp_matches(words, '{_TWO_INITIALS}')
                    THEN regexp_replace(words, '{_TWO_INITIALS}', '\\1\\2\\3\\4', 'g') ELSE words END AS words
                FROM spaced WHERE NOT contains(words, '  ') AND NOT regexp_matches(words, '(^| )[a-z] [a-z] [a-z]( |$)')
            )
        """)
        rows = connection.sql(
            f"""
            SELECT place, ending, left(words, len(words) - len(ending)) AS head
            FROM (SELECT place, words, regexp_extract(words, ?) AS ending FROM joined)
            WHERE split_part(words, ' ', 1) NOT IN ({leading}) AND head NOT IN (SELECT unnest(?))
            """,
            params=[f"(?: (?:{'|'.join(_words_of_forms())}))+$", list(_words_of_forms())],
        ).to_arrow_table()
    endings = _as_array(rows["ending"]).dictionary_encode()
    kept = pa.array([_ending_kept(text) for text in endings.dictionary.to_pylist()], pa.string())
    found = pc.binary_join_element_wise(_as_array(rows["head"]), kept.take(endings.indices), "")
    return _merged(texts, _as_array(rows["place"]), found, names.normal_form)


def _folded(texts: pa.Array) -> pa.Array:
    """The texts, those that aren't ASCII folded as names are: joined, folded at once, and parted again."""
    is_open = pc.and_(
        pc.and_(pc.invert(pc.string_is_ascii(texts)), pc.less_equal(pc.utf8_length(texts), names.LONGEST_NAME)),
        pc.invert(pc.match_substring(texts, _BETWEEN)),
    )
    given = texts.filter(is_open).to_pylist()
    folded = names.fold(_BETWEEN.join(given)).split(_BETWEEN) if given else []
    return pc.replace_with_mask(texts, is_open, pa.array(folded, pa.string()))


def _translated(texts: pa.Array) -> pa.Array:
    """The texts in lower case, every sign a space or a marker; byte by byte, so that lengths stay."""
    _, offsets, data = texts.buffers()
    cleaned = pa.py_buffer((data.to_pybytes() if data is not None else b"").translate(_byte_table()))
    return pa.Array.from_buffers(pa.string(), len(texts), [None, offsets, cleaned], offset=texts.offset)


def _replaced(expression: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        expression = f"replace({expression}, '{old}', '{new}')"
    return expression


@cache
def _byte_table() -> bytes:
    table = bytearray(b" " * 128 + bytes([_OTHER]) * 128)
    for control in (*range(9), *range(14, 32), 127, ord("+")):
        table[control] = _OTHER
    for letter in _LETTERS:
        table[letter] = letter
        table[ord(chr(letter).upper())] = letter
    for silent in b"'`\"":
        table[silent] = _SILENT
    table[ord("&")] = _AND
    return bytes(table)


@cache
def _words_of_forms() -> tuple[str, ...]:
    return tuple(sorted(word for word in names.words_of_legal_forms() if word.isascii()))


def _ending_kept(ending: str) -> str:
    """What is left of a name's ending of legal words, where a proper word stands before it."""
    return names.normal_form(PROBE + ending).removeprefix(PROBE)


# --- domains ----------------------------------------------------------------------------------------------------------


def _domains(texts: pa.Array, scalar: Scalar, plain: str) -> pa.Array:
    if len(texts) < FEW:
        return _one_by_one(texts, scalar)
    with duckdb.connect() as connection:
        connection.register("given", in_pieces(pa.table({"place": np.arange(len(texts)), "text": texts})))
        connection.register("alone", pa.table({"host": pa.array(sorted(_judged_alone()), pa.string())}))
        connection.register("families", pa.table({"label": pa.array(sorted(mail_domains.family_labels()), pa.string())}))
        # In stages: a condition on a computed column would be computed again inside each of its parts.
        connection.execute(
            "CREATE TEMP TABLE lowered AS SELECT place, trim(lower(text)) AS t FROM given WHERE text IS NOT NULL"
        )
        connection.execute(
            """
            CREATE TEMP TABLE shown AS
            SELECT place, regexp_extract(t, '^(?:https?://)?(?:[^@/?#]*@)?(?:www\\.)?([^/?#]*)', 1) AS host FROM lowered
            WHERE regexp_full_match(t, ?)
            """,
            [plain],
        )
        connection.execute("""
            CREATE TEMP TABLE hosts AS SELECT place, host, substr(host, strpos(host, '.') + 1) AS tail FROM shown
            WHERE len(host) < 64 AND contains(host, '.') AND NOT regexp_matches(host, '^[.-]|[.-]$|[.-][.-]')
        """)
        tails = connection.execute("SELECT DISTINCT tail FROM hosts ORDER BY tail LIMIT 20000").fetchall()
        open_tails = [tail for (tail,) in tails if _is_open(tail)]
        connection.register("open_tails", pa.table({"tail": pa.array(open_tails, pa.string())}))
        rows = connection.sql(
            "SELECT place, host FROM hosts SEMI JOIN open_tails USING (tail) ANTI JOIN alone USING (host) "
            "WHERE split_part(host, '.', 1) NOT IN (FROM families)"
        ).to_arrow_table()
    return _merged(texts, _as_array(rows["place"]), _as_array(rows["host"]), scalar)


def _judged_alone() -> frozenset[str]:
    """Hosts of which an address is not simply its own key: public suffixes, and every host of our lists."""
    return suffixes.all_suffixes() | shared_hosts.listed_hosts() | mail_domains.listed_domains()


def _is_open(tail: str) -> bool:
    """Is any label in front of this ending a registrable domain?"""
    return domains.registrable_domain(f"{PROBE}.{tail}") == f"{PROBE}.{tail}"


# --- both -------------------------------------------------------------------------------------------------------------


def _merged(texts: pa.Array, places: pa.Array, found: pa.Array, scalar: Scalar) -> pa.Array:
    """``found`` at its places, and the scalar function's answers at all others."""
    order = pc.sort_indices(places)
    places, found = places.take(order), found.take(order)
    everywhere = pa.array(np.arange(len(texts)))
    is_found = pc.is_in(everywhere, value_set=places)
    is_open = pc.and_(pc.invert(is_found), pc.is_valid(texts))
    answers = pc.replace_with_mask(pa.nulls(len(texts), pa.string()), is_found, found)
    return pc.replace_with_mask(answers, is_open, _one_by_one(texts.filter(is_open), scalar))


def in_pieces(table: pa.Table) -> pa.Table:
    """The same table in batches, which DuckDB reads with all its threads; one batch would be one thread's."""
    return pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=PIECE), table.schema)


def _one_by_one(values: pa.Array, scalar: Scalar) -> pa.Array:
    return pa.array([scalar(value) for value in values.to_pylist()], pa.string())


def _distinct(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.dictionary, encoded.indices


def _as_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    combined = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(combined, pa.ChunkedArray):
        combined = pa.concat_arrays(combined.chunks) if combined.num_chunks else pa.array([], pa.string())
    return combined
