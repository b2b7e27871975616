"""Plans, quotas, rotations and operators by command, on a real database: what is printed, and what is in force after."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.installation import Installation
from pipeline.organizations.keys import NewKey
from pipeline.organizations.operators import find_operator, has_operators
from pipeline.organizations.organizations import get_organization
from pipeline.organizations.quotas import take
from pipeline.settings import Settings
from pipeline.store.tables.organizations import ApiKey

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fundingscout` with words, in a home of its own; gives what it printed."""
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))

    def invoke(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(main, list(words))
        assert (result.exit_code != 0) == fails, (result.output, result.exception)
        return result.output + (str(result.exception) if fails else "")

    return invoke


@pytest.fixture
def key(run: Run) -> dict[str, Any]:
    run("organizations", "create", "acme", "--name", "Acme Corp")
    return dict(json.loads(run("keys", "create", "acme", "--json")))


@pytest.fixture
def installation(key: dict[str, Any]) -> Installation:
    """What the commands have written to."""
    return Installation(Settings())


def test_fs_19_a_quota_is_shown_set_lifted_and_given_back(run: Run, key: dict[str, Any], installation: Installation) -> None:
    def shown(*words: str) -> dict[str, dict[str, int | None]]:
        rows = json.loads(run("keys", "quota", "acme", key["id"], *words, "--json"))
        return {row.pop("operation"): row for row in rows}

    take(installation.database, key["id"], "crm_accounts_upsert", 100, datetime.now(UTC))
    assert shown()["crm_accounts_upsert"] == {"limit": 100, "used": 1, "remaining": 99}
    assert shown("crm_accounts_upsert", "5")["crm_accounts_upsert"] == {"limit": 5, "used": 1, "remaining": 4}
    assert shown("crm_accounts_upsert", "0")["crm_accounts_upsert"] == {"limit": 0, "used": 1, "remaining": 0}
    assert shown("crm_accounts_upsert", "unlimited")["crm_accounts_upsert"] == {"limit": None, "used": 1, "remaining": None}
    assert shown("crm_accounts_upsert", "default")["crm_accounts_upsert"] == {"limit": 100, "used": 1, "remaining": 99}
    assert shown()["crm_matches_list"] == {"limit": 100, "used": 0, "remaining": 100}
    run("keys", "quota", "acme", key["token"][:12], "crm_matches_list", "unlimited")
    line = next(line for line in run("keys", "quota", "acme", key["id"]).splitlines() if line.startswith("crm_matches_list"))
    assert line.split() == ["crm_matches_list", "unlimited", "0", "unlimited"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nothing", "5"), "there is no quota 'nothing'"),
        (("whoami", "many"), "'many' is no number of calls"),
        (("whoami", "-1"), "-1"),
        (("whoami",), "give LIMIT too"),
    ],
)
def test_a_quota_that_is_none_changes_nothing(
    run: Run, key: dict[str, Any], installation: Installation, words: tuple[str, ...], says: str
) -> None:
    assert says in run("keys", "quota", "acme", key["id"], *words, fails=True)
    with installation.database.read() as session:
        assert session.get_one(ApiKey, key["id"]).quotas == {}


def test_fsv_2_a_plan_is_changed_at_once_and_only_to_one_that_there_is(run: Run, installation: Installation) -> None:
    assert run("organizations", "plan", "acme", "basic") == "acme is on basic\n"
    assert get_organization(installation.database, "acme").plan == "basic"
    assert "there is no plan 'gold'" in run("organizations", "plan", "acme", "gold", fails=True)
    assert "no organization 'nobody'" in run("organizations", "plan", "nobody", "pro", fails=True)
    assert get_organization(installation.database, "acme").plan == "basic"
    run("organizations", "plan", "acme", "wholesale")
    assert json.loads(run("organizations", "list", "--json"))[0]["plan"] == "wholesale"


def test_fs_5_a_rotation_overlaps_for_as_long_as_is_said(run: Run, key: dict[str, Any], installation: Installation) -> None:
    def stored() -> ApiKey:
        with installation.database.read() as session:
            return session.get_one(ApiKey, key["id"])

    before = datetime.now(UTC)
    second = json.loads(run("keys", "rotate", "acme", key["id"], "--overlap", "1.5", "--json"))["webhook_secret"]
    row = stored()
    assert installation.secret_box.decrypt(row.webhook_secret_encrypted) == second
    assert installation.secret_box.decrypt(row.previous_secret_encrypted or b"") == key["webhook_secret"]
    assert row.previous_secret_until is not None
    assert before <= row.previous_secret_until - timedelta(hours=1.5) <= datetime.now(UTC)
    third = run("keys", "rotate", "acme", key["id"])
    assert "it is not shown again" in third
    row = stored()
    assert installation.secret_box.decrypt(row.webhook_secret_encrypted) in third
    assert (row.previous_secret_encrypted, row.previous_secret_until) == (None, None)
    run("keys", "rotate", "acme", key["id"], "--overlap", "-1", fails=True)
    run("keys", "revoke", "acme", key["id"])
    assert "is revoked" in run("keys", "rotate", "acme", key["id"], fails=True)


def test_an_operator_s_token_is_shown_once_and_revoked_by_name(run: Run, installation: Installation) -> None:
    assert not has_operators(installation.database)
    assert run("operators", "list") == "none\n"
    token = json.loads(run("operators", "create", "Ada", "--json"))["token"]
    assert run("operators", "create", "Ada").startswith("token  fs_op_")
    found = find_operator(installation.database, token)
    assert found is not None
    assert found.name == "Ada"
    listed = run("operators", "list", "--json")
    assert token not in listed
    assert [row["name"] for row in json.loads(listed)] == ["Ada", "Ada"]
    assert run("operators", "revoke", found.token_prefix).count("revoked") == 1
    assert find_operator(installation.database, token) is None
    assert run("operators", "revoke", "Ada").count("revoked") == 2
    assert not has_operators(installation.database)
    assert "no operator answers to 'Ben'" in run("operators", "revoke", "Ben", fails=True)
    run("operators", "create", " ", fails=True)


def test_what_is_shown_once_is_not_in_the_representation_either(key: dict[str, Any]) -> None:
    shown = repr(NewKey("i", "o", "l", key["token"][:12], key["token"], key["webhook_secret"]))
    assert key["token"] not in shown
    assert key["webhook_secret"] not in shown
