"""Commands for operators' tokens: what opens /operator/v1."""

from __future__ import annotations

import click

from pipeline.commands.context import open_installation, print_json, print_table
from pipeline.organizations.operators import create_operator, list_operators, revoke_operator

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")


@click.group()
def operators() -> None:
    """Tokens for the operators' API under /operator/v1: organizations, keys, quotas, plans. Off as long as there is none."""


@operators.command("create")
@click.argument("name")
@as_json
def create(name: str, is_json: bool) -> None:
    """A new token for NAME, which the audit log shows. Keep what it prints: it is not shown again."""
    installation = open_installation()
    made = create_operator(installation.database, name, installation.now())
    if is_json:
        print_json({"id": made.id, "name": made.name, "token": made.token})
        return
    click.echo(f"token  {made.token}")
    click.echo("Save it now; it is not shown again.")


@operators.command("list")
@as_json
def list_(is_json: bool) -> None:
    """All tokens; revoked ones stay listed."""
    rows = [
        {
            "prefix": operator.token_prefix,
            "name": operator.name,
            "created_at": operator.created_at.isoformat(timespec="seconds"),
            "revoked_at": operator.revoked_at.isoformat(timespec="seconds") if operator.revoked_at else None,
            "id": operator.id,
        }
        for operator in list_operators(open_installation().database)
    ]
    print_json(rows) if is_json else print_table(
        ["prefix", "name", "created at", "revoked at", "id"], [list(row.values()) for row in rows]
    )


@operators.command("revoke")
@click.argument("operator")
def revoke(operator: str) -> None:
    """Revoke the token with this id or prefix, or all tokens of the operator with this name, at once."""
    installation = open_installation()
    for revoked in revoke_operator(installation.database, operator, installation.now()):
        click.echo(f"revoked {revoked.token_prefix}… of {revoked.name}")
