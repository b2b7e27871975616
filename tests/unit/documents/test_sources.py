from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.documents.sources import SourcesError, load_sources
from pipeline.settings import PROJECT_ROOT

GOOD = """
sources:
  - id: wire
    kind: rss
    url: https://wire.example/feed
    outlet: The Wire
    what: Releases.
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.yaml"
    path.write_text(text)
    return path


def test_committed_sources_load_and_edgar_tells_partners() -> None:
    """FS-72: filings, wires and media; the live EDGAR feed tells partners."""
    sources = load_sources(PROJECT_ROOT / "data" / "sources.yaml")
    by_id = {source.id: source for source in sources}
    assert len(sources) == 23
    assert by_id["edgar-form-d"].kind == "edgar_current"
    assert by_id["edgar-form-d"].tells
    assert by_id["edgar-form-d"].poll_seconds == 10
    assert all(source.poll_seconds <= 60 for source in sources if source.outlet.endswith("wire"))


def test_defaults_of_a_source(tmp_path: Path) -> None:
    [source] = load_sources(write(tmp_path, GOOD))
    assert (source.poll_seconds, source.fetch_articles, source.tells, source.language) == (60, False, True, "en")


def test_error_names_file_entry_and_field(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "    poll_seconds: soon\n")
    with pytest.raises(SourcesError) as error:
        load_sources(path)
    assert str(error.value).startswith(f"{path}, entry 1 (id 'wire'), field poll_seconds: ")


def test_unknown_field_is_an_error_and_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match="field fetch_article: "):
        load_sources(write(tmp_path, GOOD + "    fetch_article: true\n"))


def test_two_sources_of_one_id_are_refused(tmp_path: Path) -> None:
    twice = GOOD + GOOD.split("sources:\n")[1]
    with pytest.raises(SourcesError, match="'wire', field id: is used twice"):
        load_sources(write(tmp_path, twice))


@pytest.mark.parametrize("text", ["", "[]", "sources: none", "{"])
def test_file_without_a_list_of_sources_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourcesError, match=r"sources\.yaml"):
        load_sources(write(tmp_path, text))


def test_missing_file_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match="FUNDINGSCOUT_SOURCES_FILE"):
        load_sources(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("url", ["ftp://a.example/feed", "https://", "feed.xml"])
def test_only_web_addresses_are_sources(tmp_path: Path, url: str) -> None:
    with pytest.raises(SourcesError, match="no http or https address"):
        load_sources(write(tmp_path, GOOD.replace("https://wire.example/feed", url)))
