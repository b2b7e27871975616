"""Names to vetted addresses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from ipaddress import ip_network

import pytest

from pipeline.net.names import AddressRefused, NameNotFound, VettingResolver


def test_one_look_up_serves_all_who_ask_at_once_and_soon_after() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]

    async def run() -> list[list[str]]:
        resolver = VettingResolver(resolve=resolve)
        answers = await asyncio.gather(*(resolver.addresses("hooks.example.com", 443) for _ in range(20)))
        answers.append(await resolver.addresses("hooks.example.com", 443))
        await resolver.close()
        return answers

    answers = asyncio.run(run())
    assert asked == ["hooks.example.com"]
    assert answers == [["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]] * 21


def test_failure_is_asked_again() -> None:
    tries = iter([OSError("not now"), ["8.8.8.8"]])

    def resolve(_host: str, _port: int) -> list[str]:
        answer = next(tries)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def run() -> list[str]:
        resolver = VettingResolver(resolve=resolve)
        with pytest.raises(NameNotFound, match="not now"):
            await resolver.addresses("hooks.example.com", 443)
        return await resolver.addresses("hooks.example.com", 443)

    assert asyncio.run(run()) == ["8.8.8.8"]


def test_name_that_hangs_holds_up_no_other() -> None:
    release = threading.Event()

    def resolve(host: str, _port: int) -> list[str]:
        if host == "hangs.example.com":
            release.wait(5)
        return ["8.8.8.8"]

    async def run() -> list[str]:
        resolver = VettingResolver(resolve=resolve, max_lookups=2)
        hanging = [asyncio.create_task(resolver.addresses("hangs.example.com", 443)) for _ in range(10)]
        await asyncio.sleep(0)
        answer = await asyncio.wait_for(resolver.addresses("hooks.example.com", 443), 1)
        release.set()
        await asyncio.gather(*hanging)
        return answer

    assert asyncio.run(run()) == ["8.8.8.8"]


def test_hundreds_of_names_that_hang_hold_up_no_other() -> None:
    release = threading.Event()

    def resolve(host: str, _port: int) -> list[str]:
        if host.startswith("hangs"):
            release.wait(30)
        return ["8.8.8.8"]

    async def run() -> tuple[list[str], int]:
        resolver = VettingResolver(resolve=resolve)
        hanging = [asyncio.create_task(resolver.addresses(f"hangs{n}.example.com", 443)) for n in range(300)]
        answer = await resolver.addresses("hooks.example.com", 443)
        still = sum(not task.done() for task in hanging)
        release.set()
        await asyncio.gather(*hanging)
        return answer, still

    assert asyncio.run(run()) == (["8.8.8.8"], 300)


def test_more_names_that_hang_than_can_be_are_a_failure_of_dns() -> None:
    release = threading.Event()

    async def run() -> list[str]:
        resolver = VettingResolver(resolve=lambda _host, _port: ["8.8.8.8"] if release.wait(30) else [], max_lookups=2)
        hanging = [asyncio.create_task(resolver.addresses(f"hangs{n}.example.com", 443)) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(NameNotFound, match="2 names are being looked up"):
            await resolver.addresses("hooks.example.com", 443)
        release.set()
        await asyncio.gather(*hanging)
        return await resolver.addresses("hooks.example.com", 443)

    assert asyncio.run(run()) == ["8.8.8.8"]


def test_a_process_ends_though_a_look_up_hangs() -> None:
    program = """
import asyncio, time
from pipeline.net.names import VettingResolver

async def main():
    resolver = VettingResolver(resolve=lambda host, port: time.sleep(600))
    try:
        await asyncio.wait_for(resolver.addresses("hangs.example.com", 443), 0.01)
    except TimeoutError:
        print("gave up")
    await resolver.close()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "gave up\n", done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "::ffff:10.0.0.1", "169.254.169.254"])
def test_literal_addresses_are_vetted_without_a_look_up(host: str) -> None:
    async def run() -> None:
        await VettingResolver(resolve=lambda _host, _port: pytest.fail("looked up")).addresses(host, 443)

    with pytest.raises(AddressRefused):
        asyncio.run(run())


def test_allowed_network_is_given_to_aiohttp_as_an_address() -> None:
    async def run() -> list[dict[str, object]]:
        resolver = VettingResolver([ip_network("10.0.0.0/8")], lambda _host, _port: ["10.0.0.7"])
        return [dict(answer) for answer in await resolver.resolve("hooks.example.com", 8443)]

    (answer,) = asyncio.run(run())
    assert (answer["host"], answer["port"], answer["hostname"]) == ("10.0.0.7", 8443, "hooks.example.com")
