"""The main job over recorded feeds, filings and releases; where the recordings are not at hand, there is nothing to test."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest

from pipeline.settings import PROJECT_ROOT

BENCH = PROJECT_ROOT.parent / "shared" / "bench" / "extraction"

pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="the recordings are not at hand")


def benchmark_module(name: str, patch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROJECT_ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run over fewer releases than the benchmark takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")  # set by the run; put back after it
        benchmark_module("recordings", patch)
        benchmark = benchmark_module("real_bytes", patch)
        return benchmark.run(BENCH, tmp_path_factory.mktemp("real") / "home", gold=140, drawn=80)


def test_no_run_and_no_source_fails(figures: Any) -> None:
    assert figures.failures == []
    assert figures.source_failures == []
    assert figures.counts["documents"]["releases, article"] == 220
    assert figures.counts["documents"]["techcrunch-2011, article"] == 17
    assert figures.counts["documents"]["techcrunch-2023, article"] == 16


def test_edgar_pages_give_their_filings_and_what_can_not_be_had_is_set_aside_with_its_reason(figures: Any) -> None:
    assert figures.accessions == 3_409
    assert figures.forms == {"D": 196, "D/A": 141}
    assert figures.counts["rejects"]["edgar, page_not_had, http_404"] == 337
    assert {name.split(", ")[1] for name in figures.counts["rejects"]} == {"page_not_had"}


def test_two_of_six_filings_are_rounds_and_four_are_funds(figures: Any) -> None:
    assert figures.counts["documents"]["edgar-forms, form_d"] == 5
    assert figures.counts["documents"]["edgar-small, form_d"] == 1
    assert figures.form_rounds == ["Form D: DIFFUSION PHARMACEUTICALS LLC", "Form D: Notion Labs, Inc."]
    assert figures.counts["mentions"]["none, set aside: pooled_fund"] == 4


def test_labelled_rounds_become_rounds_and_hardly_anything_else_does(figures: Any) -> None:
    hit, positives = figures.positives
    alarms, negatives = figures.negatives
    assert positives >= 40
    assert negatives >= 150
    assert hit >= 0.85 * positives, figures.missed
    assert alarms <= 0.03 * negatives, figures.false_alarms


def test_every_match_is_delivered_once_and_verifies(figures: Any) -> None:
    """FS-61."""
    assert figures.counts["matches"].total() >= 30
    assert figures.counts["deliveries"] == {"delivered": figures.counts["matches"].total()}
    assert (figures.received, figures.unverified, figures.duplicates) == (figures.counts["matches"].total(), 0, 0)


def test_a_second_pass_changes_nothing_and_sends_nothing(figures: Any) -> None:
    assert figures.second_pass == []
