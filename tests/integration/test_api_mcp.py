"""The MCP endpoint, called by the official client and by hand (vendor facts 12)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import select

from pipeline.organizations.quotas import set_limit
from pipeline.store.tables.organizations import ContactReveal

CEO = {"ceo_name": "Ada North", "ceo_email": "ada@acorn.example", "ceo_linkedin_url": "https://linkedin.com/in/ada"}
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


def by_client(api: Any, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[tuple[bool, Any]]]:
    """The tools that the official client is told of, and what each call gives: (is an error, the text's JSON or text)."""

    async def run() -> tuple[list[str], list[tuple[bool, Any]]]:
        headers = {"Authorization": f"Bearer {api.key.token}"}
        async with (
            httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client,
            streamable_http_client(f"{api.url}/mcp", http_client=client) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            names = [tool.name for tool in (await session.list_tools()).tools]
            results = [await session.call_tool(name, arguments) for name, arguments in calls]
            return names, [(bool(result.isError), _value(result.content[0].text)) for result in results]  # type: ignore[union-attr]

    return asyncio.run(run())


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_the_official_client_finds_and_calls_the_five_tools(api: Any) -> None:
    api.partners.round("r1", company_name="Acorn Labs", company_key="acorn labs", body=CEO | {"company_name": "Acorn Labs"})
    names, results = by_client(
        api,
        ("list_funding_rounds", {"country": ["us"], "limit": 1}),
        ("get_funding_round", {"id": "r1"}),
        ("search_companies", {"query": "corn"}),
        ("reveal_contact", {"funding_round_id": "r1"}),
        ("whoami", {}),
        ("get_funding_round", {"id": "none"}),
        ("search_companies", {"query": "a"}),
        ("list_funding_rounds", {"cursor": "x"}),
        ("drop_tables", {}),
    )
    assert names == ["list_funding_rounds", "get_funding_round", "search_companies", "reveal_contact", "whoami"]
    assert [is_error for is_error, _ in results] == [False] * 5 + [True] * 4
    values = [value for _, value in results]
    assert [row["id"] for row in values[0]["data"]] == ["r1"]
    assert "ceo_email" not in values[1]
    assert values[1]["has_ceo_contact"] is True
    assert values[2]["data"][0]["company_name"] == "Acorn Labs"
    assert values[3] == {"funding_round_id": "r1"} | CEO
    assert values[4]["quotas"]["reveal_contact"] == {"limit": 200, "used": 1, "remaining": 199}
    assert values[5]["error"] == "not_found"
    assert "short" in values[6]
    assert values[7]["error"] == "invalid_param"
    with api.database.read() as session:
        assert [row.organization_id for row in session.scalars(select(ContactReveal))] == [api.organization]


def test_over_its_quota_the_tool_says_so(api: Any) -> None:
    """The shape differs from REST's 429; the count is the same one."""
    set_limit(api.database, api.organization, api.key.id, "search_companies", 1)
    assert api.get("/companies/search?q=ab").status_code == 200
    _, results = by_client(api, ("search_companies", {"query": "ab"}))
    (is_error, value) = results[0]
    assert is_error
    assert (value["error"], value["tool"]) == ("over_quota", "search_companies")
    assert 0 < value["retry_after_seconds"] <= 86_400


def test_mcp_wants_the_same_keys_as_rest(api: Any, code: Any) -> None:
    for value, expected in [
        ("", "missing_authorization"),
        ("Bearer x", "invalid_key_format"),
        ("Bearer fs_live_x", "invalid_or_revoked_key"),
    ]:
        answer = api.raw("/mcp", method="POST", json=LIST, headers=HEADERS | {"Authorization": value})
        assert code(answer) == (401, expected)
    own = {"Authorization": f"Bearer {api.key.token}"}
    assert len(api.raw("/mcp", method="POST", json=LIST, headers=HEADERS | own).json()["result"]["tools"]) == 5
    for method in ("GET", "DELETE"):
        answer = api.raw("/mcp", method=method, headers=HEADERS | own)
        assert code(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"


def test_mcp_answers_what_is_no_message_with_an_error(api: Any) -> None:
    own = HEADERS | {"Authorization": f"Bearer {api.key.token}"}
    for body in (
        b"",
        b"{",
        b"[" * 50_000,
        b"null",
        b"{}",
        b"\xff",
        b'{"jsonrpc":"2.0","id":1,"method":"no/such"}',
        b" " * 200_000,
    ):
        answer = api.raw("/mcp", method="POST", content=body, headers=own)
        assert answer.status_code < 500, body[:20]
        assert "error" in answer.json() or answer.status_code >= 400, body[:20]


@pytest.mark.parametrize(
    "call",
    [
        '"search_companies","arguments":{"query":"ab\\ud800"}', '"list_funding_rounds","arguments":{"country":["US","\\udfff"]}',
        '"list_funding_rounds","arguments":{"cursor":"\\u0000"}',
    ],
)  # fmt: skip
def test_mcp_refuses_text_that_no_store_takes(api: Any, call: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{call}}}}}'
    own = HEADERS | {"Authorization": f"Bearer {api.key.token}", "Content-Type": "application/json"}
    result = api.raw("/mcp", method="POST", content=body, headers=own).json()["result"]
    assert (result["isError"], result["structuredContent"]["error"]) == (True, "invalid_param")
