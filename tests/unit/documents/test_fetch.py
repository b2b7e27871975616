from __future__ import annotations

import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme

from pipeline.documents.connect import NameNotFound
from pipeline.documents.fetch import Fetcher, FetchFailed

Web = Any  # see conftest
LOOPBACK = (ip_network("127.0.0.0/8"),)


def fetcher(**changes: Any) -> Fetcher:
    defaults: dict[str, Any] = {"user_agent": "fundingscout tests", "timeout_seconds": 2.0, "allowed_networks": LOOPBACK}
    return Fetcher(**(defaults | {"sleep": lambda _seconds: None} | changes))


def failure(of: Fetcher, url: str, **options: Any) -> FetchFailed:
    with pytest.raises(FetchFailed) as error:
        of.fetch(url, **options)
    return error.value


def test_body_headers_and_declared_user_agent(web: Web) -> None:
    url = web.serve("/feed", b"<rss/>", ETag='"1"', Last_Modified="Tue, 03 Nov 2026 10:00:00 GMT", Content_Type="text/xml")
    result = fetcher().fetch(url)
    assert (result.body, result.status, result.etag, result.content_type) == (b"<rss/>", 200, '"1"', "text/xml")
    assert result.last_modified == "Tue, 03 Nov 2026 10:00:00 GMT"
    assert result.final_url == url
    assert web.requests[0][1]["user-agent"] == "fundingscout tests"


def test_conditional_get_gives_not_modified_without_a_body(web: Web) -> None:
    url = web.serve("/feed", status=304)
    result = fetcher().fetch(url, etag='"1"', last_modified="x")
    assert (result.is_not_modified, result.body) == (True, b"")
    assert web.requests[0][1]["if-none-match"] == '"1"'
    assert web.requests[0][1]["if-modified-since"] == "x"


def test_304_that_nobody_asked_for_is_a_failure(web: Web) -> None:
    assert failure(fetcher(), web.serve("/feed", status=304)).reason == "http_304"


def test_gzip_is_unpacked_and_bounded_by_its_unpacked_size(web: Web) -> None:
    url = web.serve("/small", gzip.compress(b"x" * 900), Content_Encoding="gzip")
    bomb = web.serve("/bomb", gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    assert fetcher().fetch(url).body == b"x" * 900
    assert failure(fetcher(max_bytes=1_000_000, timeout_seconds=10), bomb).reason == "too_large"


def test_broken_or_unasked_encoding_is_named(web: Web) -> None:
    assert failure(fetcher(), web.serve("/a", b"no gzip", Content_Encoding="gzip")).reason == "bad_encoding"
    assert failure(fetcher(), web.serve("/b", b"zzz", Content_Encoding="br")).reason == "bad_encoding"


def test_redirects_are_followed_five_times_at_most(web: Web) -> None:
    for number in range(7):
        web.serve(f"/{number}", status=302, Location=f"/{number + 1}")
    web.serve("/7", b"end")
    assert fetcher().fetch(f"{web.base}/2").body == b"end"
    assert fetcher().fetch(f"{web.base}/2").final_url == f"{web.base}/7"
    assert failure(fetcher(), f"{web.base}/1").reason == "too_many_redirects"


def test_private_addresses_are_refused_on_every_hop(web: Web) -> None:
    url = web.serve("/away", status=302, Location="http://10.0.0.1/secrets")
    refused = failure(fetcher(), url)
    assert refused.reason == "address_refused"
    assert "10.0.0.1" in refused.detail
    assert failure(fetcher(allowed_networks=()), web.serve("/", b"x")).reason == "address_refused"
    assert web.asked("/") == 0


def test_connection_goes_to_the_address_that_was_vetted(web: Web) -> None:
    port = int(web.base.rpartition(":")[2])
    web.serve("/", b"here")
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["10.1.1.1", "127.0.0.1"]

    assert fetcher(resolve=resolve).fetch(f"http://feed.example:{port}/").body == b"here"
    assert asked == ["feed.example"]
    assert web.requests[0][1]["host"] == f"feed.example:{port}"


def test_redirect_to_another_scheme_is_refused(web: Web) -> None:
    assert failure(fetcher(), web.serve("/f", status=302, Location="file:///etc/passwd")).reason == "bad_url"


@pytest.mark.parametrize("url", ["", "feed", "ftp://a.example/", "http://", "http://[bad/"])
def test_what_is_no_web_address_is_named(url: str) -> None:
    assert failure(fetcher(), url).reason == "bad_url"


def test_unknown_name_is_named() -> None:
    def resolve(host: str, _port: int) -> list[str]:
        raise NameNotFound(f"{host} has no address")

    assert failure(fetcher(resolve=resolve), "http://nowhere.invalid/").reason == "name_not_found"


def test_passing_failure_is_tried_once_more(web: Web) -> None:
    def first_fails(handler: BaseHTTPRequestHandler) -> None:
        status = 503 if web.asked("/feed") == 1 else 200
        handler.send_response(status)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    assert fetcher().fetch(web.script("/feed", first_fails)).body == b"ok"
    assert web.asked("/feed") == 2


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (410, 1), (429, 1), (500, 2), (503, 2)])
def test_considered_answers_are_not_asked_for_again(web: Web, status: int, asked: int) -> None:
    failed = failure(fetcher(), web.serve("/feed", b"no", status=status))
    assert (failed.reason, failed.status) == (f"http_{status}", status)
    assert web.asked("/feed") == asked


