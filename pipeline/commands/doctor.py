"""``fundingscout doctor``: what could be wrong with an installation, looked at one thing at a time."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
from sqlalchemy import select

from pipeline.commands.context import misspelt_settings, open_installation, print_json
from pipeline.documents import clock
from pipeline.documents.source_standing import source_standing
from pipeline.installation import Installation
from pipeline.settings import Settings
from pipeline.store.tables.organizations import ApiKey

LEAST_FREE_BYTES = 2_000_000_000
# EDGAR is asked every 10 s, wires every 20.
LONGEST_SILENCE_SECONDS = 600.0
MOST_NAMED = 3
OK, WARN, FAIL = "ok", "warn", "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look gave: ok, warn or FAIL, and what to do."""

    name: str
    state: str
    text: str


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def doctor(is_json: bool) -> None:
    """Check this installation and say what is wrong with it. Exits 1 when something is; changes nothing but migrations."""
    findings = list(examine(open_installation()))
    if is_json:
        print_json([{"check": f.name, "state": f.state, "text": f.text} for f in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.state:<5} {finding.name:<14} {finding.text}")
    sys.exit(any(finding.state == FAIL for finding in findings))


def examine(installation: Installation) -> Iterator[Finding]:
    """Every look, in the order in which things build on each other."""
    for name, look in LOOKS.items():
        try:
            state, text = look(installation)
        except Exception as error:  # noqa: BLE001 - whatever is wrong is what we were asked for
            # The driver's own words where it is the database: SQLAlchemy's go over several lines.
            state, text = FAIL, f"{type(error).__name__}: {' '.join(str(getattr(error, 'orig', None) or error).split())}"
        yield Finding(name, state, text)


def _python(_: Installation) -> tuple[str, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    return (OK if sys.version_info >= (3, 11) else FAIL), f"{version} at {sys.prefix}"


def _home(installation: Installation) -> tuple[str, str]:
    home = installation.settings.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    if not os.access(home, os.W_OK):
        return FAIL, f"{home} can't be written to; FUNDINGSCOUT_HOME names another folder"
    free = shutil.disk_usage(home).free
    text = f"{home}, {free / 1e9:.1f} GB free"
    return (OK, text) if free >= LEAST_FREE_BYTES else (WARN, f"{text}: little; the landing keeps every fetched body")


def _app_database(installation: Installation) -> tuple[str, str]:
    present, wanted = installation.database.schema_version()
    kind = installation.database.url.get_backend_name()
    return (OK if present == wanted else FAIL), f"{kind}, schema {present} of {wanted}"


def _warehouse(installation: Installation) -> tuple[str, str]:
    with installation.warehouse.open() as connection:
        rows = connection.execute(
            "SELECT (SELECT count(*) FROM raw.documents), (SELECT count(*) FROM core.funding_rounds)"
        ).fetchall()
    return OK, f"{installation.warehouse.path.name}: {rows[0][0]} documents, {rows[0][1]} rounds"


def _ledger(installation: Installation) -> tuple[str, str]:
    from pipeline.recovery.restored import held_since_restore, require_memory

    require_memory(installation.database, installation.warehouse)
    if held := held_since_restore(installation.database):
        return WARN, f"{held} deliveries are held since a restore: `deliveries list --status held`, then `deliveries release`"
    return OK, "it knows every send that the warehouse knows"


def _secrets(installation: Installation) -> tuple[str, str]:
    with installation.database.read() as session:
        keys = session.scalars(select(ApiKey).where(ApiKey.revoked_at.is_(None))).all()
    unreadable = []
    for key in keys:
        try:
            installation.secret_box.decrypt(key.webhook_secret_encrypted)
        except Exception:  # noqa: BLE001 - any reason means that this key can't sign
            unreadable.append(key.token_prefix)
    if unreadable:
        return (
            FAIL,
            f"the secrets of {', '.join(unreadable)} can't be decrypted: is FUNDINGSCOUT_SECRET_KEY the one they were made with?",
        )
    return OK, f"{len(keys)} active keys, all secrets readable"


def _sources(installation: Installation) -> tuple[str, str]:
    text = f"{len(installation.sources)} in {installation.settings.sources_file.name}"
    standing = source_standing(installation.database, installation.now(), {source.id for source in installation.sources})
    since = standing.seconds_since_poll
    if since is not None and since > LONGEST_SILENCE_SECONDS:
        return WARN, f"{text}, none asked for {since / 60:,.0f} minutes: does the service run (`fundingscout up`)?"
    wrong = standing.failing | {source: f"{why} (documents list, replay)" for source, why in standing.unreadable.items()}
    if not wrong:
        return OK, text
    named = "; ".join(f"{source}: {why[:80]}" for source, why in list(wrong.items())[:MOST_NAMED])
    return WARN, f"{text}, {len(wrong)} of them give nothing to read: {named}" + ("; …" if len(wrong) > MOST_NAMED else "")


def _user_agent(installation: Installation) -> tuple[str, str]:
    agent = installation.settings.user_agent
    if agent == Settings.model_fields["user_agent"].default:
        return WARN, "FUNDINGSCOUT_USER_AGENT is not set: SEC refuses requests that name nobody to contact"
    return OK, agent


def _settings(_: Installation) -> tuple[str, str]:
    wrong = misspelt_settings()
    return (WARN, "; ".join(wrong)) if wrong else (OK, "every name in the environment and in .env is known")


def _clock(installation: Installation) -> tuple[str, str]:
    wrong = clock.complaint(installation.database)
    ahead = clock.clock_ahead(installation.database)
    right = "too few sources have said what time it is" if ahead is None else f"within {abs(ahead):.0f} s of most sources'"
    return (FAIL, wrong) if wrong else (OK, right)


def _suffix_list(_: Installation) -> tuple[str, str]:
    from pipeline.matching.domains import registrable_domain

    got = registrable_domain("https://www.shop.example.co.uk/")
    return (OK if got == "example.co.uk" else FAIL), f"bundled Public Suffix List: shop.example.co.uk is {got}"


def _dagster(installation: Installation) -> tuple[str, str]:
    from pipeline.defs.assembly import build_definitions

    definitions = build_definitions(installation)
    repository = definitions.get_repository_def()
    return OK, f"{len(repository.assets_defs_by_key)} assets, {len(repository.job_names)} jobs load"


LOOKS: dict[str, Callable[[Installation], tuple[str, str]]] = {
    "python": _python,
    "settings": _settings,
    "home": _home,
    "app database": _app_database,
    "warehouse": _warehouse,
    "ledger": _ledger,
    "secrets": _secrets,
    "sources": _sources,
    "user agent": _user_agent,
    "clock": _clock,
    "suffix list": _suffix_list,
    "dagster": _dagster,
}
