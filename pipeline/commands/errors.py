"""How the command line ends: expected errors as one clear line, unexpected ones with their traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

import click
from pydantic import ValidationError

REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def explain_errors(command: click.Command) -> Callable[[], None]:
    """The entry point around ``command``: what a user's input or surroundings lead to is no traceback."""

    def run() -> None:
        try:
            command()
        except ValidationError as error:
            for problem in error.errors():
                name = "_".join(str(part) for part in problem["loc"])
                click.echo(f"Error: {error.title} {name}: {problem['msg']} (got {problem['input']!r})", err=True)
            sys.exit(2)
        except Exception as error:
            if not (isinstance(error, _expected()) or _is_damaged(error) or _is_refused(error)):
                raise
            click.echo(f"Error: {_said(error)}", err=True)
            sys.exit(1)

    return run


def _is_damaged(error: Exception) -> bool:
    """Whether the app database's file is none, or broken: SQLite says so by the class of all database errors itself."""
    from sqlalchemy.exc import DatabaseError

    return type(error) is DatabaseError


def _is_refused(error: Exception) -> bool:
    """Whether the system lets nothing be written: rights, a disk mounted for reading alone, no room."""
    return isinstance(error, OSError) and error.errno in REFUSED


def _said(error: Exception) -> str:
    """The text of an expected error; of the database's and the system's own, what it is about and the way out."""
    if isinstance(error, OSError) and _is_refused(error):
        return (
            f"{error.strerror}: {error.filename or 'no file named'}. May this user write to FUNDINGSCOUT_HOME, is there room?"
        )
    cause = getattr(error, "orig", None)
    if cause is None:
        return str(error)
    return (
        f"the app database (HOME/app.db, or FUNDINGSCOUT_DATABASE_URL) can't be used: {' '.join(str(cause).split())}. Is the "
        "server up, may this user write to the home, is the disk full or the file damaged? docs/operators has how to restore"
    )


def _expected() -> tuple[type[Exception], ...]:
    """Errors whose text says all there is to say. Imported only when there is one to look at."""
    from sqlalchemy.exc import OperationalError

    from pipeline.commands.suffix_list import NoSuffixList
    from pipeline.crm.files import UnreadableFile
    from pipeline.documents.fetch import FetchFailed
    from pipeline.documents.sources import SourcesError
    from pipeline.matching.files import UnusableInput
    from pipeline.matching.tiers import BadThresholds
    from pipeline.organizations.face_keys import FaceKeyUnknown
    from pipeline.organizations.keys import KeyUnknown
    from pipeline.organizations.organizations import OrganizationExists, OrganizationUnknown, PlanUnknown
    from pipeline.organizations.quotas import OperationUnknown
    from pipeline.organizations.secrets import BadSecretKey
    from pipeline.partners.accounts import PartnerInvalid, PartnerUnknown
    from pipeline.partners.landing import LandingRefused
    from pipeline.partners.referrals import ReferralUnknown
    from pipeline.partners.snapshot_file import SnapshotInvalid
    from pipeline.partners.webhooks import PartnerWebhookRefused, PartnerWebhookUnknown
    from pipeline.recovery.restored import LedgerForgot
    from pipeline.service import AlreadyRunning, BadDagsterFile, PartKeepsEnding, PortTaken
    from pipeline.store.app_database import DatabaseTooNew
    from pipeline.store.closed_days import DaysClosed
    from pipeline.store.published import NothingPublished
    from pipeline.store.warehouse import WarehouseBusy, WarehouseUnusable
    from pipeline.subscriptions.teams import TeamInvalid, TeamUnknown
    from pipeline.webhooks.controls import NoWebhook
    from pipeline.webhooks.policies import PolicyInvalid
    from pipeline.webhooks.reviews import ReviewUnknown
    from pipeline.webhooks.static_headers import HeaderRefused
    from pipeline.webhooks.urls import UrlRefused

    return (
        AlreadyRunning,
        BadDagsterFile,
        BadSecretKey,
        BadThresholds,
        DatabaseTooNew,
        DaysClosed,
        FetchFailed,
        HeaderRefused,
        NoSuffixList,
        NoWebhook,
        NothingPublished,
        OperationalError,
        KeyUnknown,
        LedgerForgot,
        LandingRefused,
        OperationUnknown,
        OrganizationExists,
        OrganizationUnknown,
        PartKeepsEnding,
        PolicyInvalid,
        PortTaken,
        PartnerInvalid,
        FaceKeyUnknown,
        PartnerUnknown,
        PartnerWebhookRefused,
        PartnerWebhookUnknown,
        PlanUnknown,
        ReferralUnknown,
        SnapshotInvalid,
        ReviewUnknown,
        SourcesError,
        TeamInvalid,
        TeamUnknown,
        UnreadableFile,
        UnusableInput,
        UrlRefused,
        WarehouseBusy,
        WarehouseUnusable,
    )
