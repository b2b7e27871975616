"""Checks of what comes in: each source against its own rhythm, each day against its like."""

from collections import defaultdict
from datetime import timedelta

from pipeline.defs import common
from pipeline.defs.check_building import Findings, Judged, View
from pipeline.defs.judgements import silent_too_long, unusual_volume

RHYTHM_DAYS, WEEKS = 28, 6
ARRIVALS = """
    SELECT source_id, date_trunc('minute', landed_at) AS at FROM raw.documents
    WHERE landed_at >= $since AND landed_at <= $now AND NOT coalesce(is_catch_up, false) GROUP BY ALL ORDER BY ALL
"""
UNREACHED = """
    SELECT source_id, sum(polls) AS polls, max(last_error) AS last_error FROM raw.source_hours
    WHERE hour_at >= $now - INTERVAL 6 HOUR AND hour_at <= $now
    GROUP BY source_id HAVING sum(polls) >= 3 AND sum(failures) = sum(polls) ORDER BY source_id
"""
VOLUMES = """
    SELECT landed_at::DATE AS day, count(*) FROM raw.documents
    WHERE landed_at >= $since AND landed_at < $today AND NOT coalesce(is_catch_up, false) GROUP BY ALL
"""
REJECTS = """
    SELECT source_id, reason, count(*) AS rejected FROM raw.rejected_documents
    WHERE rejected_at >= $now - INTERVAL 1 DAY AND rejected_at <= $now GROUP BY ALL HAVING count(*) >= 10 ORDER BY 3 DESC, 1, 2
"""


def late_sources(view: View) -> Findings:
    """Watched sources that are silent for much longer than they use to be."""
    rows = view.connection.execute(ARRIVALS, {"since": view.now - timedelta(days=RHYTHM_DAYS), "now": view.now}).fetchall()
    arrivals = defaultdict(list)
    for source, at in rows:
        arrivals[str(source)].append(at)
    late = []
    for source in (source.id for source in view.installation.sources):
        judged = silent_too_long(arrivals[source], view.now)
        if judged is not None:
            silence, usual = judged
            late.append(
                (source, arrivals[source][-1], round(silence / timedelta(hours=1), 1), round(usual / timedelta(hours=1), 1))
            )
    return Findings(("source", "last document", "silent for hours", "usual gap in hours"), late, {"sources": len(arrivals)})


def unreached_sources(view: View) -> Findings:
    """Sources of which no poll of the last six hours succeeded."""
    rows = view.connection.execute(UNREACHED, {"now": view.now}).fetchall()
    return Findings(("source", "polls", "last error"), rows)


def odd_volume(view: View) -> Findings:
    """Yesterday's documents beside the same weekday of the weeks before."""
    today = view.now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=7 * WEEKS + 1)
    counted = dict(view.connection.execute(VOLUMES, {"since": since, "today": today}).fetchall())
    if not counted:
        return Findings(("day", "documents", "times the usual"), [])
    day = today.date() - timedelta(days=1)
    first = min(counted)
    weekdays = [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]
    count, before = counted.get(day, 0), [counted.get(one, 0) for one in weekdays if one >= first]
    ratio = unusual_volume(count, before)
    return Findings(
        ("day", "documents", "times the usual"), [] if ratio is None else [(day, count, round(ratio, 2))], {"documents": count}
    )


def many_rejects(view: View) -> Findings:
    """Sources of which ten or more entries a day can't be read for one reason."""
    rows = view.connection.execute(REJECTS, {"now": view.now}).fetchall()
    return Findings(("source", "reason", "rejected"), rows, {"rejected": sum(row[2] for row in rows)})


CHECKS = [
    Judged(
        common.DOCUMENTS,
        "every_source_keeps_its_rhythm",
        "No source is silent for three times the gap that it usually keeps. If it fails: open the source's address in "
        "a browser. Has it "
        "moved, or does it show news that is not here? Mend `data/sources.yaml`; what was missed comes with the next poll, and "
        "`fundingscout documents replay` helps where it was landed and not read.",
        late_sources,
    ),
    Judged(
        common.SOURCE_HOURS,
        "every_source_is_reached",
        "Of each source some poll of the last six hours succeeded. If it fails: `last error` says why. 403 and 429 ask "
        "for patience or "
        "another User-Agent (`FUNDINGSCOUT_USER_AGENT`), 404 for a new address in `data/sources.yaml`. `name_not_found` of all of "
        "them: this machine has no way to the internet, or no name server.",
        unreached_sources,
    ),
    Judged(
        common.DOCUMENTS,
        "volume_of_yesterday_is_usual",
        "Yesterday brought between 0.4 and 2.5 times the documents of the same weekday of the weeks before. If it "
        "fails: too few: the "
        "picture `sources` in `core/pictures` shows who was silent. Too many: a feed shows its archive; see the "
        "previews by source.",
        odd_volume,
    ),
    Judged(
        common.REJECTED_DOCUMENTS,
        "few_entries_are_rejected",
        "No source had ten or more entries in a day that could not be read for the same reason. If it fails: `detail` "
        "in the preview has "
        "the error; after a mend, `fundingscout documents replay REASON` reads them.",
        many_rejects,
    ),
]
