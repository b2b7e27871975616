"""When a sensor asks for a run."""

from __future__ import annotations

import pytest

from pipeline.defs.automation import Asked, Decision, decide

NOTHING_ASKED = Asked()


def test_nothing_waiting_asks_for_nothing() -> None:
    assert decide("sync", None, NOTHING_ASKED, 0) == Decision(None, "nothing is waiting", NOTHING_ASKED)


def test_new_work_is_asked_for_at_once_and_remembered() -> None:
    decision = decide("sync", "landing-7", NOTHING_ASKED, 0)
    assert decision.run_key == "sync:landing-7:1"
    assert decision.asked == Asked("landing-7", 1)


def test_new_work_is_asked_for_while_one_run_is_under_way() -> None:
    # That run may be past the step that reads landed documents; waiting for its end would add its whole length.
    decision = decide("sync", "landing-8", Asked("landing-7", 1), 1)
    assert decision.run_key == "sync:landing-8:1"


def test_new_work_waits_while_two_runs_are_under_way() -> None:
    decision = decide("sync", "landing-9", Asked("landing-8", 1), 2)
    assert decision.run_key is None
    assert decision.asked == Asked("landing-8", 1)


def test_work_that_a_run_is_on_is_not_asked_for_again() -> None:
    asked = Asked("landing-7", 1)
    assert decide("sync", "landing-7", asked, 1) == Decision(None, "a run of sync is working on landing-7", asked)


def test_work_whose_run_died_is_asked_for_under_a_new_run_key() -> None:
    decision = decide("sync", "landing-7", Asked("landing-7", 1), 0)
    assert decision.run_key == "sync:landing-7:2"
    assert decision.asked == Asked("landing-7", 2)


def test_run_keys_never_repeat_while_the_same_work_keeps_failing() -> None:
    asked, keys = NOTHING_ASKED, []
    for _ in range(5):
        decision = decide("sync", "landing-7", asked, 0)
        keys.append(decision.run_key)
        asked = decision.asked
    assert keys == [f"sync:landing-7:{attempt}" for attempt in range(1, 6)]


@pytest.mark.parametrize("cursor", [None, "", "{}", "[]", "nonsense", '{"newest": null, "attempt": "x"}', "3"])
def test_a_cursor_that_cannot_be_read_means_nothing_was_asked(cursor: str | None) -> None:
    assert Asked.from_cursor(cursor).attempt == 0


def test_a_cursor_comes_back_as_it_was() -> None:
    asked = Asked("landing-7-pages-2-crm-9", 3)
    assert Asked.from_cursor(asked.to_cursor()) == asked
