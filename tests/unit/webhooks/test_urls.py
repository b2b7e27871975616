"""Which URLs may be registered (FS-31 to FS-34, A-FS-16)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.urls import UrlRefused, check_url

# Spelling → the rule that must be named. Loopback, private and metadata addresses in every spelling a resolver or browser reads.
REFUSED = {
    "http://hooks.example.com/": "https_only",
    "HTTP://hooks.example.com/": "https_only",
    "ftp://hooks.example.com/": "https_only",
    "file:///etc/passwd": "https_only",
    "gopher://hooks.example.com/": "https_only",
    "javascript://hooks.example.com/%0aalert(1)": "https_only",
    "//hooks.example.com/": "malformed",
    "hooks.example.com": "malformed",
    "https:hooks.example.com": "malformed",
    "https:/hooks.example.com": "malformed",
    "https://": "host",
    "https:///path": "host",
    "https://?q": "host",
    "": "malformed",
    "https://localhost": "localhost",
    "https://localhost/": "localhost",
    "https://LOCALHOST/": "localhost",
    "https://LocalHost./hook": "localhost",
    "https://localhost:8443/": "localhost",
    "https://a.localhost/": "localhost",
    "https://localhost.localdomain/": "localhost",
    "https://ip6-localhost/": "localhost",
    "https://ｌｏｃａｌｈｏｓｔ/": "localhost",
    "https://loc\u00adalhost/": "localhost",
    "https://ⓛocalhost/": "localhost",
    "https://local\u200bhost/": "localhost",
    "https://localhost\u3002/": "localhost",
    "https://printer.local/": "local",
    "https://PRINTER.LOCAL/": "local",
    "https://printer.local./": "local",
    "https://printer\u3002local/": "local",
    "https://printer.ｌocal:443/": "local",
    "https://local/": "local",
    "https://127.0.0.1/": "address",
    "https://127.0.0.1./": "address",
    "https://127.0.0.1:8443/": "address",
    "https://127.1/": "address",
    "https://127.0.1/": "address",
    "https://127.000.000.001/": "address",
    "https://0177.0.0.1/": "address",
    "https://0177.1/": "address",
    "https://00000177.0.0.1/": "address",
    "https://0x7f.0.0.1/": "address",
    "https://0x7f.1/": "address",
    "https://0X7F.0x0.0x0.0x1/": "address",
    "https://0x7f000001/": "address",
    "https://0x0000007f000001/": "address",
    "https://2130706433/": "address",
    "https://017700000001/": "address",
    "https://127.0x1/": "address",
    "https://127.255.255.254/": "address",
    "https://１２７.０.０.１/": "address",
    "https://127。0。0。1/": "address",
    "https://127．0．0．1/": "address",
    "https://①②⑦.⓪.⓪.①/": "address",
    "https://0/": "address",
    "https://0.0.0.0/": "address",
    "https://0x0/": "address",
    "https://10.0.0.1/": "address",
    "https://012.0.0.1/": "address",
    "https://167772161/": "address",
    "https://172.16.0.1/": "address",
    "https://172.31.255.255/": "address",
    "https://192.168.0.1/": "address",
    "https://192.168.1/": "address",
    "https://3232235521/": "address",
    "https://100.64.0.1/": "address",
    "https://169.254.169.254/latest/meta-data/": "address",
    "https://169.254.43518/": "address",
    "https://0xa9fea9fe/": "address",
    "https://2852039166/": "address",
    "https://0251.0376.0251.0376/": "address",
    "https://0xa9.0xfe.0xa9.0xfe/": "address",
    "https://100.100.100.200/": "address",
    "https://168.63.129.16/": "address",
    "https://198.18.0.1/": "address",
    "https://192.0.2.1/": "address",
    "https://224.0.0.1/": "address",
    "https://255.255.255.255/": "address",
    "https://4294967295/": "address",
    "https://[::1]/": "address",
    "https://[::1]:8443/": "address",
    "https://[0:0:0:0:0:0:0:1]/": "address",
    "https://[0000:0000:0000:0000:0000:0000:0000:0001]/": "address",
    "https://[::]/": "address",
    "https://[::ffff:127.0.0.1]/": "address",
    "https://[::ffff:7f00:1]/": "address",
    "https://[::FFFF:7F00:0001]/": "address",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/": "address",
    "https://[::ffff:169.254.169.254]/": "address",
    "https://[::127.0.0.1]/": "address",
    "https://[64:ff9b::7f00:1]/": "address",
    "https://[64:ff9b:1::a00:1]/": "address",
    "https://[2002:7f00:1::]/": "address",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/": "address",
    "https://[fe80::1]/": "address",
    "https://[fc00::1]/": "address",
    "https://[fd00:ec2::254]/": "address",
    "https://[fec0::1]/": "address",
    "https://[ff02::1]/": "address",
    "https://[2001:db8::1]/": "address",
    "https://[fe80::1%25eth0]/": "host",
    "https://[::1%25lo]/": "host",
    "https://[::g]/": "host",
    "https://[127.0.0.1]/": "host",
    "https://[::1/": "malformed",
    "https://::1/": "malformed",
    "https://256.0.0.1/": "host",
    "https://1.2.3.4.5/": "host",
    "https://0x100000000/": "host",
    "https://127.0.0.08/": "host",
    "https://example.0x7f/": "host",
    "https://foo.1/": "host",
    "https://%6cocalhost/": "host",
    "https://127.0.0.1%2f@hooks.example.com/": "userinfo",
    "https://user@hooks.example.com/": "userinfo",
    "https://user:secret@hooks.example.com/": "userinfo",
    "https://hooks.example.com@127.0.0.1/": "userinfo",
    "https://@127.0.0.1/": "userinfo",
    "https://hooks.example.com\\@127.0.0.1/": "malformed",
    "https:\\\\127.0.0.1\\": "malformed",
    "https://127.0.0.1\\.example.com/": "malformed",
    "https://hooks.example.com/\r\nHost: a": "malformed",
    "https://hooks.example.com/ x": "malformed",
    "https://hooks.\texample.com/": "malformed",
    "https://hooks.example.com/\x00": "malformed",
    "https://hooks.example.com:0/": "port",
    "https://hooks.example.com:65536/": "port",
    "https://hooks.example.com:99999999/": "port",
    "https://hooks.example.com:https/": "malformed",
    "https://hooks.example.com:-1/": "malformed",
    "https://hooks.example.com:８４４３/": "malformed",
    "https://hooks..example.com/": "host",
    "https://.example.com/": "host",
    "https://example.com../": "host",
    "https://-hooks.example.com/": "host",
    "https://hooks.exa mple.com/": "malformed",
    "https://hooks.exa<mple.com/": "host",
    f"https://{'a' * 64}.example.com/": "host",
    f"https://{'a.' * 130}example.com/": "host",
    f"https://hooks.example.com/{'a' * 2048}": "too_long",
}


@pytest.mark.parametrize("url", REFUSED)
def test_fs_31_to_33_hostile_spellings_are_refused_with_their_rule(url: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check_url(url)
    assert refused.value.rule == REFUSED[url], str(refused.value)


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://yourapp.example.com/hooks/fundingscout", "https://yourapp.example.com/hooks/fundingscout"),
        ("  https://hooks.example.com/a \n", "https://hooks.example.com/a"),
        ("HTTPS://Hooks.Example.COM/Case/Stays?Q=A%2fb", "https://hooks.example.com/Case/Stays?Q=A%2fb"),
        ("https://hooks.example.com.:443/a#frag", "https://hooks.example.com/a"),
        ("https://hooks.example.com:8443/a", "https://hooks.example.com:8443/a"),
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("https://bücher.example/ä?ö=1", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=1"),
        ("https://my_hooks.example.com/", "https://my_hooks.example.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://mylocalhost/", "https://mylocalhost/"),
        ("https://local.example.com/", "https://local.example.com/"),
        ("https://8.8.8.8/a", "https://8.8.8.8/a"),
        ("https://134744072/a", "https://8.8.8.8/a"),
        ("https://[2606:4700:0:0::1111]:8443/a", "https://[2606:4700::1111]:8443/a"),
        ("https://hooks.example.com/a?to=http://127.0.0.1/", "https://hooks.example.com/a?to=http://127.0.0.1/"),
    ],
)
def test_good_url_has_one_spelling(url: str, stored: str) -> None:
    assert check_url(url) == stored


def test_allow_list_of_the_operator_admits_private_receivers() -> None:
    allowed = [ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16")]
    assert check_url("https://127.0.0.1:8443/a", allowed) == "https://127.0.0.1:8443/a"
    assert check_url("https://localhost:8443/a", allowed) == "https://localhost:8443/a"
    with pytest.raises(UrlRefused):
        check_url("https://10.2.0.1/", allowed)
    with pytest.raises(UrlRefused):
        check_url("https://printer.local/", allowed)


@given(st.text(max_size=60).map(lambda rest: "https://" + rest) | st.text(max_size=60))
def test_any_text_is_refused_or_has_one_spelling(text: str) -> None:
    try:
        once = check_url(text)
    except UrlRefused:
        return
    assert once.isascii()
    assert check_url(once) == once


@given(st.ip_addresses(v=4), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_every_number_that_is_an_address_is_judged_as_that_address(address: object, form: str) -> None:
    def judged(host: object) -> str:
        try:
            return check_url(f"https://{host}/")
        except UrlRefused as error:
            return error.rule

    assert judged(form.format(int(address))) == judged(address)  # type: ignore[call-overload]
