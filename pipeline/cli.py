"""``fundingscout``: the command line. One line per command here; what a command does is in ``pipeline/commands``.

Command modules are imported only when used, so that ``--help`` and small commands answer at once.
"""

from __future__ import annotations

import importlib

import click

from pipeline.commands.errors import explain_errors

# Name: (module, what it does), under the heading it is listed.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Run": {
        "demo": ("demo", "The whole way on the samples: documents in, signed webhooks out, checked."),
        "up": ("service", "The service on this machine: Dagster UI, sensors, schedules. Ctrl-C stops it."),
        "sync": ("service", "One pass of the main job, in this process."),
        "backfill": ("recovery", "Work through days again, to find missed matches. Holds them unless told to deliver."),
        "api": ("api", "The HTTP API for partners, alone."),
        "receiver": ("receiver", "A webhook receiver that verifies signatures and prints what arrives."),
    },
    "Partners": {
        "organizations": ("organizations", "Partners: create, list, put on a plan, set thresholds of name matches."),
        "keys": ("organizations", "API keys and webhook secrets: create, list, revoke, rotate, quota."),
        "webhooks": ("webhooks", "Where a partner is told, and how: set, test, pause, policy, headers."),
        "signalbase": ("signalbase", "Teams that subscribe to signals: create, keys, credits, webhooks, replay."),
        "startcap": ("startcap", "Partners who submit leads: accounts, keys, rates, webhooks, stages, payouts."),
        "crm": ("crm", "CRM rows: import a file, show a CRM as it was on a day, copy all to the warehouse again."),
        "review": ("review", "Name matches that wait for a person's word: list, show, approve, reject, labels."),
        "deliveries": ("deliveries", "What was sent and what came back: list, show; release held ones, replay."),
    },
    "Text and names": {
        "explain": ("explain", "Why a file, a page or a text is read as it is: what decided, what was rejected."),
        "resolve": ("text", "Group lines that `extract` wrote into rounds."),
        "extract": ("text", "Read rounds and other signals from documents in a JSON Lines file."),
        "match": ("names", "Match rounds to accounts and contacts, file to file."),
        "key": ("names", "What a domain or e-mail address is matched by, and why."),
        "documents": ("text", "Documents that could not be read: list, replay."),
    },
    "Look": {
        "sql": ("sql", "Ask the published marts in SQL; nothing is held up by it."),
        "marts-docs": ("marts_docs", "Write the documentation of the marts, with their lineage, as one HTML page."),
    },
    "Operate": {
        "suffix-list": ("suffix_list", "The Public Suffix List: refresh it, or go back to the bundled one."),
        "operators": ("operators", "Tokens for the operators' API: create, list, revoke."),
        "restored": ("restored", "After a backup was put back: make the stores fit, hold what may have been told."),
        "doctor": ("doctor", "Check this installation and say what is wrong with it."),
    },
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, and lists by heading."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in COMMANDS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for commands in COMMANDS.values():
            if cmd_name in commands:
                module = importlib.import_module(f"pipeline.commands.{commands[cmd_name][0]}")
                command = getattr(module, cmd_name.replace("-", "_"))
                assert isinstance(command, click.Command)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="fundingscout")
def main() -> None:
    """Turns public funding news into signed webhooks.

    Watches press wires, tech media and SEC Form D filings, reads funding rounds from them, matches rounds to the
    companies and people in partners' CRMs, and tells each partner once.

    State lives under $FUNDINGSCOUT_HOME (default: data/state). Every setting is explained in .env.example.
    New here? `fundingscout demo`, then `fundingscout up`, then docs/.
    """


run = explain_errors(main)
