"""A morning worth looking at: what `fundingscout demo --stay` adds to the demo's world before it opens the UI.

A third partner, Oxmarsh, whose receiver has another secret than ours, so that what it is told fails; names in its CRM that a
person must be asked about; an account that came too late; the daily sync and the marts. What belongs here: these. What does
not: what the demo itself must lead to (compare).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dagster as dg

from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import upsert_accounts
from pipeline.defs import jobs
from pipeline.defs.assembly import build_definitions
from pipeline.defs.marts import build_marts_definitions
from pipeline.defs.marts_translation import MARTS
from pipeline.installation import Installation
from pipeline.main_job import QUIET, open_dagster, run_sync
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import OrganizationUnknown, create_organization, get_organization
from pipeline.settings import Network
from pipeline.webhooks.endpoints import set_webhook

SLUG, NAME = "oxmarsh", "Oxmarsh"
ACCOUNTS = (
    AccountRow("ox-1", "Halvora", "halvora.example", None),
    AccountRow("ox-2", "Lumenquay", "lumenquay.example", None),
    AccountRow("ox-3", "Tessellar Robotic Systems", None, None),
    AccountRow("ox-4", "Velmont Energy Grid", None, None),
)
# Pushed when its round was past the look-back window: a backfill finds it.
LATE = AccountRow("ox-5", "Brindlecast", "brindlecast.example", None)


def prepare_morning(
    installation: Installation, receiver_url: str, networks: tuple[Network, ...], say: Callable[[str], None]
) -> None:
    """Set Oxmarsh up and run what a night would have run. Run again, it tells nobody anything a second time."""
    _set_up(installation, receiver_url, networks)
    with open_dagster(installation.settings) as instance:
        say("A third partner, Oxmarsh, whose receiver refuses what it is told …")
        run_sync(installation, instance, poll=False)
        _push_late(installation, instance)
        say("Running the daily sync, and building the marts …")
        today = installation.now().date()
        definitions = build_definitions(installation)
        _run(definitions.resolve_job_def(jobs.DAILY_SYNC), instance, jobs.day_tags(today - timedelta(days=1), today))
        # dbt tells the terminal of each of its two hundred steps.
        with contextlib.redirect_stdout(io.StringIO()):
            _run(build_marts_definitions(installation).resolve_job_def(MARTS), instance, {})


def _set_up(installation: Installation, receiver_url: str, networks: tuple[Network, ...]) -> None:
    now = installation.now()
    try:
        organization = get_organization(installation.database, SLUG)
    except OrganizationUnknown:
        organization = create_organization(installation.database, SLUG, NAME, now)
        # The receiver is not given this secret: to it, every signature of Oxmarsh's is wrong.
        create_key(installation.database, installation.secret_box, organization.id, "demo", now)
        upsert_accounts(installation.database, organization.id, list(ACCOUNTS), now)
    set_webhook(installation.database, organization.id, receiver_url, None, now, networks)


def _push_late(installation: Installation, instance: dg.DagsterInstance) -> None:
    organization = get_organization(installation.database, SLUG)
    upsert_accounts(installation.database, organization.id, [LATE], installation.now())
    no_look_back = installation.settings.model_copy(update={"look_back_hours": 0})
    run_sync(Installation(no_look_back), instance, poll=False)


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, tags: dict[str, Any]) -> None:
    done = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, tags=tags)
    if not done.success:
        raise RuntimeError(f"the job {job.name} failed: `fundingscout demo --stay` shows its run in the UI")
