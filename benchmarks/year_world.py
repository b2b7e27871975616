"""The world of benchmarks/year.py: companies, a day's news, CRMs, teams that subscribe, and a receiver that takes all at once.

What belongs here: what comes from outside. What does not: the steps of a day, measuring. Everything is invented, and follows from
the numbers given. A company raises about once a year, so that a year is as wide as it is long.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from random import Random

from sqlalchemy import insert

from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import delete_account, upsert_accounts
from pipeline.installation import Installation
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.store.tables.documents import Landing as LandingRow
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.teams import create_team, grant_credits
from pipeline.subscriptions.webhooks import Edit, UrlRules, create_webhook
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import turn
from pipeline.webhooks.credits import settle_all_holds
from pipeline.webhooks.signalbase import signalbase_profile

ACCOUNTS = 1_500  # of an organization's CRM
RAISES_A_DAY = 1 / 300  # of all companies
OTHERS = 0.1  # acquisitions for each round; as many job changes, and openings
TEAMS = 0.2  # of the organizations are teams too
INVESTORS = 2_000
NEW_INVESTORS = 0.02  # for each round
MOST_AT_ONCE = 200
ITEM = (
    "<item><title>{title}</title><link>https://wire.example/{day}/{number}</link><guid>{day}-{number}</guid>"
    "<pubDate>{date}</pubDate><description>{text}</description></item>"
)
FILLER = "The company serves customers in forty countries and will grow its team. " * 5
SYLLABLES = [
    "bar",
    "cel",
    "dor",
    "fen",
    "gil",
    "hal",
    "jun",
    "kor",
    "lim",
    "mar",
    "nel",
    "or",
    "pel",
    "quin",
    "ros",
    "sol",
    "ul",
]
KINDS = ("Labs", "Systems", "Health", "Robotics")
FIRST_NAMES = ("Jane", "Omar", "Ilse", "Pavel", "Mina", "Tomas", "Aiko", "Ruth")


@dataclass(frozen=True)
class World:
    """``rounds``: a day. ``teams``: those of the ``organizations`` that subscribe to signals."""

    installation: Installation
    rounds: int
    companies: list[str]
    organizations: list[str]
    rng: Random

    def news(self, number: int) -> None:
        """Land the feed of one day: announcements of rounds, as many other texts, some of them other signals."""
        now, rng = self.installation.now(), self.rng
        others = int(self.rounds * OTHERS)
        texts = [self._round(number) for _ in range(self.rounds)]
        texts += [make() for make in (self._acquisition, self._job_change, self._opening) for _ in range(others)]
        texts += [self._office() for _ in range(max(0, self.rounds - 3 * others))]
        rng.shuffle(texts)
        items = []
        for n, (title, text) in enumerate(texts):
            date = (now - timedelta(minutes=n % 300)).strftime("%a, %d %b %Y %H:%M:%S +0000")
            items.append(ITEM.format(title=title, day=number, number=n, date=date, text=f"{text} {FILLER}"))
        self._land(f"<rss version='2.0'><channel><title>Wire</title>{''.join(items)}</channel></rss>".encode(), now)

    def crms(self, number: int) -> None:
        """A fifth of the organizations push four accounts each and delete one."""
        for organization in self.organizations[number % 5 :: 5]:
            names = self.rng.sample(self.companies, 4)
            push(self.installation, organization, names)
            delete_account(self.installation.database, organization, domain(names[0]), self.installation.now())

    def _land(self, body: bytes, now: datetime) -> None:
        sha256 = self.installation.landing.put(body)
        # The file is as old as the day that is lived through, not as this minute: retention looks at it.
        os.utime(self.installation.landing.folder / sha256[:2] / sha256[2:4] / sha256, (now.timestamp(), now.timestamp()))
        with self.installation.database.write() as session:
            session.execute(
                insert(LandingRow).values(
                    source_id="wire", kind="feed", url="https://wire.example/rss", sha256=sha256, size=len(body),
                    is_catch_up=False, context={"outlet": "Wire"}, fetched_at=now, status="landed",
                )
            )  # fmt: skip

    def _round(self, day: int) -> tuple[str, str]:
        name, millions = self.rng.choice(self.companies), self.rng.randrange(2, 90)
        known = INVESTORS + int(day * self.rounds * NEW_INVESTORS)
        first, second = (investor(self.rng.randrange(known)) for _ in range(2))
        text = f"{name} (https://{domain(name)}) today announced that it raised ${millions} million in Series A funding"
        return f"{name} raises ${millions} million Series A", f"{text} led by {first} with participation from {second}."

    def _acquisition(self) -> tuple[str, str]:
        buyer, bought = self.rng.sample(self.companies, 2)
        millions = self.rng.randrange(10, 900)
        text = (
            f"{buyer} (https://{domain(buyer)}) today announced that it has acquired {bought} for ${millions} million in cash."
        )
        return f"{buyer} acquires {bought} for ${millions} million", text

    def _job_change(self) -> tuple[str, str]:
        name, person = self.rng.choice(self.companies), f"{self.rng.choice(FIRST_NAMES)} {self._word(3)}"
        text = f"{name} (https://{domain(name)}) today announced that it has appointed {person} as Chief Financial Officer."
        return f"{name} appoints {person} as Chief Financial Officer", text

    def _opening(self) -> tuple[str, str]:
        name, count = self.rng.choice(self.companies), self.rng.randrange(20, 400)
        return f"{name} is hiring {count} engineers for its new site in Gdansk", f"{name} (https://{domain(name)}) is hiring."

    def _office(self) -> tuple[str, str]:
        name = self.rng.choice(self.companies)
        return f"{name} opens an office in Lisbon", f"{name} today opened an office."

    def _word(self, syllables: int) -> str:
        return "".join(self.rng.choice(SYLLABLES) for _ in range(syllables)).title()


def build_world(installation: Installation, rounds: int, organizations: int) -> World:
    """Organizations with full CRMs, a part of them teams with a webhook each."""
    names = companies(Random(1), max(2 * ACCOUNTS, int(rounds / RAISES_A_DAY)))
    now = installation.now()
    ids = [create_organization(installation.database, f"org-{n}", f"Organization {n}", now).id for n in range(organizations)]
    world = World(installation, rounds, names, ids, Random(2))
    for organization in ids:
        push(installation, organization, world.rng.sample(names, ACCOUNTS))
    box = SecretBox.open(installation.settings)
    for number, organization in enumerate(ids[: max(1, int(organizations * TEAMS))]):
        create_team(installation.database, organization, now)
        grant_credits(installation.database, organization, 10**8, now)
        events, filters = wanted(number)
        create_webhook(
            installation.database, box, organization, f"https://127.0.0.1:9/{number}", events, read_filters(filters),
            Edit("benchmark", "api", now), UrlRules((ip_network("127.0.0.0/8"),), False),
        )  # fmt: skip
    return world


def wanted(number: int) -> tuple[list[str], dict[str, str]]:
    """What a team wants to be told: some rounds by their amount, or all signals of another kind."""
    if number % 2:
        others = (EventType.ACQUISITION, EventType.JOB_CHANGE, EventType.HIRING, EventType.INVESTOR)
        return [others[number // 2 % len(others)]], {}
    return [EventType.FUNDING], {"fundingAmount": f"{5 + number}m-{8 + number}m"}


def take_signals(installation: Installation) -> int:
    """Claim and settle what waits for teams, as if their receivers took it at once; gives how many."""
    database, now = installation.database, installation.now()
    profile = signalbase_profile()
    taken = 0
    claims = turn(database, [], MOST_AT_ONCE, now, "year", profile, per_endpoint=MOST_AT_ONCE).claims
    while claims:
        taken += len(claims)
        finished = [(claim, Outcome(True, now, 20.0, 200, "ok")) for claim in claims]
        claims = turn(database, finished, MOST_AT_ONCE, now, "year", profile, per_endpoint=MOST_AT_ONCE).claims
    settle_all_holds(database, now)
    return taken


def push(installation: Installation, organization: str, names: Sequence[str]) -> None:
    """The accounts of an organization's CRM under these names."""
    rows = [AccountRow(external_id=domain(name), name=name, domain=domain(name), metadata_json=None) for name in names]
    upsert_accounts(installation.database, organization, rows, installation.now())


def companies(rng: Random, count: int) -> list[str]:
    """Different names of four syllables and a word."""
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choice(SYLLABLES) for _ in range(4)).title() + " " + rng.choice(KINDS)] = None
    return list(names)


def investor(number: int) -> str:
    """The name of one investor."""
    size = len(SYLLABLES)
    digits = [number // size**place % size for place in range(4)]
    return "".join(SYLLABLES[digit] for digit in digits).title() + (" Capital", " Ventures", " Partners")[number % 3]


def domain(name: str) -> str:
    """A company's own."""
    return name.replace(" ", "").lower() + ".example"
