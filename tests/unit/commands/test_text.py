"""`fundingscout resolve` and `explain`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.explain import explain
from pipeline.commands.text import extract, resolve

TITLE = "Quernstone raises $4M seed round led by Fen Ventures"


def test_extract_and_resolve_follow_each_other(tmp_path: Path) -> None:
    records = [
        {"id": "a", "title": TITLE, "published_date": "2026-03-02", "outlet": "Wire"},
        {"id": "b", "title": "Quernstone bags $4 million in seed funding", "published_date": "2026-03-03", "outlet": "Daily"},
        {"id": "c", "title": "Larkspindle opens a mill", "published_date": "2026-03-03"},
    ]
    source, between, target = (tmp_path / name for name in ("in.jsonl", "between.jsonl", "out.jsonl"))
    source.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    assert CliRunner().invoke(extract, [str(source), str(between)]).exit_code == 0
    with between.open("a", encoding="utf-8") as file:
        file.write("no JSON\n")
    result = CliRunner().invoke(resolve, [str(between), str(target)])
    assert result.exit_code == 0
    assert "4 lines, 2 of them funding news, 1 rounds, 1 lines skipped" in result.output
    assert "line 4: not JSON" in result.output
    (round_,) = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert (round_["ids"], round_["company_name"], round_["lead_investors"]) == (["a", "b"], "Quernstone", ["Fen Ventures"])


def test_a_headline_is_explained_on_the_terminal() -> None:
    result = CliRunner().invoke(explain, [TITLE])
    assert result.exit_code == 0
    for part in ("funding_round", "company_name", "Quernstone", "4000000 USD", "What decided", "title_raise"):
        assert part in result.output


def test_a_file_is_explained_as_a_page_and_for_programs(tmp_path: Path) -> None:
    source, target = tmp_path / "release.txt", tmp_path / "page.html"
    source.write_text(f"{TITLE}\n\nReno - Quernstone today announced a seed round.", "utf-8")
    assert CliRunner().invoke(explain, [str(source), "--html", str(target)]).exit_code == 0
    assert target.read_text("utf-8").startswith("<!DOCTYPE html>")
    result = CliRunner().invoke(explain, [str(source), "--json"])
    assert json.loads(result.stdout)["mention"]["company_name"] == "Quernstone"


@pytest.mark.parametrize(("subject", "message"), [("", "give a file"), ("-", "empty_body")])
def test_what_cannot_be_explained_is_said(subject: str, message: str) -> None:
    result = CliRunner().invoke(explain, [subject], input="")
    assert result.exit_code != 0
    assert message in result.output


def test_a_page_on_a_private_address_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.documents.fetch import FetchFailed

    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path))
    result = CliRunner().invoke(explain, ["http://127.0.0.1:9/metadata"])
    assert isinstance(result.exception, FetchFailed)
    assert result.exception.reason == "address_refused"
