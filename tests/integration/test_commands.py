"""The command line, as people type it: what it prints, how it ends, and what it says when something is wrong."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.cli import COMMANDS, main
from pipeline.commands.errors import explain_errors
from pipeline.commands.suffix_list import NoSuffixList, check_suffix_list
from pipeline.matching.domains import registrable_domain, use_suffix_list
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import DatabaseTooNew

SAMPLES = PROJECT_ROOT / "data" / "samples"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fundingscout` with words, in a home of its own."""
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FUNDINGSCOUT_FETCH_ALLOWED_NETWORKS", "127.0.0.0/8")
    runner = CliRunner()

    def invoke(*words: str, code: int = 0) -> Result:
        result = runner.invoke(main, list(words))
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def test_help_lists_every_command_with_what_it_does(run: Run) -> None:
    text = run("--help").output
    for commands in COMMANDS.values():
        for name in commands:
            assert f"  {name} " in text


@pytest.mark.parametrize("name", [name for commands in COMMANDS.values() for name in commands])
def test_every_command_explains_itself(run: Run, name: str) -> None:
    assert len(run(name, "--help").output) > 100


def test_a_text_a_file_and_a_file_that_is_not_there_are_told_apart(run: Run, tmp_path: Path) -> None:
    headline = "Lensora raises $24 million Series B led by Peakline"
    told = json.loads(run("explain", headline, "--json").output)["mention"]
    assert (told["company_name"], told["funding_type"]) == ("Lensora", "series-b")
    (tmp_path / "record.json").write_text(json.dumps({"id": 1, "title": headline, "body": None}), "utf-8")
    assert json.loads(run("explain", str(tmp_path / "record.json"), "--json").output)["mention"]["company_name"] == "Lensora"
    for missing in (str(tmp_path / "nothing.json"), "nothing.html"):
        assert f"{missing}: no such file" in run("explain", missing, code=1).output


def test_a_partner_is_set_up_in_four_commands(run: Run) -> None:
    """FS-3, FS-4, FS-25, FS-27."""
    run("organizations", "create", "acme", "--name", "Acme Corp")
    key = json.loads(run("keys", "create", "acme", "--json").output)
    assert key["token"].startswith("fs_live_")
    assert key["webhook_secret"].startswith("fs_whsec_")
    listed = run("keys", "list", "acme", "--json").output
    assert key["token"] not in listed
    assert key["webhook_secret"] not in listed
    assert run("webhooks", "show", "acme").output == "none: pull-only\n"
    run("webhooks", "set", "acme", "https://hooks.example.com/a")
    assert run("webhooks", "show", "acme").output == "https://hooks.example.com/a\n"
    run("webhooks", "clear", "acme")
    assert run("webhooks", "show", "acme").output == "none: pull-only\n"
    assert [row["slug"] for row in json.loads(run("organizations", "list", "--json").output)] == ["acme"]


def test_rotation_gives_a_new_secret_and_revocation_ends_a_key(run: Run) -> None:
    """FS-5, FSV-12."""
    run("organizations", "create", "acme")
    key = json.loads(run("keys", "create", "acme", "--json").output)
    rotated = json.loads(run("keys", "rotate", "acme", key["id"], "--json").output)
    assert rotated["webhook_secret"].startswith("fs_whsec_")
    assert rotated["webhook_secret"] != key["webhook_secret"]
    run("keys", "revoke", "acme", key["id"])
    assert json.loads(run("keys", "list", "acme", "--json").output)[0]["revoked_at"] is not None


def test_a_crm_is_imported_and_shown_as_of_a_day(run: Run) -> None:
    run("organizations", "create", "acme")
    report = json.loads(run("crm", "import", str(SAMPLES / "crm/fernhollow_companies.csv"), "-o", "acme", "--json").output)
    assert (report["layout"], report["rows"], report["rejected"]) == ("hubspot", 323, 2)
    again = json.loads(run("crm", "import", str(SAMPLES / "crm/fernhollow_companies.csv"), "-o", "acme", "--json").output)
    assert again["unchanged"] == again["upserted"] == 321
    run("sync", "--no-poll")
    assert "321 accounts of acme" in run("crm", "show", "acme").output
    assert "0 accounts of acme" in run("crm", "show", "acme", "--on", "2026-01-01").output


def test_extract_reads_lines_keeps_their_order_and_reports_bad_ones(run: Run, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "title": "Brightloom raises $12M Series A led by Oldmoor Partners", "body": "", "url": "", "outlet": "x"},
        {"id": "b", "title": "Brightloom opens an office in Leeds", "body": "", "url": "", "outlet": "x"},
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(lines[0]) + "\n{no json\n" + json.dumps(lines[1]) + "\n")
    result = run("extract", str(source), str(target))
    assert "line 2:" in result.output
    first, second = (json.loads(line) for line in target.read_text().splitlines())
    assert (first["id"], first["is_funding"], first["company_name"], first["amount"]) == ("a", True, "Brightloom", 12_000_000)
    assert (second["id"], second["is_funding"]) == ("b", False)


def test_match_goes_from_files_to_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("external_id,name,domain\na1,Brightloom Inc,\na2,Other,brightloom.ai\n")
    (tmp_path / "c.csv").write_text("external_id,email,account_external_id\nc1,jo@brightloom.ai,\n")
    (tmp_path / "r.csv").write_text("id,company_name,website,ceo_email\nr1,Brightloom,https://www.brightloom.ai,\n")
    out = tmp_path / "m.csv"
    files = ["--accounts", str(tmp_path / "a.csv"), "--contacts", str(tmp_path / "c.csv"), "--rounds", str(tmp_path / "r.csv")]
    run("match", *files, "--out", str(out))
    header, row = out.read_text().splitlines()[:2]
    assert header.startswith("round_id,organization_id,match_type,account_external_id,contact_external_id,score")
    assert row.split(",")[:4] == ["r1", "", "account_domain", "a2"]


