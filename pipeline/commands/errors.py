"""How the command line ends: expected errors as one clear line, unexpected ones with their traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from pydantic import ValidationError


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
            if not isinstance(error, _expected()):
                raise
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)

    return run


def _expected() -> tuple[type[Exception], ...]:
    """Errors whose text says all there is to say. Imported only when there is one to look at."""
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
    from pipeline.partners.accounts import PartnerInvalid, PartnerUnknown
    from pipeline.partners.landing import LandingRefused
    from pipeline.partners.referrals import ReferralUnknown
    from pipeline.partners.snapshot_file import SnapshotInvalid
    from pipeline.partners.webhooks import PartnerWebhookRefused, PartnerWebhookUnknown
    from pipeline.service import AlreadyRunning, PartKeepsEnding, PortTaken
    from pipeline.store.closed_days import DaysClosed
    from pipeline.store.published import NothingPublished
    from pipeline.store.warehouse import WarehouseBusy
    from pipeline.subscriptions.teams import TeamInvalid, TeamUnknown
    from pipeline.webhooks.controls import NoWebhook
    from pipeline.webhooks.policies import PolicyInvalid
    from pipeline.webhooks.reviews import ReviewUnknown
    from pipeline.webhooks.static_headers import HeaderRefused
    from pipeline.webhooks.urls import UrlRefused

    return (
        AlreadyRunning,
        BadThresholds,
        DaysClosed,
        FetchFailed,
        HeaderRefused,
        NoSuffixList,
        NoWebhook,
        NothingPublished,
        KeyUnknown,
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
    )
