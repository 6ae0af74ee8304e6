"""A process that runs jobs until it is killed or its input ends: `worker.py STORE`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.jobs.sample_jobs import REGISTRY

from pellucid.jobs.durable import DurableJobs, Pace
from pellucid.jobs.work import Tools

QUICK = Pace(poll=0.1, beat=0.3, dead_after=3.0, rest_after=60.0, at_once=2)


def main(where: str) -> None:
    """Run jobs."""
    store = where if where.startswith("postgresql://") else Path(where)
    with DurableJobs.open(store, REGISTRY, Tools(Path("/")), pace=QUICK):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