def test_doctor_finds_a_fresh_installation_well(run: Run) -> None:
    findings = {row["check"]: row["state"] for row in json.loads(run("doctor", "--json").output)}
    assert findings.pop("user agent") == "warn"
    assert findings.pop("home") in {"ok", "warn"}
    assert set(findings.values()) == {"ok"}


def test_doctor_names_what_is_wrong_and_fails(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_SOURCES_FILE", str(tmp_path / "nowhere.yaml"))
    result = run("doctor", code=1)
    assert "nowhere.yaml" in next(line for line in result.output.splitlines() if line.startswith("FAIL"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("keys", "list", "nobody"), "no organization 'nobody'"),
        (("backfill", "--from", "2025-01-01"), "days begin at 2026-01-01"),
        (("backfill", "--from", "2026-03-02", "--to", "2026-03-01"), "is after"),
        (("deliveries", "release"), "name match ids, or days"),
        (("crm", "import", "pyproject.toml", "-o", "nobody"), "no organization 'nobody'"),
    ],
)
def test_mistakes_are_said_in_a_line(run: Run, words: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code != 0
    assert says in result.output + str(result.exception)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "app.db",
            b"not a database" * 1000,
            "the app database (HOME/app.db, or FUNDINGSCOUT_DATABASE_URL) can't be used",
        ),
        ("warehouse.duckdb", b"not a database" * 1000, "warehouse.duckdb can't be opened"),
        ("secret.key", b"garbage", "is not 32 bytes of base64url (Fernet): see FUNDINGSCOUT_SECRET_KEY, or HOME/secret.key"),
        ("sources.yaml", b"sources: [{id: wire, kind: rsss}]", "entry 1 (id 'wire'), field kind: Input should be 'rss'"),
    ],
)
def test_a_service_that_cannot_work_does_not_start_and_says_why_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, says: str
) -> None:
    """Five parts that each end with a traceback, again and again, bury what is the matter."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / name).write_bytes(content)
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))
    if name == "sources.yaml":
        monkeypatch.setenv("FUNDINGSCOUT_SOURCES_FILE", str(tmp_path / "home" / name))
    with pytest.raises(SystemExit) as ended:
        explain_errors(lambda: main(["up"], standalone_mode=False))()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


def command(does: Callable[[], None]) -> click.Command:
    return click.Command("x", callback=does)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_home_that_can_not_be_written_to_is_said_in_a_line(capsys: pytest.CaptureFixture[str], number: int) -> None:
    def refused() -> None:
        raise OSError(number, os.strerror(number), "/srv/home/secret.key")

    with pytest.raises(SystemExit) as ended:
        explain_errors(lambda: command(refused).main([], standalone_mode=False))()
    assert ended.value.code == 1
    assert f"Error: {os.strerror(number)}: /srv/home/secret.key. May this user write to" in capsys.readouterr().err


def test_another_error_of_the_system_keeps_its_traceback() -> None:
    def broken() -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file descriptor"):
        explain_errors(lambda: command(broken).main([], standalone_mode=False))()


def test_a_database_of_newer_code_is_left_alone(run: Run) -> None:
    run("organizations", "list")
    with closing(sqlite3.connect(Settings().home / "app.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match=r"newer version .schema 9999.*run the newer code, or put back the backup"):
        CliRunner().invoke(main, ["organizations", "list"], catch_exceptions=False)


# --- the Public Suffix List -------------------------------------------------------------------------------------------


def a_list(*rules: str) -> str:
    filler = "\n".join(f"x{number}.invalid" for number in range(6_000))
    return f"// ===BEGIN ICANN DOMAINS===\ncom\n{filler}\n// ===BEGIN PRIVATE DOMAINS===\n" + "\n".join(rules) + "\n"


@pytest.fixture
def list_server() -> Iterator[tuple[str, list[str]]]:
    """Serves whatever text is put into the list it gives."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = texts[-1].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/list.dat", texts
    server.shutdown()
    server.server_close()
    thread.join()
    use_suffix_list(None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # tldextract leaves the file to the collector
def test_the_suffix_list_is_refreshed_only_when_told_to(run: Run, list_server: tuple[str, list[str]]) -> None:
    url, texts = list_server
    texts.append(a_list("shops.example.com"))
    run("doctor")
    assert registrable_domain("a.shops.example.com") == "example.com"
    assert "rules" in run("suffix-list", "refresh", "--url", url).output
    run("organizations", "list")  # any next start
    assert registrable_domain("a.shops.example.com") == "a.shops.example.com"
    run("suffix-list", "drop")
    run("organizations", "list")
    assert registrable_domain("a.shops.example.com") == "example.com"


def test_what_is_no_suffix_list_changes_nothing(run: Run, list_server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, texts = list_server
    texts.append("<html>captive portal</html>")
    result = CliRunner().invoke(main, ["suffix-list", "refresh", "--url", url])
    assert isinstance(result.exception, NoSuffixList)
    assert not (tmp_path / "home" / "public_suffix_list.dat").exists()
    with pytest.raises(NoSuffixList, match="rules"):
        check_suffix_list("// ===BEGIN ICANN DOMAINS===\ncom\n// ===BEGIN PRIVATE DOMAINS===\n")
