"""German, French and Spanish: plain headlines are read, all else is set aside with its language."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.single import document_of_text
from pipeline.signals.extract import extract
from pipeline.signals.foreign_headlines import read_foreign
from pipeline.signals.language import language_of
from pipeline.signals.model import Mention
from pipeline.signals.rates import reference_rates


def read(text: str) -> Mention:
    return extract(document_of_text(text, "", datetime(2026, 3, 2, tzinfo=UTC)), reference_rates())


@pytest.mark.parametrize(
    ("title", "language", "amount", "currency", "kind", "lead"),
    [
        ("Quernstone lève 5 millions d'euros en série A auprès de Fen Ventures", "fr",
         5_000_000, "EUR", "series-a", "Fen Ventures"),
        ("La fintech Quernstone boucle un tour de table de 12,5 M€", "fr", 12_500_000, "EUR", None, None),
        ("Das Berliner Start-up Quernstone erhält 4,2 Mio. Euro in Seed-Runde", "de", 4_200_000, "EUR", "seed", None),
        ("Quernstone schließt Series-A-Finanzierungsrunde über 5 Millionen Euro ab", "de", 5_000_000, "EUR", "series-a", None),
        ("Quernstone sichert sich 15 Millionen Euro, angeführt von Fen Ventures", "de", 15_000_000, "EUR", None, "Fen Ventures"),
        ("La startup Quernstone levanta 12 millones de dólares en una ronda Serie B liderada por Fen Ventures", "es",
         12_000_000, "USD", "series-b", "Fen Ventures"),
        ("Quernstone cierra una ronda de 3 millones de euros", "es", 3_000_000, "EUR", None, None),
    ],
)  # fmt: skip
def test_a_plain_headline_is_read(
    title: str, language: str, amount: int, currency: str, kind: str | None, lead: str | None
) -> None:
    found = read(title)
    assert found.is_funding
    assert (found.language, found.company_name, found.amount, found.currency) == (
        language,
        "Quernstone",
        Decimal(amount),
        currency,
    )
    assert (found.funding_type, found.lead_investors) == (kind, [lead] if lead else [])
    assert all(each.text == title for each in found.evidence)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Quernstone erhält einen Kredit über 5 Millionen Euro", "de"),
        ("Die Stadt Reno erhält 5 Millionen Euro für Mühlen", "de"),
        ("Quernstone erzielt 15 Millionen Euro Umsatz", "de"),
        ("Quernstone annonce un chiffre d'affaires de 5 millions d'euros", "fr"),
        ("Quernstone veut lever 5 millions d'euros pour une série A", "fr"),
        ("Quernstone cierra el año con 3 millones de euros en ventas", "es"),
        ("Quernstone busca una ronda de 3 millones de euros", "es"),
        ("Quernstone raccoglie 5 milioni di euro con un finanziamento", "it"),
        ("Quernstone haalt 5 miljoen euro investering op", "nl"),
        ("Quernstone recebe aporte de 5 milhões de reais em rodada", "pt"),
    ],
)
def test_anything_else_is_set_aside_with_its_language(title: str, language: str) -> None:
    found = read(title)
    assert (found.is_funding, found.set_aside_reason, found.language) == (False, "language", language)


@pytest.mark.parametrize(
    "title",
    [
        "Quernstone raises $5M",
        "Casa Modelo bags €3M seed",
        "Le Moulin closes Series A",
        "Die Mill raises 5 million euros",
        "Una lands $4M",
    ],
)
def test_english_headlines_with_foreign_names_stay_english(title: str) -> None:
    assert language_of(title) in (None, "en")
    assert read(title).set_aside_reason != "language"


@given(st.text(max_size=120), st.sampled_from(["de", "fr", "es", "xx"]))
def test_reading_is_total(title: str, language: str) -> None:
    found = read_foreign(title, language)
    assert found is None or found.amount >= 0
