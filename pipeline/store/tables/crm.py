"""Tables of what partners pushed: accounts, contacts, changes waiting to be worked on, imports and what was rejected of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class Account(Base):
    """A company in a partner's CRM. Key: organization and external id (FS-13)."""

    __tablename__ = "accounts"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str]
    domain: Mapped[str | None]
    metadata_json: Mapped[str | None]  # the exact text sent (A-FS-3)
    content_hash: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Contact(Base):
    """A person in a partner's CRM, perhaps linked to an account by its external id (which need not exist)."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_account", "organization_id", "account_external_id"),)

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    email: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    account_external_id: Mapped[str | None]
    metadata_json: Mapped[str | None]
    content_hash: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CrmChangeBatch(Base):
    """Queue of CRM rows the warehouse has not seen: one entry for all rows of one kind that one transaction changed,
    written in it, deleted once the warehouse has them.

    A queue and not a watermark: a transaction that commits late can't be passed over.
    """

    __tablename__ = "crm_change_batches"
    # No number is given twice, not even when the queue was empty in between: sensors name their runs by it.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(8))  # account, contact
    external_ids_json: Mapped[str]  # a JSON array of the rows' external ids
    rows: Mapped[int]  # how many these are
    changed_at: Mapped[datetime]


class CrmDeletion(Base):
    """A CRM row that was deleted lately, perhaps pushed anew since: a match found before must not be recorded after it."""

    __tablename__ = "crm_deletions"

    organization_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # account, contact
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(index=True)


class CrmImport(Base):
    """One imported CRM file."""

    __tablename__ = "crm_imports"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    layout: Mapped[str]
    rows: Mapped[int]
    unchanged: Mapped[int]
    upserted: Mapped[int]
    rejected: Mapped[int]
    imported_at: Mapped[datetime]


class CrmReject(Base):
    """A row of a CRM file that could not be used, with its reason and its text."""

    __tablename__ = "crm_rejects"

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(ForeignKey("crm_imports.id"), index=True)
    organization_id: Mapped[str] = mapped_column(String(36))
    line: Mapped[int]
    reason: Mapped[str]
    row_json: Mapped[str]
