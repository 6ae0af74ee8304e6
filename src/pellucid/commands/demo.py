"""Show the whole chain on this machine: a vendor, three centers, a real product, and everything that must fail.

The product is taken from the package index that your pip is set to, and checked by hash; without one, two revisions of
this program's own source. Then the portal of all four nodes is served until Ctrl-C. `--once` ends after the table.

Exit 0: every step gave the expected answer. An unfinished or foreign home is refused, a finished one goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.desk import Outcome
from pellucid.errors import InputError, UnavailableError
from pellucid.terminal import say

EXAMPLES = """
  pellucid demo
  pellucid --home /tmp/demo demo --once
  pellucid --home /tmp/demo demo --once --pypi itsdangerous 2.1.2 2.2.0 --json
"""
_STATE = "demo.json"
_FORMAT = "pellucid-demo/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--once", action="store_true", help="end after the table instead of serving the portal")
    parser.add_argument(
        "--pypi", nargs=3, metavar=("NAME", "OLD", "NEW"), help="two releases of another product, from pip's index"
    )


def run(args: argparse.Namespace) -> Outcome:
    """Play it, or go on with a finished one; then serve."""
    from pellucid.demo.nodes import stop_nodes  # noqa: PLC0415 - the demonstration needs far more than `--help`
    from pellucid.demo.play import Play  # noqa: PLC0415

    state = _read_state(args.home, args.pypi)
    begun = time.monotonic()
    play = Play.again(args.home, state) if state else _fresh(args.home, args.pypi)
    try:
        play.perform()
        if play.is_complete:
            _write_state(args.home, play.state())
        say(f"{len(play.steps.done)} steps in {time.monotonic() - begun:.0f} s")
        outcome = Outcome(play.as_json(), play.words(), 0 if play.steps.ok else 1)
        if args.once or not play.steps.ok:
            return outcome
        _tell(outcome, as_json=args.json)
        _serve(play)
    finally:
        stop_nodes(play.nodes)
    raise SystemExit(0)


def _fresh(home: Path, pypi: Sequence[str] | None) -> Any:
    """Make the home and get the product; a home that could not be filled is not left behind."""
    from pellucid.demo.play import Play  # noqa: PLC0415

    was_there = home.exists()
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write_state(home, {"format": _FORMAT, "complete": False})
    except OSError as error:
        raise UnavailableError(f"cannot be made: {error.strerror}", where=str(home), remedy="name another") from error
    try:
        return Play.new(home, pypi)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        if was_there:
            home.mkdir()
        raise


def _read_state(home: Path, pypi: Sequence[str] | None) -> Mapping[str, Any] | None:
    """Return the state of a finished demonstration, None where nothing is; InputError for anything else."""
    if not home.exists() or (home.is_dir() and not any(home.iterdir())):
        return None
    remedy = "name another directory with --home, or remove this one if it may go"
    try:
        state: Any = json.loads((home / _STATE).read_bytes())
    except (OSError, ValueError):
        raise InputError("is there already and is no demonstration", where=str(home), remedy=remedy) from None
    if not isinstance(state, dict) or state.get("format") != _FORMAT or state.get("complete") is not True:
        raise InputError("holds a demonstration that was not finished", where=str(home), remedy=remedy)
    try:
        shown = [state["product"]["name"], state["product"]["old"]["version"], state["product"]["new"]["version"]]
    except (KeyError, TypeError):
        raise InputError("holds a demonstration whose demo.json is damaged", where=str(home), remedy=remedy) from None
    if pypi is not None and list(pypi) != shown:
        raise InputError(f"holds a demonstration of another product ({shown[0]})", where=str(home), remedy=remedy)
    return state


def _write_state(home: Path, state: Mapping[str, Any]) -> None:
    from pellucid.storage.files import FileObjects  # noqa: PLC0415

    FileObjects(home).replace(_STATE, json.dumps({"format": _FORMAT, "complete": True, **state}, indent=1).encode())


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    """Write the answer before serving, as it would be written at the end."""
    text = json.dumps(outcome.json, indent=2, ensure_ascii=False) if as_json else outcome.text
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _serve(play: Any) -> None:
    """Keep the nodes running until Ctrl-C; NodeStoppedError if one ends by itself."""
    say("the portal is served at")
    for node in play.nodes:
        say(f"  {node.url}  {node.place.operator}, {node.place.region}")
    say("Ctrl-C ends it; the same command goes on with what is here")
    try:
        while True:
            for node in play.nodes:
                node.require_running()
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("\nending the four nodes")
