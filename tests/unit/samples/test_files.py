"""data/samples: the files can be read, hold the cases they are there for, and expected.yaml speaks of nothing else."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import feedparser
import pytest
from lxml import etree, html
from protego import Protego
from rapidfuzz.fuzz import ratio

from pipeline.documents.sources import load_sources
from pipeline.samples import SampleServer

FEEDS = ["wire.rss", "media.rss", "startups.atom"]
ATOM = "{http://www.w3.org/2005/Atom}"
REAL_DOMAINS = re.compile(r"[\w-]+\.(?:com|net|org|io|ai|co|eu)\b")


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8-sig")


def csv_rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def json_rows(folder: Path, name: str) -> list[dict[str, Any] | None]:
    """The rows of a JSON Lines file; None for a line that is no JSON."""
    rows: list[dict[str, Any] | None] = []
    for line in read(folder, name).splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            rows.append(None)
    return rows


def external_ids(folder: Path, partner: Any) -> tuple[list[str], list[str]]:
    """External ids of the accounts and of the contacts, in the order of the files."""
    accounts, contacts = partner["files"]["accounts"]["file"], partner["files"]["contacts"]["file"]
    if partner["layout"] == "hubspot":
        ids = [[row["Record ID"] for row in csv_rows(folder, name)] for name in (accounts, contacts)]
    else:
        ids = [[row.get("external_id", "") for row in json_rows(folder, name) if row] for name in (accounts, contacts)]
    return ids[0], ids[1]


def parse(server: SampleServer, path: str) -> Any:
    page = server.page(path)
    assert page is not None
    return feedparser.parse(page[0].lstrip(), response_headers={"content-type": page[1]})


def accessions(server: SampleServer) -> dict[str, str]:
    """Form type by accession number, as EDGAR's page lists them."""
    page = server.page("/cgi-bin/browse-edgar")
    assert page is not None
    found = {}
    for entry in etree.fromstring(page[0]).iterfind(f"{ATOM}entry"):
        category = entry.find(f"{ATOM}category")
        assert category is not None
        found[(entry.findtext(f"{ATOM}id") or "").rpartition("=")[2]] = str(category.get("term"))
    return found


# --- the outside world --------------------------------------------------------------------------------------------------


def test_feeds_hold_the_items_they_should(served: SampleServer) -> None:
    parsed = [parse(served, f"/feeds/{name}") for name in FEEDS]
    assert [feed.bozo for feed in parsed] == [False, False, False]
    assert [feed.version for feed in parsed] == ["rss20", "rss20", "atom10"]
    assert [len(feed.entries) for feed in parsed] == [12, 11, 4]


def test_media_feed_begins_with_an_empty_line(folder: Path) -> None:
    assert read(folder, "feeds/media.rss").startswith("\n<?xml")


def test_wire_carries_full_text_and_the_media_feed_teasers(served: SampleServer) -> None:
    wire, media = parse(served, "/feeds/wire.rss"), parse(served, "/feeds/media.rss")
    assert all(len(entry.content[0].value) > 350 for entry in wire.entries)
    assert all("content" not in entry and len(entry.summary) < 400 for entry in media.entries)


def test_dates_are_near_the_epoch_but_for_the_old_article_and_the_one_to_come(served: SampleServer, epoch: datetime) -> None:
    ages = {
        entry.link: epoch - parsedate_to_datetime(entry.published).astimezone(UTC)
        for name in ("wire.rss", "media.rss")
        for entry in parse(served, f"/feeds/{name}").entries
        if "link" in entry
    }
    base = served.base_url
    assert ages.pop(f"{base}/news/gannetry-series-a") == timedelta(days=730)
    assert ages.pop(f"{base}/wire/velmont-grid-series-c") == timedelta(hours=-3)
    assert timedelta(0) < min(ages.values())
    assert max(ages.values()) < timedelta(hours=48)


def test_awkward_identities_are_there(served: SampleServer) -> None:
    entries = parse(served, "/feeds/media.rss").entries
    palisade = [entry for entry in entries if "palisade-ql-4m" in entry.get("link", "")]
    assert [len(palisade), len({entry.id for entry in palisade}), len({entry.title for entry in palisade})] == [2, 2, 1]
    assert ["id" in entry for entry in entries if "quernstone" in entry.get("link", "")] == [False]
    assert [sorted(set(entry) & {"link", "id", "title"}) for entry in entries if "link" not in entry] == [[]]
    brindlecast = next(entry for entry in entries if "brindlecast" in entry.get("link", ""))
    assert brindlecast.title.startswith("<b>Brindlecast</b>")


