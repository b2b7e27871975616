"""What the samples call for, held against what the pipeline made of them.

``expected.yaml`` was written by reading the samples, not by running the pipeline; see data/samples/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from pipeline.documents.identity import canonical_url
from pipeline.installation import Installation
from pipeline.matching.domains import registrable_domain
from pipeline.store.tables.crm import CrmImport
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.organizations import Organization


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind: documents, rounds, told matches, imports; each as the stores have it."""

    documents: list[dict[str, Any]]  # url, accession, signal_type, round_id
    rounds: dict[str, dict[str, Any]]  # by round_id
    told: dict[str, list[dict[str, Any]]]  # organization slug: {text, payload}
    imports: dict[tuple[str, str], dict[str, int]]  # (slug, kind): rows, rejected
    rejected_entries: dict[str, int]  # by source

    @classmethod
    def read(cls, installation: Installation) -> Outcome:
        """Read it from the stores of ``installation``."""
        with installation.warehouse.open() as connection:
            documents = connection.execute("""
                SELECT url, json_extract_string(form_d, '$.accession') AS accession, signal_type, round_id
                FROM raw.documents JOIN core.mentions USING (document_id)
                LEFT JOIN core.round_mentions USING (document_id)
            """).fetchdf()
            rounds = connection.execute("SELECT * FROM core.funding_rounds WHERE status = 'active'").fetchdf()
            rejects = connection.execute(
                "SELECT source_id, count(*) FROM raw.rejected_documents WHERE entry <> '' GROUP BY ALL"
            ).fetchall()
        told: dict[str, list[dict[str, Any]]] = {}
        with installation.database.read() as session:
            delivered = session.execute(
                select(Organization.slug, Delivery.body)
                .join(Delivery, Delivery.organization_id == Organization.id)
                .where(Delivery.status == "delivered")
            ).all()
            imports = session.execute(
                select(Organization.slug, CrmImport).join(CrmImport, CrmImport.organization_id == Organization.id)
            ).all()
        for slug, body in delivered:
            told.setdefault(slug, []).append({"text": body, "payload": json.loads(body or "null")})
        return cls(
            _records(documents),
            {row["round_id"]: row for row in _records(rounds)},
            told,
            {(slug, row.kind): {"rows": row.rows, "rejected": row.rejected} for slug, row in imports},
            dict(rejects),
        )


def load_expected(samples: Path, base_url: str) -> dict[str, Any]:
    """``expected.yaml`` with the server's address filled in."""
    text = (samples / "expected.yaml").read_text(encoding="utf-8").replace("{{base}}", base_url)
    expected = yaml.safe_load(text)
    assert isinstance(expected, dict)
    return expected


def differences(expected: dict[str, Any], got: Outcome) -> Iterator[str]:
    """Every difference, in words; none when the run did what the samples call for."""
    yield from _documents(expected, got)
    names, problems = _name_rounds(expected, got)
    yield from problems
    for name, wanted in expected["rounds"].items():
        if name in names:
            yield from _round(name, wanted, got.rounds[names[name]])
    for slug, partner in expected["partners"].items():
        yield from _imports(slug, partner, got)
        yield from _told(slug, partner, names, got.told.get(slug, []))


def _documents(expected: dict[str, Any], got: Outcome) -> Iterator[str]:
    wanted = {_key(document): document for document in expected["documents"]}
    present = {row["accession"] or canonical_url(row["url"]): row for row in got.documents}
    for key in sorted(wanted.keys() - present.keys()):
        yield f"document {wanted[key]['key']} was not read"
    for key in sorted(present.keys() - wanted.keys()):
        yield f"a document that is none was read: {key}"
    for key in sorted(wanted.keys() & present.keys()):
        signal = wanted[key].get("signal")
        if signal and present[key]["signal_type"] != signal:
            yield f"document {wanted[key]['key']} is read as {present[key]['signal_type']}, not as {signal}"
    for source, count in expected["rejected_entries"].items():
        if got.rejected_entries.get(source, 0) != count:
            yield f"source {source}: {got.rejected_entries.get(source, 0)} entries set aside, not {count}"


def _key(document: dict[str, Any]) -> str:
    return canonical_url(document["url"]) or document["url"] if "url" in document else document["accession"]


