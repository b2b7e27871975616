"""Domains: FSV-10, A-FS-26."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching import mail_domains, shared_hosts
from pipeline.matching.domains import company_domain, email_domain, explain, registrable_domain

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
def test_company_domain_and_email_domain_are_total_and_idempotent(text: str) -> None:
    company = company_domain(text)
    if company is not None:
        assert company_domain(company) == company
        assert company_domain(company.upper()) == company
        if "@" not in text:
            assert registrable_domain(company) == registrable_domain(text)
    domain = email_domain(text)
    if domain is not None:
        assert email_domain(f"someone@{domain}") == domain
    explain(text)


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
        ("https://www.crunchbase.com/company/", "crunchbase.com"),
        ("https://www.trustpilot.com/terms-of-service.html", "trustpilot.com"),
        ("https://de.linkedin.com/company/brightloom", None),
        ("https://apps.apple.com/us/app/brightloom/id1", None),
        ("https://www.crunchbase.com/organization/brightloom", None),
        ("https://www.amazon.de/stores/brightloom", None),
        ("https://boards.greenhouse.io/brightloom", None),
        ("https://www.greenhouse.io/", "greenhouse.io"),
        ("https://docs.google.com/forms/d/1", None),
        ("https://forms.gle/abc", None),
        ("wa.me/491701234567", None),
        ("https://lnkd.in/abc", None),
        ("https://www.google.com/maps", "google.com"),
        ("google.com/search", "google.com"),
        ("https://brightloom.ai/company/team", "brightloom.ai"),
    ],
)
def test_a_page_on_a_shared_site_identifies_nobody(typed: str, domain: str | None) -> None:
    assert company_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("brightloom.zendesk.com", "brightloom.zendesk.com"),
        ("https://brightloom.zendesk.com/hc/en-us", "brightloom.zendesk.com"),
        ("www.zendesk.com", "zendesk.com"),
        ("https://help.zendesk.com", "zendesk.com"),
        ("brightloom.squarespace.com", "brightloom.squarespace.com"),
        ("https://www.brightloom.wordpress.com/about", "brightloom.wordpress.com"),
        ("brightloom.wd5.myworkdayjobs.com/careers", "wd5.myworkdayjobs.com"),
        ("brightloom.my.salesforce.com", "brightloom.my.salesforce.com"),
        ("https://www.salesforce.com", "salesforce.com"),
        ("brightloom.myshopify.com", "brightloom.myshopify.com"),
        ("brightloom.github.io/site", "brightloom.github.io"),
        ("robotics.harbour.edu", "robotics.harbour.edu"),
        ("https://www.robotics.harbour.edu/people", "robotics.harbour.edu"),
        ("www.harbour.edu", "harbour.edu"),
        ("https://app.harbour.edu/login?x=1", "harbour.edu"),
        ("eu.harbour.ac.uk", "harbour.ac.uk"),
        ("spinoff.chem.harbour.ac.uk", "chem.harbour.ac.uk"),
        ("chem.harbour.ac", "harbour.ac"),
    ],
)
def test_a_part_of_a_host_that_has_an_owner_of_its_own_is_not_the_host(typed: str, domain: str) -> None:
    assert company_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("jo@brightloom.ai", "brightloom.ai"),
        ("mailto:jo@brightloom.ai?subject=hi", "brightloom.ai"),
        ("Jo Vogt <jo@brightloom.ai>", "brightloom.ai"),
        ("brightloom@gmail.com", None),
        ("jo@linkedin.com", "linkedin.com"),
        ("https://jo:secret@brightloom.ai:8443/x", "brightloom.ai"),
        ("https://medium.com/@brightloom", None),
        ("https://www.youtube.com/@brightloom", None),
    ],
)
def test_an_address_in_the_domain_field_counts_as_an_address(typed: str, domain: str | None) -> None:
    assert company_domain(typed) == domain


@pytest.mark.parametrize("typed", ["example.com", "https://www.example.org/x", "none.com", "test.com", "shop.yourdomain.com"])
def test_what_is_typed_because_a_form_insists_names_nobody(typed: str) -> None:
    assert company_domain(typed) is None
    assert email_domain(f"jo@{company_domain(typed) or typed}") is None


def test_every_listed_host_is_a_host_and_is_listed_once() -> None:
    seen: set[str] = set()
    for groups in shared_hosts._data().values():
        for reason, hosts in groups.items():
            assert len(reason) > 10
            for host in hosts:
                assert registrable_domain(f"x.{host}") is not None, host
                assert host == host.lower().strip()
                assert host not in seen, host
                seen.add(host)
    assert len(seen) > 800


def test_lists_of_providers_hold_the_seventeen_of_the_pages_and_thousands_beyond() -> None:
    """FSV-10; and no domain is called a provider by us and a company by us."""
    assert not mail_domains._ours() & mail_domains._companies()
    assert len(mail_domains._ours()) > 700
    assert len(mail_domains._ours() | mail_domains._theirs()) > 4_500


@pytest.mark.parametrize(
    ("typed", "key", "words"),
    [
        ("https://www.linkedin.com/company/x", None, "social"),
        ("brightloom.zendesk.com", "brightloom.zendesk.com", "help desks"),
        ("jo@gmail.com", None, "free"),
        ("info@brightloom.ai", "brightloom.ai", "role"),
        ("no-reply@brightloom.ai", None, "automated"),
        ("gmx.de", "gmx.de", "free mail provider"),
        ("robotics.harbour.edu", "robotics.harbour.edu", "academic harbour.edu"),
        ("n/a", None, "no registrable domain"),
        ("brightloom.ai", "brightloom.ai", "registrable domain"),
    ],
)
def test_a_key_can_be_explained(typed: str, key: str | None, words: str) -> None:
    explained = explain(typed)
    assert explained.key == key
    assert words in explained.why
