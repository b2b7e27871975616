"""Domains: FSV-10, A-FS-26."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching.domains import company_domain, email_domain, registrable_domain

TYPED = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"(https?://)?([a-zA-Z0-9_-]{1,9}\.){0,4}[a-zA-Z]{2,6}(:\d{1,4})?(/[a-z]*)?", fullmatch=True),
    st.builds("{}.{}".format, st.text(max_size=12), st.sampled_from(["com", "co.uk", "de", "公司.cn", "github.io", "example"])),
)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("brightloom.ai", "brightloom.ai"),
        ("https://www.Brightloom.AI/about?x=1#y", "brightloom.ai"),
        ("support.brightloom.ai", "brightloom.ai"),
        ("  HTTP://user:secret@brightloom.ai.:8443/ ", "brightloom.ai"),
        ("//brightloom.ai", "brightloom.ai"),
        ("sales@brightloom.co.uk", "brightloom.co.uk"),
        ("mailto:sales@brightloom.co.uk", "brightloom.co.uk"),
        ("www.Bäckerei-Vogt.de", "xn--bckerei-vogt-gcb.de"),
        ("xn--bckerei-vogt-gcb.de", "xn--bckerei-vogt-gcb.de"),
        ("chem.example.ac.uk", "example.ac.uk"),
        ("vogt.github.io", "vogt.github.io"),
        ("www.vogt.github.io", "vogt.github.io"),
        ("https://vogt.myshopify.com/products", "vogt.myshopify.com"),
        ("https://brightloom.ai@elsewhere.example", "elsewhere.example"),
        ("a.b.example", "b.example"),
    ],
)
def test_what_users_type_becomes_the_registrable_domain(typed: str, domain: str) -> None:
    """A-FS-26, FSV-10"""
    assert registrable_domain(typed) == domain


@pytest.mark.parametrize(
    "typed",
    [None, "", "   ", "n/a", "brightloom", "com", "co.uk", "github.io", "www.github.io", "公司.cn", ".brightloom.ai", "a..com",
     "192.168.1.10", "http://10.0.0.1:80/", "http://[2001:db8::1]/", "bright loom.ai", "-", "http://", "x" * 5000],
)  # fmt: skip
def test_what_names_no_registrable_domain_gives_none(typed: str | None) -> None:
    assert registrable_domain(typed) is None


@given(TYPED)
def test_registrable_domain_is_total_and_idempotent(text: str) -> None:
    domain = registrable_domain(text)
    if domain is not None:
        assert registrable_domain(domain) == domain
        assert registrable_domain(domain.upper()) == domain
        assert registrable_domain(f"https://{domain}/x") == domain
        assert domain.isascii()
        assert "." in domain


@given(TYPED)
def test_company_domain_and_email_domain_are_total(text: str) -> None:
    assert company_domain(text) in {registrable_domain(text), None}
    domain = email_domain(text)
    if domain is not None:
        assert email_domain(f"someone@{domain}") == domain


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("Sarah@Brightloom.AI", "brightloom.ai"),
        ("sarah+news@mail.brightloom.ai", "brightloom.ai"),
        ('"sarah@home"@brightloom.ai', "brightloom.ai"),
        ("Sarah Vogt <sarah@brightloom.ai>", "brightloom.ai"),
        ("info@Bäckerei-Vogt.de", "xn--bckerei-vogt-gcb.de"),
    ],
)
def test_email_domain_is_the_registrable_domain_after_the_at(email: str, domain: str) -> None:
    assert email_domain(email) == domain


@pytest.mark.parametrize("email", [None, "", "sarah", "brightloom.ai", "sarah@", "sarah@localhost", "sarah@[10.0.0.1]"])
def test_text_that_is_no_address_has_no_email_domain(email: str | None) -> None:
    assert email_domain(email) is None


@pytest.mark.parametrize(
    "provider",
    ["gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "aol.com", "icloud.com", "me.com",
     "mac.com", "protonmail.com", "proton.me", "pm.me", "mail.com", "gmx.com", "zoho.com", "fastmail.com",
     "yahoo.co.uk", "gmx.de", "web.de", "qq.com", "naver.com", "mail.ru", "laposte.net", "privaterelay.appleid.com"],
)  # fmt: skip
def test_free_mail_addresses_identify_no_company(provider: str) -> None:
    """FSV-10"""
    assert email_domain(f"someone@{provider}") is None
    assert email_domain(f"Someone@{provider.upper()}") is None


@pytest.mark.parametrize("domain", ["orange.com", "verizon.com", "easypost.com", "appleid.com", "telekom.de", "brightloom.ai"])
def test_work_domains_of_providers_are_no_free_mail(domain: str) -> None:
    assert email_domain(f"a@{domain}") == domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("https://www.linkedin.com/company/brightloom", None),
        ("facebook.com/brightloom/", None),
        ("https://bit.ly/3xYz", None),
        ("https://play.google.com/store/apps/details?id=x", None),
        ("https://www.linkedin.com/", "linkedin.com"),
        ("linkedin.com/about", "linkedin.com"),
        ("google.com/search", "google.com"),
        ("https://brightloom.ai/company/team", "brightloom.ai"),
    ],
)
def test_a_page_on_a_shared_site_identifies_nobody(typed: str, domain: str | None) -> None:
    assert company_domain(typed) == domain
