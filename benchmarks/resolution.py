"""How well reports of one round are merged, and how fast.

    python benchmarks/resolution.py [PATH] [--companies N] [--seed N]

Always: invented companies whose rounds are reported by several outlets as outlets do (other spellings and currencies, amounts or
stages left out, days late), with neighbours that must not be merged: namesakes with other domains, next rounds, extensions of
another size. With PATH (a folder with ``gold_open.jsonl`` and ``dedup_open.json``): the labelled records, fed with their labels,
so that only resolving is measured (benchmarks/extraction.py measures it behind the extractor).
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipeline.signals.resolve_lines import resolve_lines

SYLLABLES = (
    "quern",
    "lark",
    "fen",
    "moor",
    "sable",
    "wick",
    "dun",
    "pell",
    "brack",
    "thorn",
    "ost",
    "vale",
    "mer",
    "hol",
    "gant",
    "rill",
)
STAGES = ("pre-seed", "seed", "series-a", "series-b", "series-c", None)
SUFFIXES = ("", "", "", "", " Labs", " Technologies", ".ai", " Health", ", Inc.")
TO_USD = {"USD": 1.0, "EUR": 1.08, "GBP": 1.27, "INR": 0.012}


def invented(companies: int, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """(round, line) of ``companies`` companies' rounds, in random order."""
    draw = random.Random(seed)
    found: list[tuple[str, dict[str, Any]]] = []
    for number in range(companies):
        # Every name is one company's, save for the namesakes that are meant.
        name = "".join(SYLLABLES[number // 16**place % 16] for place in range(4)).capitalize()
        name += f" {draw.choice(SYLLABLES).capitalize()}" if draw.random() < 0.4 else ""
        for namesake in range(2 if draw.random() < 0.1 else 1):
            domain = f"{name.lower().replace(' ', '')}{namesake or ''}.test"
            day = date(2025, 1, 1) + timedelta(days=draw.randrange(300))
            for step in range(draw.randint(1, 3)):
                found += _reports(draw, f"{number}-{namesake}-{step}", name, domain, day, step, needs_domain=namesake > 0)
                # The next round, or (one in five) an extension of another size within weeks.
                day += timedelta(days=draw.randint(20, 44) if draw.random() < 0.2 else draw.randint(120, 500))
    draw.shuffle(found)
    return found


def _reports(
    draw: random.Random, key: str, name: str, domain: str, day: date, step: int, needs_domain: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    amount = draw.choice((1, 2, 3.5, 4, 6, 8, 12, 20, 45)) * 10**6 * 4**step
    stage = draw.choice(STAGES[step : step + 2] or (None,))
    currency = draw.choice(("USD", "USD", "USD", "EUR", "GBP", "INR"))
    amount *= 80 if currency == "INR" else 1
    lead = f"{draw.choice(SYLLABLES).capitalize()} Ventures"
    for report in range(draw.randint(1, 5)):
        says_amount = draw.random() < 0.8
        shown, unit = amount, currency
        if draw.random() < 0.15 and currency != "USD":
            shown, unit = round(amount * TO_USD[currency] * draw.uniform(0.96, 1.04) / 1e4) * 1e4, "USD"
        elif draw.random() < 0.15:
            shown = amount * draw.uniform(0.9, 1.1)
        yield (
            key,
            {
                "id": f"{key}/{report}", "is_funding": True,
                "company_name": _spelt(draw, name, bool(report)),
                "amount": int(shown) if says_amount else None, "currency": unit if says_amount else None,
                "amount_usd": int(shown * TO_USD[unit]) if says_amount else None,
                "funding_type": stage if draw.random() < 0.6 else None,
                "website": domain if needs_domain or draw.random() < 0.4 else None,
                "lead_investors": [lead] if draw.random() < 0.6 else [], "investors": [lead] if draw.random() < 0.6 else [],
                "published_date": (day + timedelta(days=draw.choice((0, 0, 0, 0, 1, 1, 2, 4, 9)))).isoformat(),
                "outlet": f"outlet {draw.randrange(40)}", "confidence_score": 0.9,
            },
        )  # fmt: skip


def _spelt(draw: random.Random, name: str, may_vary: bool) -> str:
    shown = name + draw.choice(SUFFIXES) if may_vary and draw.random() < 0.4 else name
    return shown.upper() if draw.random() < 0.05 else shown.replace(" ", "") if draw.random() < 0.08 else shown


def pairs(groups: Iterable[Iterable[str]]) -> set[tuple[str, str]]:
    """Every two members of a group, ordered."""
    return {pair for group in groups for pair in itertools.combinations(sorted(group), 2)}


def resolved(lines: Iterable[dict[str, Any]]) -> tuple[list[list[str]], float]:
    """(ids of each round, seconds)."""
    out: list[str] = []
    began = time.perf_counter()
    resolve_lines((json.dumps(line) for line in lines), out.append)
    return [json.loads(line)["ids"] for line in out], time.perf_counter() - began


def report(name: str, truth: set[tuple[str, str]], found: set[tuple[str, str]]) -> None:
    """Precision and recall of pairs."""
    hit = len(truth & found)
    print(f"{name}: pairs {len(truth)}, precision {hit / max(1, len(found)):.4f}, recall {hit / max(1, len(truth)):.4f}")


def labelled(folder: Path) -> None:
    """The labelled records with their own labels."""
    with (folder / "gold_open.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    truth = json.loads((folder / "dedup_open.json").read_text(encoding="utf-8"))
    lines = [
        {name: row["label"].get(name) for name in row["label"] if name in KEPT}
        | {"id": row["id"], "is_funding": True, "published_date": row["published_date"], "outlet": row["outlet"]}
        for row in rows
        if row["label"] and row["label"].get("company_name")
    ]
    groups, _ = resolved(lines)
    found = pairs(groups)
    report("labelled records", {(min(pair), max(pair)) for pair in truth["pairs"]}, found)
    print(f"hard non-duplicates merged: {len({tuple(sorted(pair)) for pair in truth['hard_non_duplicates']} & found)}")


KEPT = ("company_name", "amount", "currency", "amount_usd", "funding_type", "website", "lead_investors", "investors")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--companies", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder:
        labelled(arguments.folder)
    corpus = invented(arguments.companies, arguments.seed)
    rounds: defaultdict[str, list[str]] = defaultdict(list)
    for key, line in corpus:
        rounds[key].append(line["id"])
    groups, seconds = resolved(line for _, line in corpus)
    truth, found = pairs(rounds.values()), pairs(groups)
    report("invented rounds", truth, found)
    print(f"invented rounds: {len(corpus)} reports, {len(corpus) / seconds:.0f} a second")
    by_id = {line["id"]: line for _, line in corpus}
    shown = ("company_name", "amount", "currency", "funding_type", "website", "published_date")
    for kind, wrong in (("merged", found - truth), ("missed", truth - found)):
        for one, other in sorted(wrong)[: arguments.errors]:
            print(kind, *([by_id[each][name] for name in shown] for each in (one, other)))


if __name__ == "__main__":
    main()
