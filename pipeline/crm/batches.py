"""A batch of rows from a JSON text at once, where nothing is wrong with any of them.

What belongs here: the quick way for the batches that clients send day by day. What does not: telling what is wrong with a
row, and the odd spellings of JSON (json_text, rows); whenever there is the least doubt, this way says None, and the exact
way is gone instead. What it accepts, it reads as the exact way does; a test with generated batches holds the two together.
Metadata is never parsed here: its text is cut out of the batch as it stands (A-FS-3).
"""

from __future__ import annotations

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from pipeline.crm.rows import LONGEST, LONGEST_METADATA, AccountRow, ContactRow, Row

_ABSENT = Raw(b"null")
# Deeper metadata is looked at by the reader that deliveries use too, so that none is taken that could not be sent.
_DEEPEST = 200


class _Account(Struct, gc=False):
    external_id: str
    name: str
    domain: str | None = None
    metadata: Raw = _ABSENT


class _Contact(Struct, gc=False):
    external_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    account_external_id: str | None = None
    metadata: Raw = _ABSENT


class _Accounts(Struct):
    accounts: list[_Account]


class _Contacts(Struct):
    contacts: list[_Contact]


class _Doubt(Exception):
    """Something that the exact way must look at."""


_ACCOUNTS = Decoder(_Accounts)
_CONTACTS = Decoder(_Contacts)


def plain_rows(kind: str, text: str) -> list[Row] | None:
    """The rows of a batch of one kind (account, contact), in order; None where the exact way must look at it."""
    try:
        if kind == "account":
            return [_account(row) for row in _ACCOUNTS.decode(text).accounts]
        return [_contact(row) for row in _CONTACTS.decode(text).contacts]
    except (_Doubt, DecodeError, ValidationError, UnicodeError, RecursionError):
        return None


def _account(row: _Account) -> AccountRow:
    return AccountRow(
        _given("external_id", row.external_id),
        _given("name", row.name),
        None if row.domain is None else _optional("domain", row.domain),
        None if row.metadata is _ABSENT else _metadata(row.metadata),
    )


def _contact(row: _Contact) -> ContactRow:
    return ContactRow(
        _given("external_id", row.external_id),
        None if row.email is None else _optional("email", row.email),
        None if row.first_name is None else _optional("first_name", row.first_name),
        None if row.last_name is None else _optional("last_name", row.last_name),
        None if row.account_external_id is None else _optional("account_external_id", row.account_external_id),
        None if row.metadata is _ABSENT else _metadata(row.metadata),
    )


def _given(name: str, value: str) -> str:
    # Lone surrogates never come this far: the decoder refuses them.
    if not value or value.isspace() or len(value) > LONGEST[name] or "\0" in value:
        raise _Doubt(name)
    return value


def _optional(name: str, value: str) -> str | None:
    return _given(name, value) if value and not value.isspace() else None


def _metadata(raw: Raw) -> str | None:
    text = str(raw, "utf-8")
    if text == "null":
        return None
    if not text.startswith("{") or len(text) > LONGEST_METADATA or text.count("{") + text.count("[") > _DEEPEST:
        raise _Doubt("metadata")
    return text
