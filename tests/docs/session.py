"""A page's commands as one session of a shell, as somebody would type them.

In a block ```` ```console ```` a line that begins with `$ ` is typed, one that begins with `> ` continues it, and the
lines below are the answer: they stand in the command's output in this order; `…` in a line stands for anything, a line
that is only `…` for any lines. Every command must end with 0, unless `echo $?` is typed next and shows what it ended
with. Ports 8400 and 8410 are exchanged for free ones.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORTS = ("8400", "8410")
# One shell for all: each command is evaluated in it, with the exit code of the one before in `$?` and nothing to read.
_SHELL = r"""
code=0
while IFS= read -r -d '' command <&3; do
  (exit "$code")
  eval "$command" </dev/null
  code=$?
  printf '%s %s\0' "" "$code"
done
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """One command, and the lines of its answer as the page shows them."""

    command: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a command really wrote, and the code it ended with."""

    output: str
    code: int


def typed(text: str) -> list[Typed]:
    """Return the commands of a page in their order."""
    found: list[Typed] = []
    for block in _BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Typed(line.removeprefix("$ "), ()))
            elif line.startswith("> ") and found[-1].command.endswith("\\") and not found[-1].shown:
                found[-1] = Typed(f"{found[-1].command}\n{line.removeprefix('> ')}", ())
            else:
                found[-1] = Typed(found[-1].command, (*found[-1].shown, line))
    return found


def missing(shown: Sequence[str], output: str) -> str | None:
    """Return the first line that a page shows and `output` does not have in its place, None if all stand there."""
    lines = iter(output.splitlines())
    for line in shown:
        pattern = re.compile(".*".join(re.escape(_squeezed(part)) for part in line.split("…")))
        if line != "…" and not any(pattern.fullmatch(_squeezed(found)) for found in lines):
            return line
    return None


def _squeezed(line: str) -> str:
    """Return the words of a line with one space between them: the width of columns is not compared."""
    return " ".join(line.split())


def with_free_ports(text: str) -> str:
    """Return the page with its ports exchanged for ones that nobody listens on."""
    with contextlib.ExitStack() as stack:
        for port in _PORTS:
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            text = text.replace(f":{port}", f":{probe.getsockname()[1]}")
    return text


class Session:
    """A shell in `folder`; what it started ends with it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        reading, self._commands = os.pipe()
        self._shell = subprocess.Popen(
            ["bash", "-c", f"exec 3<&{reading}\n{_SHELL}"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(reading,),
            start_new_session=True,
        )
        os.close(reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)
        self._shell.wait(30)
        if self._shell.stdout is not None:
            self._shell.stdout.close()

    def type(self, command: str) -> Answered:
        """Return what becomes of a command."""
        os.write(self._commands, command.encode() + b"\0")
        found = self._answer()
        output, _, code = found.rpartition(" ")
        return Answered(output, int(code))

    def _answer(self) -> str:
        stdout = self._shell.stdout
        assert stdout is not None
        taken = bytearray()
        while (byte := stdout.read(1)) != b"\0":
            assert byte, f"the shell ended: {taken.decode(errors='replace')}"
            taken += byte
        return taken.decode(errors="replace")


def play(session: Session, commands: Sequence[Typed]) -> str | None:
    """Type all commands; return the first thing that went otherwise than the page shows, None if all went so."""
    for now, then in pairwise([*commands, Typed("", ())]):
        answered = session.type(now.command)
        if answered.code != 0 and then.command != "echo $?":
            return f"$ {now.command}\nended with {answered.code}:\n{answered.output}"
        absent = missing(now.shown, answered.output)
        if absent is not None:
            return f"$ {now.command}\nthe page shows:\n{absent}\nthere is:\n{answered.output}"
    return None
