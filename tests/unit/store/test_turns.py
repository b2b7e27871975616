"""Turns are had one at a time, in the order in which they were asked for."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.store.turns import Turns


def test_whoever_came_first_goes_first() -> None:
    turns, order, threads = Turns(), [], []

    def work(number: int) -> None:
        with turns.turn(10) as is_mine:
            assert is_mine
            order.append(number)

    with turns.turn(10):
        for number in range(8):
            thread = threading.Thread(target=work, args=(number,))
            thread.start()
            threads.append(thread)
            while len(turns._waiting) <= number:
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == list(range(8))


def test_one_who_releases_and_asks_again_stands_behind_those_who_wait() -> None:
    turns, done = Turns(), threading.Event()

    def once() -> None:
        with turns.turn(10):
            done.set()

    thread = threading.Thread(target=once)
    with turns.turn(10):
        thread.start()
        while not turns._waiting:
            time.sleep(0.001)
    with turns.turn(10):
        assert done.is_set()
    thread.join(10)


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns.turn(10):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (inside, most) == (0, 1)


def test_whoever_loses_patience_goes_on_without_and_leaves_the_row() -> None:
    turns = Turns()
    with turns.turn(1) as first, turns.turn(0.01) as second:
        assert (first, second) == (True, False)
    with turns.turn(0) as third:
        assert third


def test_a_turn_is_passed_on_after_a_failure() -> None:
    turns = Turns()
    with pytest.raises(KeyError), turns.turn(1):
        raise KeyError
    with turns.turn(0) as is_mine:
        assert is_mine
