"""Connections that lead only to vetted addresses and end by a deadline.

What belongs here: resolving, vetting and pinning one request's connection, and cutting it off. What does not:
redirects, bodies, retries (fetch).
A name is resolved once; the connection goes to an address that was vetted, never to what a second look-up would give.
"""

from __future__ import annotations

import functools
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from pipeline.net.addresses import Network, refusal

Resolve = Callable[[str, int], list[str]]


class AddressRefused(RuntimeError):
    """A host leads only to addresses that may not be called. The text names host, address and reason."""


class NameNotFound(RuntimeError):
    """A host has no address."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of ``host``, in the order the system prefers. Raises NameNotFound."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound(f"{host} has no address: {error}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """What certificates are checked with: the usual authorities, and one more if given."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


class Guard:
    """Watches over the connections of one fetch: where they lead, and how long they last.

    ``cut()`` is for a timer: it ends them whatever they are doing, and ``is_cut`` tells so.
    """

    def __init__(self, allowed_networks: Sequence[Network], resolve: Resolve = resolve) -> None:
        self.is_cut = False
        self._allowed = allowed_networks
        self._resolve = resolve
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def vetted(self, host: str, port: int) -> list[str]:
        """The addresses of ``host`` that may be called. Raises AddressRefused when there is none."""
        refused: list[str] = []
        allowed: list[str] = []
        for address in self._resolve(host.strip("[]"), port):
            reason = refusal(ip_address(address), self._allowed)
            if reason is None:
                allowed.append(address)
            else:
                refused.append(f"{address} is {reason}")
        if not allowed:
            raise AddressRefused(f"{host} may not be called: {'; '.join(refused)}")
        return allowed

    def connect(self, connection: HTTPConnection, host: str) -> socket.socket:
        """A socket to the first vetted address that answers."""
        failure: OSError | None = None
        for address in self.vetted(host, connection.port or 0):
            try:
                made = create_connection(
                    (address, connection.port or 0), connection.timeout, socket_options=connection.socket_options
                )
            except OSError as error:
                failure = error
            else:
                self.watch(made)
                return made
        raise failure or OSError(f"{host} has no address")

    def watch(self, made: socket.socket | None) -> None:
        with self._lock:
            if made is not None:
                self._sockets.append(made)
        if self.is_cut:
            self.cut()

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            for made in self._sockets:
                try:
                    # The plain socket's method: a TLS socket's own would drop the layer that another thread reads.
                    socket.socket.shutdown(made, socket.SHUT_RDWR)
                except OSError:
                    continue


class _Plain(HTTPConnection):
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self, self._dns_host)


class _Tls(HTTPSConnection):
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self, self._dns_host)

    def connect(self) -> None:
        super().connect()
        # The TLS layer took the descriptor over: from now on this is the socket to cut.
        self._guard.watch(self.sock)


class GuardedAdapter(HTTPAdapter):
    """requests' transport for one fetch, through ``guard``."""

    def __init__(self, guard: Guard, context: ssl.SSLContext) -> None:
        self._guard = guard
        self._context = context
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _Tls if pool.scheme == "https" else _Plain
        pool.ConnectionCls = functools.partial(kind, guard=self._guard)
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context holds the authorities already; loading them again would cost each connection 15 ms."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"