def test_guid_changes_with_the_start_of_the_demo(folder: Path, served: SampleServer, epoch: datetime) -> None:
    with SampleServer(folder, epoch + timedelta(days=1)) as later:
        ids = [{entry.get("id") for entry in parse(server, "/feeds/media.rss").entries} for server in (served, later)]
    assert any(str(guid).startswith("revision-") for guid in ids[0] - ids[1])


def test_every_teaser_has_its_article_page(served: SampleServer) -> None:
    for entry in parse(served, "/feeds/media.rss").entries:
        if "link" in entry:
            path = entry.link.removeprefix(served.base_url).partition("?")[0]
            page = served.page(path)
            assert page is not None, path
            root = html.fromstring(page[0])
            assert len(" ".join(root.xpath("//article//p//text()"))) > 150
            assert root.xpath("//link[@rel='canonical']/@href") == [served.base_url + path]


def test_robots_txt_keeps_readers_out_of_the_members_pages(served: SampleServer) -> None:
    page = served.page("/robots.txt")
    assert page is not None
    rules = Protego.parse(page[0].decode())
    assert rules.can_fetch(f"{served.base_url}/news/halvora-18m", "fundingscout")
    assert not rules.can_fetch(f"{served.base_url}/news/members/harbor-seed", "fundingscout")


def test_edgar_page_lists_form_d_amendments_a_fund_twice_and_another_form(served: SampleServer) -> None:
    page = served.page("/cgi-bin/browse-edgar")
    assert page is not None
    ids = Counter(entry.findtext(f"{ATOM}id") for entry in etree.fromstring(page[0]).iterfind(f"{ATOM}entry"))
    assert sorted(ids.values()) == [1, 1, 1, 1, 1, 2]
    assert Counter(accessions(served).values()) == {"D": 3, "D/A": 2, "DEFA14A": 1}


def test_every_form_d_has_its_xml_and_says_the_same_as_the_page(served: SampleServer) -> None:
    page = served.page("/cgi-bin/browse-edgar")
    assert page is not None
    for entry in etree.fromstring(page[0]).iterfind(f"{ATOM}entry"):
        link, title = entry.find(f"{ATOM}link"), entry.findtext(f"{ATOM}title") or ""
        form, _, rest = title.partition(" - ")
        assert link is not None
        path = str(link.get("href")).removeprefix(served.base_url).rpartition("/")[0] + "/primary_doc.xml"
        filing = served.page(path)
        assert (filing is not None) == (form in ("D", "D/A")), title
        if filing is not None and "III-A" not in rest:
            root = etree.fromstring(filing[0])
            assert root.findtext("schemaVersion") == "X0708"
            assert root.findtext("submissionType") == form
            assert rest == f"{root.findtext('.//entityName')} ({root.findtext('.//cik')}) (Filer)"


def test_amendment_names_the_filing_it_amends(served: SampleServer) -> None:
    page = served.page("/Archives/edgar/data/9990001/000999000126000002/primary_doc.xml")
    assert page is not None
    assert etree.fromstring(page[0]).findtext(".//previousAccessionNumber") == "0009990001-26-000001"


# --- the CRMs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def make_crm(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_crm", folder / "make_crm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_crm_files_are_what_their_script_writes(folder: Path, make_crm: ModuleType) -> None:
    files = make_crm.files(folder / "crm" / "by_hand")
    assert sorted(files) == sorted(path.name for path in (folder / "crm").iterdir() if path.is_file())
    for name, content in files.items():
        assert (folder / "crm" / name).read_bytes() == content, f"run data/samples/make_crm.py: {name} is not what it writes"


def test_row_counts_are_as_expected(folder: Path, expected: Any) -> None:
    for partner in expected["partners"].values():
        for file in partner["files"].values():
            is_csv = file["file"].endswith(".csv")
            rows = csv_rows(folder, file["file"]) if is_csv else json_rows(folder, file["file"])
            assert len(rows) == file["rows"]


