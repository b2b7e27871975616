"""`fundingscout explain`: why a text is read as it is."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.context import open_installation, print_json

if TYPE_CHECKING:
    from pipeline.documents.model import Document
    from pipeline.signals.explain import Explanation

_COLOURS = {
    "company_name": "cyan",
    "amount": "green",
    "funding_type": "yellow",
    "lead_investor": "magenta",
    "investor": "magenta",
}
WIDTH = 110
# What is surely meant as a file: one word that ends as files do, or begins as paths do.
_LIKE_A_FILE = re.compile(r"\S+\.(?:jsonl?|html?|xml|txt|md|csv)|(?:/|\./|\.\./|~/)\S+", re.I)
LONGEST_BODY = 2_500


@click.command()
@click.argument("subject", metavar="FILE|URL|TEXT")
@click.option("--html", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to open in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
@click.option("--all", "whole", is_flag=True, help="Print the whole text, not its beginning.")
def explain(subject: str, target: Path | None, as_json: bool, whole: bool) -> None:
    """Show what is read from a document, the cues that decided, and the rivals that were rejected.

    FILE: an article's page, a Form D as XML, a record of `extract` (of several the first), or plain text whose first line is the
    title. A URL is fetched as sources are: only from public addresses, unless FUNDINGSCOUT_FETCH_ALLOWED_NETWORKS says otherwise.
    TEXT: a headline, or a headline and more behind a line break. `-` reads standard input.
    """
    from pipeline.signals.explain import explain as explained
    from pipeline.signals.explain_html import page
    from pipeline.signals.rates import reference_rates

    document = _document(subject)
    explanation = explained(document, reference_rates())
    if target is not None:
        target.write_text(page(document.title or "Why it is read so", [(document.url or subject[:200], explanation)]), "utf-8")
        click.echo(f"written to {target}", err=True)
    if as_json:
        print_json(asdict(explanation))
    elif target is None:
        _show(explanation, None if whole else LONGEST_BODY)


def _document(subject: str) -> Document:
    from pipeline.documents.model import Unreadable
    from pipeline.documents.single import document_of_bytes, document_of_text
    from pipeline.installation import utc_now

    now = utc_now()
    try:
        if subject == "-":
            return document_of_bytes(sys.stdin.buffer.read(), None, "", now)
        if subject.lower().startswith(("http://", "https://")):
            answer = open_installation().fetcher.fetch(subject, accept="text/html, application/xml;q=0.9, */*;q=0.1")
            return document_of_bytes(answer.body, answer.content_type, answer.final_url, answer.fetched_at)
        if _is_file(subject):
            return document_of_bytes(Path(subject).read_bytes(), None, "", now)
    except Unreadable as error:
        raise click.ClickException(f"{subject[:200]} can't be read: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{subject[:200]}: {error.strerror}") from None
    if not subject.strip():
        raise click.UsageError("give a file, a URL or a text")
    if _LIKE_A_FILE.fullmatch(subject):
        raise click.ClickException(f"{subject[:200]}: no such file")
    return document_of_text(subject, "", now)


def _is_file(subject: str) -> bool:
    try:
        return len(subject) < 4_096 and "\n" not in subject and Path(subject).is_file()
    except (OSError, ValueError):
        return False


def _show(each: Explanation, limit: int | None) -> None:
    mention = each.mention
    click.secho(_painted(each, "title", None), bold=True)
    click.echo(_painted(each, "body", limit))
    click.echo()
    aside = f"; set aside: {mention.set_aside_reason}" if mention.set_aside_reason else ""
    chance = "" if each.probability is None else f"; probability of a round {each.probability:.3f}"
    language = f"; language {mention.language}" if mention.language else ""
    click.echo(f"{mention.signal_type.value}{aside}{chance}; confidence {mention.confidence_score:.2f}{language}")
    _rows("What was read", [(item.field, item.value, f"[{item.origin}] {item.text}") for item in mention.evidence])
    _rows("What decided", [(cue.name, f"{cue.weight:+.2f}", cue.text) for cue in each.cues])
    reasons = [(str(item.get("cue")), f"{float(item.get('effect') or 0):+.2f}", "") for item in mention.confidence_reasons]
    _rows("What the confidence rests on", reasons)
    _rows("Rejected", [(rival.field, rival.value, f"[{rival.why}] {rival.text}") for rival in each.rivals])


def _rows(heading: str, rows: list[tuple[str, str, str]]) -> None:
    if not rows:
        return
    click.echo()
    click.secho(heading, underline=True)
    names = max(len(name) for name, _, _ in rows)
    values = min(34, max(len(value) for _, value, _ in rows))
    for name, value, seen in rows:
        line = f"  {name.ljust(names)}  {value.ljust(values)}  "
        click.echo(line + textwrap.shorten(seen, max(30, WIDTH - len(line)), placeholder="…"))


def _painted(each: Explanation, part: str, limit: int | None) -> str:
    whole = each.title if part == "title" else each.body
    shown = whole if limit is None else whole[:limit]
    pieces: list[str] = []
    at = 0
    for span in each.spans:
        if span.part == part and span.end <= len(shown):
            pieces += [shown[at : span.start], click.style(shown[span.start : span.end], fg=_COLOURS.get(span.field, "blue"))]
            at = span.end
    pieces.append(shown[at:])
    if len(shown) < len(whole):
        pieces.append(f"… ({len(whole) - len(shown):,} more characters: --all)")
    return "".join(pieces)
