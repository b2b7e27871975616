"""Keys of whole columns equal the keys of single values."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from pipeline.matching import columns
from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.names import normal_form

MANY = 4_000
NAME_PARTS = [
    "Quorvexa",
    "THE",
    "the",
    "Acme",
    "A",
    "B.",
    "Inc.",
    "S.p.A.",
    "Co.,",
    "Ltd",
    "&",
    "and",
    "GmbH",
    "KG",
    "Group",
    "+",
    "o.o.",
    "sp.",
    "z",
    "Ørsted",
    "株式会社",
    "O'Brien",
    '"Bright"',
    "Loom-Works",
    "pt",
    "Holdings",
    "(UK)",
    "\t",
    "x\x00y",
    "Company",
    "1&1",
    "E.E.Vogt",
    "L",
    "P",
    "Vogt.Co",
    "Mid.AS ",
    "The",
    "Société",
    "a\u0300 là",
    "日本",
]
HOSTS = [
    "quorvexa.com",
    "www.quorvexa.com",
    "bücher.example",
    "github.io",
    "acme.github.io",
    "linkedin.com",
    "www.uberspace.de",
    "co.uk",
    "vogt.co.uk",
    "mail.vogt.ac.jp",
    "10.0.0.1",
    "localhost",
    "a..b",
    "-x.com",
    "x-.de",
    "xn--bcher-kva.de",
    "myshopify.com",
    "shop.myshopify.com",
    "library.harvard.edu",
    "yahoo.fr",
    "gmail.com",
    "zendesk.com",
    "help.zendesk.com",
    "acme.zendesk.com",
    "foo_bar.com",
    "VOGT.DE.",
    "vogt.invalidtld",
    "a" * 70 + ".com",
]
BEFORE = ["", "", "http://", "HTTPS://", " ", "ftp://", "//", "user:pw@", "mailto:"]
AFTER = ["", "", "/", "/about", "?q=a@b.c", "#x", ":8080", ":8080/x", " ", ",other.com", "/company/acme"]
LOCALS = ["jo", "Jo.Vogt", "jo+tag", "noreply", "no-reply", "info", '"jo vogt"', "jo vogt", "", "postmaster", "jo@x"]


def names(pick: random.Random) -> str | None:
    return None if pick.random() < 0.02 else pick.choice(["", " ", "-"]).join(pick.choices(NAME_PARTS, k=pick.randint(0, 6)))


def urls(pick: random.Random) -> str | None:
    return None if pick.random() < 0.02 else pick.choice(BEFORE) + pick.choice(HOSTS) + pick.choice(AFTER)


def emails(pick: random.Random) -> str | None:
    text = f"{pick.choice(LOCALS)}@{pick.choice(HOSTS)}"
    return pick.choice([None, text, text, text, text.upper(), f"Jo <{text}>", text + "\n"])


@pytest.mark.parametrize(
    ("whole", "single", "make"),
    [
        (columns.normal_forms, normal_form, names),
        (columns.company_domains, company_domain, urls),
        (columns.email_domains, email_domain, emails),
    ],
)
def test_a_column_gives_what_its_values_give(whole, single, make) -> None:  # type: ignore[no-untyped-def]
    pick = random.Random(11)
    values = [make(pick) for _ in range(MANY)]
    found = whole(pa.chunked_array([pa.array(values[:1500], pa.string()), pa.array(values[1500:], pa.string())])).to_pylist()
    different = [(value, one, single(value)) for value, one in zip(values, found, strict=True) if one != single(value)]
    assert different == []
    assert whole(pa.array(values[:20], pa.string())).to_pylist() == found[:20]


@pytest.mark.parametrize("whole", [columns.normal_forms, columns.company_domains, columns.email_domains])
def test_columns_without_values(whole) -> None:  # type: ignore[no-untyped-def]
    assert whole(pa.array([], pa.string())).to_pylist() == []
    empty = {columns.normal_forms: ""}.get(whole)
    assert whole(pa.nulls(1_000, pa.string())).to_pylist() == [empty] * 1_000
