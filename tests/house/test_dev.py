"""`./dev` is short, plain shell; it explains itself and refuses what it does not know."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = ("dev", "requirements/lock")
COMMANDS = ("setup", "run", "test", "check", "bench", "soak", "docs", "lock")


def dev(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([root / "dev", *arguments], capture_output=True, text=True, check=False, cwd="/")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_plain_shell(root: Path, script: str) -> None:
    file = root / script
    assert file.read_text().startswith("#!/bin/sh\n")
    assert file.stat().st_mode & 0o111 == 0o111
    subprocess.run(["sh", "-n", file], check=True)
    assert len(file.read_text().splitlines()) <= 120


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", [*SCRIPTS, ".ci/run"])
def test_shellcheck_finds_nothing(root: Path, script: str) -> None:
    subprocess.run(["shellcheck", root / script], check=True)


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_it_explains_every_command(root: Path, arguments: tuple[str, ...]) -> None:
    result = dev(root, *arguments)
    assert result.returncode == 0
    assert tuple(re.findall(r"^  ([a-z]+) ", result.stdout, re.MULTILINE)) == COMMANDS
    handled = re.findall(r"^  ([a-z]+)\)", (root / "dev").read_text(), re.MULTILINE)
    assert set(handled) == set(COMMANDS)


def test_an_unknown_command_is_refused_with_the_way_out(root: Path) -> None:
    result = dev(root, "tset")
    assert result.returncode == 2
    assert "tset" in result.stderr
    assert "./dev alone lists them" in result.stderr
    assert result.stdout == ""


def test_the_gate_runs_every_check_and_every_test(root: Path) -> None:
    gate = (root / ".ci/run").read_text()
    assert "set -euo pipefail" in gate
    assert "\n./dev check\n./dev test --full\n" in gate
