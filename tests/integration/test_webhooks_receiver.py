"""The receiver that the demo and `fundingscout receiver` use: refuses what is not signed, reports repeats, stops cleanly."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from pipeline.webhooks.receiver import Received, Receiver, serve, throwaway_certificate
from pipeline.webhooks.signing import fundingscout_signature

SECRET = "fs_whsec_" + "a" * 32


def post(receiver: Receiver, ca_file: Path, body: bytes, signature: str | None) -> tuple[int, dict[str, object]]:
    headers = {"Content-Type": "application/json"} | ({"X-FundingScout-Signature": signature} if signature else {})
    request = urllib.request.Request(receiver.url, body, headers)
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ca_file))) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_signed_delivery_is_accepted_and_its_repeat_reported(tmp_path: Path) -> None:
    seen: list[Received] = []
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    log_file = tmp_path / "deliveries.jsonl"
    body = b'{"match_id":"m1"}'
    with Receiver(["fs_whsec_other", SECRET], certificate, seen.append, log_file=log_file) as receiver:
        signature = fundingscout_signature(SECRET, body)
        assert post(receiver, tmp_path / "ca.pem", body, signature) == (200, {"ok": True, "duplicate": False})
        assert post(receiver, tmp_path / "ca.pem", body, signature) == (200, {"ok": True, "duplicate": True})
        assert receiver.duplicates == ["m1"]
    assert [item.is_duplicate for item in seen] == [False, True]
    assert [json.loads(line)["match_id"] for line in log_file.read_text().splitlines()] == ["m1", "m1"]


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "ä"])
def test_fs_79_unsigned_or_tampered_delivery_is_refused(tmp_path: Path, signature: str | None) -> None:
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    with Receiver([SECRET], certificate) as receiver:
        assert post(receiver, tmp_path / "ca.pem", b'{"match_id":"m1"}', signature)[0] == 401
        assert [(item.is_verified, item.match_id) for item in receiver.received] == [(False, None)]


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"match_id":7}'])
def test_signed_body_that_is_no_match_has_no_match_id(tmp_path: Path, body: bytes) -> None:
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    with Receiver([SECRET], certificate) as receiver:
        assert post(receiver, tmp_path / "ca.pem", body, fundingscout_signature(SECRET, body))[0] == 200
        assert [item.match_id for item in receiver.received] == [None]


def test_stop_frees_the_port_and_may_be_called_twice(tmp_path: Path) -> None:
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    receiver = serve("127.0.0.1", 0, [SECRET], certificate)
    port = urlsplit(receiver.url).port
    assert port
    receiver.stop()
    receiver.stop()
    receiver.wait()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RuntimeError, match="can't listen"):
            serve("127.0.0.1", taken.getsockname()[1], [SECRET], certificate)
