"""Writes the sample CRM files of ``crm/``: the rows of ``crm/by_hand`` among invented filler rows, always the same bytes.

    python data/samples/make_crm.py

Filler companies have made-up names and ``.example`` domains; private addresses have a local part longer than the
provider allows, so that no filler row can belong to anybody.
"""

from __future__ import annotations

import csv
import io
import json
import random
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

FOLDER = Path(__file__).resolve().parent / "crm"
SEED = 20261120

ONSETS = "b br d dr f fl g gl h j k kl l m n p pl r s sk t tr v w z"
NUCLEI = "a e i o u ae ei ou"
MIDDLES = "b d g k l ld m n nd r rn st t v x"
ENDINGS = "ax el en ia ick ine ion is o ola or um yx"
SECTORS = (
    "Analytics Apparel Audio Bakeries Botanics Carpets Ceramics Clinics Cycles Dairies Devices Events Farms Fixtures "
    "Foundry Freight Games Glass Instruments Interiors Kitchens Learning Legal Materials Motors Optics Paints Payroll "
    "Pharmacies Printing Properties Sensors Software Staffing Textiles Tools Toys Travel Vineyards Watches"
)
FORMS = ("", "", "", " Inc", ", Inc.", " LLC", " Ltd", " GmbH", " S.A.")
FIRST_NAMES = (
    "Ada Amir Anouk Bao Carmen Chidi Dagny Elio Farah Gwen Hanna Idris Jonas Kaya Leif Mina Nils Oksana Pablo Quinn Rhea "
    "Soren Tamsin Umar Vera Wanda Xavi Yara Zeno"
)
LAST_NAMES = (
    "Abernethy Bjorkland Castellane Dragomir Eastlake Fairweather Goldwasser Hawthorn Ibarrola Jankovic Kowalczyk Lindholm "
    "Marchetti Nakagawa Oyelaran Pemberton Quist Rasmussen Sandoval Thorvald Ulrichsen Valderrama Whitlock Yardley Zielinski"
)
CITIES = (
    ("Austin", "United States"),
    ("Leeds", "United Kingdom"),
    ("Lyon", "France"),
    ("Porto", "Portugal"),
    ("Tampere", "Finland"),
    ("Toronto", "Canada"),
)

T = TypeVar("T")


class Company(NamedTuple):
    """A filler company. ``domain`` is what was typed, ``host`` what is meant; both are empty where none is known."""

    name: str
    domain: str
    host: str
    sector: str


class Person(NamedTuple):
    """A filler contact. ``company`` is its account's place in the list of companies, or None."""

    first: str
    last: str
    email: str
    company: int | None


