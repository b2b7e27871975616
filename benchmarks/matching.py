"""Quality and speed of the match engine on labelled worlds.

    python benchmarks/matching.py WORLD… [--evaluator FILE] [--threshold 0.92] [--low 0.05]

A world is a folder with accounts, contacts and fundings (.csv.gz) and truth/, as its evaluator wants it; the evaluator is
evaluate.py beside the worlds unless given. For each world this matches the files at the threshold and prints the evaluator's
precision and recall, and the seconds from CSV to matches. With --low it matches again from that score on and prints the
evaluator's own table of thresholds. Nothing of the worlds is kept.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.matching.engine import DEFAULT_THRESHOLD, MatchOptions
from pipeline.matching.files import FileReport, match_files

PATHS = ("account_domain", "email_domain", "account_name")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+", type=Path)
    parser.add_argument("--evaluator", type=Path)
    parser.add_argument("--threshold", type=float, default=DEFAULT_THRESHOLD)
    parser.add_argument("--low", type=float, help="also print the evaluator's table of thresholds from this score on")
    arguments = parser.parse_args()
    for world in arguments.worlds:
        evaluator = arguments.evaluator or world.resolve().parent / "evaluate.py"
        with tempfile.TemporaryDirectory() as folder:
            report = run(world, Path(folder) / "at.csv", arguments.threshold)
            figures = evaluate(evaluator, world, Path(folder) / "at.csv")
            print_world(world, report, figures, arguments.threshold)
            if arguments.low is not None:
                run(world, Path(folder) / "low.csv", arguments.low)
                print(evaluated_text(evaluator, world, Path(folder) / "low.csv"))


def run(world: Path, out: Path, threshold: float) -> FileReport:
    """Match one world, every row and path."""
    files = {name: next(world.glob(f"{name}.csv*")) for name in ("accounts", "contacts", "fundings")}
    options = MatchOptions(threshold)
    return match_files(files["accounts"], files["contacts"], files["fundings"], out, all_rows=True, options=options)


def evaluate(evaluator: Path, world: Path, predictions: Path) -> dict[str, Any]:
    """The evaluator's figures as it writes them to JSON."""
    out = predictions.with_suffix(".json")
    command = [sys.executable, str(evaluator), str(world), str(predictions), "--json", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def evaluated_text(evaluator: Path, world: Path, predictions: Path) -> str:
    """What the evaluator prints."""
    command = [sys.executable, str(evaluator), str(world), str(predictions)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def print_world(world: Path, report: FileReport, figures: dict[str, Any], threshold: float) -> None:
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{world.name}: {report.accounts:,} accounts, {report.contacts:,} contacts, {report.rounds:,} rounds")
    print(f"  {report.seconds:.2f} s from CSV to {report.matches:,} matched rows, {megabytes:,.0f} MB, threshold {threshold}")
    for path in PATHS:
        part = figures[path]
        print(f"  {path:15} precision {part['precision']:.4f}  recall {part['recall']:.4f}  f1 {part['f1']:.4f}")


if __name__ == "__main__":
    main()
