"""Rows and pages of what can be asked for, as the OpenAPI document shows them (vendor facts, section 7). What no document of
ours states is null."""

# ruff: noqa: N815 - names as callers read them
from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field

from pipeline.api.signalbase.schemas import Described, Instant, Meta

T = TypeVar("T")
Match = Annotated[
    Literal["exact", "fuzzy", "none"],
    Field(description="How the company was asked for: by domain or LinkedIn page, by name, not at all."),
]
JsonList = Annotated[str | None, Field(description="A JSON list, as text.")]
SourceType = Literal["press_release", "news_article", "social_media", "blog_post", "sec_filing", "crunchbase", "pitchbook"]
InvestorType = Literal[
    "vc", "angel", "pe", "corporate", "government", "accelerator", "family_office", "hedge_fund", "crowdfunding"
]
Currency = Annotated[str, Field(description="ISO 4217. USD where no amount is stated.")]


class NamedSource(Described):
    """A document that reports it."""

    url: str
    sourceType: SourceType | None


class Source(NamedSource):
    """A document that reports it; the first is the primary one."""

    title: str | None
    publishedAt: Instant | None
    isPrimary: bool


class RoundInvestor(Described):
    """An investor of a round. ``id`` follows from the name."""

    id: str
    name: str
    type: InvestorType | None
    website: str | None
    linkedin: str | None
    isLead: bool


class SignalRow(Described):
    """A signal of a company."""

    signalId: str
    match_confidence: Match
    occurredAt: Instant
    discoveredAt: Instant


class AboutCompany(Described):
    """What all rows say of the company."""

    companyName: str
    companyWebsite: str | None
    companyIndustry: str | None
    companyCountry: str | None
    companySubcategory: str | None
    companyEmployeeCount: int | None
    companyFoundedYear: int | None
    companyDescription: str | None
    companyCategories: JsonList
    companyLogo: str | None
    isFreeAccess: Literal[True]


class DealCompany(AboutCompany):
    """What rows of deals say of the company. The website is a bare host."""

    companyId: str
    companySlug: str
    companyLinkedin: str | None


class FundingRow(SignalRow, DealCompany):
    """A funding round. Amounts in whole units of ``currency``."""

    signalType: Literal["funding_round"]
    roundType: str | None
    roundFlavor: Literal["bridge", "extension", "secondary"] | None
    amount: int | None
    currency: Currency
    announcedDate: str | None
    confidenceScore: float | None
    verificationStatus: Literal["verified", "unverified", "pending"]
    investors: list[RoundInvestor]
    sources: list[Source]


class Acquirer(Described):
    """The company that buys."""

    id: str
    name: str
    slug: str
    logo: str | None
    website: str | None
    linkedin: str | None
    industry: str | None
    companyCountry: str | None
    companySubcategory: str | None
    foundedYear: int | None
    employeeCount: int | None


class AcquisitionRow(SignalRow, DealCompany):
    """An acquisition; the company is the one that is bought. Amounts in whole units of ``currency``."""

    signalType: Literal["acquisition"]
    acquiringCompanyId: str | None
    amount: int | None
    currency: Currency
    percentage: Annotated[str | None, Field(examples=["100%", "51%"])]
    announcedDate: str | None
    acquiringCompany: Acquirer | None
    sources: list[Source]


class JobChangeRow(SignalRow, AboutCompany):
    """A job change. The person goes by first name and last initial."""

    signalType: Literal["job_change"]
    personName: Annotated[str, Field(examples=["Jordan M."])]
    personLinkedinUrl: str | None
    companyLinkedinUrl: str | None
    newRole: str
    postContent: str | None
    takenFrom: Annotated[str | None, Field(description="Where it was read.")]
    source: Literal["linkedin", "press_release", "other"]
    personCurrentTitle: str | None
    personHeadline: str | None
    personLocation: str | None
    personCity: str | None
    personCountry: str | None
    personFollowers: int | None
    personConnections: int | None
    personPosts: JsonList
    companyLogoUrl: str | None
    companySpecialties: JsonList
    sources: list[NamedSource]


class HiringRow(AboutCompany):
    """An opening. ``title`` and ``jobUrl`` are empty where no document names them."""

    id: str
    match_confidence: Match
    jobId: str | None
    jobUrl: str
    title: str
    location: str | None
    city: str | None
    region: str | None
    jobCountry: str | None
    datePosted: Instant | None
    validThrough: Instant | None
    employmentType: str | None
    seniorityLevel: str | None
    jobFunction: str | None
    industries: str | None
    numApplicants: str | None
    descriptionText: Annotated[str | None, Field(description="The first 1,000 characters of the document that names it.")]
    createdAt: Instant
    companyId: str
    companyLogoUrl: str | None
    companySpecialties: JsonList


class InvestorRow(Described):
    """An investor of rounds."""

    id: str
    name: str
    type: InvestorType | None
    linkedinUrl: str | None
    website: str | None
    logoUrl: str | None
    countries: JsonList
    ticketSizeMin: int | None
    ticketSizeMax: int | None
    headquarters: str | None
    createdAt: Instant
    isFreeAccess: Literal[True]


class Growth(Described):
    """Growth of the headcount in percent."""

    growth_1m: float | None
    growth_3m: float | None
    growth_6m: float | None
    growth_9m: float | None
    growth_12m: float | None


class CompanyRow(Described):
    """A company that signals are about."""

    id: str
    name: str
    slug: str
    description: str | None
    website: str | None
    linkedinUrl: str | None
    twitterUrl: str | None
    logoUrl: str | None
    industry: str | None
    foundedYear: int | None
    headquartersCountry: str | None
    employeeCount: int | None
    categories: list[str]
    keywords: list[str]
    specialties: list[str]
    growthInfo: Growth | None
    createdAt: Instant
    updatedAt: Instant


class NumberedPagination(Described):
    """Where a numbered page stands."""

    currentPage: int
    totalPages: int
    totalCount: int
    hasNextPage: bool
    hasPreviousPage: bool


class SearchMeta(Meta):
    """The operation, what it cost, and what is left."""

    creditsRemaining: int


class Page(Described, Generic[T]):
    """A numbered page."""

    success: Literal[True]
    data: list[T]
    pagination: NumberedPagination
    meta: SearchMeta
