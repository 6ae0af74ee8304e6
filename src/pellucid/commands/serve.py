"""Run the node: its log, witness and mirrors, the API and the portal, until it is told to stop.

Ctrl-C or SIGTERM ends it cleanly; everything acknowledged is on disk already.
"""

from __future__ import annotations

import argparse

from pellucid.commands.passphrase import find_passphrase
from pellucid.desk import Outcome, add_passphrase_argument
from pellucid.record.home import Home
from pellucid.terminal import say

EXAMPLES = """
  pellucid serve
  pellucid --home center serve --listen 0.0.0.0:8400 --passphrase-file center.pass
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--listen", metavar="HOST:PORT", help="default: as in node.toml; port 0 takes a free one")
    add_passphrase_argument(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Serve until stopped."""
    from pellucid.site.server import Address, serve  # noqa: PLC0415 - the light install has no server

    home = Home.find(args.home)
    settings = home.settings
    address = Address.parse(args.listen or settings.listen)
    passphrase = find_passphrase(args.passphrase_file, home.path)
    quorum = home.quorum()
    tolerance = quorum.tolerates()
    if quorum.required:
        say(f"quorum {quorum.required}: tolerates {tolerance.outages} outages and {tolerance.colluders} colluders")
    else:
        say("quorum 0: what this node logs is not cosigned by anyone independent")
    serve(home, passphrase, address)
    return Outcome({"home": str(home.path), "name": settings.name, "stopped": True}, f"stopped {settings.name}")
