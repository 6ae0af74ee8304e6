"""Show the table of commands, or the help of one."""

from __future__ import annotations

import argparse

from pellucid.desk import Outcome

EXAMPLES = """
  pellucid help
  pellucid help publish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="the command to explain")


def run(args: argparse.Namespace) -> Outcome:
    """Return the table, or what `pellucid COMMAND --help` prints."""
    text = args.explain(args.command)
    return Outcome({"command": args.command, "help": text}, text)
