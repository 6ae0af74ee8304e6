"""Make the index again from the logs themselves; nothing else is true. The node must not run meanwhile."""

from __future__ import annotations

import argparse

from pellucid.capabilities import PREDICATES
from pellucid.desk import Outcome
from pellucid.record.home import Home
from pellucid.record.index import Index
from pellucid.record.index_reader import IndexReader
from pellucid.record.logs import Logs
from pellucid.storage.home_lock import HomeLock
from pellucid.terminal import progress

EXAMPLES = """
  pellucid --home center reindex
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: there are none."""


def run(args: argparse.Namespace) -> Outcome:
    """Rebuild the projection of own and mirrored logs."""
    home = Home.find(args.home)
    situation = Logs(home).now()
    with HomeLock(home.path / "lock"), progress("reading every entry", unit="") as shown:
        index = Index(home.path / "index.db", PREDICATES)
        try:
            problems = index.rebuild(situation)
        finally:
            index.close()
        shown.advance()
    reader = IndexReader(home.path / "index.db")
    logs = [
        {"origin": log.origin, "entries": reader.size(log.id), "problem": problems.get(log.id)}
        for log in situation.logs.values()
    ]
    lines = [f"{log['origin']}: {log['problem'] or str(log['entries']) + ' entries'}" for log in logs]
    return Outcome({"home": str(home.path), "logs": logs}, "\n".join(lines), 1 if problems else 0)
