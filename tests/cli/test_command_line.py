"""The command line itself: where options stand, what errors look like, how the program ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid import cli
from pellucid.cli import COMMANDS, Command, main

Shell = Callable[..., subprocess.CompletedProcess[str]]
Run = Callable[..., Any]


def test_alone_it_shows_every_command(run: Run) -> None:
    shown = run()
    assert shown.code == 0
    assert all(f"  {command.name} " in shown.out for command in COMMANDS)
    assert run("help").out == shown.out
    assert run("--help").out == shown.out


def test_home_and_json_stand_before_and_after_the_command(run: Run, home: Path) -> None:
    spellings = (
        ("--home", home, "--json", "key", "list"),
        ("key", "--home", home, "list", "--json"),
        ("key", "list", "--json", "--home", home),
        ("--json", "key", "list", f"--home={home}"),
    )
    answers = [run(*words) for words in spellings]
    assert {answer.out for answer in answers} == {answers[0].out}
    assert answers[0].json["home"] == str(home)


def test_an_unknown_command_suggests_the_nearest(run: Run) -> None:
    answer = run("publsh", "release.toml")
    assert answer.code == 2
    assert "did you mean `pellucid publish`?" in answer.err
    assert answer.out == ""


def test_wrong_usage_tells_how_it_is_written(run: Run) -> None:
    answer = run("init", "--role", "vendor")
    assert answer.code == 2
    assert "--name" in answer.err
    assert "remedy: write: pellucid init" in answer.err


def test_options_are_not_guessed_from_their_beginning(run: Run) -> None:
    assert run("init", "--rol", "vendor", "--name", "log.example/1").code == 2


def test_an_error_under_json_is_one_document(run: Run, tmp_path: Path) -> None:
    answer = run("key", "list", "--home", tmp_path / "nowhere", "--json")
    assert answer.code == 2
    assert answer.json["error"]["what"] == "not the home of a node"
    assert answer.json["error"]["where"] == str(tmp_path / "nowhere")
    assert "pellucid init" in answer.json["error"]["remedy"]
    assert "not the home of a node" in answer.err


def test_a_mistake_in_the_program_shows_neither_traceback_nor_secret(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr("pellucid.commands.key.Home.find", fail)
    answer = run("key", "list", "--home", home)
    assert answer.code == 3
    assert "unexpected ValueError" in answer.err
    assert "hunter2" not in answer.err
    assert "Traceback" not in answer.err
    assert "Traceback" in run("key", "list", "--home", home, "--debug").err


def test_an_interrupt_ends_with_130(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.commands.key.Home.find", interrupt)
    assert run("key", "list", "--home", home).code == 130


def test_a_closed_pipe_is_no_error_to_tell(tmp_path: Path) -> None:
    command = f"{sys.executable} -m pellucid.cli help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr == ""


def test_a_full_disk_under_stdout_is_told(shell: Shell) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pellucid.cli", "help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert "No space left" in done.stderr


def test_what_strangers_wrote_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    answer = run("key", "show", tmp_path / "\x1b[2Jgone")
    assert answer.code == 2
    assert "\x1b" not in answer.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_with_examples(run: Run, command: Command) -> None:
    answer = run(command.name, "--help")
    assert answer.code == 0
    assert f"usage: pellucid {command.name}" in answer.out
    assert "examples:" in answer.out
    assert f"pellucid {command.name}" in answer.out.partition("examples:")[2] or "--home" in answer.out


def test_verify_loads_nothing_that_only_others_need() -> None:
    program = (
        "import sys; from pellucid.cli import find_command, parser_of; parser_of(find_command('verify'));"
        "print(sorted(set(sys.modules) & {'django', 'sqlite3', 'tomlkit', 'tqdm', 'http.client'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    missing = Command("serve", "granian_is_not_here.at_all", "", "")
    monkeypatch.setattr(cli, "COMMANDS", (missing,))
    assert main(["serve", "--json"]) == 3
    shown = json.loads(capsys.readouterr().out)
    assert "granian_is_not_here" in shown["error"]["what"]
    assert "pellucid[node]" in shown["error"]["remedy"]


def test_no_terminal_means_no_bar_and_no_question(shell: Shell, tmp_path: Path) -> None:
    key = shell("key", "new", "some.key", "--name", "Ann", env={**os.environ, "HOME": str(tmp_path)})
    assert key.returncode == 2
    assert "nobody can be asked" in key.stderr
    assert not (tmp_path / "some.key").exists()
