from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.language import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The company has raised money for its pumps and will hire people in the north.", "en"),
        ("Das Unternehmen hat in einer Finanzierungsrunde Geld erhalten und wird damit die Produktion ausbauen.", "de"),
        ("La société a levé des fonds pour accélérer le développement de ses pompes dans les villes.", "fr"),
        ("La empresa ha cerrado una ronda para las ciudades del norte y más países con sus socios.", "es"),
        (
            "Lampéo lève 4 millions d'euros\nLa startup annonce une levée de fonds de 4 millions d'euros à Lyon.",
            "fr",
        ),
        ("Pompa, 4 milyon dolar yatırım aldı\nŞirket bu yatırım ile ekibi için yeni bir ofis açacak.", "tr"),
        ("同社は資金調達を実施したと発表した。", "ja"),
        ("Компания привлекла инвестиции на развитие.", "ru"),
    ],
)
def test_a_language_is_told_by_its_function_words_or_script(text: str, code: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize("text", ["", "Acme raises $3M", "1234 %%"])
def test_too_little_text_has_no_language(text: str) -> None:
    assert language_of(text) is None


def test_foreign_names_do_not_make_english_foreign() -> None:
    assert language_of("Banco de la Plaza and Les Amis de Paris said that the deal is for the growth of their firms.") == "en"


@given(st.text())
def test_telling_a_language_is_total(text: str) -> None:
    told = language_of(text)
    assert told is None or (len(told) == 2 and told.islower())
