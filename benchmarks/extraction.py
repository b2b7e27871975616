"""How well and how fast rounds are read out of documents, on data given by path.

    python benchmarks/extraction.py PATH [--errors N]

PATH is a folder with ``gold_open.jsonl``, ``evaluate.py``, ``stream_open.jsonl.gz``, ``stream_open_flags.json`` and
``dedup_open.json``. Prints the evaluator's figures, the false alarms in the stream, how right the confidence is, whether
reports of one round are merged, and documents a second on one core.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.documents.edgar import parse_page
from pipeline.documents.feeds import XML_DECLARATION, _parse_any, parse_feed
from pipeline.documents.form_d import parse_form_d
from pipeline.documents.text import decode
from pipeline.matching.domains import registrable_domain
from pipeline.matching.names import normal_form
from pipeline.signals.jsonl import extract_lines
from pipeline.signals.resolve import Report, choose_round, round_id_of

GIVEN = ("id", "title", "body", "url", "published_date", "outlet")


def predictions(rows: list[dict[str, Any]]) -> tuple[list[str], float]:
    """(output lines, seconds) of the extractor, which sees nothing but GIVEN."""
    lines = [json.dumps({key: row.get(key) for key in GIVEN}) for row in rows]
    out: list[str] = []
    began = time.perf_counter()
    extract_lines(lines, out.append)
    return out, time.perf_counter() - began


def stream_figures(folder: Path) -> None:
    """What is flagged among the releases of a wire as it comes, nearly all of them no funding news."""
    with gzip.open(folder / "stream_open.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    flags = json.loads((folder / "stream_open_flags.json").read_text(encoding="utf-8"))
    out, seconds = predictions(rows)
    flagged = {found["id"] for found in map(json.loads, out) if found["is_funding"]}
    groups = {name: set(flags[name]) for name in ("positives", "read_negatives", "ambiguous", "likely_positives")}
    others = flagged - set().union(*groups.values())
    for name, ids in groups.items():
        print(f"stream {name}: {len(flagged & ids)} of {len(ids)}")
    judged = len(flagged) - len(flagged & (groups["ambiguous"] | groups["likely_positives"]))
    print(
        f"stream others: {len(others)}; flagged {len(flagged)} of {len(rows)}; precision "
        f"{len(flagged & groups['positives']) / max(1, judged):.3f}"
    )
    print(f"stream: {len(rows) / seconds:.0f} releases a second")
    titles = {row["id"]: row["title"] for row in rows}
    for key in sorted(others | (flagged & groups["read_negatives"])):
        print("   flagged:", titles[key][:120])


def same_round_figures(folder: Path, out: list[str], rows: list[dict[str, Any]]) -> None:
    """Pairs of records that report one round and are merged, and look-alikes that are not to be."""
    truth = json.loads((folder / "dedup_open.json").read_text(encoding="utf-8"))
    linked: dict[str, str] = {}
    rounds: dict[str, list[Report]] = {}
    by_id = {row["id"]: row for row in rows}
    for number, found in enumerate(map(json.loads, out)):
        if not found["is_funding"] or not found["company_name"]:
            continue
        report = _report(number, found, by_id[found["id"]])
        link = choose_round(report, rounds.items())
        round_id = link.round_id if link else round_id_of(report.document_id)
        rounds.setdefault(round_id, []).append(report)
        linked[found["id"]] = round_id
    met = [pair for pair in truth["pairs"] if pair[0] in linked and linked.get(pair[0]) == linked.get(pair[1])]
    merged = [pair for pair in truth["hard_non_duplicates"] if pair[0] in linked and linked.get(pair[0]) == linked.get(pair[1])]
    clusters = {row["id"]: row.get("round_cluster") for row in rows}
    wrong = sum(1 for reports in rounds.values() if len({clusters[report.document_id] for report in reports}) > 1)
    print(
        f"same-round pairs: {len(met)} of {len(truth['pairs'])}; hard non-duplicates merged: {len(merged)}; "
        f"rounds of mixed reports: {wrong}"
    )


def _report(number: int, found: dict[str, Any], row: dict[str, Any]) -> Report:
    day = datetime.fromisoformat(row["published_date"] or "1970-01-01").replace(tzinfo=UTC)
    return Report(
        document_id=found["id"],
        mention_seq=number,
        kind="article",
        source_id="",
        outlet=row.get("outlet") or "",
        url="",
        title=row["title"],
        landed_at=day,
        published_at=day,
        is_catch_up=False,
        is_funding=True,
        company_name=found["company_name"],
        company_key=normal_form(found["company_name"]),
        domain_key=registrable_domain(found["website"]),
        amount=found["amount"],
        currency=found["currency"],
        amount_usd=found["amount_usd"],
        funding_type=found["funding_type"],
    )


def form_d_figures(folder: Path) -> None:
    """Fields of the filings that must be read, and funds among them taken for rounds."""
    expected = [json.loads(line) for line in (folder / "formd" / "expected.jsonl").read_text(encoding="utf-8").splitlines()]
    right = fields = let_through = 0
    for row in expected:
        found = parse_form_d((folder / "formd" / row["file"]).read_bytes())
        wanted = {name: value for name, value in row.items() if name not in ("file", "source")}
        fields += len(wanted)
        right += sum(found.get(name) == value for name, value in wanted.items())
        let_through += found["is_operating_company_round"] and not row["is_operating_company_round"]
    print(f"Form D: {right} of {fields} fields of {len(expected)} filings right; pooled funds let through: {let_through}")


def feed_figures(folder: Path) -> None:
    """Entries a second of EDGAR's pages and of article feeds, the latter beside feedparser alone."""
    with tarfile.open(next((folder / "feeds").glob("getcurrent_*.tar.gz"))) as archive:
        files = (archive.extractfile(member) for member in archive.getmembers())
        pages = [page for file in files if file is not None and b"<entry>" in (page := file.read())]
    print(
        f"EDGAR pages: {_best(lambda: sum(len(parse_page(page, 'https://edgar.test/')) for page in pages)):.0f} entries a second"
    )
    for path in sorted((folder / "feeds").glob("*.rss")):
        body = path.read_bytes()
        text = decode(body).strip("\ufeff \t\r\n")
        bare = XML_DECLARATION.sub("", text, count=1)
        quick = _best(lambda body=body: len(parse_feed(body, None, "https://feed.test/").entries))
        slow = _best(lambda bare=bare, text=text: len(_parse_any(bare, text, "https://feed.test/").entries))
        same = parse_feed(body, None, "https://feed.test/") == _parse_any(bare, text, "https://feed.test/")
        print(f"{path.name}: {quick:.0f} entries a second, {slow:.0f} by feedparser; the same entries: {same}")


