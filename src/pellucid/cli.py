"""The program `pellucid`: finds the command, runs it, and tells the outcome in words or as one JSON document."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from pellucid import __version__
from pellucid.errors import InputError, PellucidError, UnavailableError
from pellucid.terminal import printable

if TYPE_CHECKING:
    from pellucid.desk import Desk, Outcome

DEFAULT_HOME = "pellucid-home"
INTERRUPTED = 130
_BROKEN_PIPE = 141


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name, where it is (`module` or `module:class`), a line of help, and its group in the table."""

    name: str
    module: str
    summary: str
    group: str


_CHECK, _PUBLISH, _NODE, _SPEAK = "Check", "Publish", "Run a node", "Speak"

COMMANDS: tuple[Command, ...] = (
    Command("demo", "pellucid.commands.demo", "the whole chain on this machine, with a real product", "Start here"),
    Command("help", "pellucid.commands.help", "this table, or the help of one command", "Start here"),
    Command("verify", "pellucid.commands.verify", "the verdict on a file, offline", _CHECK),
    Command("pack", "pellucid.commands.pack", "everything said about a file, with proofs, in one file", _CHECK),
    Command("policy", "pellucid.commands.policy", "write and check an acceptance policy", _CHECK),
    Command("monitor", "pellucid.commands.monitor", "follow logs: new, missing, doubled, inconsistent", _CHECK),
    Command("receipt", "pellucid.commands.receipt", "did what I was promised happen", _CHECK),
    Command("fsck", "pellucid.commands.fsck", "derive a log again from every tile and bundle", _CHECK),
    Command("audit", "pellucid.commands.audit", "check what is recorded about you; read the home's audit log", _CHECK),
    Command("release", "pellucid.release.commands:Draft", "draft the manifest of a release", _PUBLISH),
    Command("publish", "pellucid.release.commands:Publish", "log a release, an update or a rule set", _PUBLISH),
    Command("source", "pellucid.source.commands", "identify, compare and review source trees", _PUBLISH),
    Command("key", "pellucid.commands.key", "make and show keys", _SPEAK),
    Command("party", "pellucid.commands.party", "accredit a key in its roles, or end it", _SPEAK),
    Command("statement", "pellucid.commands.statement", "sign, submit and show any statement", _SPEAK),
    Command("init", "pellucid.commands.init", "make a node", _NODE),
    Command("serve", "pellucid.commands.serve", "run the node: log, witness, mirror, API, portal", _NODE),
    Command("peer", "pellucid.commands.peer", "join nodes by exchanged cards", _NODE),
    Command("people", "pellucid.commands.people", "invite, list and erase the people of a node", _NODE),
    Command("jobs", "pellucid.commands.jobs", "start, watch and cancel long work", _NODE),
    Command("reindex", "pellucid.commands.reindex", "make the index again from the logs", _NODE),
)


class UsageError(InputError):
    """The command line cannot be understood."""


class CommandModule(Protocol):
    """What a command's module offers; its docstring is its description, `EXAMPLES` stands below its help.

    `args` carries the absolute path `home`, the flag `json`, `open_desk()` (the home at work) and `explain(name)`.
    """

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    @staticmethod
    def run(args: argparse.Namespace) -> Outcome:
        """Do it."""


