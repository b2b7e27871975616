"""Tokens, secrets and their encryption at rest (FS-3, FS-4, FSV-12)."""

from __future__ import annotations

import logging
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from pipeline.organizations.secrets import SecretBox, SecretUnreadable, new_token, new_webhook_secret, token_sha256
from pipeline.settings import Settings


def settings(home: Path, key: str | None = None) -> Settings:
    return Settings(_env_file=None, home=home, secret_key=SecretStr(key) if key else None)  # type: ignore[call-arg]


def test_fs_3_forms_of_token_and_secret() -> None:
    assert re.fullmatch(r"fs_live_[0-9A-Za-z]{32}", new_token())
    assert re.fullmatch(r"fs_whsec_[0-9A-Za-z_-]{32}", new_webhook_secret())
    assert len({new_token() for _ in range(200)}) == 200


def test_token_is_kept_as_its_sha256() -> None:
    # The example of FIPS 180-2.
    assert token_sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_box_opens_what_it_closed_and_hides_it() -> None:
    box = SecretBox([Fernet.generate_key().decode()])
    closed = box.encrypt("fs_whsec_abc")
    assert b"fs_whsec" not in closed
    assert box.decrypt(closed) == "fs_whsec_abc"
    assert box.encrypt("fs_whsec_abc") != closed


def test_older_key_still_opens_after_a_new_one_came() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    closed = SecretBox([old]).encrypt("secret")
    assert SecretBox([new, old]).decrypt(closed) == "secret"
    with pytest.raises(SecretUnreadable, match="rotate"):
        SecretBox([new]).decrypt(closed)


@pytest.mark.parametrize("key", ["", "short", "x" * 44])
def test_malformed_key_is_named_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        SecretBox([key])
    assert not key or key not in str(refused.value)


def test_key_file_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: SecretBox.open(settings(home)), range(8)))
    closed = boxes[0].encrypt("secret")
    assert {box.decrypt(closed) for box in boxes} == {"secret"}
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["secret.key"]


def test_key_file_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    SecretBox.open(settings(tmp_path))
    (tmp_path / "secret.key").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        SecretBox.open(settings(tmp_path))
    assert "chmod 600" in caplog.text


def test_key_of_the_settings_wins_and_makes_no_file(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    SecretBox.open(settings(tmp_path, key))
    assert list(tmp_path.iterdir()) == []