def _best(read: Callable[[], int]) -> float:
    """Items a second of one core's own time, in the fastest of five passes: others may use the machine."""
    rates = []
    for _ in range(5):
        began = time.process_time()
        rates.append(read() / (time.process_time() - began))
    return max(rates)


def confidence_figures(out: list[str], rows: list[dict[str, Any]], folder: Path) -> None:
    """Of the records flagged, how many have company, amount and type right, by band of confidence (the evaluator's rules)."""
    sys.path.insert(0, str(folder))
    import evaluate  # type: ignore[import-not-found]

    bands: dict[float, list[tuple[float, bool]]] = {}
    for found, row in zip(map(json.loads, out), rows, strict=True):
        if not found["is_funding"] or row.get("ambiguous"):
            continue
        scores = evaluate.Scores()
        scores.add(row, found)
        right = bool(scores.core[0])
        bands.setdefault(min(0.9, int(found["confidence_score"] * 10) / 10), []).append((found["confidence_score"], right))
    total = sum(len(band) for band in bands.values())
    error = sum(abs(sum(score for score, _ in band) - sum(right for _, right in band)) for band in bands.values()) / max(
        1, total
    )
    for low, band in sorted(bands.items()):
        print(
            f"confidence {low:.1f}: {len(band):4d} rounds, {sum(right for _, right in band) / len(band):.2f} "
            f"right, {sum(s for s, _ in band) / len(band):.2f} said"
        )
    print(f"confidence: calibration error {error:.3f}")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", type=int, default=0)
    arguments = parser.parse_args()
    folder: Path = arguments.folder

    with (folder / "gold_open.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    out, seconds = predictions(rows)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(out)
        file.flush()
        command = [
            sys.executable,
            str(folder / "evaluate.py"),
            str(folder / "gold_open.jsonl"),
            file.name,
            "--errors",
            str(arguments.errors),
        ]
        subprocess.run(command, check=True)
    print(f"gold: {len(rows) / seconds:.0f} documents a second")
    confidence_figures(out, rows, folder)
    same_round_figures(folder, out, rows)
    stream_figures(folder)
    form_d_figures(folder)
    feed_figures(folder)


if __name__ == "__main__":
    main()
