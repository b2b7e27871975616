"""The pipeline a lead goes through: its stages, the coarse status of each, and which steps it knows (SC-60 to SC-62).

The steps are our reading: no page prints them. They forbid nothing; what they don't know is told all the same, and flagged.
"""

from __future__ import annotations

CLICK, LEAD, APPLICATION, FUNDED = COARSE = ("click", "lead", "application", "funded")
# How a referral came: submitted by its partner, entered for it by hand, or by a link of the partner's (SC-64, SC-65).
API_LEAD, MANUAL_LEAD, TRAFFIC = TYPES = ("api_lead", "manual_lead", "traffic")

# Stage: its label, in the order of the pipeline.
LABELS: dict[str, str] = {
    "click": "Click",
    "lead": "Lead",
    "in_underwriting": "In Underwriting",
    "need_info": "Need Info",
    "not_approved": "Declined",
    "offer_ready": "Offer Emailed",
    "call_scheduled": "Call Scheduled",
    "sign_docs": "Agreement Sent",
    "processing": "Processing",
    "in_funding": "In Funding",
    "funded": "Funded",
}
STAGES = tuple(LABELS)

STEPS: dict[str, frozenset[str]] = {
    "click": frozenset({"lead", "in_underwriting"}),
    "lead": frozenset({"in_underwriting", "need_info", "not_approved"}),
    "in_underwriting": frozenset({"need_info", "not_approved", "offer_ready"}),
    "need_info": frozenset(STAGES[2:-1]) - {"need_info"},
    "not_approved": frozenset({"in_underwriting"}),
    "offer_ready": frozenset({"call_scheduled", "sign_docs", "need_info", "not_approved"}),
    "call_scheduled": frozenset({"offer_ready", "sign_docs", "need_info", "not_approved"}),
    "sign_docs": frozenset({"processing", "need_info", "not_approved"}),
    "processing": frozenset({"in_funding", "need_info", "not_approved"}),
    "in_funding": frozenset({"funded", "need_info", "not_approved"}),
    "funded": frozenset(),
}


def coarse_status(stage: str) -> str:
    """The referral-level status of a pipeline stage."""
    return stage if stage in (CLICK, LEAD, FUNDED) else APPLICATION


def is_step(old: str, new: str) -> bool:
    """Does the pipeline lead from ``old`` to ``new`` in one step?"""
    return new in STEPS[old]


def is_reachable(old: str, new: str) -> bool:
    """Does it in any number of steps? For what was looked at again after days that nobody saw."""
    seen, waiting = {old}, [old]
    while waiting:
        for stage in STEPS[waiting.pop()] - seen:
            if stage == new:
                return True
            seen.add(stage)
            waiting.append(stage)
    return False
