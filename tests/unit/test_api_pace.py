"""So many calls a minute from one address, and nothing of it kept longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.api.startcap.pace import Pace


def test_an_address_waits_for_the_next_minute_and_others_do_not(now: datetime) -> None:
    pace = Pace(2)
    at = now.replace(second=40)
    assert [pace.seconds_to_wait("a", at) for _ in range(4)] == [0, 0, 20, 20]
    assert pace.seconds_to_wait("b", at) == 0
    assert pace.seconds_to_wait("a", at + timedelta(seconds=20)) == 0


def test_memory_is_bounded_by_addresses_and_the_known_stay_bounded(now: datetime) -> None:
    pace = Pace(1, addresses=2)
    assert [pace.seconds_to_wait(name, now) > 0 for name in ("a", "b", "c", "c", "a")] == [False, False, False, False, True]
    assert len(pace._calls) == 2
