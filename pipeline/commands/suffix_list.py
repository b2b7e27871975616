"""``fundingscout suffix-list``."""

from __future__ import annotations

import click

from pipeline.commands.context import open_installation

URL = "https://publicsuffix.org/list/public_suffix_list.dat"
FEWEST_RULES = 5_000
MARKS = ("===BEGIN ICANN DOMAINS===", "===BEGIN PRIVATE DOMAINS===")


class NoSuffixList(ValueError):
    """What was fetched is no Public Suffix List. Says what it lacks."""


def check_suffix_list(text: str) -> int:
    """The number of rules in a Public Suffix List. Raises NoSuffixList when it lacks a section or is too short to be whole."""
    for mark in MARKS:
        if mark not in text:
            raise NoSuffixList(f"what came is no Public Suffix List: it has no line {mark}; the present list stays in use")
    rules = sum(1 for line in text.splitlines() if line.strip() and not line.startswith("//"))
    if rules < FEWEST_RULES:
        raise NoSuffixList(
            f"what came has {rules} rules, a whole list has more than {FEWEST_RULES}; the present list stays in use"
        )
    return rules


@click.group("suffix-list")
def suffix_list() -> None:
    """The Public Suffix List, which says where a registrable domain begins. A bundled one is used until it is refreshed here."""


@suffix_list.command("refresh")
@click.option("--url", default=URL, show_default=True)
def refresh(url: str) -> None:
    """Fetch the list of today and use it from now on. Domain keys of rows that are stored already stay as they are."""
    installation = open_installation()
    body = installation.fetcher.fetch(url).body
    rules = check_suffix_list(body.decode("utf-8", errors="replace"))
    part = installation.suffix_list_file.with_suffix(".part")
    part.write_bytes(body)
    part.replace(installation.suffix_list_file)
    click.echo(f"{rules} rules, in use from the next start on")


@suffix_list.command("drop")
def drop() -> None:
    """Go back to the bundled list."""
    open_installation().suffix_list_file.unlink(missing_ok=True)
    click.echo("the bundled list is in use from the next start on")
