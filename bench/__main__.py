"""The command line of the benches: `python -m bench NAME [--json]`, from the root of the repository.

Exit 0: every goal is met; 1: one is not, or we gave a wrong answer; 2: unusable arguments;
3: the comparison could not be had (a peer, its runtime or the network is missing).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.audit import AUDIT
from bench.harness import Bench, Options, Report, as_table
from bench.portal import PORTAL
from bench.verify import VERIFY
from pellucid.errors import PellucidError

BENCHES: tuple[Bench, ...] = (AUDIT, PORTAL, VERIFY)
SCRATCH = Path("build/bench")


def main(arguments: list[str] | None = None, benches: Sequence[Bench] = BENCHES) -> int:
    """Run one bench and print its table, or with `--json` its one JSON document; returns the exit code."""
    options = _parse(arguments, benches)
    if options.name is None:
        print(_list(benches))
        return 0
    bench = next(bench for bench in benches if bench.name == options.name)
    try:
        report = bench.run(
            Options(
                scratch=SCRATCH.resolve() / bench.name,
                pairs=options.pairs,
                home=options.home.resolve() if options.home else None,
            )
        )
    except PellucidError as error:
        return _refuse(error, as_json=options.json)
    return _show(report, as_json=options.json)


def _parse(arguments: list[str] | None, benches: Sequence[Bench]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"benches:\n{_list(benches)}",
    )
    names = [bench.name for bench in benches]
    parser.add_argument("name", metavar="NAME", nargs="?", choices=names, help="without it: list what there is")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--pairs", type=_positive, default=15, help="timed pairs (default %(default)s)")
    parser.add_argument("--home", type=Path, help="use this demo home instead of making one")
    return parser.parse_args(arguments)


def _list(benches: Sequence[Bench]) -> str:
    return "\n".join(f"{bench.name:12} {bench.about}" for bench in benches)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _refuse(error: PellucidError, *, as_json: bool) -> int:
    print(f"./dev bench: {error}", file=sys.stderr)
    if error.remedy:
        print(f"  {error.remedy}", file=sys.stderr)
    if as_json:
        print(json.dumps(error.as_json()))
    return error.exit_code


def _show(report: Report, *, as_json: bool) -> int:
    print(json.dumps(report.as_json()) if as_json else as_table(report))
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
