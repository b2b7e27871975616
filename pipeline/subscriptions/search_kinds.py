"""What can be asked for: funding, acquisitions, job changes, hiring, investors, companies, each with its parameters and orders.

Names, orders and defaults are the vendor's (facts, sections 7 and 8).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, or_, select

from pipeline.signals.places import us_state
from pipeline.store.tables.subscriptions import Company, Investor, Signal, SignalInvestor
from pipeline.subscriptions import roles, word_search
from pipeline.subscriptions import search_conditions as by
from pipeline.subscriptions import search_params as read
from pipeline.subscriptions.filters import FLAVORS, lowered
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.payloads import company_id
from pipeline.subscriptions.round_names import ROUNDS
from pipeline.subscriptions.search import DATES, PAGING, Check, Given, Kind

STATUSES = ("verified", "unverified", "pending")
INVESTOR_TYPES = (
    "vc", "angel", "pe", "corporate", "government", "accelerator", "family_office", "hedge_fund", "crowdfunding",
)  # fmt: skip
POST_SOURCES = ("linkedin", "press_release", "other")
_ROLE_NAMES = tuple(roles.NAMES)
_JOB = ("hiringDetails", 0)
_NEW_ROLE = by.text_at("jobChange", "newRole")
_PERSON_PLACES = [by.text_at("jobChange", name) for name in ("personCity", "personLocation")]
_PERSON_COUNTRY = by.text_at("jobChange", "personCountry")
_JOB_TITLE, _JOB_COUNTRY = by.text_at(*_JOB, "title"), by.text_at(*_JOB, "country")
_JOB_CITY, _JOB_LOCATION = by.text_at(*_JOB, "city"), by.text_at(*_JOB, "location")
_SOURCE_TEXT = by.text_at("sources", 0, "content")
_ALL = ColumnElement[bool] | Check


def _signals(event_type: EventType) -> Callable[[Given], by.Conditions]:
    return lambda given: by.window(given, event_type.value)


def _funding(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = [Signal.is_active.is_(True)]
    conditions += [*by.of_company(given), *by.of_deal(given)]
    conditions += by.places(given, "countries", Signal.country) + by.other_places(given, "exclude_countries", Signal.country)
    if "round" in given:
        conditions.append(Signal.round_type.in_(read.many_of("round", given["round"], ROUNDS)))
    if "round_flavor" in given:
        conditions.append(Signal.round_flavor.in_(read.many_of("round_flavor", given["round_flavor"], FLAVORS)))
    if "verification_status" in given:
        stated = func.coalesce(by.text_at("fundingRound", "verificationStatus"), "unverified")  # as a row shows it
        conditions.append(stated.in_(read.many_of("verification_status", given["verification_status"], STATUSES)))
    if "investor_name" in given:
        named = by.contains(SignalInvestor.name, given["investor_name"])
        # Counted, not EXISTS: PostgreSQL would read all investors of all rounds, however few rounds are looked at.
        counted = select(func.count()).where(SignalInvestor.signal_id == Signal.id, named)
        conditions.append(counted.scalar_subquery() > 0)
    return conditions


def _acquisitions(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = [Signal.is_active.is_(True)]
    conditions += [*by.of_company(given), *by.of_deal(given)]
    conditions += by.places(given, "countries", Signal.country) + by.other_places(given, "exclude_countries", Signal.country)
    buyer_country = by.text_at("acquisition", "acquiringCompany", "headquartersCountry")
    conditions += by.places(given, "acquirer_countries", buyer_country)
    conditions += by.other_places(given, "exclude_acquirer_countries", buyer_country)
    if "acquiring_company" in given:
        buyer = by.text_at("acquisition", "acquiringCompany", "name")
        conditions.append(by.contains(buyer, given["acquiring_company"]))
    if "verification_status" in given:  # as for rounds: two reports make it so
        sought = read.many_of("verification_status", given["verification_status"], STATUSES)
        is_reported_twice = by.text_at("sources", 1, "url").is_not(None)
        meant = {"verified": is_reported_twice, "unverified": ~is_reported_twice, "pending": by.NOBODY}
        conditions.append(or_(*(meant[status] for status in sought)))
    return conditions


def _job_changes(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = [Signal.is_active.is_(True)]
    # Not the person's name, though the vendor's does: who guesses a whole name would be told that it is the masked one.
    searched = (Signal.company_name, Signal.industry, _NEW_ROLE, by.text_at("jobChange", "personLocation"), _PERSON_COUNTRY)
    conditions += by.of_company(given, searched)
    conditions += by.places(given, "countries", _PERSON_COUNTRY, Signal.country)
    conditions += by.other_places(given, "exclude_countries", _PERSON_COUNTRY, Signal.country)
    if "city" in given:
        conditions.append(by.contained_in_any(_PERSON_PLACES, given["city"]))
    if "personLinkedinUrl" in given:
        page = read.linkedin_person("personLinkedinUrl", given["personLinkedinUrl"])
        stated = func.rtrim(func.lower(by.text_at("jobChange", "personLinkedinUrl")), "/")
        conditions.append(stated.endswith(f"/in/{page}", autoescape=True))
    if "new_role" in given:
        conditions.append(by.contains(_NEW_ROLE, given["new_role"]))
    if "source" in given:
        sought = read.one_of("source", given["source"].lower(), POST_SOURCES)
        kind = func.coalesce(by.text_at("sources", 0, "sourceType"), "")
        is_post, is_release = kind == "social_media", kind == "press_release"
        conditions.append({"linkedin": is_post, "press_release": is_release, "other": ~or_(is_post, is_release)}[sought])
    if "keyword" in given:
        conditions.append(by.contains(by.text_at("company", "keywords"), given["keyword"]))
    return conditions + _roles(given, _NEW_ROLE)


def _hiring(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = [Signal.is_active.is_(True)]
    conditions += by.of_company(given, (Signal.company_name, Signal.industry, _JOB_TITLE, _JOB_LOCATION, _JOB_CITY))
    conditions += by.places(given, "countries", _JOB_COUNTRY, Signal.country)
    conditions += by.places(given, "job_countries", _JOB_COUNTRY)
    conditions += by.places(given, "company_countries", Signal.country)
    conditions += by.other_places(given, "exclude_countries", _JOB_COUNTRY, Signal.country)
    if "city" in given:
        conditions.append(by.contained_in_any((_JOB_CITY, _JOB_LOCATION), given["city"]))
    if "team_size" in given:
        conditions.append(by.within(Signal.employee_count, read.ranges("team_size", given["team_size"])))
    if "applicants" in given:
        read.ranges("applicants", given["applicants"])
        conditions.append(by.NOBODY)  # no document of ours states it
    if "states" in given:
        conditions.append(_states(given["states"]))
    if "description" in given:
        wanted = word_search.parse(given["description"])
        conditions.append(Check((_SOURCE_TEXT,), lambda text: wanted.accepts(text or "")))
        conditions += [by.contains(_SOURCE_TEXT, word) for word in wanted.always if word.isascii()]
    return conditions + _roles(given, _JOB_TITLE)


def _roles(given: Given, title: ColumnElement[str]) -> list[_ALL]:
    """What kind of role ``title`` names."""
    wanted = {name: roles.known(name, given[name]) for name in _ROLE_NAMES if name in given}
    if not wanted:
        return []
    return [title.is_not(None), Check((title,), lambda text: roles.accepts(text or "", wanted))]


def _states(text: str) -> Check:
    codes = {us_state(name) for name in read.items(text)}
    if None in codes:
        raise read.ParameterInvalid(f"states: {text[:60]!r} must be states of the US: CA,NY,TX")
    return Check((_JOB_LOCATION,), lambda place: any(us_state(part) in codes for part in (place or "").split(",")))


def _investors(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = []
    if "search" in given:
        conditions.append(by.contained_in_any((Investor.name, Investor.type), given["search"]))
    for name, separator in (("type", ","), ("categories", "|")):
        if name in given:
            types = read.many_of(name, given[name], INVESTOR_TYPES, separator)
            conditions.append(Investor.type.in_(types))
    # No document of ours states an investor's countries, place or ticket: whoever asks for one finds nobody.
    if "countries" in given and read.countries("countries", given["countries"]):
        conditions.append(by.NOBODY)
    if "exclude_countries" in given:
        read.countries("exclude_countries", given["exclude_countries"])
    if "headquarters" in given:
        conditions.append(by.NOBODY)
    return conditions + by.bounds(given, "ticket_size", None)


def _company_window(given: Given) -> by.Conditions:
    if "domain" not in given:
        return []
    keys = read.many("domain", given["domain"], read.domain)
    return [Company.id.in_([company_id(key, None) for key in keys])]


def _companies(given: Given) -> list[_ALL]:
    conditions: list[_ALL] = []
    if "linkedin_url" in given:
        page = Company.profile["linkedinUrl"].as_string()
        conditions.append(by.linkedin_page("linkedin_url", given["linkedin_url"], page))
    if "search" in given:
        conditions.append(Company.searched.contains(lowered(given["search"]), autoescape=True))
    conditions += by.places(given, "countries", Company.country) + by.other_places(given, "exclude_countries", Company.country)
    if "industry" in given:
        conditions.append(by.one_of(Company.industry, read.items(given["industry"])))
    if "categories" in given:
        sought = read.items(given["categories"], "|")
        conditions.append(or_(by.one_of(Company.industry, sought), by.one_of(Company.subcategory, sought)))
    if "subcategories" in given:
        conditions.append(by.one_of(Company.subcategory, read.items(given["subcategories"])))
    conditions += by.bounds(given, "employee_count", Company.employee_count)
    return conditions + by.bounds(given, "founded_year", Company.founded_year)


_DEAL_NAMES = ("amount_min", "amount_max", "currency", "verification_status")
# No document of ours states a company's founding year, nor an investor's tickets: all are alike, and then the newest first.
FUNDING = Kind(
    "signals.funding",
    Signal,
    Signal.occurred_at,
    (*PAGING, *DATES, *by.COMPANY_NAMES, *_DEAL_NAMES, "round", "round_flavor", "investor_name"),
    {
        "occurred_at": Signal.occurred_at,
        "discovered_at": Signal.discovered_at,
        "amount": Signal.amount,
        "employee_count": Signal.employee_count,
        "founded_year": Signal.occurred_at,
    },
    _signals(EventType.FUNDING),
    _funding,
)
ACQUISITIONS = Kind(
    "signals.acquisitions",
    Signal,
    Signal.occurred_at,
    (
        *PAGING, *DATES, *by.COMPANY_NAMES, *_DEAL_NAMES, "acquiring_company", "acquirer_countries",
        "exclude_acquirer_countries",
    ),
    {
        "occurred_at": Signal.occurred_at,
        "discovered_at": Signal.discovered_at,
        "amount": Signal.amount,
        "employee_count": Signal.employee_count,
    },
    _signals(EventType.ACQUISITION),
    _acquisitions,
)  # fmt: skip
JOB_CHANGES = Kind(
    "signals.jobChanges",
    Signal,
    Signal.occurred_at,
    (
        *PAGING, *DATES, "search", "countries", "exclude_countries", "city", "personLinkedinUrl", "company_linkedin_url",
        "companyLinkedinUrl", "company_domain", "company_name", "new_role", "source", "keyword", *_ROLE_NAMES,
    ),
    {
        "occurred_at": Signal.occurred_at,
        "discovered_at": Signal.discovered_at,
        "person_name": by.text_at("jobChange", "personName"),
        "company_name": Signal.company_name,
    },
    _signals(EventType.JOB_CHANGE),
    _job_changes,
)  # fmt: skip
HIRING = Kind(
    "signals.hiring",
    Signal,
    Signal.occurred_at,
    (
        *PAGING, *DATES, "search", "description", "countries", "job_countries", "company_countries", "exclude_countries",
        "states", "city", "categories", "subcategories", *_ROLE_NAMES, "team_size", "applicants", "company_name",
        "company_domain", "company_linkedin_url",
    ),
    {
        "created_at": Signal.discovered_at,
        "date_posted": Signal.occurred_at,
        "title": _JOB_TITLE,
        "company_name": Signal.company_name,
        "location": _JOB_LOCATION,
    },
    _signals(EventType.HIRING),
    _hiring,
)  # fmt: skip
INVESTORS = Kind(
    "signals.investors",
    Investor,
    Investor.created_at,
    (
        *PAGING, *DATES, "search", "type", "categories", "countries", "exclude_countries", "headquarters", "ticket_size_min",
        "ticket_size_max",
    ),
    {
        "created_at": Investor.created_at,
        "name": Investor.name,
        "ticket_size_min": Investor.created_at,
        "ticket_size_max": Investor.created_at,
    },
    lambda _given: [],
    _investors,
)  # fmt: skip
COMPANIES = Kind(
    "companies.list",
    Company,
    Company.created_at,
    (
        *PAGING, "domain", "linkedin_url", "search", "countries", "exclude_countries", "industry", "categories",
        "subcategories", "employee_count_min", "employee_count_max", "founded_year_min", "founded_year_max", *DATES,
    ),
    {
        "name": Company.name,
        "employee_count": Company.employee_count,
        "founded_year": Company.founded_year,
        "created_at": Company.created_at,
    },
    _company_window,
    _companies,
    most=200_000,  # their rows are short
    ignored=DATES,
)  # fmt: skip
