"""Amounts of money in texts: notations of the world to exact decimals with an ISO 4217 currency.

What belongs here: from characters to (amount, currency). What does not: which of the amounts a round is (amounts.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# "3 won the prize", "200 pounds of flour": a currency named by a word needs an amount that money news would print.
FEWEST_BY_NAME = Decimal(1_000)
LARGEST = Decimal(10) ** 15  # beyond a quadrillion it is no round, in any currency


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as it stands in a text: ``amount`` in plain units of ``currency``, at ``start``..``end``."""

    amount: Decimal
    currency: str
    start: int
    end: int
    text: str


def find_money(text: str) -> list[Money]:
    """Every amount with a currency in ``text``, in order, without overlaps. A bare number is no money. Total."""
    found: list[Money] = []
    if not _HINT.search(text):
        return found
    for match in _MONEY.finditer(text):
        money = _money_of(match)
        if money is not None:
            found.append(money)
    return found


def _money_of(match: re.Match[str]) -> Money | None:
    parts = match.groupdict()
    number = parts["n1"] or parts["n2"] or parts["n3"]
    scale = (parts["s1"] or parts["s2"] or parts["s3"] or "").lower().rstrip(".")
    amount = _parse_number(number, bool(scale))
    if amount is None:
        return None
    amount *= _SCALES.get(scale, Decimal(1))
    if not 0 < amount < LARGEST:
        return None
    before, after = parts["c1"] or parts["c3"], parts["a1"] or parts["c2"]
    if after and not before and not scale and amount < FEWEST_BY_NAME and after.isalpha() and not after.isupper():
        return None
    currency = _currency(before, after, scale)
    return None if currency is None else Money(_plain(amount), currency, match.start(), match.end(), match[0].strip())


def _currency(before: str | None, after: str | None, scale: str) -> str | None:
    """The unit named more exactly wins: "$5 million CAD" is Canadian."""
    first = _UNITS.get(_key(before)) if before else None
    second = _UNITS.get(_key(after)) if after else None
    if first and second and first != second:
        return second if first in _SHARED_SIGNS.get(_key(before or ""), ()) else first
    if first or second:
        return first or second
    return "INR" if scale in _INDIAN_SCALES and not (before or after) else None


def _parse_number(text: str, has_scale: bool) -> Decimal | None:
    """A decimal from digits with separators of either tradition (1,200.5 · 1.200,5 · 20,00,00,000 · 1'000) or a word."""
    word = _NUMBER_WORDS.get(text.lower())
    if word is not None:
        return word
    digits = text.replace("'", "").replace("’", "").replace("\u00a0", "").replace(" ", "")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        digits = digits.replace(",", "") if point > comma else digits.replace(".", "").replace(",", ".")
    elif comma >= 0:
        digits = _one_separator(digits, ",", has_scale)
    elif point >= 0:
        digits = _one_separator(digits, ".", has_scale)
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def _one_separator(digits: str, mark: str, has_scale: bool) -> str:
    """Groups of thousands, or a decimal mark? Two marks are groups; one is, when three digits follow and no scale does."""
    head, _, tail = digits.rpartition(mark)
    is_grouped = mark in head or (len(tail) == 3 and not (mark == "." and has_scale) and head.strip("0") != "")
    if is_grouped and not (mark == "," and has_scale and len(head) > 3):
        return digits.replace(mark, "")
    return digits.replace(mark, "") if mark in head else f"{head}.{tail}"


def _plain(amount: Decimal) -> Decimal:
    """The same number without exponent or trailing zeros, so that equal amounts print equally."""
    whole = amount.to_integral_value()
    return whole.quantize(Decimal(1)) if amount == whole else amount.normalize()


def _key(unit: str) -> str:
    return re.sub(r"[\s.]+", "", unit).lower()