def test_kept_rows_are_those_with_an_id_a_name_and_metadata_that_is_an_object(folder: Path, expected: Any) -> None:
    """FSV-3 to FSV-5, and A-FS-15 for the id that comes twice."""
    for partner in expected["partners"].values():
        for kind, file in partner["files"].items():
            if file["file"].endswith(".csv"):
                needed = ["Record ID"] + (["Company name"] if kind == "accounts" else [])
                ids = [row["Record ID"] for row in csv_rows(folder, file["file"]) if all(row[name] for name in needed)]
            else:
                ids = [row["external_id"] for row in json_rows(folder, file["file"]) if _is_good(row, kind)]
            assert (file["rows"] - len(ids), len(set(ids))) == (file["rejected"], file["kept"]), file["file"]


def _is_good(row: dict[str, Any] | None, kind: str) -> bool:
    if row is None or not isinstance(row.get("external_id"), str | int) or not row["external_id"]:
        return False
    texts = [value for value in row.values() if isinstance(value, str)]
    is_text = all("\0" not in text and not re.search("[\ud800-\udfff]", text) for text in texts)
    return is_text and isinstance(row.get("metadata", {}), dict) and (kind == "contacts" or bool(row.get("name")))


def test_every_kept_row_is_tagged_with_one_of_the_partners_end_customers(folder: Path, expected: Any) -> None:
    """FS-14, FS-77."""
    fernhollow, kestrelway = expected["partners"]["fernhollow"], expected["partners"]["kestrelway"]
    for file in fernhollow["files"].values():
        assert {row["partner_customer_id"] for row in csv_rows(folder, file["file"])} == set(fernhollow["end_customers"])
    for kind, file in kestrelway["files"].items():
        good = [row for row in json_rows(folder, file["file"]) if row and _is_good(row, kind)]
        assert {row["metadata"]["partner_customer_id"] for row in good} == set(kestrelway["end_customers"])


def test_no_filler_row_could_be_a_funded_company(folder: Path, expected: Any, make_crm: ModuleType) -> None:
    funded = {round_["company"].split()[0].strip(",").lower() for round_ in expected["rounds"].values()}
    by_hand = set(read(folder, "crm/by_hand/kestrelway_accounts.jsonl").splitlines())
    filler = [
        row["Company name"] for row in csv_rows(folder, "crm/fernhollow_companies.csv") if row["Record ID"].startswith("701")
    ]
    for line in read(folder, "crm/kestrelway_accounts.jsonl").splitlines():
        if line not in by_hand:
            filler.append(json.loads(line)["name"])
    assert len(filler) == 640
    nearest = max((ratio(name.split()[0].lower(), word), name, word) for name in filler for word in funded)
    assert nearest[0] < 80, nearest


def test_sample_domains_can_belong_to_nobody(folder: Path) -> None:
    allowed = {"gmail.com", "github.io"}
    for path in folder.rglob("*"):
        if path.suffix in {".csv", ".jsonl", ".rss", ".atom", ".xml", ".html"}:
            text = re.sub(r"https?://(?:www\.w3|purl)\.org\S*", "", path.read_text(encoding="utf-8-sig"))
            found = set(REAL_DOMAINS.findall(text)) - allowed
            assert found <= set(), f"{path.name}: {found}"


def test_private_addresses_are_longer_than_their_provider_allows(folder: Path) -> None:
    texts = [path.read_text(encoding="utf-8-sig") for path in (folder / "crm").iterdir() if path.is_file()]
    locals_ = re.findall(r"([\w.+-]+)@gmail\.com", "\n".join(texts))
    assert len(locals_) > 50
    assert min(map(len, locals_)) > 30


# --- what they must lead to ---------------------------------------------------------------------------------------------


def test_sources_load(served: SampleServer, tmp_path: Path, expected: Any) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(served.render_file("sources.yaml"), encoding="utf-8")
    sources = load_sources(file)
    assert [source.id for source in sources] == ["sample-wire", "sample-media", "sample-startups", "sample-edgar"]
    assert all(source.tells for source in sources)
    assert {document["source"] for document in expected["documents"]} == {source.id for source in sources}
    for source in sources:
        assert served.page(source.url.removeprefix(served.base_url).partition("?")[0]) is not None


def test_expected_documents_are_those_of_the_feeds(served: SampleServer, expected: Any) -> None:
    links = {
        entry.link.partition("?")[0] for name in FEEDS for entry in parse(served, f"/feeds/{name}").entries if "link" in entry
    }
    assert {document["url"] for document in expected["documents"] if "url" in document} == links
    filings = {number for number, form in accessions(served).items() if form in ("D", "D/A")}
    assert {document["accession"] for document in expected["documents"] if "accession" in document} == filings
    assert (
        len({document["key"] for document in expected["documents"]}) == len(expected["documents"]) == len(links | filings) == 30
    )


