"""The three tracks and the README work as they stand, command by command."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.session import Session, missing, play, typed, with_free_ports

from pellucid.cli import find_command, parser_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Setting up again would change the environment under the tests that run in it; a fresh machine tries that.
DEV = """#!/bin/sh
case $1 in
  setup) ;;
  run) shift && exec pellucid demo "$@" ;;
  *) exit 2 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout in which everything is set up."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / "dev").write_text(DEV)
    (folder / "dev").chmod(0o755)
    return folder


@pytest.fixture
def session(checkout: Path) -> Iterator[Session]:
    """A shell in the checkout that knows where the program is, as `./dev` does."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PELLUCID_")}
    with Session(checkout, {**kept, "PATH": path, "TMPDIR": str(checkout.parent)}) as shell:
        yield shell


def tutorial(name: str) -> str:
    return with_free_ports((ROOT / f"docs/tutorials/{name}.md").read_text())


@pytest.mark.full
@pytest.mark.parametrize("track", ["log-your-own-product", "run-a-center"])
def test_a_track_works_as_it_stands(session: Session, track: str) -> None:
    problem = play(session, typed(tutorial(track)))
    assert problem is None, problem


@pytest.mark.full
def test_one_file_is_checked_as_the_first_track_and_the_readme_say(session: Session) -> None:
    problem = play(session, typed(tutorial("check-one-file")))
    assert problem is None, problem
    readme = (ROOT / "README.md").read_text()
    line = next(line for line in readme.split("`") if line.startswith("pellucid verify FILE"))
    answered = session.type(line.replace("FILE", '"$FILE"'))
    assert answered.code == 0, answered.output
    assert answered.output.startswith("meets-policy")


def commands(page: Path) -> list[str]:
    """Return the commands that a page shows outside the tracks."""
    return [one.command for one in typed(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_can_be_written_so(page: Path) -> None:
    handled = (ROOT / "dev").read_text()
    for command in commands(page):
        words = first_words(command)
        if words[0] == "./dev":
            assert f"\n  {words[1]})" in handled, command
        elif words[0] == "pellucid":
            words = words[3:] if words[1] == "--home" else words[1:]
            parser_of(find_command(words[0])).parse_args(words[1:])


def first_words(command: str) -> list[str]:
    """Return the words of a command up to a pipe, a redirection or an ampersand."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(itertools.takewhile(lambda word: word not in {"|", ">", "&", "&&", "2", ";"}, lexer))


def test_what_a_page_shows_is_compared() -> None:
    page = "```console\n$ printf 'a b\\nc d\\n'\na …\n…\nc d\n$ false\n$ echo $?\n1\n```\n"
    assert [one.command for one in typed(page)] == ["printf 'a b\\nc d\\n'", "false", "echo $?"]
    assert missing(("a …", "…", "c d"), "a b\nc d\n") is None
    assert missing(("c d", "a …"), "a b\nc d\n") == "a …"
    assert missing(("a",), "a b\n") == "a"


@pytest.mark.parametrize(
    ("page", "is_wrong"),
    [
        ("$ x=1\n$ echo $x\n1\n", False),
        ("$ false\n", True),
        ("$ false\n$ echo $?\n1\n", False),
        ("$ false\n$ echo $?\n2\n", True),
        ("$ echo one \\\n> two\none two\n", False),
        ("$ echo one\ntwo\n", True),
        ("$ cat\n", False),
        ("$ sleep 60 &\n$ kill %1\n", False),
    ],
)
def test_a_page_that_does_not_work_is_found(session: Session, page: str, *, is_wrong: bool) -> None:
    assert (play(session, typed(f"```console\n{page}```\n")) is not None) is is_wrong
