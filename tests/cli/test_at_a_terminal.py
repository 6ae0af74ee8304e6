"""What a person at a terminal is asked and shown; everybody else is neither asked nor shown bars."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pellucid.terminal import printable


def at_terminal(words: Sequence[str | Path], answers: Sequence[tuple[str, str]], cwd: Path) -> tuple[int, str]:
    """Run the program on a terminal, typing each answer once its question is shown; return exit code and screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        for name in ("PELLUCID_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY"):
            os.environ.pop(name, None)
        os.execv(sys.executable, [sys.executable, "-m", "pellucid.cli", *map(str, words)])  # noqa: S606
    poll = select.poll()  # `select` knows no descriptor above 1,023, and other tests hold many
    poll.register(terminal, select.POLLIN | select.POLLHUP)
    screen, waiting, end = "", list(answers), time.monotonic() + 30
    while time.monotonic() < end:
        if poll.poll(100):
            try:
                data = os.read(terminal, 65_536)
            except OSError:
                break
            screen += data.decode(errors="replace")
        if waiting and waiting[0][0] in screen:
            time.sleep(0.05)
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def test_a_passphrase_is_asked_for_twice_and_not_kept(tmp_path: Path) -> None:
    words = ("--home", tmp_path / "h", "init", "--role", "center", "--name", "log.example/1")
    code, screen = at_terminal(words, [("Passphrase:", "correct horse"), ("Again:", "correct horse")], tmp_path)
    assert code == 0, screen
    assert "correct horse" not in screen
    assert not (tmp_path / "h/passphrase").exists()


def test_two_passphrases_that_differ_make_nothing(tmp_path: Path) -> None:
    words = ("--home", tmp_path / "h", "init", "--role", "center", "--name", "log.example/1")
    code, screen = at_terminal(words, [("Passphrase:", "correct horse"), ("Again:", "other")], tmp_path)
    assert code == 2, screen
    assert not (tmp_path / "h").exists()


def test_a_fingerprint_is_shown_and_the_safe_answer_is_no(home: Path, center: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    assert at_terminal(("--home", center, "peer", "invite", "-o", card), [], tmp_path)[0] == 0
    accept = ("--home", home, "peer", "accept", card)
    for answer, code in (("", 2), ("n", 2), ("y", 0)):
        ended, screen = at_terminal(accept, [("[y/N]", answer)], tmp_path)
        assert ended == code, screen
        assert "fingerprint:" in screen


def test_nothing_that_steers_a_terminal_is_printed() -> None:
    assert printable("plain\ttext\nhere") == "plain\ttext\nhere"
    assert printable("\x1b]0;title\x07") == "\\x1b]0;title\\x07"
    assert printable("a\u202eb\x00\r") == "a\\u202eb\\x00\\r"