# Signs and names, as written, to ISO 4217. A bare dollar is the US dollar, as wires and media of the world use it.
_UNITS: dict[str, str] = {
    "$": "USD", "us$": "USD", "usd": "USD", "u$s": "USD", "usd$": "USD", "$us": "USD", "dollar": "USD", "dollars": "USD",
    "usdollars": "USD", "usdollar": "USD", "americandollars": "USD", "usdt": "USD", "usdc": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "gb£": "GBP", "£gbp": "GBP", "pound": "GBP", "pounds": "GBP", "poundssterling": "GBP",
    "chf": "CHF", "sfr": "CHF", "swissfranc": "CHF", "swissfrancs": "CHF", "francs": "CHF",
    "¥": "JPY", "jp¥": "JPY", "jpy": "JPY", "yen": "JPY", "japaneseyen": "JPY", "円": "JPY",
    "cn¥": "CNY", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "renminbi": "CNY", "chineseyuan": "CNY", "rmb¥": "CNY",
    "₹": "INR", "rs": "INR", "inr": "INR", "re": "INR", "rupee": "INR", "rupees": "INR", "indianrupees": "INR",
    "pkr": "PKR", "bdt": "BDT", "৳": "BDT", "lkr": "LKR",
    "a$": "AUD", "au$": "AUD", "aud": "AUD", "aud$": "AUD", "$aud": "AUD", "australiandollars": "AUD",
    "c$": "CAD", "ca$": "CAD", "cad": "CAD", "cad$": "CAD", "cdn$": "CAD", "$cad": "CAD", "canadiandollars": "CAD",
    "nz$": "NZD", "nzd": "NZD", "newzealanddollars": "NZD",
    "s$": "SGD", "sg$": "SGD", "sgd": "SGD", "singaporedollars": "SGD",
    "hk$": "HKD", "hkd": "HKD", "hongkongdollars": "HKD", "nt$": "TWD", "twd": "TWD", "ntd": "TWD",
    "r$": "BRL", "brl": "BRL", "reais": "BRL", "mx$": "MXN", "mxn": "MXN",
    "₩": "KRW", "krw": "KRW", "won": "KRW", "koreanwon": "KRW", "rm": "MYR", "myr": "MYR", "ringgit": "MYR",
    "rp": "IDR", "idr": "IDR", "rupiah": "IDR", "฿": "THB", "thb": "THB", "baht": "THB",
    "₱": "PHP", "php": "PHP", "pesos": "PHP", "₫": "VND", "vnd": "VND", "dong": "VND",
    "skr": "SEK", "nkr": "NOK", "dkr": "DKK",
    "sek": "SEK", "swedishkronor": "SEK", "kronor": "SEK", "nok": "NOK", "norwegiankroner": "NOK",
    "dkk": "DKK", "danishkroner": "DKK", "isk": "ISK",
    "zł": "PLN", "pln": "PLN", "zloty": "PLN", "zlotys": "PLN", "złoty": "PLN", "złotych": "PLN",
    "czk": "CZK", "kč": "CZK", "huf": "HUF", "ron": "RON", "bgn": "BGN",
    "₺": "TRY", "try": "TRY", "lira": "TRY", "turkishlira": "TRY",
    "₪": "ILS", "ils": "ILS", "nis": "ILS", "shekels": "ILS", "shekel": "ILS",
    "aed": "AED", "dirhams": "AED", "dirham": "AED", "sar": "SAR", "riyals": "SAR", "qar": "QAR", "egp": "EGP",
    "kes": "KES", "ksh": "KES",
    "zar": "ZAR", "rand": "ZAR", "₦": "NGN", "ngn": "NGN", "naira": "NGN", "ghs": "GHS", "₴": "UAH", "uah": "UAH",
    "₽": "RUB", "rub": "RUB",
    "rubles": "RUB", "roubles": "RUB", "kzt": "KZT", "clp": "CLP", "cop": "COP", "ars": "ARS", "pen": "PEN",
}  # fmt: skip
_SHARED_SIGNS: dict[str, tuple[str, ...]] = {"$": ("USD",), "¥": ("JPY",), "rs": ("INR",)}

_THOUSAND, _MILLION, _BILLION, _TRILLION = (Decimal(10) ** power for power in (3, 6, 9, 12))
_CRORE, _LAKH = Decimal(10) ** 7, Decimal(10) ** 5
_SCALES: dict[str, Decimal] = {
    "k": _THOUSAND, "thousand": _THOUSAND, "grand": _THOUSAND,
    "m": _MILLION, "mn": _MILLION, "mln": _MILLION, "mm": _MILLION, "mil": _MILLION, "mio": _MILLION, "million": _MILLION,
    "millions": _MILLION, "millionen": _MILLION, "millones": _MILLION,
    "b": _BILLION, "bn": _BILLION, "bln": _BILLION, "billion": _BILLION, "billions": _BILLION, "mrd": _BILLION,
    "t": _TRILLION, "tn": _TRILLION, "trn": _TRILLION, "trillion": _TRILLION,
    "cr": _CRORE, "crore": _CRORE, "crores": _CRORE, "lakh": _LAKH, "lakhs": _LAKH, "lac": _LAKH, "lacs": _LAKH, "l": _LAKH,
}  # fmt: skip
_INDIAN_SCALES = frozenset({"cr", "crore", "crores", "lakh", "lakhs", "lac", "lacs"})
_NUMBER_WORDS: dict[str, Decimal] = {
    word: Decimal(number)
    for word, number in (
        ("one", "1"), ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5"), ("six", "6"), ("seven", "7"), ("eight", "8"),
        ("nine", "9"), ("ten", "10"), ("eleven", "11"), ("twelve", "12"), ("fifteen", "15"), ("twenty", "20"), ("thirty", "30"),
        ("forty", "40"), ("fifty", "50"), ("hundred", "100"), ("half a", "0.5"), ("a half", "0.5"),
    )
}  # fmt: skip

