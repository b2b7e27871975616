"""Settings: names, defaults, and what is refused."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.settings import PROJECT_ROOT, Settings, misspelt


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("FUNDINGSCOUT_"):
            monkeypatch.delenv(name)


def test_env_example_names_every_setting_and_no_other() -> None:
    text = (PROJECT_ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#FUNDINGSCOUT_([A-Z_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_env_example_shows_the_defaults() -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    for name, shown in re.findall(r"^#FUNDINGSCOUT_([A-Z_]+)=(.*)$", (PROJECT_ROOT / ".env.example").read_text(), re.MULTILINE):
        value = getattr(settings, name.lower())
        if name in {"HOME", "SOURCES_FILE"}:
            assert value == PROJECT_ROOT / shown
        elif shown == "":
            assert value in (None, ())
        elif isinstance(value, bool):
            assert str(value).lower() == shown
        elif isinstance(value, (int, float)):
            assert value == float(shown)
        else:
            assert str(value) == shown


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_networks_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, ::1/128")
    assert Settings().webhook_allowed_networks == (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def test_a_network_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/99")
    with pytest.raises(ValidationError, match=r"10\.0\.0\.0/99"):
        Settings()


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_UI_PORT", "")
    assert Settings().ui_port == 3000


def test_an_unknown_log_level_is_refused() -> None:
    with pytest.raises(ValidationError, match="is none of DEBUG"):
        Settings(log_level="loud")


def test_stores_follow_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.app_database_url == f"sqlite:///{tmp_path}/app.db"
    assert settings.warehouse_path == tmp_path / "warehouse.duckdb"
    assert settings.landing_path == tmp_path / "landing"


def test_settings_that_were_given_can_be_handed_on_through_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = Settings(
        home=tmp_path,
        webhook_allowed_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        secret_key="k",  # type: ignore[arg-type]
        look_back_hours=0,
        database_url=None,
    )
    for name, value in given.as_environment().items():
        monkeypatch.setenv(name, value)
    read = Settings()
    assert {name: getattr(read, name) for name in Settings.model_fields} == {
        name: getattr(given, name) for name in Settings.model_fields
    }
    assert "FUNDINGSCOUT_UI_PORT" not in given.as_environment()


def test_a_secret_key_is_not_in_the_settings_text() -> None:
    assert "topsecret" not in repr(Settings(secret_key="topsecret"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("time_zone", "Mars/Phobos", "is no time zone; they are named like UTC or Europe/Berlin"),
        ("daily_sync_cron", "0 2 * *", "has not the five fields of a cron line"),
        ("database_url", "postgres://host/name", r"begins with neither postgresql\+psycopg:// nor sqlite:///"),
    ],
)
def test_a_value_that_would_only_fail_inside_a_part_of_the_service_is_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings(_env_file=None, **{name: value})  # type: ignore[arg-type]


def test_a_misspelt_name_is_said_with_the_one_that_was_meant() -> None:
    given = ["FUNDINGSCOUT_HOME", "FUNDINGSCOUT_RETENTON_DAYS", "FUNDINGSCOUT_QQQQQ", "PATH", "FUNDINGSCOUT_AS_OF"]
    assert misspelt(given) == [
        "FUNDINGSCOUT_QQQQQ is no setting and does nothing",
        "FUNDINGSCOUT_RETENTON_DAYS is no setting and does nothing; is FUNDINGSCOUT_RETENTION_DAYS meant?",
    ]