def test_retry_after_is_handed_on_and_not_slept_through(web: Web) -> None:
    failed = failure(fetcher(), web.serve("/feed", status=503, Retry_After="120"))
    assert failed.retry_after == 120.0
    assert web.asked("/feed") == 1
    late = failure(fetcher(), web.serve("/late", status=429, Retry_After="Tue, 03 Nov 2099 10:00:00 GMT"))
    assert late.retry_after == 86_400.0
    assert failure(fetcher(), web.serve("/odd", status=429, Retry_After="soon")).retry_after is None


def drip(handler: BaseHTTPRequestHandler, start: bytes) -> None:
    handler.wfile.write(start)
    for _ in range(100):
        try:
            handler.wfile.write(b"x")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
def test_answer_that_drips_is_cut_off_by_the_wall_clock(web: Web, start: bytes) -> None:
    url = web.script("/slow", lambda handler: drip(handler, start))
    assert failure(fetcher(timeout_seconds=0.4), url).reason == "timeout"


def test_body_shorter_than_promised_is_a_failure(web: Web) -> None:
    def short(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        handler.close_connection = True

    assert failure(fetcher(), web.script("/short", short)).reason in {"reset", "connect"}


def test_deadline_of_the_caller_shortens_the_budget(web: Web) -> None:
    of = fetcher()
    assert failure(of, web.serve("/", b"x"), deadline=of.clock() - 1).reason == "timeout"
    assert web.requests == []


@pytest.fixture
def tls_site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """(address, file of the authority that signed its certificate); it answers /slow in drips."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("feed.example").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/slow":
                drip(self, b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n")
                return
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"secure")

        def log_message(self, format: str, *args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://feed.example:{server.server_port}", tmp_path / "ca.pem"
    server.shutdown()
    server.server_close()
    thread.join()


def test_certificates_are_checked_by_name_against_the_usual_and_one_more_authority(tls_site: tuple[str, Path]) -> None:
    base, authority = tls_site
    options: dict[str, Any] = {"resolve": lambda _host, _port: ["127.0.0.1"]}
    assert fetcher(ca_file=authority, **options).fetch(f"{base}/").body == b"secure"
    assert failure(fetcher(**options), f"{base}/").reason == "tls"
    assert failure(fetcher(ca_file=authority, **options), f"{base}/".replace("feed.", "other.")).reason == "tls"


def test_secure_answer_that_drips_is_cut_off_too(tls_site: tuple[str, Path]) -> None:
    base, authority = tls_site
    of = fetcher(ca_file=authority, resolve=lambda _host, _port: ["127.0.0.1"], timeout_seconds=0.5)
    assert failure(of, f"{base}/slow").reason == "timeout"