class Dice:
    """Choices that only rest on ``Random.random()``, whose sequence Python promises to keep."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311  (reproducible rows are the point)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def number(self, below: int) -> int:
        return int(self._random.random() * below)

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.number(len(choices))]

    def word(self, words: str) -> str:
        return self.one_of(words.split())


def files(by_hand: Path) -> dict[str, bytes]:
    """The four CRM files by name, made from the hand-written rows in ``by_hand``."""
    made: dict[str, bytes] = {}
    dice = Dice(f"fernhollow {SEED}")
    companies = invent_companies(dice, 300)
    people = invent_people(dice, companies, 380)
    made["fernhollow_companies.csv"] = _csv_file(
        by_hand / "fernhollow_companies.csv", hubspot_companies(dice, companies), dice, bom=True
    )
    made["fernhollow_contacts.csv"] = _csv_file(
        by_hand / "fernhollow_contacts.csv", hubspot_contacts(dice, companies, people), dice, bom=False
    )
    dice = Dice(f"kestrelway {SEED}")
    companies = invent_companies(dice, 340)
    people = invent_people(dice, companies, 260)
    made["kestrelway_accounts.jsonl"] = _lines_file(by_hand / "kestrelway_accounts.jsonl", json_accounts(dice, companies), dice)
    made["kestrelway_contacts.jsonl"] = _lines_file(by_hand / "kestrelway_contacts.jsonl", json_contacts(people), dice)
    return made


def invent_companies(dice: Dice, count: int) -> list[Company]:
    """``count`` companies of different names; about one in twelve shows no domain."""
    companies: dict[str, Company] = {}
    while len(companies) < count:
        word = dice.word(ONSETS) + dice.word(NUCLEI) + dice.word(MIDDLES) + dice.word(NUCLEI) + dice.word(MIDDLES)
        word = (word + dice.word(ENDINGS)).capitalize()
        sector = dice.word(SECTORS)
        host = "" if dice.chance(0.08) else f"{word.lower()}-{sector.lower()}.example"
        companies.setdefault(word, Company(f"{word} {sector}{dice.one_of(FORMS)}", _as_typed(dice, host), host, sector))
    return list(companies.values())


def invent_people(dice: Dice, companies: list[Company], count: int) -> list[Person]:
    """``count`` contacts; some without account, some with a private address, a few without any."""
    return [_person(dice, companies) for _ in range(count)]


def hubspot_companies(dice: Dice, companies: list[Company]) -> Iterator[list[str]]:
    for place, company in enumerate(companies):
        city, country = dice.one_of(CITIES)
        yield [
            str(70100000 + place),
            company.name,
            company.domain,
            dice.one_of(("Petra Lindgaard", "Ivo Strand")),
            _created(dice),
            city,
            country,
            company.sector,
            dice.one_of(("Lead", "Opportunity", "Customer")),
            "",
            _fernhollow_customer(place),
        ]


def hubspot_contacts(dice: Dice, companies: list[Company], people: list[Person]) -> Iterator[list[str]]:
    for place, person in enumerate(people):
        at = person.company
        yield [
            str(80100000 + place),
            person.first,
            person.last,
            person.email,
            dice.one_of(("Petra Lindgaard", "Ivo Strand")),
            dice.one_of(("New", "Connected", "Unqualified")),
            _created(dice),
            "" if at is None else companies[at].name,
            "" if at is None else str(70100000 + at),
            _fernhollow_customer(place if at is None else at),
        ]


def json_accounts(dice: Dice, companies: list[Company]) -> Iterator[str]:
    for place, company in enumerate(companies):
        metadata = {"partner_customer_id": _kestrelway_customer(place), "tier": dice.one_of("ABC")}
        row = {
            "external_id": _kestrelway_id(place),
            "name": company.name,
            "domain": company.domain or None,
            "metadata": metadata,
        }
        yield json.dumps(row, ensure_ascii=False)


def json_contacts(people: list[Person]) -> Iterator[str]:
    for place, person in enumerate(people):
        at = person.company
        row = {
            "external_id": f"kw-c-{place:04}",
            "email": person.email or None,
            "first_name": person.first,
            "last_name": person.last,
            "account_external_id": None if at is None else _kestrelway_id(at),
            "metadata": {"partner_customer_id": _kestrelway_customer(place if at is None else at)},
        }
        yield json.dumps(row, ensure_ascii=False)


def _person(dice: Dice, companies: list[Company]) -> Person:
    first, last = dice.word(FIRST_NAMES), dice.word(LAST_NAMES)
    at = None if dice.chance(0.1) else dice.number(len(companies))
    host = companies[dice.number(len(companies)) if at is None else at].host
    local = unicodedata.normalize("NFKD", f"{first}.{last}").lower()
    if dice.chance(0.15):
        email = f"{local}.of.the.sample.files.only@gmail.com"
    else:
        email = f"{local}@{host}" if host and dice.chance(0.95) else ""
    return Person(first, last, email, at)


def _as_typed(dice: Dice, host: str) -> str:
    forms = (host, host, host, host, f"www.{host}", f"https://www.{host}/", f"http://{host}/index.html", host.upper())
    return dice.one_of(forms) if host else ""


def _created(dice: Dice) -> str:
    return f"2025-{1 + dice.number(12):02}-{1 + dice.number(28):02} {8 + dice.number(10):02}:{dice.number(60):02}"


def _fernhollow_customer(place: int) -> str:
    return ("fh-aurum", "fh-bexley", "fh-castella")[place % 3]


def _kestrelway_customer(place: int) -> str:
    return f"kw_{11 + place % 4}"


def _kestrelway_id(place: int) -> str:
    return f"kw{11 + place % 4}-{place:04}"


def _csv_file(by_hand: Path, filler: Iterator[list[str]], dice: Dice, *, bom: bool) -> bytes:
    with by_hand.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(_among(rows, list(filler), dice))
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _lines_file(by_hand: Path, filler: Iterator[str], dice: Dice) -> bytes:
    rows = by_hand.read_text(encoding="utf-8").splitlines()
    return ("\n".join(_among(rows, list(filler), dice)) + "\n").encode()


def _among(rows: Sequence[T], filler: Sequence[T], dice: Dice) -> list[T]:
    """``rows`` scattered among ``filler``; both keep their order."""
    mixed: list[T] = []
    taken, left = 0, list(rows)
    for place in range(len(rows) + len(filler)):
        from_hand = dice.number(len(rows) + len(filler) - place) < len(left)
        mixed.append(left.pop(0) if from_hand else filler[taken])
        taken += not from_hand
    return mixed


def main() -> None:
    for name, content in files(FOLDER / "by_hand").items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
