"""What keeps a service from starting, said before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.service import AlreadyRunning, BadDagsterFile, PortTaken, Service, held, prepare_dagster_home
from pipeline.settings import PROJECT_ROOT, Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("setting", ["ui_port", "api_port"])
def test_a_port_that_is_taken_is_named_with_its_setting(tmp_path: Path, taken: int, setting: str) -> None:
    settings = Settings(home=tmp_path, **({"ui_port": 0, "api_port": 0} | {setting: taken}))  # type: ignore[arg-type]
    with pytest.raises(PortTaken, match=rf"port {taken} .* FUNDINGSCOUT_{setting.upper()} names another"):
        Service(settings, lambda _line: None).run()


def test_a_second_service_in_one_home_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ui_port=0, api_port=0)
    with (
        held(prepare_dagster_home(settings) / "service.lock", wait=False),
        pytest.raises(AlreadyRunning, match="a service runs in"),
    ):
        Service(settings, lambda _line: None).run()


def test_dagsters_home_has_this_versions_instance_without_telemetry(tmp_path: Path) -> None:
    folder = prepare_dagster_home(Settings(home=tmp_path))
    assert (folder / "dagster.yaml").read_text() == (PROJECT_ROOT / "dagster.yaml").read_text()
    assert "telemetry:\n  enabled: false" in (folder / "dagster.yaml").read_text()


def test_an_operator_s_own_entries_take_the_place_of_ours_and_the_others_stay(tmp_path: Path) -> None:
    own = tmp_path / "dagster.yaml"
    own.write_text("storage: {sqlite: {base_dir: /srv/dagster}}\nretention: {}\n")
    told = yaml.safe_load((prepare_dagster_home(Settings(home=tmp_path)) / "dagster.yaml").read_text())
    ours = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())
    assert told == ours | {"storage": {"sqlite": {"base_dir": "/srv/dagster"}}, "retention": {}}
    for bad in ("storage", "a: [", "\xff"):
        own.write_bytes(bad.encode("latin-1"))
        with pytest.raises(BadDagsterFile, match=r"dagster\.yaml"):
            prepare_dagster_home(Settings(home=tmp_path))
