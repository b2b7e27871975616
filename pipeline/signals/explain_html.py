"""Explanations as one page to open in a browser: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from pipeline.signals.explain import Explanation, Span

_COLOURS = {
    "company_name": "#cde8ff", "amount": "#d3f5d0", "funding_type": "#ffe9b8", "lead_investor": "#f3d1f4", "investor": "#f3e3f7",
    "website": "#d8f0ee", "location": "#fbd9d3", "ceo_name": "#e2e0ff",
}  # fmt: skip
_OTHER_COLOUR = "#eeeeee"
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1b1b}
h1{font-size:1.2rem}h2{font-size:1.05rem;margin:2.5rem 0 .3rem;border-top:1px solid #ccc;padding-top:1.2rem}
h3{font-size:.9rem;margin:1rem 0 .2rem}table{border-collapse:collapse;font-size:.85rem}td,th{text-align:left;vertical-align:top;
padding:.15rem .7rem .15rem 0}td.n{text-align:right;font-variant-numeric:tabular-nums}mark{padding:0 .15em;border-radius:.2em}
p.body{white-space:pre-wrap;background:#fafafa;border:1px solid #e3e3e3;padding:.8rem;max-height:24rem;overflow:auto}
.against{color:#a40000}.for{color:#006b1f}small{color:#555}"""


def page(title: str, explanations: Iterable[tuple[str, Explanation]]) -> str:
    """A whole HTML document. ``explanations``: (where the document is from, its explanation), shown in this order."""
    sections = "".join(_section(source, each) for source, each in explanations)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{_legend()}"
        f"{sections or '<p>no documents</p>'}</body></html>\n"
    )


def _legend() -> str:
    marks = " ".join(f'<mark style="background:{colour}">{escape(field)}</mark>' for field, colour in _COLOURS.items())
    return f"<p><small>{marks}</small></p>"


def _section(source: str, each: Explanation) -> str:
    mention = each.mention
    probability = "" if each.probability is None else f", probability of a round {each.probability:.3f}"
    aside = f", set aside: {mention.set_aside_reason}" if mention.set_aside_reason else ""
    verdict = f"{mention.signal_type.value}{aside}{probability}, confidence {mention.confidence_score:.2f}"
    return (
        f"<section><h2>{_marked(each.title, each.spans, 'title')}</h2><p><small>{escape(source)}</small><br>{escape(verdict)}</p>"
        f'<p class="body">{_marked(each.body, each.spans, "body")}</p>{"".join(_tables(each))}</section>'
    )


def _tables(each: Explanation) -> Iterator[str]:
    read = [(item.field, item.value, f"{item.origin}: {item.text}") for item in each.mention.evidence]
    if read:
        yield _table("What was read", ("field", "value", "from"), read)
    if each.cues:
        rows = [(cue.name, f"{cue.weight:+.2f}", cue.text) for cue in each.cues]
        yield _table("What decided", ("cue", "weight", "seen in"), rows, number=1)
    reasons = [(str(item.get("cue")), f"{float(item.get('effect') or 0):+.2f}") for item in each.mention.confidence_reasons]
    if reasons:
        yield _table("What the confidence rests on", ("reason", "effect"), reasons, number=1)
    if each.rivals:
        rejected = [(rival.field, rival.value, rival.why, rival.text) for rival in each.rivals]
        yield _table("Rejected", ("field", "value", "held to be", "seen in"), rejected)


def _table(heading: str, names: tuple[str, ...], rows: Iterable[tuple[str, ...]], number: int | None = None) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(_cell(value, index == number) for index, value in enumerate(row)) + "</tr>" for row in rows)
    return f"<h3>{escape(heading)}</h3><table><tr>{head}</tr>{body}</table>"


def _cell(value: str, is_number: bool) -> str:
    if is_number:
        return f'<td class="n {"against" if value.startswith("-") else "for"}">{escape(value)}</td>'
    return f"<td>{escape(value)}</td>"


def _marked(text: str, spans: Iterable[Span], part: str) -> str:
    pieces: list[str] = []
    at = 0
    for span in spans:
        if span.part != part:
            continue
        colour = _COLOURS.get(span.field, _OTHER_COLOUR)
        pieces.append(escape(text[at : span.start]))
        pieces.append(
            f'<mark style="background:{colour}" title="{escape(span.field)}">{escape(text[span.start : span.end])}</mark>'
        )
        at = span.end
    pieces.append(escape(text[at:]))
    return "".join(pieces)