def _name_rounds(expected: dict[str, Any], got: Outcome) -> tuple[dict[str, str], list[str]]:
    """Which round id stands for which expected round, by the documents that report it; and what does not fit."""
    by_key = {row["accession"] or canonical_url(row["url"]): row for row in got.documents}
    ids: dict[str, set[str]] = {}
    problems = []
    for document in expected["documents"]:
        row = by_key.get(_key(document))
        if row is None:
            continue
        name, round_id = document.get("round"), row["round_id"]
        if name and round_id:
            ids.setdefault(name, set()).add(round_id)
        elif name:
            problems.append(f"document {document['key']} made no round; it reports {name}")
        elif round_id:
            problems.append(f"document {document['key']} made a round; it reports none ({document['because']})")
    problems += [f"round {name} stands {len(found)} times" for name, found in ids.items() if len(found) > 1]
    names = {name: min(found) for name, found in ids.items()}
    if len(set(names.values())) < len(names):
        problems.append("two different rounds were merged into one")
    extra = got.rounds.keys() - {round_id for found in ids.values() for round_id in found}
    problems += [f"a round that is none: {got.rounds[round_id]['company_name']}" for round_id in sorted(extra)]
    return names, problems


def _round(name: str, wanted: dict[str, Any], got: dict[str, Any]) -> Iterator[str]:
    pairs: list[tuple[str, Any, Any]] = [
        ("company_name", wanted["company"], got["company_name"]),
        ("funding_type", wanted["funding_type"], got["funding_type"]),
        ("website", wanted["website"], registrable_domain(got["website"])),
        ("location_country", wanted["country"], got["location_country"]),
    ]
    if "lead_investor" in wanted:
        pairs.append(("lead_investor", wanted["lead_investor"], got["lead_investor"]))
    if "amount_usd" in wanted:
        pairs.append(("amount_usd", wanted["amount_usd"], got["amount_usd"]))
    else:
        low, high = wanted["amount_usd_between"]
        pairs.append(("amount", wanted["amount"], got["amount"] and int(got["amount"])))
        pairs.append(("currency", wanted["currency"], got["currency"]))
        if not got["amount_usd"] or not low <= got["amount_usd"] <= high:
            yield f"round {name}: amount_usd is {got['amount_usd']}, not between {low} and {high}"
    for field, want, have in pairs:
        if want != have:
            yield f"round {name}: {field} is {have!r}, not {want!r}"


def _imports(slug: str, partner: dict[str, Any], got: Outcome) -> Iterator[str]:
    for kind, wanted in partner["files"].items():
        have = got.imports.get((slug, kind.rstrip("s")))
        want = {"rows": wanted["rows"], "rejected": wanted["rejected"]}
        if have != want:
            yield f"{slug}, {wanted['file']}: {have}, not {want}"


def _told(slug: str, partner: dict[str, Any], names: dict[str, str], told: list[dict[str, Any]]) -> Iterator[str]:
    by_round = {item["payload"]["funding_round"]["id"]: item for item in told}
    wanted_ids = set()
    for match in partner["matches"]:
        round_id = names.get(match["round"])
        wanted_ids.add(round_id)
        item = by_round.get(round_id or "")
        if item is None:
            yield f"{slug} was not told of {match['round']}"
            continue
        yield from _payload(slug, match, item["payload"])
    for round_id in by_round.keys() - wanted_ids:
        yield f"{slug} was told of {by_round[round_id]['payload']['funding_round']['company_name']}, and should not"
    rows = {row for item in told for row in _rows(item["payload"])}
    for row in partner["not_told"]:
        if row["row"] in rows:
            yield f"{slug}: row {row['row']} was told; {row['because']}"
    for account, text in partner.get("metadata_text", {}).items():
        if not any(text in item["text"] for item in told):
            yield f"{slug}: the metadata of {account} did not come back as the text it came as"


def _payload(slug: str, wanted: dict[str, Any], payload: dict[str, Any]) -> Iterator[str]:
    matched = payload["matched"]
    metadata = matched["contact_metadata"] if wanted["contact"] else matched["account_metadata"]
    pairs = [
        ("match_type", wanted["match_type"], payload["match_type"]),
        ("account_external_id", wanted["account"], matched["account_external_id"]),
        ("contact_external_id", wanted["contact"], matched["contact_external_id"]),
        ("partner_customer_id", wanted["end_customer"], (metadata or {}).get("partner_customer_id")),
    ]
    for field, want, have in pairs:
        if want != have:
            yield f"{slug}, {wanted['round']}: {field} is {have!r}, not {want!r}"
    missing = set(wanted.get("also", [])) - set(_rows(payload))
    if missing:
        yield f"{slug}, {wanted['round']}: all_matches lacks {sorted(missing)}"


def _rows(payload: dict[str, Any]) -> Iterator[str]:
    for row in [payload["matched"], *payload.get("all_matches", [])]:
        yield from (row[name] for name in ("account_external_id", "contact_external_id") if row.get(name))


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows of a data frame as dicts, with None for what is missing."""
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows
