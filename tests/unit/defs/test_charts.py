"""Charts: what is drawn is what was counted, whatever the labels hold."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from xml.etree import ElementTree

from pipeline.defs.charts import heat_map, picture, stacked_bars
from pipeline.defs.pictures import AMOUNTS, by_day, by_hour, histogram

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str]:
    return [title.text or "" for title in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def test_a_bar_for_each_value_that_is_not_nothing() -> None:
    svg = stacked_bars("Rounds", ["Mon", "Tue"], {"seed": [2, 0], "series-a": [1, 4]})
    assert titles(svg) == ["Mon, seed: 2", "Mon, series-a: 1", "Tue, series-a: 4"]


def test_heights_are_in_proportion_and_stand_on_each_other() -> None:
    svg = stacked_bars("Rounds", ["Mon"], {"seed": [1], "series-a": [4]})
    bars = [bar for bar in ElementTree.fromstring(svg).iter(f"{SVG}rect") if bar.find(f"{SVG}title") is not None]
    (low, high) = [(float(bar.attrib["y"]), float(bar.attrib["height"])) for bar in bars]
    assert abs(high[1] - 4 * low[1]) < 0.5
    assert abs(high[0] + high[1] - low[0]) < 0.2


def test_names_from_outside_can_not_become_markup() -> None:
    svg = stacked_bars("<b>&", ['"x"'], {"<script>alert(1)</script>": [1]})
    assert "<script" not in svg
    assert titles(svg) == ['"x", <script>alert(1)</script>: 1']
    assert "<script" not in heat_map("x", {"<script>": [1.0]}, ["<i>"])


def test_nothing_is_said_and_not_divided_by() -> None:
    assert "nothing in this time" in stacked_bars("Rounds", ["Mon"], {})
    assert "nothing in this time" in stacked_bars("Rounds", [], {"seed": []})
    assert "nothing in this time" in heat_map("Sources", {}, [])
    assert titles(heat_map("Sources", {"wire": [0.0]}, ["01h"])) == ["wire, 01h: 0"]


def test_heat_map_tells_silence_failure_and_news_apart() -> None:
    svg = heat_map("Sources", {"wire": [None, -1, 0, 3]}, ["00h", "01h", "02h", "03h"])
    assert titles(svg) == ["wire, 00h: not asked", "wire, 01h: failed", "wire, 02h: 0", "wire, 03h: 3"]
    assert len(set(re.findall(r'height="12" fill="(#\w+)"', svg))) == 4


def test_picture_is_an_image_in_markdown() -> None:
    svg = stacked_bars("Rounds", ["Mon"], {"seed": [2]})
    found = re.fullmatch(r"!\[Rounds\]\(data:image/svg\+xml;base64,([\w+/=]+)\)", picture(svg, "Rounds").value or "")
    assert found is not None
    assert base64.b64decode(found[1]).decode() == svg


def test_rare_kinds_are_added_up() -> None:
    rows = [("d1", f"kind{number}", 10 - number) for number in range(9)] + [("d2", "kind0", 1), ("d0", "kind0", 5)]
    series = by_day(["d1", "d2"], rows)
    assert list(series) == ["kind0", "kind1", "kind2", "kind3", "kind4", "kind5", "others"]
    assert series["kind0"] == [10, 1]
    assert series["others"] == [4 + 3 + 2, 0]


def test_bins_hold_their_lower_end() -> None:
    counts = dict(zip(AMOUNTS, histogram([0, 999_999, 1_000_000, 5e9], AMOUNTS), strict=True))
    assert {name: count for name, count in counts.items() if count} == {"< 1M": 2, "1-2M": 1, "> 1B": 1}


def test_hours_in_which_a_source_was_not_asked_are_empty() -> None:
    hours = [datetime(2026, 5, 12) + timedelta(hours=hour) for hour in range(3)]  # noqa: DTZ001 - as the warehouse has it
    assert by_hour(hours, [("wire", hours[1], 4), ("old", hours[0] - timedelta(hours=1), 2)]) == {
        "wire": [None, 4.0, None],
        "old": [None, None, None],
    }
