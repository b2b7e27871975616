"""What is kept of a person's name and e-mail where privacy asks for less (SB-78, SB-79, A-SB-31).

Job changes always name a person by first name and last initial; other blocks only for teams that have the stricter switch on.
"""

from __future__ import annotations

import re
from typing import Any

from pipeline.matching.domains import email_domain
from pipeline.subscriptions.model import EventType


def masked_name(name: str | None) -> str | None:
    """First name and last initial: `Jordan M.`. One word stays as it is; None stays None."""
    words = (name or "").split()
    if not words:
        return None
    return words[0] if len(words) == 1 else f"{words[0]} {words[-1][0].upper()}."


def work_email(email: str | None) -> str | None:
    """The address, unless it is at a provider of private mailboxes or can't be one."""
    return email if email_domain(email) else None


def masked(event_type: str, data: dict[str, Any], is_strict: bool) -> dict[str, Any]:
    """``data`` as it may be told: job changes masked always, employees with ``is_strict``. ``data`` itself stays as it is."""
    shown = dict(data)
    change = shown.get("jobChange")
    if event_type == EventType.JOB_CHANGE and isinstance(change, dict):
        name, company = change.get("personName"), shown.get("company")
        at = company.get("name") if company else None
        shown["jobChange"] = change | {"personName": masked_name(name)}
        shown["sources"] = [_without_name(source, name, at) for source in shown.get("sources") or []]
        if company and company.get("description"):
            shown["company"] = company | {"description": hidden(company["description"], name, at)}
    if is_strict and shown.get("employees"):
        shown["employees"] = [
            employee | {"name": masked_name(employee.get("name")), "email": work_email(employee.get("email"))}
            for employee in shown["employees"]
        ]
    return shown


def hidden(text: str | None, name: str | None, but: str | None = None) -> str | None:
    """``text`` with every name of the person but the first given by its initial, whatever the case: "Miles" is "M.".

    A word of ``but``, the company's name, stays: it is not the person's alone. So do lower-case parts ("van", "de").
    """
    kept = {word.casefold() for word in (but or "").split()}
    for word in (name or "").split()[1:]:
        if text and word[0].isupper() and len(word.rstrip(".")) > 1 and word.casefold() not in kept:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", f"{word[0]}.", text, flags=re.IGNORECASE)
    return text


def _without_name(source: dict[str, Any], name: str | None, company: str | None) -> dict[str, Any]:
    """A source whose title names the person as the signal does; its text, which may say anything of him or her, is left out."""
    return source | {"title": hidden(source.get("title"), name, company), "content": None}