def test_expected_documents_report_known_rounds_or_say_why_not(expected: Any) -> None:
    for document in expected["documents"]:
        assert ("round" in document) != ("because" in document), document["key"]
    assert {document["round"] for document in expected["documents"] if "round" in document} == set(expected["rounds"])


def test_expected_matches_name_rows_that_exist_and_one_per_round(folder: Path, expected: Any) -> None:
    """FS-61: at most one webhook per partner and round. FS-46: a contact where the e-mail matched, else none."""
    for partner in expected["partners"].values():
        accounts, contacts = external_ids(folder, partner)
        rounds = [match["round"] for match in partner["matches"]]
        assert len(set(rounds)) == len(rounds)
        assert set(rounds) <= set(expected["rounds"])
        for match in partner["matches"]:
            assert match["match_type"] in {"account_domain", "email_domain", "account_name"}
            assert (match["contact"] is not None) == (match["match_type"] == "email_domain")
            assert match["account"] is None or accounts.count(match["account"]) == 1
            assert match["contact"] is None or contacts.count(match["contact"]) == 1
            assert match["end_customer"] in partner["end_customers"]
            assert set(match.get("also", [])) <= {*accounts, *contacts}


def test_rows_that_must_not_be_told_exist_and_are_told_of_nowhere(folder: Path, expected: Any) -> None:
    for partner in expected["partners"].values():
        accounts, contacts = external_ids(folder, partner)
        silent = {row["row"] for row in partner["not_told"]}
        told = {match[kind] for match in partner["matches"] for kind in ("account", "contact")}
        assert silent <= {*accounts, *contacts}
        assert not silent & told


def test_hand_written_accounts_are_all_accounted_for(folder: Path, expected: Any) -> None:
    told_of = {
        name: {match["account"] for match in partner["matches"]}
        | {other for match in partner["matches"] for other in match.get("also", [])}
        | {row["row"] for row in partner["not_told"]}
        for name, partner in expected["partners"].items()
    }
    fernhollow = {row["Record ID"] for row in csv_rows(folder, "crm/by_hand/fernhollow_companies.csv") if row["Company name"]}
    assert fernhollow - {""} <= told_of["fernhollow"]
    rows = json_rows(folder, "crm/by_hand/kestrelway_accounts.jsonl")
    good = [row["external_id"] for row in rows if row and _is_good(row, "accounts")]
    assert {external_id for external_id in good if isinstance(external_id, str)} <= told_of["kestrelway"]


def test_end_customer_of_a_match_is_the_tag_of_its_row(folder: Path, expected: Any) -> None:
    """FS-77."""
    tags: dict[str, str] = {}
    for kind in ("companies", "contacts"):
        tags |= {row["Record ID"]: row["partner_customer_id"] for row in csv_rows(folder, f"crm/fernhollow_{kind}.csv")}
    for kind in ("accounts", "contacts"):
        good = [row for row in json_rows(folder, f"crm/kestrelway_{kind}.jsonl") if row and _is_good(row, kind)]
        tags |= {row["external_id"]: row["metadata"]["partner_customer_id"] for row in good}
    for partner in expected["partners"].values():
        for match in partner["matches"]:
            assert tags[match["contact"] or match["account"]] == match["end_customer"]


def test_metadata_to_come_back_is_the_text_of_the_row(folder: Path, expected: Any) -> None:
    """A-FS-3: key order, a big integer, a trailing zero and letters beyond ASCII."""
    for external_id, text in expected["partners"]["kestrelway"]["metadata_text"].items():
        lines = [line for line in read(folder, "crm/kestrelway_accounts.jsonl").splitlines() if f'"{external_id}"' in line]
        assert len(lines) == 1
        assert lines[0].endswith(f'"metadata": {text}}}')


def test_readme_speaks_of_every_round_and_of_every_row_told_of(folder: Path, expected: Any) -> None:
    readme = read(folder, "README.md")
    for round_ in expected["rounds"].values():
        assert round_["company"] in readme
    for partner in expected["partners"].values():
        for match in partner["matches"]:
            for row in (match["account"], match["contact"]):
                assert row is None or row in readme
        for row in partner["not_told"]:
            assert row["row"] in readme
