from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.documents.landing import Landing, NotLanded


def test_bytes_come_back_under_their_address(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    address = landing.put(b"one\x00two")
    assert address == hashlib.sha256(b"one\x00two").hexdigest()
    assert landing.get(address) == b"one\x00two"
    assert (tmp_path / "landing" / address[:2] / address[2:4] / address).is_file()


def test_keeping_the_same_bytes_again_leaves_one_file(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    assert landing.put(b"x") == landing.put(b"x")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_missing_bytes_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotLanded, match="0" * 64):
        Landing(tmp_path).get("0" * 64)


def test_bytes_that_were_changed_on_disk_are_not_given_out(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    address = landing.put(b"as it came")
    (tmp_path / address[:2] / address[2:4] / address).write_bytes(b"as it was bent")
    with pytest.raises(NotLanded, match="does not hold"):
        landing.get(address)
    landing.put(b"as it came!")


def test_truncated_file_of_a_crash_is_written_again(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    address = landing.put(b"whole")
    (tmp_path / address[:2] / address[2:4] / address).write_bytes(b"who")
    landing.put(b"whole")
    assert landing.get(address) == b"whole"


@pytest.mark.parametrize("address", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_addresses_lead_into_the_folder(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        Landing(tmp_path).get(address)
