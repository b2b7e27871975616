"""What is kept of persons' names (SB-78, A-SB-31)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.subscriptions.masking import hidden, masked, masked_name
from pipeline.subscriptions.model import EventType


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Kelp Systems appoints Jordan Miles as CTO", "Jordan Miles", "Kelp Systems appoints Jordan M. as CTO"),
        ("Miles joins Kelp Systems; MILES's plans", "Jordan Miles", "M. joins Kelp Systems; M.'s plans"),
        ("Smiles at Kelp: Milestone reached", "Jordan Miles", "Smiles at Kelp: Milestone reached"),
        ("Anna van der Berg leaves", "Anna van der Berg", "Anna van der B. leaves"),
        ("Lopez Garcia to lead", "Maria Lopez Garcia", "L. G. to lead"),
        ("Zoë Çelik named", "Zoë Çelik", "Zoë Ç. named"),
        ("Cher joins", "Cher", "Cher joins"),
        ("Jordan Kelp joins Kelp Systems", "Jordan Kelp", "Jordan Kelp joins Kelp Systems"),
        (None, "Jordan Miles", None),
        ("Kelp", None, "Kelp"),
    ],
)
def test_sb_78_every_name_but_the_first_is_an_initial_wherever_it_stands(
    text: str | None, name: str | None, expected: str | None
) -> None:
    assert hidden(text, name, "Kelp Systems") == expected


def test_sb_78_a_job_change_says_the_name_nowhere_and_leaves_its_data_as_they_were() -> None:
    data: dict[str, Any] = {
        "jobChange": {"personName": "Jordan Miles"},
        "company": {"name": "Kelp Systems", "description": "Kelp Systems, which Miles joins, makes pumps."},
        "sources": [{"title": "Miles to lead Kelp Systems", "content": "Jordan Miles said …", "url": "https://x.test/1"}],
    }
    shown = masked(EventType.JOB_CHANGE, data, is_strict=False)
    assert shown["jobChange"]["personName"] == masked_name("Jordan Miles") == "Jordan M."
    assert shown["company"]["description"] == "Kelp Systems, which M. joins, makes pumps."
    assert shown["sources"] == [{"title": "M. to lead Kelp Systems", "content": None, "url": "https://x.test/1"}]
    assert "Miles" not in str(shown)
    assert data["company"]["description"].count("Miles") == 1
