"""Log lines: JSON, with the request's id, without what exceptions say."""

from __future__ import annotations

import json
import logging
import sys

from pipeline.api.json_answers import json_bytes
from pipeline.api.logs import JsonLines, request_id_now


def test_a_record_becomes_one_line_of_json() -> None:
    record = logging.LogRecord("pipeline.api", logging.INFO, __file__, 1, "line\nbreak %s", ("ü",), None)
    record.fields = {"status": 200}
    token = request_id_now.set("r-1")
    try:
        line = JsonLines().format(record)
    finally:
        request_id_now.reset(token)
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {"level": "info", "logger": "pipeline.api", "message": "line\nbreak ü", "request_id": "r-1", "status": 200}


def test_an_exception_is_told_by_its_kind_alone() -> None:
    try:
        raise ValueError("secret-detail")
    except ValueError:
        record = logging.LogRecord("pipeline", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    line = JsonLines().format(record)
    assert json.loads(line)["error_type"] == "ValueError"
    assert "secret" not in line


def test_text_that_has_no_utf_8_goes_as_escapes() -> None:
    assert json_bytes({"a": "ü"}) == '{"a":"ü"}'.encode()
    assert json_bytes({"a": "\ud800ü"}) == b'{"a":"\\ud800\\u00fc"}'
