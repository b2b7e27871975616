"""News in words that no weight was fitted on: what is read of it. Invented companies, the phrases of wires and media of "
"many countries."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.signals.extract import extract
from pipeline.signals.jsonl import document_of
from pipeline.signals.model import Mention
from pipeline.signals.rates import reference_rates


def reading(title: str, body: str = "") -> Mention:
    return extract(document_of({"id": "n", "title": title, "body": body, "url": ""}), reference_rates())


@pytest.mark.parametrize(
    ("title", "company", "amount", "currency", "funding_type"),
    [
        (
            "Warehouse robotics startup Palletino raises $18M Series A led by Cargo Ventures",
            "Palletino",
            18000000,
            "USD",
            "series-a",
        ),
        ("Palletino stacks up $18M for warehouse robots", "Palletino", 18000000, "USD", None),
        ("Warsaw-based Palletino closes €18M round", "Palletino", 18000000, "EUR", None),
        ("Palletino gets $18M from Cargo Ventures and Northlight", "Palletino", 18000000, "USD", None),
        ("Cargo Ventures leads $18M Series A in warehouse robot maker Palletino", "Palletino", 18000000, "USD", "series-a"),
        ("Palletino Secures $18 Million to Automate Warehouses Across Europe", "Palletino", 18000000, "USD", None),
        ("Exclusive: Palletino nabs $18M at $90M valuation", "Palletino", 18000000, "USD", None),
        ("Dairy-tech startup Doodhwala bags ₹8 Cr in seed funding", "Doodhwala", 80000000, "INR", "seed"),
        ("Doodhwala raises Rs 8 crore led by We Founders Fund", "Doodhwala", 80000000, "INR", None),
        ("Doodhwala Raises $1 Mn From Inflexor-like Fund, Angels", "Doodhwala", 1000000, "USD", None),
        (
            "[Funding alert] Dairy startup Doodhwala secures Rs 8 Cr in pre-Series A",
            "Doodhwala",
            80000000,
            "INR",
            "pre-series-a",
        ),
        ("Doodhwala raises seed funding from Titan Angels, others", "Doodhwala", None, None, "seed"),
        ("Mental health app Calmora raises $6.2m to expand in Brazil", "Calmora", 6200000, "USD", None),
        ("Brazil's Calmora raises R$30 million", "Calmora", 30000000, "BRL", None),
        ("Calmora, a therapy app for teens, lands $6.2M seed round", "Calmora", 6200000, "USD", "seed"),
        ("Calmora co-founders raise $6.2M seed", "Calmora", 6200000, "USD", "seed"),
        ("Fusion startup Heliocast fires up with $200M Series B", "Heliocast", 200000000, "USD", "series-b"),
        ("Heliocast raises $200M in one of the largest fusion rounds", "Heliocast", 200000000, "USD", None),
        ("Heliocast Announces $200 Million Series B Financing Led by Northlight", "Heliocast", 200000000, "USD", "series-b"),
        ("Oxford spinout Heliocast secures £12m seed funding", "Heliocast", 12000000, "GBP", "seed"),
        ("Northlight Leads Heliocast's $200M Round", "Heliocast", 200000000, "USD", None),
        ("Heliocast Raises $200M; Northlight Leads", "Heliocast", 200000000, "USD", None),
        ("Chainsail raises $7M to secure cross-chain messaging", "Chainsail", 7000000, "USD", None),
        ("Chainsail Raises $7M Seed Led by Dragoncrypt", "Chainsail", 7000000, "USD", "seed"),
        ("Chainsail Completes $7M Funding Round Backed by Leading VCs", "Chainsail", 7000000, "USD", None),
        ("Chainsail Announces Strategic Investment from Northlight Digital", "Chainsail", None, None, "strategic"),
        ("Legal AI firm Lexipo doubles valuation with $50M Series C", "Lexipo", 50000000, "USD", "series-c"),
        ("Lexipo hauls in $50M from Northlight to automate contracts", "Lexipo", 50000000, "USD", None),
        ("Atlanta startup Lexipo raises $50 million", "Lexipo", 50000000, "USD", None),
    ],
)
def test_company_amount_and_type_are_read_from_headlines(
    title: str, company: str, amount: int | None, currency: str | None, funding_type: str | None
) -> None:
    found = reading(title)
    assert found.is_funding
    assert found.company_name == company
    assert found.amount == (None if amount is None else Decimal(amount))
    assert found.currency == currency
    assert found.funding_type == funding_type


@pytest.mark.parametrize(
    "title",
    [
        "Palletino to open $18M robot plant in Ohio",
        "Palletino wins $18M order from DHL-like carrier",
        "Palletino acquires rival Boxbot for $18M",
        "Palletino sued for $18M over robot accident",
        "Palletino considering sale, could fetch $300M",
        "Palletino goes public via SPAC at $1B valuation",
        "Palletino CEO on robots, unions and the next recession",
        "Cargo Ventures raises €200M Fund IV",
        "Cargo Ventures makes final close of €200M logistics fund",
        "Cargo Ventures hires partner from Northlight",
        "Logistics startups attracted $2B in Q2: report",
        "12 logistics startups to watch in 2026",
        "Doodhwala to raise Rs 80 Cr at 3x valuation",
        "Doodhwala seeks Rs 80 Cr in fresh funds",
        "Doodhwala gets NCLT nod for Rs 80 Cr merger",
        "Doodhwala posts Rs 8 Cr profit in FY25",
        "Doodhwala raises milk prices by Rs 2",
        "Doodhwala gets Rs 8 Cr loan from SIDBI",
        "Calmora receives $1M Google.org grant",
        "Calmora data breach exposes 200,000 users",
        "Calmora hits 1M downloads after $6.2M seed",
        "Heliocast wins $46M Department of Energy award",
        "Heliocast secures site for first plant",
        "Heliocast stock offering raises $200M",
        "Chainsail token sale raises $7M in minutes",
        "Chainsail treasury moves $7M to exchange",
        "Lexipo cuts 50 jobs, a year after $50M round",
        "Lexipo raises outlook after strong quarter",
        "Alumni raise $200,000 for stadium",
    ],
)
def test_other_news_of_money_is_no_round(title: str) -> None:
    found = reading(title)
    assert not found.is_funding
    assert found.company_name is None or found.signal_type != "funding_round"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Lexipo taps former judge as general counsel",
            "Lexipo, which raised $50 million in Series C funding led by Northlight in May, has hired Ann Fry as general "
            "counsel.",
        ),
        (
            "DHL-like carrier rolls out Palletino robots",
            "The carrier will deploy 300 robots made by Palletino. Palletino is backed by Cargo Ventures and Northlight and "
            "raised €18 million in 2024.",
        ),
        (
            "Heliocast and utility sign power deal",
            "Heliocast will sell power to the utility from 2032. The startup has raised more than $300 million from "
            "investors including Northlight.",
        ),
        (
            "Northlight's portfolio company Chainsail launches mainnet",
            "Chainsail's mainnet went live. Northlight led the project's $7M seed round last year.",
        ),
    ],
)
def test_a_round_told_as_background_makes_no_round(title: str, body: str) -> None:
    assert not reading(title, body).is_funding


def test_a_round_in_the_middle_of_a_feature_is_read_with_its_investors() -> None:
    found = reading(
        "Palletino's robots stack 900 boxes an hour",
        "In a hall outside Warsaw, forty orange robots never stop. They belong to Palletino, a three-year-old company that "
        "rents them by the hour.\nPalletino has now raised €18 million in a Series A led by Cargo Ventures, with "
        "participation from Northlight and existing investor Vistula Capital, the company told us exclusively.\n“We want to "
        "be the Uber of boxes,” said chief executive Ewa Nowak.",
    )
    assert found.is_funding
    assert (found.company_name, found.amount, found.currency) == ("Palletino", Decimal(18_000_000), "EUR")
    assert found.lead_investors == ["Cargo Ventures"]
    assert [investor.name for investor in found.investors] == ["Cargo Ventures", "Northlight", "Vistula Capital"]
    assert found.ceo_name == "Ewa Nowak"


def test_every_value_of_a_round_has_the_text_it_was_read_from() -> None:
    found = reading("Palletino raises $18M Series A led by Cargo Ventures")
    shown = {evidence.field: evidence.text for evidence in found.evidence}
    assert shown.keys() >= {"company_name", "amount", "funding_type", "lead_investor"}
    assert all("Palletino raises $18M" in text for text in shown.values())
