"""Programs that submit leads, run as they are printed: our page's and, where it is at hand, the source page's (SC-87).

A language is tested where it is installed (Debian: php-cli with php-curl, nodejs, curl); else its test is skipped by name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.partners import accounts, keys
from pipeline.settings import PROJECT_ROOT

OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "startcap" / "submitting.md"
HOST = "https://www.startcap.org"
# By heading of our page: the program that runs it, and what the file is called.
LANGUAGES = {
    "curl": ("sh", "submit.sh"),
    "Python": (sys.executable, "submit.py"),
    "JavaScript": ("node", "submit.mjs"),
    "PHP": ("php", "submit.php"),
}
# The source page: first and last line of each program; Python's indentation.
SECTION = "Here are complete code examples"
PRINTED = {
    "curl": (f"curl -X POST {HOST}/app/partners/api/v1/leads/submit \\", "}'"),
    "Python": ("import requests", 'print(f"HTTP Error {response.status_code}: {response.text}")', "0" * 22 + "112221201"),
    "JavaScript": ("async function submitLead() {", "submitLead();"),
    "PHP": ("<?php", "?>"),
}


class Served:
    """The running service, and a partner's key for it."""

    def __init__(self, api: Any) -> None:
        self.api = api
        accounts.create_partner(api.database, api.organization, "Ada", "ada@p.example", api.now)
        self.key = keys.create_key(api.database, api.organization, "test", api.now).token

    def lead(self) -> dict[str, Any]:
        """The one lead that there is."""
        answer = self.api.raw("/app/partners/api/v1/leads", headers={"X-API-Key": self.key})
        [lead] = answer.json()["leads"]
        found: dict[str, Any] = lead
        return found


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    return make_app_database("sqlite")


@pytest.fixture
def served(make_api: Any, tmp_path: Path) -> Iterator[Served]:
    with make_api(home=tmp_path / "home") as api:
        yield Served(api)


def run(language: str, source: str, folder: Path, **environment: str) -> str:
    """What the program says; it must end well."""
    program, file = LANGUAGES[language]
    for needed in {program, "curl" if language == "curl" else program}:
        if not shutil.which(needed):
            pytest.skip(f"needs {needed}")
    if language == "PHP" and "curl" not in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split():
        pytest.skip("needs php-curl")
    (folder / file).write_text(source, encoding="utf-8")
    done = subprocess.run(
        [program, file], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_sc_87_our_page_s_submitters_submit_and_a_repeat_makes_no_second_lead(
    language: str, served: Served, tmp_path: Path
) -> None:
    """A-SC-33."""
    found = re.search(rf"## {language}\n.*?```\w+\n(.*?)```", OUR_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    url = f"{served.api.url}/app/partners/api/v1"
    said = [run(language, found[1], tmp_path, STARTCAP_URL=url, STARTCAP_KEY=served.key) for _ in range(2)]
    lead = served.lead()
    assert [lead["reference_id"] in text for text in said] == [True, True]
    assert (lead["first_name"], lead["residential_state"]) == ("Marta", "WA")
    assert "Invalid or inactive API key" in run(language, found[1], tmp_path, STARTCAP_URL=url, STARTCAP_KEY="sc_live_no")


@pytest.mark.parametrize("language", PRINTED)
def test_sc_87_the_source_page_s_submitters_submit(
    language: str, served: Served, tmp_path: Path, startcap_page: Callable[..., str]
) -> None:
    """Host and key are ours, and nothing else."""
    program = startcap_page(SECTION, *PRINTED[language])
    assert program.count(HOST) == program.count("your_api_key_here") == 1
    program = program.replace(HOST, served.api.url).replace("your_api_key_here", served.key)
    said = run(language, program, tmp_path)
    lead = served.lead()
    assert lead["reference_id"] in said
    assert (lead["first_name"], lead["email"], lead["residential_zip"]) == ("John", "john@example.com", "90001")
