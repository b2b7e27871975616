"""`fundingscout webhooks` and `deliveries`, as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.installation import Installation
from pipeline.organizations.organizations import get_organization
from pipeline.settings import Settings
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import finish, turn
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.policies import PolicyInvalid
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.static_headers import HeaderRefused

Run = Callable[..., Result]
pytestmark = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)


@pytest.fixture
def run(partners: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fundingscout` with words, on the partners' database."""
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FUNDINGSCOUT_DATABASE_URL", str(partners.database.url))
    monkeypatch.setenv("FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("FUNDINGSCOUT_WEBHOOK_CA_FILE", str(tmp_path / "ca.pem"))
    throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    runner = CliRunner()

    def invoke(*words: str, code: int = 0, **more: Any) -> Result:
        result = runner.invoke(main, list(words), **more)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def told(partners: Any, now: Any) -> str:
    """A partner of whose two deliveries one timed out and one never found its receiver; gives the second's match id."""
    organization = partners.add("acme", "https://hooks.example.com/")
    record_matches(partners.database, [partners.found(organization, partners.round(f"r{n}")) for n in range(2)], now)
    first, second = turn(partners.database, [], 2, now, "me", fundingscout_profile()).claims
    finish(partners.database, first, Outcome(False, now, 5_000.0, error_class="timeout", is_request_sent=True))
    finish(partners.database, second, Outcome(False, now, 3.0, error_class="dns", resolve_ms=2.5, is_request_sent=False))
    assert second.match_id
    return second.match_id


def test_policy_is_strict_until_something_is_opted_into_and_again_when_taken_back(run: Run, told: str) -> None:
    assert run("webhooks", "policy", "acme").output == "strict: one send, never a second\n"
    run("webhooks", "policy", "acme", "--retry", "5s,5m,2h", "--retry-on", "timeout", "--retry-on", "unknown_outcome")
    run("webhooks", "policy", "acme", "--rate", "30", "--concurrency", "2", "--disable-after", "20", "--disable-span", "1d")
    shown = json.loads(run("webhooks", "policy", "acme", "--replay", "--json").output)
    assert shown == {
        "retry": {"delays": [5.0, 300.0, 7200.0], "causes": ["timeout", "unknown_outcome"]},
        "rate_limit": {"per_minute": 30.0},
        "max_concurrency": 2,
        "disable_after": {"failures": 20, "seconds": 86400.0},
        "replay": True,
    }
    assert "policy {" in run("webhooks", "show", "acme").output
    assert json.loads(run("webhooks", "policy", "acme", "--no-replay", "--json").output).get("replay") is None
    assert run("webhooks", "policy", "acme", "--strict").output == "strict: one send, never a second\n"
    assert len(json.loads(run("webhooks", "policy", "acme", "--retry", "standard", "--json").output)["retry"]["delays"]) == 9


def test_policy_that_cannot_be_is_refused_by_name(run: Run, told: str) -> None:
    assert isinstance(run("webhooks", "policy", "acme", "--retry", "0s", code=1).exception, PolicyInvalid)
    assert "no length of time" in run("webhooks", "policy", "acme", "--retry", "soon", code=2).output
    assert "needs a ladder" in run("webhooks", "policy", "acme", "--retry-on", "dns", code=2).output


def test_headers_are_taken_and_their_values_never_shown(run: Run, told: str) -> None:
    run("webhooks", "headers", "acme", "X-Tenant=north", "Authorization=-", input="Bearer s3cret\n")
    shown = run("webhooks", "show", "acme").output
    assert "headers Authorization, X-Tenant" in shown
    assert "s3cret" not in shown + run("webhooks", "show", "acme", "--json").output
    assert isinstance(run("webhooks", "headers", "acme", "Host=other", code=1).exception, HeaderRefused)
    assert run("webhooks", "headers", "acme", "--none").output == "no custom headers\n"
    run("webhooks", "headers", "acme", code=2)
    run("webhooks", "headers", "acme", "no-value", code=2)


def test_pause_and_resume_say_what_became_of_what_was_kept(run: Run, told: str, partners: Any) -> None:
    run("webhooks", "pause", "acme", "--reason", "their move")
    assert "their move" in run("webhooks", "show", "acme").output
    organization = get_organization(partners.database, "acme").id
    record_matches(partners.database, [partners.found(organization, partners.round("r9"))], partners.now)
    turn(partners.database, [], 9, partners.now, "me", fundingscout_profile())
    assert run("webhooks", "resume", "acme", "--expire-older-than", "1d").output == "active; 0 pending now, 1 expired\n"


def test_test_event_says_what_came_back(run: Run, partners: Any, tmp_path: Path) -> None:
    with Receiver([], throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")) as receiver:
        installation = Installation(Settings(_env_file=None))
        partners.box = installation.secret_box
        receiver.secrets.append(partners.secret(partners.add("acme", receiver.url)))
        installation.close()
        assert run("webhooks", "test", "acme").output.startswith("delivered: answered 200 after ")
        receiver.secrets.clear()
        refused = json.loads(run("webhooks", "test", "acme", "--json", code=1).output)
    assert (refused["status"], refused["response_code"]) == ("failed", 401)
    assert "Error: " not in run("webhooks", "notices").output


def test_replay_says_what_it_refuses_and_the_way_out(run: Run, told: str) -> None:
    span = ("--organization", "acme", "--from", "2026-05-12", "--to", "2026-05-13")
    dry = run("deliveries", "replay", *span, "--dry-run").output
    assert "1 would be sent, 1 of them for the first time\n1 refused, strict: it may have arrived" in dry
    assert "GET /matches?status=failed" in dry
    names, *rows = dry.splitlines()[:3]
    assert names.split() == ["created", "at", "about", "stands", "reason", "would", "be", "id"]
    assert sorted(" ".join(row.split()[3:7]) for row in rows) == [
        "Robotics failed dns first_send",
        "Robotics failed timeout strict",
    ]
    done = json.loads(run("deliveries", "replay", told, "--json").output)
    assert (done["replayed"], done["first_sends"], done["refused"]) == (1, 1, {})
    assert [(one["match_id"], one["decision"]) for one in done["decided"]] == [(told, "first_send")]
    assert "1 refused, open" in run("deliveries", "replay", told).output
    assert "1 refused, unknown: this face's ledger" in run("deliveries", "replay", told, "--face", "startcap").output
    run("deliveries", "replay", code=2)


def test_one_delivery_is_shown_with_its_attempts_and_their_phases(run: Run, told: str) -> None:
    shown = json.loads(run("deliveries", "show", told, "--json").output)
    assert (shown["status"], shown["reason"], shown["attempts"][0]["resolve_ms"]) == ("failed", "dns", 2.5)
    text = run("deliveries", "show", told).output
    assert "attempt 1" in text
    assert "is_request_sent        False" in text
    assert "no delivery" in run("deliveries", "show", "nothing", code=2).output


def test_what_a_receiver_answered_cannot_steer_the_terminal(run: Run, partners: Any, now: Any) -> None:
    organization = partners.add("acme", "https://hooks.example.com/")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    (claimed,) = turn(partners.database, [], 1, now, "me", fundingscout_profile()).claims
    answer = "\x1b]0;owned\x07\x1b[2J line\nnext \u202etxt.exe Zürich"
    finish(partners.database, claimed, Outcome(False, now, 3.0, 500, answer, error_class="http_5xx", error="\x1b[31mred"))
    shown = run("deliveries", "show", claimed.delivery_id).output
    assert r"\x1b]0;owned\x07\x1b[2J line" in shown
    assert "next \\u202etxt.exe Zürich" in shown
    assert not set(shown) & set("\x1b\x07\u202e")


def test_test_events_are_listed_beside_matches(run: Run, told: str, partners: Any) -> None:
    from pipeline.webhooks.trials import add_test_event

    organization = get_organization(partners.database, "acme").id
    later = partners.now + timedelta(minutes=1)
    add_test_event(partners.database, organization, fundingscout_profile(), later)
    rows = json.loads(run("deliveries", "list", "--json").output)
    assert (rows[0]["company"], rows[0]["status"]) == (None, "pending")
    assert len(rows) == 3
