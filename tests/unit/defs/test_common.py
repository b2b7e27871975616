"""How an asset shows rows."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape

import duckdb
from markdown_it import MarkdownIt

from pipeline.defs.common import CELL_CHARACTERS, PREVIEW_ROWS, markdown_table, preview, row_count


def test_no_rows_are_said_in_words() -> None:
    assert markdown_table(["a"], []) == "no rows"


def test_cells_are_cut_and_kept_on_one_line() -> None:
    table = markdown_table(["text"], [["a | b\nc"], ["x" * 200]])
    first, second = table.splitlines()[2:]
    assert first == "| a \\| b c |"
    assert second == "| " + "x" * (CELL_CHARACTERS - 1) + "… |"


def test_text_from_outside_never_becomes_markup() -> None:
    """Rendered by a real Markdown parser: no link, no picture, no HTML, no code, no further cell."""
    hostile = [
        "![](https://elsewhere.example/x.png)", "[Acme](https://elsewhere.example)", "<img src=x>", "`a`", "\\[a](b)", "a\\|b",
        "<https://elsewhere.example>", "[a]: https://elsewhere.example", "\\`a`", "x" * (CELL_CHARACTERS - 2) + "|||",
    ]  # fmt: skip
    html = MarkdownIt("commonmark").enable("table").render(markdown_table(["text", "n"], [[text, 7] for text in hostile]))
    assert html.count("<td>") == 2 * len(hostile)
    assert html.count("<td>7</td>") == len(hostile)
    assert re.findall(r"<(?!/?(?:table|thead|tbody|tr|th|td)>)[^>]*>", html) == []
    assert unescape(html).count("elsewhere.example") == 4


def test_values_read_as_people_write_them() -> None:
    row = [None, datetime(2026, 11, 20, 2, 0, 0, 5), date(2026, 11, 20), 0.123456, Decimal("12500000.00"), ["é"]]  # noqa: DTZ001
    assert markdown_table(list("abcdef"), [row]).splitlines()[2] == (
        '|  | 2026-11-20 02:00:00 | 2026-11-20 | 0.123 | 12,500,000 | \\["é"\\] |'
    )


def test_preview_shows_the_first_rows_only() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(100)")
    table = preview(connection, "SELECT n FROM t WHERE n >= ? ORDER BY n", [5]).value
    assert table is not None
    assert len(table.splitlines()) == PREVIEW_ROWS + 2
    assert table.splitlines()[2] == "| 5 |"
    assert row_count(connection, "t") == 100