class Parser(argparse.ArgumentParser):
    """A parser that takes the options that stand everywhere, and raises instead of exiting."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options["allow_abbrev"] = False
        super().__init__(*args, **options)
        add_everywhere(self)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError that shows how the command is written."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        raise UsageError(message, where=self.prog, remedy=f"write: {usage}; `{self.prog} --help` tells more")


def add_everywhere(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command takes, before or after its name."""
    group = parser.add_argument_group("everywhere")
    silent = argparse.SUPPRESS
    group.add_argument("--home", metavar="DIR", type=Path, default=silent, help=f"the node (default ./{DEFAULT_HOME})")
    group.add_argument("--json", action="store_true", default=silent, help="one JSON document on stdout")
    group.add_argument("--debug", action="store_true", default=silent, help="show where an unexpected error arose")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words[: words.index("--") if "--" in words else None]
    try:
        return _guarded(words, as_json=as_json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _BROKEN_PIPE


def parser_of(command: Command) -> Parser:
    """Return the complete parser of one command; imports its module and no other command's."""
    module = _load(command)
    examples = getattr(module, "EXAMPLES", "").strip("\n")
    parser = Parser(
        prog=f"pellucid {command.name}",
        description=_description(module) or command.summary,
        epilog=f"examples:\n{examples}" if examples else None,
    )
    cast("CommandModule", module).add_arguments(parser)
    return parser


def overview() -> str:
    """Return the table of all commands by group."""
    lines = ["Pellucid: what ships is what was reviewed, checkable by anyone, offline.", ""]
    lines += ["usage: pellucid [--home DIR] COMMAND … [--json]", ""]
    for group in dict.fromkeys(command.group for command in COMMANDS):
        lines.append(group)
        lines += [f"  {command.name:<11}{command.summary}" for command in COMMANDS if command.group == group]
        lines.append("")
    lines.append("`pellucid COMMAND --help` tells how each is written, with examples.")
    return "\n".join(lines)


def find_command(name: str) -> Command:
    """Return the command called `name`; UsageError names the nearest one."""
    for command in COMMANDS:
        if command.name == name:
            return command
    from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

    near = get_close_matches(name, [command.name for command in COMMANDS], n=1, cutoff=0.5)
    hint = f"did you mean `pellucid {near[0]}`? " if near else ""
    raise UsageError(f"there is no command {name[:60]!r}", remedy=f"{hint}`pellucid help` lists all commands")


def _guarded(words: list[str], *, as_json: bool) -> int:
    try:
        return _tell(_run(words), as_json=as_json)
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    except PellucidError as error:
        return _tell_error(error, as_json=as_json, debug=_wants_traceback(words))
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except OSError as error:
        return _tell_error(_system_error(error), as_json=as_json, debug=_wants_traceback(words))
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user unasked
        return _tell_error(_unexpected(error), as_json=as_json, debug=_wants_traceback(words))


def _run(words: list[str]) -> Outcome:
    from pellucid.desk import Outcome  # noqa: PLC0415 - help needs none of it

    everywhere, rest = _split(words)
    if not rest:
        return Outcome({"commands": [c.name for c in COMMANDS]}, overview())
    command = find_command(rest[0])
    args = parser_of(command).parse_args(rest[1:], namespace=everywhere)
    args.home = Path(getattr(args, "home", DEFAULT_HOME)).absolute()
    args.json = getattr(args, "json", False)
    args.open_desk = _desk_opener(args)
    args.explain = _explain
    return cast("CommandModule", _load(command)).run(args)


def _description(module: Any) -> str:
    """Return the docstring without its indentation, as `inspect.cleandoc` would, without importing it."""
    first, _, rest = (module.__doc__ or "").strip().partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}".strip()


def _explain(name: str | None) -> str:
    return parser_of(find_command(name)).format_help().rstrip() if name else overview()


def _split(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Take the options before the command's name away from the words."""
    parser = Parser(prog="pellucid", add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--version", action="version", version=f"pellucid {__version__}")
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] == "--home" else 1
    found = parser.parse_args(words[:at])
    rest = ["help", *words[at:]] if found.help else words[at:]
    del found.help
    return found, rest


def _load(command: Command) -> Any:
    module, _, name = command.module.partition(":")
    try:
        found = importlib.import_module(module)
        return getattr(found, name) if name else found
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "pellucid":
            raise
        raise UnavailableError(
            f"`{command.name}` needs the package {missing!r}, which is not installed",
            remedy="install the whole program: pip install 'pellucid[node]'",
        ) from error


def _desk_opener(args: argparse.Namespace) -> Callable[[], Desk]:
    def open_desk() -> Desk:
        return cast("Desk", importlib.import_module("pellucid.commands.home_desk").HomeDesk.of(args))

    return open_desk


def _tell(outcome: Outcome, *, as_json: bool) -> int:
    text = json.dumps(outcome.json, indent=2, ensure_ascii=False) if as_json else printable(outcome.text)
    if text:
        _write(text)
    return outcome.exit_code


def _tell_error(error: PellucidError, *, as_json: bool, debug: bool) -> int:
    if debug:
        import traceback  # noqa: PLC0415 - only when asked for

        traceback.print_exception(error.__cause__ or error)
    lines = [f"pellucid: {error}"] + ([f"  remedy: {error.remedy}"] if error.remedy else [])
    sys.stderr.write(printable("\n".join(lines)) + "\n")
    if as_json:
        _write(json.dumps(error.as_json(), indent=2, ensure_ascii=False))
    return error.exit_code


def _write(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        # What is still buffered would fail again when the interpreter ends, and change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _wants_traceback(words: list[str]) -> bool:
    return "--debug" in words or bool(os.environ.get("PELLUCID_DEBUG"))


def _system_error(error: OSError) -> PellucidError:
    where = str(error.filename) if error.filename else None
    found = UnavailableError(error.strerror or type(error).__name__, where=where, remedy="mend the cause and try again")
    found.__cause__ = error
    return found


def _unexpected(error: Exception) -> PellucidError:
    """Return what a user is told about a mistake in this program: its kind only, since its text may quote anything."""
    found = UnavailableError(
        f"unexpected {type(error).__name__}; this is a mistake in the program",
        remedy="run it again with --debug and report what it prints; nothing acknowledged is lost",
    )
    found.__cause__ = error
    return found


if __name__ == "__main__":
    sys.exit(main())
