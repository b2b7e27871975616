"""Quotas and plans in the app database, on SQLite and PostgreSQL (FS-18, FS-19, FS-69, A-FS-17)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.organizations.keys import KeyUnknown, get_key
from pipeline.organizations.organizations import PlanUnknown, create_organization, get_organization, set_plan
from pipeline.organizations.quotas import (
    DEFAULT_LIMITS,
    OperationUnknown,
    limit_of,
    set_limit,
    take,
    usage_today,
)
from pipeline.store.tables.organizations import UsageCounter

OPERATION = "crm_accounts_upsert"


def a_key(partners: Any) -> str:
    return str(partners.keys[partners.add("acme")].id)


def test_fs_18_fs_22_fs_69_defaults_are_the_pages() -> None:
    assert {name: DEFAULT_LIMITS[name] for name in (OPERATION, "crm_contacts_upsert", "crm_matches_list")} == {
        OPERATION: 100,
        "crm_contacts_upsert": 100,
        "crm_matches_list": 100,
    }


def test_calls_count_up_to_the_limit_and_no_further(partners: Any) -> None:
    key = a_key(partners)
    usages = [take(partners.database, key, OPERATION, 2, partners.now) for _ in range(4)]
    assert [(usage.used, usage.remaining, usage.is_refused) for usage in usages] == [
        (1, 1, False),
        (2, 0, False),
        (2, 0, True),
        (2, 0, True),
    ]
    assert usages[0].resets_at == datetime(2026, 5, 13, tzinfo=UTC)


def test_a_limit_of_zero_refuses_every_call_and_none_refuses_no_call(partners: Any) -> None:
    key = a_key(partners)
    assert take(partners.database, key, OPERATION, 0, partners.now).is_refused
    assert [take(partners.database, key, OPERATION, None, partners.now).used for _ in range(3)] == [1, 2, 3]


def test_calls_at_once_never_take_more_than_the_limit(partners: Any) -> None:
    key = a_key(partners)
    with ThreadPoolExecutor(8) as threads:
        usages = list(threads.map(lambda _: take(partners.database, key, OPERATION, 10, partners.now), range(30)))
    assert sorted(usage.used for usage in usages if not usage.is_refused) == list(range(1, 11))
    assert sum(usage.is_refused for usage in usages) == 20


def test_a_fs_17_the_day_is_utc(partners: Any) -> None:
    key = a_key(partners)
    before = datetime(2026, 5, 12, 23, 59, 59, tzinfo=UTC)
    assert take(partners.database, key, OPERATION, 1, before).is_refused is False
    assert take(partners.database, key, OPERATION, 1, before).is_refused is True
    assert take(partners.database, key, OPERATION, 1, before + timedelta(seconds=1)).is_refused is False


def test_fs_19_quotas_are_counted_and_lifted_by_key(partners: Any) -> None:
    organization = partners.add("acme")
    key = partners.keys[organization]
    set_limit(partners.database, organization, key.token_prefix, OPERATION, 5_000)
    set_limit(partners.database, organization, key.id, "whoami", None)
    overrides = get_key(partners.database, organization, key.id).quotas
    assert limit_of(overrides, OPERATION) == 5_000
    assert limit_of(overrides, "whoami") is None
    assert limit_of(overrides, "reveal_contact") == 200
    set_limit(partners.database, organization, key.id, OPERATION, None, is_default=True)
    assert limit_of(get_key(partners.database, organization, key.id).quotas, OPERATION) == 100


def test_limits_that_can_be_none_are_refused(partners: Any) -> None:
    organization = partners.add("acme")
    key = partners.keys[organization].id
    with pytest.raises(OperationUnknown, match="crm_matches_list"):
        set_limit(partners.database, organization, key, "matches", 5)
    with pytest.raises(ValueError, match="-1"):
        set_limit(partners.database, organization, key, OPERATION, -1)
    with pytest.raises(KeyUnknown):
        set_limit(partners.database, partners.add("other"), key, OPERATION, 5)


def test_usage_today_names_every_operation(partners: Any) -> None:
    key = a_key(partners)
    take(partners.database, key, OPERATION, 100, partners.now)
    take(partners.database, key, "whoami", 100, partners.now - timedelta(days=1))
    usages = usage_today(partners.database, key, {"whoami": None}, partners.now)
    assert [usage.operation for usage in usages] == list(DEFAULT_LIMITS)
    assert {usage.operation: (usage.used, usage.remaining) for usage in usages if usage.operation in (OPERATION, "whoami")} == {
        OPERATION: (1, 99),
        "whoami": (0, None),
    }


def test_counters_of_long_ago_go(partners: Any) -> None:
    key = a_key(partners)
    for days in (200, 91, 90, 0):
        take(partners.database, key, OPERATION, 100, partners.now - timedelta(days=days))
    with partners.database.read() as session:
        days = list(session.scalars(select(UsageCounter.day).order_by(UsageCounter.day)))
    assert days == ["2026-02-11", "2026-05-12"]


def test_plans_are_known_and_can_be_changed(partners: Any) -> None:
    create_organization(partners.database, "acme", "Acme", partners.now, plan="basic")
    assert set_plan(partners.database, "acme", "wholesale").plan == "wholesale"
    assert get_organization(partners.database, "acme").plan == "wholesale"
    with pytest.raises(PlanUnknown, match="free, basic, pro, wholesale"):
        set_plan(partners.database, "acme", "gold")
    with pytest.raises(PlanUnknown):
        create_organization(partners.database, "other", "Other", partners.now, plan="gold")
