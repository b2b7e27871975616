"""The eleven stages, their labels, their coarse statuses (SC-60 to SC-62)."""

from __future__ import annotations

from pipeline.partners.stages import COARSE, LABELS, STAGES, STEPS, coarse_status, is_reachable, is_step


def test_sc_60_sc_61_there_are_eleven_stages_with_labels_in_one_order() -> None:
    """A-SC-1, A-SC-2."""
    assert list(LABELS.items()) == [
        ("click", "Click"), ("lead", "Lead"), ("in_underwriting", "In Underwriting"), ("need_info", "Need Info"),
        ("not_approved", "Declined"), ("offer_ready", "Offer Emailed"), ("call_scheduled", "Call Scheduled"),
        ("sign_docs", "Agreement Sent"), ("processing", "Processing"), ("in_funding", "In Funding"), ("funded", "Funded"),
    ]  # fmt: skip


def test_sc_62_each_stage_has_one_of_four_coarse_statuses() -> None:
    assert [coarse_status(stage) for stage in STAGES] == ["click", "lead"] + ["application"] * 8 + ["funded"]
    assert set(map(coarse_status, STAGES)) == set(COARSE)


def test_steps_lead_from_stages_to_stages_and_every_lead_can_be_funded() -> None:
    assert set(STEPS) == set(STAGES)
    assert all(steps <= set(STAGES) and stage not in steps for stage, steps in STEPS.items())
    assert all(is_reachable(stage, "funded") for stage in STAGES if stage != "funded")


def test_jumps_are_no_steps_and_nothing_leads_back_from_funded() -> None:
    assert is_step("lead", "in_underwriting")
    assert not is_step("lead", "funded")
    assert is_reachable("lead", "funded")
    assert not is_reachable("funded", "processing")
    assert not is_reachable("in_underwriting", "lead")
