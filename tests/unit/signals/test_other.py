"""Acquisitions, job changes, hiring and new companies, from plain headlines."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.signals.headline import parse_headline
from pipeline.signals.model import Mention, SignalType
from pipeline.signals.other import find_other
from pipeline.signals.text import read


def other(title: str, body: str = "") -> Mention:
    text = read(title, body)
    return find_other(Mention("d"), text, parse_headline(text.title))


def test_an_acquisition_names_both_sides_and_the_price() -> None:
    found = other("Brackwater Systems Acquires Pellucid Maps for $120 Million")
    assert found.signal_type is SignalType.ACQUISITION
    assert found.company_name == "Pellucid Maps"
    assert (found.amount, found.currency) == (Decimal(120_000_000), "USD")
    assert found.details["acquiring_company"] == "Brackwater Systems"
    assert found.details["is_completed"] is True


def test_a_passive_acquisition_is_read_too() -> None:
    found = other("Pellucid Maps acquired by Brackwater Systems")
    assert (found.company_name, found.details["acquiring_company"]) == ("Pellucid Maps", "Brackwater Systems")


def test_a_share_of_a_company_has_a_percentage() -> None:
    found = other("Brackwater to acquire 51% stake in Pellucid Maps")
    assert (found.company_name, found.details["percentage"], found.details["is_completed"]) == ("Pellucid Maps", "51", False)


@pytest.mark.parametrize(
    ("title", "person", "role"),
    [
        ("Dunmere Health Appoints Teodora Vankirk as Chief Financial Officer", "Teodora Vankirk", "Chief Financial Officer"),
        ("Dunmere Health names Teodora Vankirk its new CEO", "Teodora Vankirk", "CEO"),
        ("Teodora Vankirk Joins Dunmere Health as Vice President of Sales", "Teodora Vankirk", "Vice President of Sales"),
        (
            "PressBreaks – Dunmere Health Inc. (NYSE: DUN) Appoints Dr. Teodora Vankirk, III as CFO",
            "Teodora Vankirk",
            "CFO",
        ),
        (
            "Dunmere Health Appoints Pump Veteran Teodora Vankirk to Its Board of Directors",
            "Teodora Vankirk",
            "Board of Directors",
        ),
        ("Dunmere Health Appoints Teodora Vankirk as CTO to Drive Growth", "Teodora Vankirk", "CTO"),
        (
            "Dunmere Health Promotes Teodora Vankirk to Vice President, Law and Care",
            "Teodora Vankirk",
            "Vice President, Law and Care",
        ),
        ("Teodora Vankirk named CEO of Dunmere Health, Inc.", "Teodora Vankirk", "CEO"),
        ("Teodora Vankirk appointed by Dunmere Health as Head of Sales, Bringing Calm", "Teodora Vankirk", "Head of Sales"),
        ("Dunmere Health’s Teodora Vankirk Promoted to Director of Care", "Teodora Vankirk", "Director of Care"),
        ("Teodora Vankirk Joins Dunmere Health Advisory Board to Mend Things", "Teodora Vankirk", "Advisory Board"),
        ("Dunmere Health Welcomes Teodora Vankirk, Founder of Pellucid, as New Advisor", "Teodora Vankirk", "Advisor"),
    ],
)
def test_a_job_change_names_person_role_and_company(title: str, person: str, role: str) -> None:
    found = other(title)
    assert found.signal_type is SignalType.JOB_CHANGE
    assert found.details == {
        "person_name": person,
        "person_linkedin_url": None,
        "new_role": role,
        "company_name": "Dunmere Health",
    }


def test_a_role_the_headline_leaves_out_is_read_from_the_text() -> None:
    body = "Teodora Vankirk joined the bank this week as Senior Loan Officer. Ms. Vankirk lives in Ghent. " * 4
    found = other("Teodora Vankirk Joins Ostmere Bank", body)
    assert (found.details["new_role"], found.company_name) == ("Senior Loan Officer", "Ostmere Bank")
    assert [each.origin for each in found.evidence if each.field == "new_role"] == ["body"]


@pytest.mark.parametrize(
    "title",
    [
        "Dunmere Digital Joins the Water Forum as Lead Partner",
        "Dunmere Health Named a Finalist for Clinic of the Year",
        "Care Chief Teodora Vankirk Named to Top 50 Leaders List",
        "Dunmere Health Welcomes Bright Harbor Media as Partner",
        "Dunmere Health Now Accepting Appointments at Oak Street",
        "Teodora Vankirk Joins Brackwater",
    ],
)
def test_awards_partnerships_and_joiners_without_a_role_are_no_job_change(title: str) -> None:
    assert other(title).signal_type is SignalType.NONE


def test_hiring_names_role_count_and_place() -> None:
    found = other("Sablewing is hiring 120 engineers for its new site in Gdansk")
    assert found.signal_type is SignalType.HIRING
    (opening,) = found.details["hiring_details"]
    assert (opening["title"], opening["positions"], opening["location"]) == ("engineers", 120, "Gdansk")
    assert (opening["city"], opening["country"], opening["employment_type"]) == ("Gdansk", "PL", None)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Sablewing to Create 300 Full-Time Jobs in Ohio", (None, 300, "full_time", None)),
        ("Sablewing Is Now Hiring Senior Software Engineers", ("Senior Software Engineers", None, None, "senior")),
        ("Sablewing Announces 40 Job Openings", (None, 40, None, None)),
    ],
)
def test_hiring_of_every_kind(title: str, expected: tuple[object, ...]) -> None:
    (opening,) = other(title).details["hiring_details"]
    assert tuple(opening[name] for name in ("title", "positions", "employment_type", "seniority_level")) == expected


@pytest.mark.parametrize("title", ["Why Employers Plan to Hire 20 Percent More People", "Survey: Firms to Add 300 Jobs"])
def test_talk_of_hiring_is_no_hiring(title: str) -> None:
    assert other(title).signal_type is SignalType.NONE


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Brackwater Completes Acquisition of Pellucid Maps", "", ("Brackwater", "Pellucid Maps", None, None, True)),
        ("Brackwater Inc. (OTC: BRK) Signs Binding LOI to Acquire Pellucid Maps, Adding Reach", "",
         ("Brackwater", "Pellucid Maps", None, None, False)),
        ("Oldmoor Subsidiary Brackwater Systems Acquires Pellucid Maps", "",
         ("Brackwater Systems", "Pellucid Maps", None, None, True)),
        ("Brackwater Expands Into Charts with Acquisition of Pellucid Maps", "", ("Brackwater", "Pellucid Maps", None, None, True)),
        ("Brackwater Grows at Sea with Pellucid Acquisition", "", ("Brackwater", "Pellucid", None, None, True)),
        ("Pellucid Maps Signs Letter of Intent to be Acquired by Brackwater", "",
         ("Brackwater", "Pellucid Maps", None, None, False)),
        ("Pellucid to Become Wholly-Owned Subsidiary of Brackwater in New Deal", "",
         ("Brackwater", "Pellucid", None, None, False)),
        ("Brackwater Acquires Pellucid Maps", "Brackwater, which manages $9 billion, today acquired Pellucid Maps for a "
         "total of €40 million in cash. It takes 80% of the shares.", ("Brackwater", "Pellucid Maps", "40000000", None, True)),
        ("Brackwater Acquires Pellucid Maps, Adds $292 Billion", "", ("Brackwater", "Pellucid Maps", None, None, True)),
        ("Brackwater Acquires 19% Stake in Pellucid Maps", "", ("Brackwater", "Pellucid Maps", None, "19", True)),
    ],
)  # fmt: skip
def test_acquisitions_of_every_wording(title: str, body: str, expected: tuple[object, ...]) -> None:
    found = other(title, body)
    assert found.signal_type is SignalType.ACQUISITION
    names = ("acquiring_company", "acquired_company", "amount", "percentage", "is_completed")
    assert tuple(found.details[name] for name in names) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater to Acquire a Leading Chart Company",
        "Brackwater Acquires Three Map Websites",
        "Brackwater to Acquire Copper Hill Project in Nevada for $5 Million",
        "Brackwater Acquires 365-Unit Development Site",
        "The Best Coins to Buy Now",
        "Brackwater Has Launched the Latest Chart",
        "Brackwater Receives Unsolicited Proposal to Acquire Pellucid",
        "Class Action Has Been Filed Against Brackwater",
        "Brackwater Launches Tool for Customer Acquisition",
    ],
)
def test_land_unnamed_targets_and_talk_are_no_acquisition(title: str) -> None:
    assert other(title).signal_type is SignalType.NONE


def test_every_value_of_a_signal_is_in_the_text_it_is_said_to_be_from() -> None:
    body = "Brackwater Systems bought Pellucid Maps for $12 million. Brackwater holds 60% of Pellucid."
    found = other("Brackwater Systems Acquires 60% Stake in Pellucid Maps", body)
    assert {each.field for each in found.evidence} >= {"acquiring_company", "acquired_company", "percentage", "amount"}
    for each in found.evidence:
        if each.field in ("acquiring_company", "acquired_company", "percentage"):
            assert each.value in each.text


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Larkspindle emerges from stealth with straw yarn", ""),
        ("Two engineers found Larkspindle to spin straw", "Larkspindle is a new company from Ghent."),
    ],
)
def test_a_new_company_is_named(title: str, body: str) -> None:
    found = other(title, body)
    assert (found.signal_type, found.company_name) == (SignalType.NEW_COMPANY, "Larkspindle")


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater is reportedly close to acquiring Pellucid",
        "Palladium acquires apartments in Reno",
        "Quernstone opens a mill",
        "",
    ],
)
def test_anything_else_is_no_signal(title: str) -> None:
    found = other(title)
    assert (found.signal_type, found.set_aside_reason) == (SignalType.NONE, "not_funding")


@pytest.mark.parametrize(
    ("title", "acquirer", "acquired"),
    [
        ("Brackwater scoops up Pellucid Maps for $85M", "Brackwater", "Pellucid Maps"),
        ("Brackwater swallows Pellucid Maps", "Brackwater", "Pellucid Maps"),
        ("Exclusive: Brackwater has bought Pellucid Maps", "Brackwater", "Pellucid Maps"),
        ("Pellucid Maps sold to Brackwater for $12M", "Brackwater", "Pellucid Maps"),
        ("Brackwater closes $85 million purchase of Pellucid Maps", "Brackwater", "Pellucid Maps"),
        ("Brackwater Announces Closing of Pellucid Maps Acquisition", "Brackwater", "Pellucid Maps"),
        ("Northgate takes Pellucid Maps private in $2.1B deal", "Northgate", "Pellucid Maps"),
    ],
)
def test_the_verbs_of_the_press_for_buying(title: str, acquirer: str, acquired: str) -> None:
    found = other(title)
    assert found.signal_type is SignalType.ACQUISITION
    assert (found.details["acquiring_company"], found.details["acquired_company"]) == (acquirer, acquired)


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater takes over sponsorship of marathon",
        "Brackwater Takes Over Miami with Its Biggest Event",
        "Brackwater picks up Best App award",
        "Brackwater Secures $6 Million in Bought Deal Offering",
        "Pellucid Maps sells to retailers",
    ],
)
def test_the_same_verbs_without_a_company_bought(title: str) -> None:
    assert other(title).signal_type is not SignalType.ACQUISITION


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Pellucid Maps taps former Brackwater exec Teodora Vankirk as CTO", "CTO"),
        ("Pellucid Maps lures Teodora Vankirk from Brackwater to be its chief product officer", "chief product officer"),
        ("Pellucid Maps brings in Teodora Vankirk as CFO", "CFO"),
        ("Teodora Vankirk succeeds John Rowe as CEO of Pellucid Maps", "CEO"),
        ("Teodora Vankirk takes the helm at Pellucid Maps as CEO", "CEO"),
        ("Pellucid Maps CEO steps down, Teodora Vankirk to take over", "CEO"),
    ],
)
def test_the_verbs_of_the_press_for_a_new_role(title: str, role: str) -> None:
    found = other(title)
    assert (found.details["person_name"], found.details["company_name"]) == ("Teodora Vankirk", "Pellucid Maps")
    assert found.details["new_role"] == role


@pytest.mark.parametrize(
    ("title", "positions"),
    [
        ("Pellucid Maps opens Dublin office, creating 75 jobs", 75),
        ("150 jobs to be created at Pellucid Maps in Cork", 150),
        ("Pellucid Maps ramps up hiring with 80 open roles", 80),
    ],
)
def test_jobs_told_in_other_words(title: str, positions: int) -> None:
    found = other(title)
    assert (found.signal_type, found.company_name) == (SignalType.HIRING, "Pellucid Maps")
    assert found.details["hiring_details"][0]["positions"] == positions


@pytest.mark.parametrize(
    "title",
    [
        "Ex-Brackwater engineers launch Pellucid Maps, a new data company",
        "Former Brackwater executives found Pellucid Maps",
        "Pellucid Maps launches as independent company",
    ],
)
def test_a_company_that_people_found(title: str) -> None:
    found = other(title)
    assert (found.signal_type, found.company_name) == (SignalType.NEW_COMPANY, "Pellucid Maps")


@pytest.mark.parametrize("title", ["Brackwater acquires 10,000th customer", "City museum acquires Oldmoor for $20 million"])
def test_what_is_bought_and_is_no_company_is_not_told(title: str) -> None:
    assert other(title).signal_type is SignalType.NONE


@pytest.mark.parametrize(
    ("title", "acquirer", "acquired", "is_merger"),
    [
        ("Brackwater merges with rival Pellucid Maps", "Brackwater", "Pellucid Maps", True),
        ("Brackwater and Pellucid Maps to merge in all-stock deal", "Brackwater", "Pellucid Maps", True),
        ("Brackwater completes $2 billion merger with Pellucid Maps", "Brackwater", "Pellucid Maps", True),
        ("Brackwater takes majority stake in Norwegian chipmaker Pellucid", "Brackwater", "Pellucid", False),
        ("Brackwater takes 55% stake in Pellucid", "Brackwater", "Pellucid", False),
        ("Map startup Pellucid sold to Brackwater for up to $1.1 billion", "Brackwater", "Pellucid", False),
        ("Pellucid sells itself to Brackwater", "Brackwater", "Pellucid", False),
        ("Brackwater snags map startup Pellucid", "Brackwater", "Pellucid", False),
        ("Brackwater agrees $600m takeover of map rival Pellucid", "Brackwater", "Pellucid", False),
        ("Brackwater acqui-hires team behind Pellucid", "Brackwater", "Pellucid", False),
        ("Brackwater closes $400 million Pellucid acquisition", "Brackwater", "Pellucid", False),
        ("Pellucid goes private in $1.9bn Brackwater buyout", "Brackwater", "Pellucid", False),
        ("Brackwater to take over struggling scooter firm Pellucid", "Brackwater", "Pellucid", False),
        ("Brackwater acquires Dutch HR-tech Pellucid", "Brackwater", "Pellucid", False),
    ],
)
def test_mergers_shares_and_further_verbs_of_buying(title: str, acquirer: str, acquired: str, is_merger: bool) -> None:
    found = other(title)
    assert found.signal_type is SignalType.ACQUISITION
    names = ("acquiring_company", "acquired_company", "is_merger")
    assert tuple(found.details[name] for name in names) == (acquirer, acquired, is_merger)


def test_up_to_is_the_price_of_a_sale() -> None:
    found = other("Map startup Pellucid sold to Brackwater for up to $450m")
    assert (found.amount, found.currency) == (Decimal(450_000_000), "USD")


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater's two subsidiaries merge on Toronto exchange",
        "Brackwater completes merger of subsidiaries ahead of listing",
        "Brackwater merges with shell company to list on Nasdaq",
        "Brackwater to go public via merger with Oldmoor Acquisition Corp",
        "Brackwater ends merger talks with Pellucid",
        "Labour and Green councils to merge",
        "Brackwater fund merges with larger sister trust",
        "Treasury takes 10% stake in chipmaker Pellucid",
        "Brackwater snags rights to boxing match",
        "Brackwater absorbs supplier costs",
        "Jane Rowe takes over Pellucid Maps",
        "Regulator blocks Brackwater's purchase of Pellucid",
    ],
)
def test_what_merges_or_changes_hands_and_is_no_company(title: str) -> None:
    assert other(title).signal_type is not SignalType.ACQUISITION


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Pellucid Maps names ex-Brackwater engineer Jane Rowe as CTO", "CTO"),
        ("Pellucid Maps taps Jane Rowe to lead North America", "lead North America"),
        ("Pellucid Maps taps former Brackwater exec Jane Rowe to run its clinics", "run its clinics"),
        ("Brackwater veteran Jane Rowe to head Pellucid Maps's London office", "head Pellucid Maps's London office"),
        ("Jane Rowe to lead Pellucid Maps's London office", "lead Pellucid Maps's London office"),
        ("Pellucid Maps adds Sir James Rowe to its board", "board"),
        ("Pellucid Maps appoints Jane Rowe to its supervisory board", "supervisory board"),
        ("Pellucid Maps's new chief executive is Jane Rowe", "chief executive"),
        ("Pellucid Maps picks Jane Rowe to succeed founder as CEO", "CEO"),
        ("Pellucid Maps hires first CFO, Jane Rowe, from Brackwater", "CFO"),
        ("Jane Rowe is the new CTO of Pellucid Maps", "CTO"),
        ("Pellucid Maps welcomes Jane Rowe to leadership team as general counsel", "general counsel"),
        ("Pellucid Maps strengthens its team with the hire of Jane Rowe as general counsel", "general counsel"),
        ("Pellucid Maps recruits Brackwater's Jane Rowe as chief risk officer", "chief risk officer"),
        ("Pellucid Maps co-founder Jane Rowe returns as CEO", "CEO"),
        ("Jane Rowe leaves Brackwater to become CEO of Pellucid Maps", "CEO"),
        ("Jane Rowe named president of Pellucid Maps", "president"),
    ],
)
def test_further_ways_to_tell_a_new_role(title: str, role: str) -> None:
    found = other(title)
    assert (found.details["person_name"].split()[-1], found.details["company_name"]) == ("Rowe", "Pellucid Maps")
    assert found.details["new_role"] == role


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater taps bond market to lead refinancing",
        "Brackwater taps Amazon Web Services to lead its move to the cloud",
        "Brackwater taps Oldmoor Sachs to lead its listing",
        "Brackwater names Jane Rowe as head coach",
        "President appoints Jane Rowe as finance minister",
        "Governor taps Jane Rowe to lead housing agency",
        "Church appoints Jane Rowe as bishop of Ghent",
        "Brackwater adds ESG targets to its board scorecard",
        "Brackwater names Berlin as its European hub",
        "Lawyers for Jane Rowe to lead appeal",
    ],
)
def test_offices_teams_and_firms_that_lead_are_no_job_change(title: str) -> None:
    assert other(title).signal_type is not SignalType.JOB_CHANGE


@pytest.mark.parametrize(
    ("title", "positions"),
    [
        ("Pellucid Maps to hire 400 in Gdansk", 400),
        ("Chipmaker Pellucid Maps plans 1,200 new jobs in Dresden", 1200),
        ("Pellucid Maps says it will hire 120 workers at its plant", 120),
        ("Pellucid Maps looks to hire 600 freshers", 600),
        ("Pellucid Maps set to take on 120 staff", 120),
        ("Pellucid Maps to bring 90 new jobs to Shannon", 90),
        ("Pellucid Maps opens engineering centre and hires 70", 70),
        ("500 jobs as Pellucid Maps opens its centre in Swindon", 500),
        ("Pellucid Maps begins recruiting drive for 90 technicians", 90),
        ("Pellucid Maps expands sales team with 25 hires", 25),
        ("Pellucid Maps expands team by 40", 40),
        ("Pellucid Maps doubles headcount to 900", None),
        ("Pellucid Maps to grow its team from 120 to 200", None),
        ("Pellucid Maps to boost workforce by 30%", None),
    ],
)
def test_jobs_and_growing_staff_are_counted(title: str, positions: int | None) -> None:
    found = other(title)
    assert (found.signal_type, found.company_name) == (SignalType.HIRING, "Pellucid Maps")
    assert found.details["hiring_details"][0]["positions"] == positions


@pytest.mark.parametrize(
    "title",
    [
        "US economy adds 250,000 jobs in May",
        "Police force to recruit 200 officers",
        "NHS trust to hire 300 nurses from abroad",
        "Council creates 40 jobs for young people",
        "Ireland creates 10,000 tech jobs in first half",
        "Hospital group to hire 150 nurses",
        "Brackwater doubles bonus for staff",
        "Brackwater to double output at Dresden plant",
        "Brackwater to cut 400 jobs in Gdansk",
        "Brackwater lets 120 workers go",
        "Brackwater moves 120 jobs to Poland",
        "Brackwater denies plans to hire 600 freshers",
        "Brackwater trims workforce to 500",
    ],
)
def test_statistics_public_employers_and_cuts_are_no_hiring(title: str) -> None:
    assert other(title).signal_type is not SignalType.HIRING
