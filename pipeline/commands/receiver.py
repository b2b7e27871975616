"""``fundingscout receiver``."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from pipeline.webhooks.receiver import Received, Receiver, throwaway_certificate


@click.command()
@click.option(
    "--secret", "secrets", multiple=True, required=True, envvar="FS_WEBHOOK_SECRET", help="fs_whsec_…; repeat for several."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8443, show_default=True)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM file with key and chain. Without it, one is made for this run, and its authority written to --ca-file.",
)
@click.option("--ca-file", type=click.Path(path_type=Path), default="receiver-ca.pem", show_default=True)
@click.option("--log", type=click.Path(path_type=Path), help="Append each delivery to this file as a JSON line.")
def receiver(secrets: tuple[str, ...], host: str, port: int, certificate: Path | None, ca_file: Path, log: Path | None) -> None:
    """A webhook receiver that verifies signatures and prints what arrives. Ctrl-C stops it.

    To let a local fundingscout send to it: FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8 and
    FUNDINGSCOUT_WEBHOOK_CA_FILE=receiver-ca.pem, then `fundingscout webhooks set ORGANIZATION URL`.
    """
    listener = Receiver(list(secrets), certificate or throwaway_certificate(host, ca_file), _show, host, port, log)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: listener.stop())
    with listener:
        click.echo(f"listening on {listener.url}")
        listener.wait()
    click.echo(f"{len(listener.received)} received, {len(listener.duplicates)} twice")


def _show(item: Received) -> None:
    if not item.is_verified or item.payload is None:
        click.echo(f"{item.received_at:%H:%M:%S}  REFUSED: the signature does not verify")
        return
    if item.payload.get("event") == "test":
        click.echo(f"{item.received_at:%H:%M:%S}  test event  {item.match_id}")
        return
    funding, matched = item.payload["funding_round"], item.payload["matched"]
    amount = f"${funding['amount_usd']:,}" if funding["amount_usd"] else "undisclosed"
    row = matched["contact_external_id"] or matched["account_external_id"]
    twice = "  (received before)" if item.is_duplicate else ""
    click.echo(
        f"{item.received_at:%H:%M:%S}  {funding['company_name']}, {amount} {funding['funding_type'] or ''}: "
        f"{item.payload['match_type']} {row}  {item.match_id}{twice}"
    )
