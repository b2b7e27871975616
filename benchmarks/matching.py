"""Quality and speed of the match engine on labelled worlds, with peers run beside it.

    python benchmarks/matching.py WORLD… [--evaluator FILE] [--scale] [--ten-million] [--peers] [--peer-python PYTHON]

A world is a folder with accounts, contacts and fundings (.csv.gz) and truth/, as its evaluator wants it; the evaluator is
evaluate.py beside the worlds unless given. For each world, in a process of its own, files are matched and the evaluator's figures
printed: at the threshold, at the high tier, best F1, calibration error, seconds from CSV to matches, peak memory.
--scale: the stored index of each world: from nothing, 500 new rounds, 10,000 changed accounts, one round as a step of the pipeline.
--ten-million: the same for ten times the last world: each account nine times more, with its last word taken from the account
7,919 * n places on, and the domain's label numbered. --peers: cosine of rare words in plain SQL, and string_grouper by the Python
of an environment that has it (it can't share ours: it needs pandas 2). Nothing of the worlds is kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PATHS = ("account_domain", "email_domain", "account_name")
HIGH_TIER = 0.9
LOWEST = 0.05  # what is still scored, for best F1 and calibration
PARTS = Path(__file__).with_name("matching_parts.py")
STRING_GROUPER = Path(__file__).with_name("matching_string_grouper.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+", type=Path)
    parser.add_argument("--evaluator", type=Path)
    parser.add_argument("--threshold", type=float, help="the engine's default unless given")
    parser.add_argument("--quality", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("--ten-million", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--peer-python", type=Path)
    arguments = parser.parse_args()
    for world in arguments.worlds:
        evaluator = arguments.evaluator or world.resolve().parent / "evaluate.py"
        print(f"{world.name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            if arguments.quality:
                print_quality(world, evaluator, Path(folder), arguments.threshold)
            if arguments.peers:
                print_peer(
                    "cosine of rare words, plain SQL", world, evaluator, run("sql_cosine", world, Path(folder) / "sql.csv")
                )
                if arguments.peer_python:
                    peer = run_string_grouper(arguments.peer_python, world, Path(folder) / "grouper.csv")
                    print_peer("string_grouper, 3-gram cosine", world, evaluator, peer)
            if arguments.scale:
                print_scale(run("scale", world, Path(folder), 1))
            if arguments.ten_million and world == arguments.worlds[-1]:
                print(f"{world.name}, ten times")
                print_scale(run("scale", world, Path(folder) / "ten", 10))


def run(part: str, *arguments: object) -> dict[str, Any]:
    """One part of matching_parts.py in a process of its own: what it printed, with ``megabytes`` at its peak."""
    command = [sys.executable, str(PARTS), part, *map(str, arguments)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def run_string_grouper(python: Path, world: Path, out: Path) -> dict[str, Any]:
    """The peer by another interpreter."""
    command = [str(python), str(STRING_GROUPER), str(world), str(out)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def evaluate(evaluator: Path, world: Path, predictions: Path) -> dict[str, Any]:
    """The evaluator's figures as it writes them to JSON."""
    out = predictions.with_suffix(".json")
    command = [sys.executable, str(evaluator), str(world), str(predictions), "--json", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def print_quality(world: Path, evaluator: Path, folder: Path, threshold: float | None) -> None:
    at = run("match", world, folder / "at.csv", threshold or 0)
    print(
        f"  {at['accounts']:,} accounts, {at['contacts']:,} contacts, {at['rounds']:,} rounds: {at['seconds']:.2f} s from CSV to "
        f"{at['matches']:,} matched rows (process {at['process_seconds']:.2f} s, CPU {at['cpu_seconds']:.2f} s), "
        f"{at['megabytes']:,} MB"
    )
    figures = evaluate(evaluator, world, folder / "at.csv")
    for path in PATHS:
        part = figures[path]
        print(
            f"  {path:15} from {at['threshold']:.2f}: precision {part['precision']:.4f}  recall {part['recall']:.4f}  "
            f"f1 {part['f1']:.4f}"
        )
    run("match", world, folder / "high.csv", HIGH_TIER)
    part = evaluate(evaluator, world, folder / "high.csv")["account_name"]
    print(f"  high tier       from {HIGH_TIER:.2f}: precision {part['precision']:.4f}  recall {part['recall']:.4f}")
    run("match", world, folder / "low.csv", LOWEST)
    curve = evaluate(evaluator, world, folder / "low.csv")["account_name"]["thresholds"]
    print_curve(curve)
    print(f"  calibration error {run('calibration', world, folder / 'low.csv', evaluator)['error']:.4f}", flush=True)


def print_curve(curve: dict[str, Any]) -> None:
    best, at = curve["best_f1"], curve["recall_at_precision"]["0.99"]
    print(
        f"  best f1 {best['f1']:.4f} (precision {best['precision']:.4f}, recall {best['recall']:.4f}, "
        f"from {best['threshold']:.3f}); ",
        end="",
    )
    print(
        f"recall at precision 0.99: {at['recall']:.4f} from {at['threshold']:.3f}" if at else "no threshold has precision 0.99"
    )


def print_peer(name: str, world: Path, evaluator: Path, ran: dict[str, Any]) -> None:
    print(f"  {name}: {ran['seconds']:.2f} s, {ran['megabytes']:,} MB")
    print_curve(evaluate(evaluator, world, Path(ran["out"]))["account_name"]["thresholds"])


def print_scale(ran: dict[str, Any]) -> None:
    accounts = ran["accounts"]
    print(f"  {accounts:,} stored accounts, {ran['names']:,} names, {ran['keys']:,} keys, {ran['file_megabytes']:,} MB on disk")
    for name, per, unit in (
        ("index from nothing", accounts, "account"),
        ("500 new rounds", 500, "round"),
        ("10,000 changed accounts, index", 10_000, "account"),
        ("10,000 changed accounts x 10,000 rounds", 10_000, "account"),
    ):
        cpu = ran[f"{name}, CPU"]
        print(f"  {name}: {ran[name]:.2f} s, CPU {cpu:.2f} s, {cpu / per * 1e6:,.1f} µs of it an {unit}")
    one, empty = ran["one round as a step"], ran["one round as a step, empty CRM"]
    print(f"  one new round as a step of the pipeline: {one:.2f} s, {one - empty:+.2f} s over an empty CRM")
    print(f"  {ran['megabytes']:,} MB at its peak", flush=True)


if __name__ == "__main__":
    main()
