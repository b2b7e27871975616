"""What is kept of a person's name and e-mail where privacy asks for less (SB-78, SB-79, A-SB-31).

Job changes always name a person by first name and last initial; other blocks only for teams that have the stricter switch on.
"""

from __future__ import annotations

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
        shown["jobChange"] = change | {"personName": masked_name(change.get("personName"))}
        shown["sources"] = [_without_name(source, change.get("personName")) for source in shown.get("sources") or []]
    if is_strict and shown.get("employees"):
        shown["employees"] = [
            employee | {"name": masked_name(employee.get("name")), "email": work_email(employee.get("email"))}
            for employee in shown["employees"]
        ]
    return shown


def _without_name(source: dict[str, Any], name: str | None) -> dict[str, Any]:
    """A source whose title names the person as the signal does; its text, which may say anything of him or her, is left out."""
    title = source.get("title")
    if title and name:
        title = title.replace(name, masked_name(name) or "")
    return source | {"title": title, "content": None}
