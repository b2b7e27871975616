"""Names: FSV-11, A-FS-26."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching.names import normal_form, squashed

NAMES = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["the", "Acme", "A", "B", "Inc.", "S.p.A.", "Co.,", "Ltd", "&", "and", "GmbH", "KG", "Group", "+",
                         "E.E.Corporation", "株式会社", "有限公司", "Ørsted", "İ", "ß", "O'Brien", "sp.", "z", "o.o."]),
        max_size=7,
    ).map(" ".join),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Vellum AI, Inc.", "vellum ai"),
        ("Visa", "visa"),
        ("Cisco", "cisco"),
        ("Costco", "costco"),
        ("Limited Run, LLC", "limited run"),
        ("Marengo S.p.A.", "marengo"),
        ("Marengo S. p. A.", "marengo"),
        ("Tanabe Co., Ltd.", "tanabe"),
        ("TANABE.CO.,LTD.", "tanabe"),
        ("Vogt & Co.", "vogt"),
        ("Vogt & Söhne GmbH & Co. KG", "vogt and sohne"),
        ("Vogt and Söhne", "vogt and sohne"),
        ("Straßer AG", "strasser"),
        ("Ørnholt A/S", "ornholt"),
        ("Łabędź Sp. z o.o.", "labedz"),
        ("Alborada, S. de R.L. de C.V.", "alborada"),
        ("J. P. Vogt", "jp vogt"),
        ("JP Vogt", "jp vogt"),
        ("The Vogt Group", "vogt"),
        ("Vogt Depot, The", "vogt depot"),
        ("PT Sinar Vogt Tbk", "sinar vogt"),
        ("青山技术有限公司", "青山技术"),
        ("株式会社アオヤマ", "アオヤマ"),
        ("Vogt+", "vogt plus"),
        ("O'Vogt’s", "ovogts"),
        ("Tell Me", "tell me"),
        ("Vogt (Pty) Ltd", "vogt"),
        ("Vogt.Co", "vogtco"),
        ("vogt.as", "vogtas"),
        ("Vogt Co", "vogt"),
        ("Vogt A.S.", "vogt"),
        ("VOGT.INC", "vogt"),
        ("vogt.io", "vogt io"),
    ],
)
def test_comparison_form(name: str, form: str) -> None:
    """FSV-11, A-FS-26: legal forms go only as whole trailing words."""
    assert normal_form(name) == form


@pytest.mark.parametrize("name", ["Inc", "The Company", "Holdings Group", "Co", "株式会社", "The"])
def test_a_name_of_nothing_but_legal_words_keeps_them(name: str) -> None:
    assert normal_form(name) == name.lower()


@pytest.mark.parametrize("name", [None, "", "  ", "!!!", "...", "\u0301"])
def test_a_name_without_letters_has_an_empty_form(name: str | None) -> None:
    assert normal_form(name) == ""


@given(NAMES)
def test_comparison_form_is_total_and_idempotent(name: str) -> None:
    form = normal_form(name)
    assert normal_form(form) == form
    assert form == " ".join(form.split())
    if any(c.isalpha() and c.isascii() for c in name):
        assert form


@given(NAMES.filter(str.isascii))
def test_case_makes_no_difference(name: str) -> None:
    assert normal_form(name.upper()) == normal_form(name.lower())


def test_squashed_form_ignores_spacing() -> None:
    assert squashed(normal_form("Go Vogt, Inc.")) == squashed(normal_form("GoVogt"))
