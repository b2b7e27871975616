"""Checks of what is read from documents: whether the last week's readings are like those of the weeks before.

Drift means that the outside changed (a wire's new layout) or that the rules did. Each looks at two windows alone.
"""

from datetime import timedelta
from typing import Any

from pipeline.defs import common
from pipeline.defs.check_building import Findings, Judged, View
from pipeline.defs.judgements import has_shifted, moved, stability_index

WEEK, BEFORE = timedelta(days=7), timedelta(days=35)
WINDOW = "extracted_at >= $since AND extracted_at <= $now AND NOT coalesce(is_recovered, false)"
IS_NEW = "extracted_at >= $week"
FIELDS = ("amount", "funding_type", "website", "city", "country", "announced_date")
SET_ASIDE = f"""
    SELECT set_aside_reason, count(*) FILTER ({IS_NEW}), count(*) FILTER (NOT {IS_NEW}),
        sum(count(*) FILTER ({IS_NEW})) OVER (), sum(count(*) FILTER (NOT {IS_NEW})) OVER ()
    FROM core.mentions WHERE {WINDOW} GROUP BY set_aside_reason ORDER BY 1
"""
FOUND = f"""
    SELECT {", ".join(f"count({name}) FILTER ({IS_NEW}), count({name}) FILTER (NOT {IS_NEW})" for name in FIELDS)},
        count(*) FILTER ({IS_NEW}), count(*) FILTER (NOT {IS_NEW})
    FROM core.mentions WHERE {WINDOW} AND is_funding
"""
TYPES = f"""
    SELECT coalesce(funding_type, 'not stated'), count(*) FILTER ({IS_NEW}), count(*) FILTER (NOT {IS_NEW})
    FROM core.mentions WHERE {WINDOW} AND is_funding GROUP BY ALL
"""
CONFIDENCES = f"""
    SELECT floor(confidence_score * 10)::INTEGER::VARCHAR, count(*) FILTER ({IS_NEW}), count(*) FILTER (NOT {IS_NEW})
    FROM core.mentions WHERE {WINDOW} AND is_funding AND confidence_score IS NOT NULL GROUP BY ALL
"""
SHARES = ("what", "share now", "share before", "moved by")


def moved_reasons(view: View) -> Findings:
    """Reasons for setting documents aside whose share has moved."""
    rows, aside, everything = [], 0, 0
    for reason, now, before, all_now, all_before in _ask(view, SET_ASIDE):
        everything = int(all_now)
        if reason is None:
            continue
        aside += now
        difference = moved(now, int(all_now), before, int(all_before))
        if difference is not None:
            rows.append((reason, now / all_now, before / all_before, difference))
    return Findings(SHARES, rows, {"share_set_aside": round(aside / everything, 4)} if everything else {})


def moved_fields(view: View) -> Findings:
    """Fields of funding mentions that are found much more or less often than before."""
    (counted,) = _ask(view, FOUND)
    now, before = counted[-2:]
    rows = []
    for place, name in enumerate(FIELDS):
        found, found_before = counted[2 * place : 2 * place + 2]
        difference = moved(found, now, found_before, before)
        if difference is not None:
            rows.append((name, found / now, found_before / before, difference))
    figures = {f"share_with_{name}": round(counted[2 * place] / now, 4) for place, name in enumerate(FIELDS)} if now else {}
    return Findings(SHARES, rows, figures)


def shifted_types(view: View) -> Findings:
    """Round types, when their mix is not what it was."""
    return _shifted(view, TYPES)


def shifted_confidence(view: View) -> Findings:
    """Tenths of the confidence, when they are not spread as they were."""
    return _shifted(view, CONFIDENCES)


def _shifted(view: View, query: str) -> Findings:
    rows = _ask(view, query)
    now = {str(name): int(count) for name, count, _ in rows if count}
    before = {str(name): int(count) for name, _, count in rows if count}
    figures = {"stability_index": round(stability_index(now, before), 4)}
    if not has_shifted(now, before):
        return Findings(("what", "last week", "four weeks before"), [], figures)
    table = [(name, now.get(name, 0), before.get(name, 0)) for name in sorted(now.keys() | before.keys())]
    return Findings(("what", "last week", "four weeks before"), table, figures)


def _ask(view: View, query: str) -> list[tuple[Any, ...]]:
    return view.connection.execute(query, {"now": view.now, "week": view.now - WEEK, "since": view.now - BEFORE}).fetchall()


WHAT_TO_DO = (
    "If it fails: materialise `core/extraction_review` and look whether the texts or the readings changed. Texts: "
    "nothing to do, or a "
    "new wording for the rules. Readings, after an upgrade: `extractor_version` says since when; mended, backfill those days."
)
CHECKS = [
    Judged(
        common.MENTIONS,
        "share_set_aside_is_usual",
        f"No reason for setting documents aside became much more or less frequent in the last week. {WHAT_TO_DO}",
        moved_reasons,
    ),
    Judged(
        common.MENTIONS,
        "fields_are_found_as_often_as_before",
        f"Amount, type, website, place and date are found in about the share of rounds in which they used to be. {WHAT_TO_DO}",
        moved_fields,
    ),
    Judged(
        common.MENTIONS,
        "mix_of_types_is_usual",
        f"The types of the last week's rounds are spread as in the four weeks before (stability index up to 0.25). {WHAT_TO_DO}",
        shifted_types,
    ),
    Judged(
        common.MENTIONS,
        "confidence_is_spread_as_before",
        f"The confidence of the last week's rounds is spread as in the four weeks before (index up to 0.25). {WHAT_TO_DO}",
        shifted_confidence,
    ),
]
