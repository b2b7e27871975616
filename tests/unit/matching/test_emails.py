"""E-mail addresses as CRMs hold them: FSV-10, A-FS-23."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching.emails import MailKind, read_address

WORK, ROLE, FREE, AUTOMATED, DISPOSABLE, NONE = (
    MailKind.WORK, MailKind.ROLE, MailKind.FREE, MailKind.AUTOMATED, MailKind.DISPOSABLE, MailKind.NONE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("jo.vogt@brightloom.ai", WORK, "brightloom.ai"),
        ("  JO@MAIL.BRIGHTLOOM.AI. ", WORK, "brightloom.ai"),
        ("jo+crm@brightloom.ai", WORK, "brightloom.ai"),
        ("o'neil@brightloom.ai", WORK, "brightloom.ai"),
        ('"jo vogt"@brightloom.ai', WORK, "brightloom.ai"),
        ('"jo@home"@brightloom.ai', WORK, "brightloom.ai"),
        ('"a\\"b"@brightloom.ai', WORK, "brightloom.ai"),
        ("Jo Vogt <jo@brightloom.ai>", WORK, "brightloom.ai"),
        ('"Vogt, Jo" <jo@brightloom.ai>', WORK, "brightloom.ai"),
        ("jo@gmail.com <jo@brightloom.ai>", WORK, "brightloom.ai"),
        ("jo@brightloom.ai (work)", WORK, "brightloom.ai"),
        ("jo@brightloom.ai; jo@gmail.com", WORK, "brightloom.ai"),
        ("jo@brightloom.ai,jo2@other.ai", WORK, "brightloom.ai"),
        ("MAILTO:jo@brightloom.ai?subject=Hello", WORK, "brightloom.ai"),
        ("mailto:jo%40brightloom.ai", WORK, "brightloom.ai"),
        ("jo＠brightloom.ai", WORK, "brightloom.ai"),
        ("jo @ brightloom.ai", WORK, "brightloom.ai"),
        ("jo@bäckerei-vogt.de", WORK, "xn--bckerei-vogt-gcb.de"),
        ("用户@食狮.公司.cn", WORK, "xn--85x722f.xn--55qx5d.cn"),
        ("jo@cs.harbour.edu", WORK, "cs.harbour.edu"),
        ("jo@mail.harbour.edu", WORK, "harbour.edu"),
        ("info@brightloom.ai", ROLE, "brightloom.ai"),
        ("Customer-Service@brightloom.ai", ROLE, "brightloom.ai"),
        ("sales+eu@brightloom.ai", ROLE, "brightloom.ai"),
        ("no-reply@brightloom.ai", AUTOMATED, None),
        ("DoNotReply@mail.brightloom.ai", AUTOMATED, None),
        ("mailer-daemon@brightloom.ai", AUTOMATED, None),
        ("notifications@brightloom.ai", AUTOMATED, None),
        ("jo@gmail.com", FREE, None),
        ("info@web.de", FREE, None),
        ("jo@yahoo.com.sg", FREE, None),
        ("jo@hotmail.rs", FREE, None),
        ("jo@outllook.com", FREE, None),
        ("jo@gmail.con", FREE, None),
        ("jo@mailinator.com", DISPOSABLE, None),
        ("jo@x.mailinator.com", DISPOSABLE, None),
        ("jo@easypost.com", WORK, "easypost.com"),
        ("jo@verizon.com", WORK, "verizon.com"),
        ("jo@cox.com", WORK, "cox.com"),
        ("jo@cox.net", FREE, None),
        ("jo@grail.com", WORK, "grail.com"),
        ("jo@yahooligans.example", WORK, "yahooligans.example"),
        ("", NONE, None),
        ("jo", NONE, None),
        ("jo@", NONE, None),
        ("@brightloom.ai", NONE, None),
        ("jo@localhost", NONE, None),
        ("jo@192.168.0.1", NONE, None),
        ("jo@[192.168.0.1]", NONE, None),
        ("jo at brightloom.ai", NONE, None),
        ("n/a", NONE, None),
    ],
)
def test_an_address_names_its_company_or_nobody(text: str, kind: MailKind, key: str | None) -> None:
    address = read_address(text)
    assert (address.kind, address.key) == (kind, key)


@given(st.one_of(st.text(max_size=80), st.from_regex(r'"?[^\n]{0,20}"?@[^\n]{0,30}', fullmatch=True)))
def test_reading_is_total_and_only_companies_have_a_key(text: str) -> None:
    address = read_address(text)
    assert (address.key is not None) == (address.kind in (WORK, ROLE))


def test_long_hostile_text_is_read_in_no_time() -> None:
    for text in ("a" * 4_000 + "@", '"' + "\\a" * 2_000, "a@" * 2_000, "<" * 4_000 + "@" * 90, "a@b," * 1_000):
        assert read_address(text).key is None
