"""Organizations and keys in the app database, on SQLite and PostgreSQL (FS-3 to FS-5, FSV-12)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from pipeline.organizations.keys import KeyUnknown, create_key, find_key, get_key, list_keys, revoke_key, rotate_secret
from pipeline.organizations.organizations import (
    OrganizationExists,
    OrganizationUnknown,
    create_organization,
    find_organization,
    get_organization,
    list_organizations,
)
from pipeline.store.tables.organizations import ApiKey


def test_organizations_are_found_by_slug_and_id(partners: Any) -> None:
    made = create_organization(partners.database, "acme", " Acme ", partners.now)
    assert (made.name, made.plan) == ("Acme", "pro")
    assert get_organization(partners.database, "acme").id == made.id
    assert get_organization(partners.database, made.id).slug == "acme"
    assert [row.slug for row in list_organizations(partners.database)] == ["acme"]
    assert find_organization(partners.database, "nobody") is None
    with pytest.raises(OrganizationUnknown, match="nobody"):
        get_organization(partners.database, "nobody")


def test_second_organization_of_a_slug_is_refused(partners: Any) -> None:
    create_organization(partners.database, "acme", "Acme", partners.now)
    with pytest.raises(OrganizationExists, match="acme"):
        create_organization(partners.database, "acme", "Other", partners.now)


@pytest.mark.parametrize("slug", ["", "A", "a b", "-a", "a-", "a" * 64, "ä", "a\n"])
def test_malformed_slugs_are_refused(partners: Any, slug: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        create_organization(partners.database, slug, "Acme", partners.now)


def test_fs_4_neither_token_nor_secret_is_kept_in_clear_or_logged(partners: Any, caplog: pytest.LogCaptureFixture) -> None:
    organization = create_organization(partners.database, "acme", "Acme", partners.now).id
    with caplog.at_level(logging.DEBUG):
        made = create_key(partners.database, partners.box, organization, "crm", partners.now)
        rotated = rotate_secret(partners.database, partners.box, organization, made.id, partners.now)
        listed = list_keys(partners.database, organization)
    with partners.database.read() as session:
        stored = repr([tuple(row) for row in session.execute(text("SELECT * FROM api_keys"))])
    for secret in (made.token, made.webhook_secret, rotated):
        assert secret not in stored
        assert secret not in caplog.text
        assert secret not in repr(listed)
        assert secret not in repr(made)
    assert made.token_prefix == made.token[:12]
    assert [key.token_prefix for key in listed] == [made.token_prefix]


def test_revoked_key_opens_nothing_at_once_and_stays_listed(partners: Any) -> None:
    organization = create_organization(partners.database, "acme", "Acme", partners.now).id
    made = create_key(partners.database, partners.box, organization, "crm", partners.now)
    found = find_key(partners.database, made.token)
    assert found is not None
    assert found.organization_id == organization
    revoke_key(partners.database, organization, made.token_prefix, partners.now)
    revoke_key(partners.database, organization, made.id, partners.now + timedelta(hours=1))
    assert find_key(partners.database, made.token) is None
    assert get_key(partners.database, organization, made.id).revoked_at == partners.now
    with pytest.raises(KeyUnknown, match="revoked"):
        rotate_secret(partners.database, partners.box, organization, made.id, partners.now)


def test_key_of_another_organization_is_unknown(partners: Any) -> None:
    mine = create_organization(partners.database, "acme", "Acme", partners.now).id
    other = create_organization(partners.database, "other", "Other", partners.now).id
    made = create_key(partners.database, partners.box, mine, "crm", partners.now)
    with pytest.raises(KeyUnknown):
        revoke_key(partners.database, other, made.id, partners.now)
    assert find_key(partners.database, "fs_live_" + "x" * 32) is None
    assert find_key(partners.database, "\ud800") is None


def test_fs_5_rotation_replaces_the_secret_and_not_the_token(partners: Any) -> None:
    organization = create_organization(partners.database, "acme", "Acme", partners.now).id
    made = create_key(partners.database, partners.box, organization, "crm", partners.now)
    rotated = rotate_secret(partners.database, partners.box, organization, made.id, partners.now)
    assert rotated != made.webhook_secret
    assert find_key(partners.database, made.token) is not None
    with partners.database.read() as session:
        row = session.get(ApiKey, made.id)
        assert row is not None
        assert partners.box.decrypt(row.webhook_secret_encrypted) == rotated


def test_key_for_an_unknown_organization_is_refused(partners: Any) -> None:
    with pytest.raises(LookupError):
        create_key(partners.database, partners.box, "nobody", "crm", partners.now)
