"""string_grouper on one world, for benchmarks/matching.py. Runs in an environment of its own, which needs only that package."""

from __future__ import annotations

import json
import resource
import sys
import time

import pandas as pd
from string_grouper import match_strings


def main() -> None:
    world, out = sys.argv[1:3]
    began = time.perf_counter()
    accounts = pd.read_csv(f"{world}/accounts.csv.gz", dtype=str, keep_default_na=False)
    rounds = pd.read_csv(f"{world}/fundings.csv.gz", dtype=str, keep_default_na=False)
    found = match_strings(
        accounts["name"], rounds["company_name"], accounts["external_id"], rounds["id"], min_similarity=0.7, max_n_matches=50
    )
    rows = pd.DataFrame(
        {
            "funding_id": found["right_id"],
            "record_id": found["left_external_id"],
            "path": "account_name",
            "score": found["similarity"] * 100,
        }
    )
    rows.to_csv(out, index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - began, "out": out, "megabytes": round(peak)}))


if __name__ == "__main__":
    main()
