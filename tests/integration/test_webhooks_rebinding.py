"""Names whose answers change, over a real DNS server: a delivery connects only to what was vetted for it (A-FS-16)."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest

from pipeline.net import names
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.transport import HttpSender

NAME = "rebind.partner.example"
LOOPBACK = [ip_network("127.0.0.1/32")]
BUDGET = 1.0
A, AAAA = 1, 28


class DnsServer:
    """Answers queries on loopback with the next of ``answers`` (the last one again and again), time to live zero."""

    def __init__(self, answers: Sequence[Sequence[str] | None]) -> None:
        self._answers = [*answers]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(512)
            if not query:
                return
            kind = struct.unpack("!H", query[-4:-2])[0]
            answer = self._answers[0]
            if kind == AAAA:  # asked second: on to the next
                self.asked += 1
                self._answers = self._answers[1:] or self._answers
            if answer is not None:
                self._socket.sendto(_reply(query, kind, answer), sender)


def _reply(query: bytes, kind: int, addresses: Sequence[str]) -> bytes:
    wanted: type[IPv4Address] | type[IPv6Address] = IPv4Address if kind == A else IPv6Address
    packed = [ip_address(text).packed for text in addresses if isinstance(ip_address(text), wanted)]
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data for data in packed)
    code = 0x8180 if addresses else 0x8183  # none at all: no such name
    return query[:2] + struct.pack("!HHHHH", code, 1, len(packed), 0, 0) + query[12:] + records


def asking(port: int) -> Callable[[str, int], list[str]]:
    """A stub resolver that asks the server on this port for both kinds of address."""

    def resolve(host: str, _port: int) -> list[str]:
        question = b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"
        found: list[str] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(3)
            for kind in (A, AAAA):
                client.sendto(
                    struct.pack("!HHHHHH", kind, 0x100, 1, 0, 0, 0) + question + struct.pack("!HH", kind, 1),
                    ("127.0.0.1", port),
                )
                reply = client.recv(4096)
                if reply[3] & 0x0F:
                    raise OSError(f"the name server answered with code {reply[3] & 0x0F}")
                at = 12 + len(question) + 4
                for _ in range(struct.unpack("!H", reply[6:8])[0]):
                    size = struct.unpack("!H", reply[at + 10 : at + 12])[0]
                    found.append(str(ip_address(reply[at + 12 : at + 12 + size])))
                    at += 12 + size
        return found

    return resolve


@asynccontextmanager
async def listening(ca_file: Path) -> AsyncIterator[tuple[int, list[str]]]:
    """An HTTPS receiver on 127.0.0.1: its port, and the peers that connected."""
    peers: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append("peer")
        try:
            while await reader.readuntil(b"}"):
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=throwaway_certificate(NAME, ca_file))
    async with server:
        yield server.sockets[0].getsockname()[1], peers


@pytest.fixture
def dns() -> Iterator[Callable[..., DnsServer]]:
    """Starts name servers: ``dns(["127.0.0.1"], ["10.0.0.1"])``; None: no reply."""
    started: list[DnsServer] = []

    def start(*answers: Sequence[str] | None) -> DnsServer:
        started.append(DnsServer(answers))
        return started[-1]

    yield start
    for server in started:
        server.close()


def send(server: DnsServer, ca_file: Path, times: int = 1) -> tuple[list[Outcome], int]:
    """Outcomes of so many attempts one after the other, and how many connections the receiver saw."""

    async def run() -> tuple[list[Outcome], int]:
        async with listening(ca_file) as (port, peers):
            sender = HttpSender(BUDGET, lambda: datetime.now(UTC), LOOPBACK, ca_file, asking(server.port))
            async with sender:
                outcomes = []
                for number in range(times):
                    await asyncio.sleep(0.3 if number else 0)  # until the first answer is forgotten
                    outcomes.append(await sender.post(f"https://{NAME}:{port}/", b"{}", {}))
            return outcomes, len(peers)

    return asyncio.run(run())


def test_name_that_rebinds_between_vetting_and_connecting_is_connected_to_what_was_vetted(
    dns: Callable[..., DnsServer], tmp_path: Path
) -> None:
    server = dns(["127.0.0.1"], ["169.254.169.254"])
    [outcome], connections = send(server, tmp_path / "ca.pem")
    assert (outcome.is_delivered, outcome.resolved_address) == (True, "127.0.0.1")
    assert (connections, server.asked) == (1, 1)


def test_name_that_has_rebound_is_refused_though_a_connection_is_still_open(
    dns: Callable[..., DnsServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "KEEP_SECONDS", 0.2)
    (first, second), connections = send(dns(["127.0.0.1"], ["10.0.0.1"]), tmp_path / "ca.pem", times=2)
    assert first.is_delivered
    assert (second.error_class, second.is_request_sent, connections) == ("refused_address", False, 1)
    assert "10.0.0.1" in (second.error or "")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1", "10.0.0.1"],
        ["10.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "::1"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
        ["127.0.0.1", "64:ff9b::a00:1", "93.184.215.14"],
        [*(f"93.184.215.{number}" for number in range(30)), "127.0.0.1", "192.168.0.1"],
    ],
    ids=lambda addresses: f"{addresses[0]} … {addresses[-1]}",
)
def test_one_bad_address_among_good_ones_keeps_all_from_being_called(
    addresses: list[str], dns: Callable[..., DnsServer], tmp_path: Path
) -> None:
    [outcome], connections = send(dns(addresses), tmp_path / "ca.pem")
    assert (outcome.error_class, outcome.is_request_sent, connections) == ("refused_address", False, 0)


def test_name_server_that_never_answers_is_a_timeout_and_an_unknown_name_a_failure_of_dns(
    dns: Callable[..., DnsServer], tmp_path: Path
) -> None:
    [silent], _ = send(dns(None), tmp_path / "ca.pem")
    assert (silent.error_class, silent.is_request_sent) == ("timeout", False)
    assert silent.resolve_ms >= BUDGET * 1000 * 0.9
    [unknown], _ = send(dns([]), tmp_path / "ca.pem")
    assert (unknown.error_class, unknown.is_request_sent) == ("dns", False)


def test_certificate_is_verified_for_the_name_not_the_address(dns: Callable[..., DnsServer], tmp_path: Path) -> None:
    """The name leads to a receiver whose certificate is another's: what was vetted is right, who answers is not."""

    async def run() -> Outcome:
        ca_file = tmp_path / "ca.pem"
        resolve = asking(dns(["127.0.0.1"]).port)
        async with (
            listening(ca_file) as (port, _),
            HttpSender(BUDGET, lambda: datetime.now(UTC), LOOPBACK, ca_file, resolve) as sender,
        ):
            return await sender.post(f"https://other.partner.example:{port}/", b"{}", {})

    outcome = asyncio.run(run())
    assert (outcome.error_class, outcome.is_request_sent) == ("tls", False)
