"""`docs/reference/cli.md` is what the program says of itself."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from pellucid.cli import COMMANDS, overview, parser_of

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"


def parsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def reference() -> str:
    parts = [
        "# The command line in full",
        "",
        "What `pellucid COMMAND --help` prints. [Commands](commands.md) tells what they are for.",
        "",
        "```text",
        overview(),
        "```",
    ]
    for command in COMMANDS:
        parts += ["", f"## {command.name}"]
        for parser in parsers(parser_of(command)):
            parts += ["", "```text", parser.format_help().rstrip(), "```"]
    return "\n".join(parts) + "\n"


def test_the_reference_says_what_the_program_says(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("help is laid out differently by other versions of Python; 3.11 is compared")
    monkeypatch.setenv("COLUMNS", "110")
    text = reference()
    if os.environ.get("PELLUCID_WRITE_DOCS"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "run the tests with PELLUCID_WRITE_DOCS=1 to write it anew"
