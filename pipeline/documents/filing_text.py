"""A Form D in words, for people who read documents: title and a line per fact."""

from __future__ import annotations

from typing import Any


def filing_title(fields: dict[str, Any]) -> str:
    """Such as ``Form D/A: Example Robotics, Inc.``."""
    return f"Form {fields['submission_type'] or 'D'}: {fields['company_name'] or 'unnamed issuer'}"


def filing_text(fields: dict[str, Any]) -> str:
    """The facts that tell what was offered, by whom, and how much was sold; only those that are stated."""
    place = ", ".join(
        part for part in (fields["city"], fields["state_or_country_description"] or fields["state_or_country"]) if part
    )
    people = "; ".join(_person(person) for person in fields["related_persons"])
    facts = [
        ("Issuer", fields["company_name"]),
        ("Previous names", ", ".join(fields["previous_names"])),
        ("Place", place),
        ("Entity", ", ".join(part for part in (fields["entity_type"], fields["jurisdiction"]) if part)),
        ("Industry", ", ".join(part for part in (fields["industry_group"], fields["fund_type"]) if part)),
        ("Exemptions", ", ".join(fields["exemptions"])),
        ("Securities", ", ".join(name.removeprefix("is").removesuffix("Type") for name in fields["securities"])),
        ("Date of first sale", fields["date_of_first_sale"] or ("yet to occur" if fields["yet_to_occur"] else None)),
        ("Total offering", "indefinite" if fields["offering_indefinite"] else _dollars(fields["total_offering"])),
        ("Total sold", _dollars(fields["total_sold"])),
        ("Remaining", _dollars(fields["total_remaining"])),
        ("Minimum investment", _dollars(fields["minimum_investment"])),
        ("Investors", None if fields["investors_count"] is None else str(fields["investors_count"])),
        ("Related persons", people),
        ("On the amounts", fields["amounts_clarification"]),
        ("Amends", fields["previous_accession"]),
    ]
    return "\n".join(f"{name}: {value}" for name, value in facts if value)


def _person(person: dict[str, Any]) -> str:
    name = " ".join(part for part in (person["first"], person["middle"], person["last"]) if part)
    return f"{name} ({', '.join(person['relationships'])})" if person["relationships"] else name


def _dollars(amount: int | None) -> str | None:
    return None if amount is None else f"${amount:,}"
