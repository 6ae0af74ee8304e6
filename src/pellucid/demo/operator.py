"""The people of the demonstration at their keyboards: each runs the program's own commands on their own home."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.commands.home_desk import HomeDesk
from pellucid.desk import Outcome

_ELSEWHERE = {"publish": "pellucid.release.commands:Publish", "source": "pellucid.source.commands"}


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works on `home`; what the commands say on the way goes to the file `diary`."""

    home: Path
    diary: Path

    def run(self, name: str, *words: str | Path) -> Outcome:
        """Run a command as `pellucid --home HOME NAME WORDS…` would, and return what it found."""
        module = _load(name)
        parser = argparse.ArgumentParser(prog=f"pellucid {name}", allow_abbrev=False, exit_on_error=False)
        module.add_arguments(parser)
        args = parser.parse_args([str(word) for word in words])
        args.home, args.json = self.home, True
        args.open_desk = lambda: HomeDesk.of(args)
        with self._noting(name, words):
            outcome: Outcome = module.run(args)
        return outcome

    @contextlib.contextmanager
    def _noting(self, name: str, words: tuple[str | Path, ...]) -> Iterator[None]:
        with self.diary.open("a") as diary:
            diary.write(f"$ {shlex.join(['pellucid', '--home', str(self.home), name, *map(str, words)])}\n")
            with contextlib.redirect_stderr(diary):
                yield


def _load(name: str) -> Any:
    module, _, attribute = _ELSEWHERE.get(name, f"pellucid.commands.{name}").partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found
