"""Hundreds of hostile webhook URLs, each refused with the rule that it breaks (FS-31 to FS-34, A-FS-16)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.webhooks.urls import UrlRefused, check_url

TABLE = yaml.safe_load((Path(__file__).parents[1] / "net" / "hostile_urls.yaml").read_text(encoding="utf-8"))
TOO_LONG = {
    f"https://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 63}.example/": "host",
    f"https://{'.'.join('a' * 127)}.example/": "host",
    f"https://{'ü' * 64}.example.com/": "host",
    f"https://hooks.example.com/{'a' * 2048}": "too_long",
    f"https://hooks.example.com/?{'q' * 2048}": "too_long",
    f"https://hooks.example.com:{'0' * 3000}443/": "too_long",
    f"https://{'a.' * 2000}example.com/": "too_long",
}


def cases() -> Iterator[Any]:
    for group in TABLE:
        for number, url in enumerate(group["urls"]):
            yield pytest.param(url, group["rule"], id=f"{group['name']} {number}")
    for number, (url, rule) in enumerate(TOO_LONG.items()):
        yield pytest.param(url, rule, id=f"long {number}")


@pytest.mark.parametrize(("url", "rule"), list(cases()))
def test_hostile_url_is_refused_with_the_rule_it_breaks(url: str, rule: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check_url(url)
    assert refused.value.rule == rule, str(refused.value)


def test_the_table_has_no_url_twice() -> None:
    urls = [url for group in TABLE for url in group["urls"]]
    assert len(set(urls)) == len(urls) > 600


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://010.0.0.1/", "https://8.0.0.1/"),  # octal: not the private network that it looks like
        ("https://127.1.example.com/", "https://127.1.example.com/"),
        ("https://127.0.0.1.nip.example/", "https://127.0.0.1.nip.example/"),  # judged when it is resolved
        ("https://0x7f.example/", "https://0x7f.example/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://internal.example.com/", "https://internal.example.com/"),
        ("https://onion.example/", "https://onion.example/"),
    ],
)
def test_harmless_url_that_looks_hostile_is_stored_as_what_it_means(url: str, stored: str) -> None:
    assert check_url(url) == stored


def test_names_of_one_label_and_internal_ones_are_for_operators_who_allow_private_networks() -> None:
    networks = [ip_network("10.0.0.0/8")]
    for url in ("https://intranet/hooks", "https://hooks.corp.internal:8443/", "https://nas.home.arpa/"):
        assert check_url(url, networks) == url
        with pytest.raises(UrlRefused, match="public name"):
            check_url(url)
