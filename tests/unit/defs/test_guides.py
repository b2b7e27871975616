"""The docs' sections as they are shown beside an asset."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipeline.defs.guides import anchor, guide
from pipeline.defs.marts_translation import MARTS_GUIDE
from pipeline.defs.stories import GUIDES

PAGE = """# Cups

## What a cup holds, and isn't

![A cup](cup.png)

See [the morning](morning.md#tea), [below](#saucers) and [the web](https://a.example/b).

```sh
# a comment, no heading
```

### Handles

One.

## Saucers

Two.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/cups.md").write_text(PAGE)
    return tmp_path


def test_a_section_is_shown_with_what_is_below_it_and_its_links_as_paths(root: Path) -> None:
    place = "docs/cups.md#what-a-cup-holds-and-isnt"
    assert guide(place, root)["guide"] == dg.MetadataValue.md(
        "## What a cup holds, and isn't\n\nSee the morning (`docs/morning.md`), below and [the web](https://a.example/b).\n\n"
        f"```sh\n# a comment, no heading\n```\n\n### Handles\n\nOne.\n\n*From `{place}`.*"
    )


def test_a_section_that_is_not_there_is_an_error_and_a_file_that_is_not_there_a_path(root: Path) -> None:
    with pytest.raises(ValueError, match=r"docs/cups.md#tea: no heading"):
        guide("docs/cups.md#tea", root)
    assert guide("docs/none.md#tea", root)["guide"] == dg.MetadataValue.path("docs/none.md#tea")


def test_anchors_are_made_as_github_makes_them() -> None:
    assert anchor("Review: name matches that wait for a word") == "review-name-matches-that-wait-for-a-word"
    assert anchor("Why was a partner not told?") == "why-was-a-partner-not-told"


@pytest.mark.parametrize("place", sorted({*GUIDES.values(), MARTS_GUIDE}))
def test_every_guide_is_there_and_short_enough_to_be_read_in_a_dialog(place: str) -> None:
    shown = guide(place)["guide"]
    assert isinstance(shown, dg.MarkdownMetadataValue)
    assert 200 < len(shown.md_str or "") < 8_000
    assert "](" not in (shown.md_str or "").replace("](http", "")
