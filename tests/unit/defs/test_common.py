"""How an asset shows rows."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape

import duckdb
from markdown_it import MarkdownIt

from pipeline.defs.common import CELL_CHARACTERS, NO_BREAK, PREVIEW_ROWS, markdown_table, preview, row_count


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
    shown = markdown_table(list("abcdef"), [row]).splitlines()[2]
    assert shown.replace(NO_BREAK, " ") == '|  | 20 Nov 2026 02:00:00 | 20 Nov 2026 | 0.123 | 12,500,000 | \\["é"\\] |'
    assert NO_BREAK.join(("20", "Nov", "2026")) in shown  # a narrow column must not spread a day over three lines


def test_dollars_are_grouped_and_numbers_that_are_no_amounts_are_not() -> None:
    assert (
        markdown_table(["amount_usd", "landing_id"], [[24_000_000, 24_000_000]]).splitlines()[2] == "| 24,000,000 | 24000000 |"
    )


def test_addresses_are_links_that_stay_whole_however_long() -> None:
    address = "https://news.example.com/" + "x" * 200 + "/a_(b)?q=1|2"
    shown = markdown_table(["article_url"], [[address]]).splitlines()[2]
    assert shown == f"| [news.example.com]({address.replace('(', '%28').replace(')', '%29').replace('|', '%7C')}) |"
    # What only looks like one stays text, and no name or error becomes a script.
    assert markdown_table(["a"], [["javascript:alert(1)"]]).splitlines()[2] == "| javascript:alert(1) |"


def test_preview_shows_the_first_rows_only() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(100)")
    table = preview(connection, "SELECT n FROM t WHERE n >= ? ORDER BY n", [5]).value
    assert table is not None
    assert len(table.splitlines()) == PREVIEW_ROWS + 2
    assert table.splitlines()[2] == "| 5 |"
    assert row_count(connection, "t") == 100