_SIGN_BEFORE = (
    r"(?:US\s?\$|U\.S\.\s?\$|USD\s?\$?|AUD?\s?\$|AUD|A\$|CAD?\s?\$|CAD|CDN\s?\$|C\$|NZD?\s?\$|NZD"
    r"|SGD?\s?\$|SGD|S\$|HKD?\s?\$|HKD"
    r"|NT\s?\$|TWD|MX\s?\$|MXN|R\$|CN¥|RMB\s?¥?|CNY|JP¥|JPY|GBP\s?£?|EUR\s?€?|Euro|CHF|SFr\.?|INR\s?₹?"
    r"|Rs\.?|RM|MYR|IDR|Rp\.?|THB|PHP|VND|KRW"
    r"|SEK|NOK|DKK|[SND][Kk]r|ISK|PLN|CZK|HUF|RON|BGN|TRY|ILS|NIS|AED|SAR|QAR|EGP|KES|KSh|ZAR|NGN|GHS|UAH|RUB|KZT|CLP"
    r"|COP|ARS|PEN|BRL|PKR|BDT|LKR"
    r"|[$€£¥₹₩₽₺₪₫₱฿₦₴৳])"
)
_NAME_AFTER = (
    r"(?:U\.?S\.?\s(?:dollars?|\$)|USD|AUD|CAD|NZD|SGD|HKD|TWD|GBP|EUR|CHF|JPY|CNY|RMB|INR|KRW|SEK|NOK|DKK"
    r"|PLN|CZK|HUF|RON|ILS|AED|SAR|ZAR|NGN"
    r"|BRL|MXN|MYR|IDR|THB|PHP|VND|USDT|USDC|(?:American|Australian|Canadian|Singapore|Hong Kong"
    r"|New Zealand)\s[Dd]ollars?|dollars?|[Ee]uros?"
    r"|[Pp]ounds?(?:\s[Ss]terling)?|(?:Swiss\s)?[Ff]rancs?|(?:Japanese\s)?[Yy]en|(?:Chinese\s)?[Yy]uan"
    r"|[Rr]enminbi|(?:Indian\s)?[Rr]upees?"
    r"|(?:Korean\s)?[Ww]on|[Kk]ronor|[Zz]lotys?|złotych|[Rr]eais|[Rr]inggit|[Rr]upiah|[Bb]aht|[Rr]and"
    r"|[Nn]aira|[Ss]hekels?|[Dd]irhams?|[$€£¥₹円])"
)
_NUMBER = r"\d{1,3}(?:[,.'’]\d{2,3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_SCALE = (
    r"(?:(?:thousand|millions?|billions?|trillion|crores?|lakhs?|lacs?|lac|mln|mrd|mio|bln|trn|mil|mn|mm|bn|tn|cr)\b\.?"
    r"|(?:Thousand|Millions?|Billions?|Trillion|Crores?|Lakhs?|Mln|Mrd|Mio|Mn|MM|Bn|BN|MN|Cr|CR|MILLION"
    r"|BILLION|CRORE|Lacs?)\b\.?|[kKmMbBT]\b)"
)
_MONEY = re.compile(
    rf"(?<![A-Za-z0-9])(?P<c1>{_SIGN_BEFORE})\s?(?P<n1>{_NUMBER})(?:[\s\-]?\+?(?P<s1>{_SCALE}))?"
    rf"(?:\s?(?P<a1>(?:USD|AUD|CAD|NZD|SGD|HKD|GBP|EUR|CNY|RMB|USDT|USDC|Canadian\s[Dd]ollars"
    rf"|Australian\s[Dd]ollars|Singapore\s[Dd]ollars)\b))?"
    rf"|(?<![A-Za-z0-9.,])(?P<n2>{_NUMBER})(?:[\s\-]?(?P<s2>{_SCALE}))?[\s\-]{{0,2}}(?:of\s)?(?P<c2>{_NAME_AFTER})(?![A-Za-z])"
    rf"|(?<![A-Za-z0-9.,])(?P<n3>\d+(?:[.,]\d+)?|(?:[Oo]ne|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even"
    rf"|[Ee]ight|[Nn]ine|[Tt]en|[Tt]welve|[Ff]ifteen|[Tt]wenty)(?=\s[mb]illion\s(?:US\s)?(?:dollar|euro"
    rf"|pound)))"
    rf"\s?(?P<s3>(?:[Cc]rores?|[Ll]akhs?|[Cc]r|[mb]illion(?=\s(?:US\s)?(?:dollar|euro"
    rf"|pound)))\b)(?:\s(?P<c3>(?:US\s)?dollars?|euros?|pounds?))?"
)
_HINT = re.compile(r"\d|million|billion")
